"""What programs say, beyond the matrix: other products, other forms of an answer, recorded or from their documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam_kit.checks import CheckContext, Reason, State
from exam_kit.checks.probes.clock import _agreeing
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Store
from tests.checks_matrix import fault, script, windows
from tests.checks_servers import time_server
from tests.checks_world import World


@pytest.fixture
def world(tmp_path: Path, point: Point, home: Home, store: Store, clock: FakeClock) -> World:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return World(tmp_path / "machine", context)


RUNNING = fault("running, is = false", warn="database_age, above = 24")

# kesl-control --app-info speaks the language of its own settings, whatever the environment says.
KESL_EN = """Name:                                   Kaspersky Endpoint Security 12.0 for Linux
Version:                                12.0.0.6672
Application databases loaded:           {0}
Last release date of databases:         {1}
File Threat Protection:                 {2}
"""
KESL_RU = """Название:                               Kaspersky Endpoint Security 12.0 для Linux
Версия:                                 12.0.0.6672
Базы программы загружены:               {0}
Дата последнего выпуска баз программы:  {1}
Защита от файловых угроз:               {2}
"""


@pytest.mark.parametrize(
    ("says", "state"),
    [
        (KESL_EN.format("Yes", "2026-05-28 03:00:00", "Available and running"), State.OK),
        (KESL_EN.format("Yes", "2026-05-25 03:00:00", "Available and running"), State.WARN),
        (KESL_EN.format("No", "2026-05-28 03:00:00", "Available and running"), State.FAIL),
        (KESL_EN.format("Yes", "2026-05-28 03:00:00", "Available and not running"), State.FAIL),
        (KESL_EN.format("Yes", "2026-05-28 03:00:00", "Unavailable due to license limitation"), State.FAIL),
        (KESL_EN.format("Yes", "yesterday", "Available and running"), State.UNKNOWN),
        (KESL_RU.format("Да", "2026-05-28 03:00:00", "Доступна и запущена"), State.OK),
        (KESL_RU.format("Да", "2026-05-28 03:00:00", "Доступна и не запущена"), State.FAIL),
        (KESL_RU.format("Нет", "2026-05-28 03:00:00", "Доступна и запущена"), State.FAIL),
        ("Служба недоступна", State.UNKNOWN),
        ("refuses", State.UNKNOWN),
    ],
)
def test_kaspersky(world: World, says: str, state: State) -> None:
    world.tool("kesl-control", says)
    world.tool("clamscan", "ClamAV 1.0.7/27449/Thu May 28 04:00:00 2026")  # there as well, and not asked
    assert world.check("antivirus.running", RUNNING).state is state


DRWEB = "Core engine version: 7.00.65.05230\nVirus database timestamp: {0}\nVirus database records: 10938982\n"


@pytest.mark.parametrize(
    ("says", "daemon", "state"),
    [
        (DRWEB.format("2026-May-27 21:30:00"), True, State.OK),
        (DRWEB.format("2026-May-20 21:30:00"), True, State.WARN),
        (DRWEB.format("2026-May-27 21:30:00"), False, State.FAIL),
        (DRWEB.format("unknown"), True, State.UNKNOWN),
        ("Error: Dr.Web ConfigD is not available", True, State.UNKNOWN),
    ],
)
def test_drweb(world: World, says: str, daemon: bool, state: State) -> None:
    world.tool("drweb-ctl", says)
    world.file("/proc/77/comm", "drweb-configd\n" if daemon else "bash\n")
    assert world.check("antivirus.running", RUNNING).state is state


@pytest.mark.parametrize(
    ("schedule", "state"),
    [
        ("RuleType=Weekly\nStartTime=03:00:00;Sun", State.OK),
        ("RuleType=Weekly\nStartTime=[2026/05/28] 11:00:00;Thu", State.FAIL),
        ("RuleType=Hourly\nStartTime=00:15:00;1", State.FAIL),
        ("RuleType=Manual\nRunMissedStartRules=No", State.OK),
        ("RuleType=Sometimes", State.UNKNOWN),
        ("", State.UNKNOWN),
    ],
)
def test_kasperskys_schedule(world: World, schedule: str, state: State) -> None:
    world.tool("kesl-control", schedule)
    assert world.check("antivirus.scan", fault("in_exam, is = true")).state is state


@pytest.mark.parametrize(
    ("line", "state"),
    [
        # The exam is on Thursday, 28 May 2026, 10:00 to 13:55; two hours before it count.
        ("59 7 * * * root clamscan -r /", State.OK),
        ("0 8 * * * root clamscan -r /", State.FAIL),
        ("0 14 * * * root clamscan -r /", State.OK),
        ("*/30 * * * * root clamdscan /srv", State.FAIL),
        ("0 11 * * mon root clamscan -r /", State.OK),
        ("0 11 28 * mon root clamscan -r /", State.FAIL),  # either day is enough
        ("0 11 * 6 * root clamscan -r /", State.OK),
        ("0 11 * * 0,4 root clamscan -r /", State.FAIL),
        ("@hourly root clamscan -r /", State.FAIL),
        ("@reboot root clamscan -r /", State.OK),
        ("# 0 11 * * * root clamscan -r /", State.OK),
        ("0 11 * * * root run-parts /etc/cron.daily", State.OK),
        ("0 11 * jan-mar * root clamscan", State.UNKNOWN),
        ("0 11 clamscan", State.UNKNOWN),
        ("@sometimes root clamscan", State.UNKNOWN),
    ],
)
def test_cron(world: World, line: str, state: State) -> None:
    world.tool("clamscan", "ClamAV 1.0.7")
    world.file("/etc/cron.d/scan", f"SHELL=/bin/sh\n\n{line}\n")
    assert world.check("antivirus.scan", fault("in_exam, is = true")).state is state


def test_cron_by_folders(world: World) -> None:
    world.tool("clamscan", "ClamAV 1.0.7")
    world.file("/etc/crontab", "25 9 * * * root run-parts /etc/cron.daily\n")
    world.file("/etc/cron.daily/scan", "#!/bin/sh\nclamscan -r /home\n")
    rules = fault("in_exam, is = true")
    assert world.check("antivirus.scan", rules).fact.values["at"] == "09:25"
    world.file("/etc/anacrontab", "1 5 cron.daily run-parts /etc/cron.daily\n")  # its hour cannot be told
    assert world.check("antivirus.scan", rules).state is State.UNKNOWN


def test_a_day_without_an_exam_has_no_exam_hours(world: World) -> None:
    world.context = world.context._replace(day=None)
    assert world.check("antivirus.scan", fault("in_exam, is = true")).fact.reason is Reason.NO_PLAN


# --- printers, as CUPS 2.4 says it ------------------------------------------------------------------------------------

CUPS = """printer HP1 is idle.  enabled since Sun Nov 22 01:07:39 2026
printer HP2 disabled since Sun Nov 22 01:07:39 2026 -
\tPaper jam
printer HP3 now printing HP3-7.  enabled since Sun Nov 22 01:07:39 2026
system default destination: HP1
"""
READY = fault("printers, below = 1", "stopped, above = 0")


def test_printers_as_cups_tells_them(world: World) -> None:
    world.tool("lpstat", CUPS)
    result = world.check("printer.ready", READY)
    assert (result.state, dict(result.fact.values)) == (State.FAIL, {"printers": 3, "stopped": 1, "default": "HP1"})
    assert result.fact.evidence["printers"][1]["why"] == "Paper jam"
    assert world.check("printer.ready", READY, '{ name = "HP3" }').state is State.OK
    assert world.check("printer.ready", READY, '{ name = "HP9" }').state is State.FAIL


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("echo 'lpstat: No destinations added.' >&2; exit 1", State.FAIL),
        ("echo 'no system default destination'", State.FAIL),
        ("echo 'lpstat: Scheduler is not running.' >&2; exit 1", State.UNKNOWN),
        ("exit 0", State.UNKNOWN),
    ],
)
def test_no_printer_and_no_answer_are_two_things(world: World, body: str, state: State) -> None:
    script(world, "lpstat", body)
    assert world.check("printer.ready", READY).state is state


# --- others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "rc", "state", "reason"),
    [
        ({"smartctl": {"messages": [{"string": "Smartctl open device: /dev/sda failed: Permission denied"}]}}, 2,
         State.UNKNOWN, Reason.DENIED),
        ({"smartctl": {"messages": [{"string": "Unable to detect device type"}]}}, 1, State.UNKNOWN, Reason.ERROR),
        ({"smartctl": {}}, 0, State.UNKNOWN, Reason.ERROR),  # a disk that tells nothing is not a healthy one
        ({"smart_status": {"passed": True}, "ata_smart_attributes": {"table": [{"id": 5, "raw": {"value": 12}}]}}, 0,
         State.WARN, None),
        ({"smart_status": {"passed": True}, "nvme_smart_health_information_log": {"media_errors": 0}}, 64,
         State.OK, None),  # bit 6: old entries of its error log
    ],
)  # fmt: skip
def test_smartctl(world: World, said: dict[str, object], rc: int, state: State, reason: Reason | None) -> None:
    scan = json.dumps({"devices": [{"name": "/dev/sda"}]})
    script(
        world, "smartctl", f"case \"$*\" in *--scan*) echo '{scan}';; *) echo '{json.dumps(said)}'; exit {rc};; esac"
    )
    result = world.check("disk.health", fault("healthy, is = false", warn="bad_sectors, above = 0"))
    assert (result.state, result.fact.reason) == (state, reason)


def test_no_disk_that_tells_its_health(world: World) -> None:
    world.tool("smartctl", '{"smartctl": {"exit_status": 0}}')
    assert world.check("disk.health", fault("healthy, is = false")).fact.reason is Reason.ERROR


def test_screens_by_the_kernel(world: World) -> None:
    for name, state, modes in (
        ("card0-HDMI-A-1", "connected", "1920x1080\n1280x720"),
        ("card0-VGA-1", "disconnected", ""),
    ):
        world.file(f"/sys/class/drm/{name}/status", state)
        world.file(f"/sys/class/drm/{name}/modes", modes)
    assert world.check("screen.size", fault("width, below = 1280")).fact.values == {"width": 1920, "height": 1080}


def test_sleep_that_is_masked(world: World) -> None:
    unit = world.folder / "etc/systemd/system/sleep.target"
    unit.parent.mkdir(parents=True)
    unit.symlink_to("/dev/null")
    assert world.check("os.sleep", fault("sleeps, is = true")).state is State.OK


@pytest.mark.parametrize(
    ("words", "rc", "state"),
    [
        ("disabled disabled", 1, State.OK),
        ("enabled disabled", 0, State.FAIL),
        ("not-found not-found", 4, State.OK),
        ("", 1, State.UNKNOWN),
        ("что-то", 0, State.UNKNOWN),
    ],
)
def test_automatic_updates_by_dnf(world: World, words: str, rc: int, state: State) -> None:
    script(world, "systemctl", f"for word in {words}; do echo $word; done; exit {rc}")
    assert world.check("os.auto_update", fault("automatic, is = true")).state is state


def test_screensaver_by_the_display_server(world: World) -> None:
    world.tool("xset", "Screen Saver:\n  timeout:  0    cycle:  600\nDPMS:\n  Standby: 600    Suspend: 0    Off: 900\n"
                       "  DPMS is Enabled\n")  # fmt: skip
    assert world.check("os.screensaver", fault("blanks, is = true")).fact.values == {"blanks": True, "after": 10}


def test_the_system_tells_its_own_end(world: World) -> None:
    world.file("/etc/os-release", "ID=fedora\nVERSION_ID=44\nSUPPORT_END=2027-05-19\n")
    assert world.check("os.support", fault("days_left, below = 0"), "{ ends = {} }").fact.values["days_left"] == 356
    world.file("/etc/os-release", "ID=gentoo\n")
    assert world.check("os.support", fault("days_left, below = 0"), "{ ends = {} }").state is State.UNKNOWN


@pytest.mark.parametrize(
    ("offsets", "agreeing"),
    [
        ([0.0], [0.0]),
        ([-0.2, 0.0, 0.3], [-0.2, 0.0, 0.3]),
        ([0.0, 0.1, 3600.0], [0.0, 0.1]),
        ([-40.0, 0.0, 3600.0], [-40.0]),
    ],
)
def test_servers_that_agree(offsets: list[float], agreeing: list[float]) -> None:
    assert _agreeing(offsets, 1.0) == agreeing


def test_one_lying_time_server_is_outvoted_and_a_tie_is_not_believed(world: World) -> None:
    rules = fault("offset, above = 60", warn="answered, below = 2")
    with time_server(0) as one, time_server(0.05) as two, time_server(4000) as liar:
        result = world.check("clock.offset", rules, f'{{ servers = ["{one}", "{liar}", "{two}"] }}')
        assert (result.state, result.fact.values["answered"]) == (State.OK, 2)
        tie = world.check("clock.offset", rules, f'{{ servers = ["{one}", "{liar}"] }}')
        assert (tie.state, tie.fact.reason) == (State.UNKNOWN, Reason.ERROR)
        assert world.check("clock.offset", rules, f'{{ servers = ["{one}"] }}').state is State.WARN


# --- Windows: the same probes, PowerShell that says nothing of use ----------------------------------------------------

WINDOWS = {
    "os.support": ("days_left, below = 0", "{ ends = {} }"),
    "os.virtual_machine": ("virtual, is = true", "{}"),
    "os.auto_update": ("automatic, is = true", "{}"),
    "os.sleep": ("sleeps, is = true", "{}"),
    "os.screensaver": ("blanks, is = true", "{}"),
    "screen.size": ("width, below = 1280", "{}"),
    "disk.health": ("healthy, is = false", "{}"),
    "power.battery": ("health, below = 20", "{}"),
    "antivirus.databases": ("age, above = 24", "{}"),
    "antivirus.scan": ("in_exam, is = true", "{}"),
    "clock.sync": ("on, is = false", "{}"),
    "software.unapproved": ("found, above = 0", '{ forbidden = ["*"] }'),
    "software.remote_control": ("found, above = 0", '{ programs = ["*"] }'),
    "printer.ready": ("stopped, above = 0", "{}"),
    "printer.queue": ("jobs, above = 0", "{}"),
    "scanner.found": ("scanners, below = 1", "{}"),
    "usb.tokens": ("tokens, below = 1", '{ models = ["0a89:*"] }'),
    "usb.storage": ("foreign, above = 0", "{ allowed = [] }"),
}


@pytest.mark.parametrize("probe", WINDOWS)
@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (None, Reason.TOOL_ABSENT),
        ("refuses", Reason.DENIED),
        ("Get-CimInstance : Неизвестная ошибка", Reason.ERROR),
        ("{}", Reason.ERROR),
    ],
)
def test_windows_that_tells_nothing(world: World, probe: str, says: str | None, reason: Reason) -> None:
    windows(world, {})
    (world.bin / "powershell.exe").unlink()
    if says is not None:
        world.tool("powershell.exe", says)
    rule, args = WINDOWS[probe]
    result = world.check(probe, fault(rule), args)
    assert result.state is State.UNKNOWN
    # Without a list of products the Security Center has none: an absent program.
    assert result.fact.reason is reason or (probe, says) == ("antivirus.databases", "{}")
