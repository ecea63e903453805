"""Every probe family under everything that can happen to it: good, doubtful, bad, absent, refused, silent, garbled.

The machine under check is made of real files and real little programs in a folder of its own.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks import CheckContext, Machine, Reason, Result, State, run_checks
from exam_kit.checks.probes.clock import NTP_EPOCH
from exam_kit.checks.profile import read_profile
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Ledger, Store

REFUSES_ROOT_TOO = Path("/proc/sys/vm/compact_memory")
"""Write-only even for root, so that "access refused" can be tested by any user."""


class World:
    """A machine made of files, and the checks run on it."""

    def __init__(self, folder: Path, context: CheckContext) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.context = replace(context, machine=Machine("linux", folder, {"PATH": str(self.bin)}))

    def file(self, path: str, text: str) -> None:
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def spoil(self, path: str, how: str) -> None:
        """Make a file absent, refused, silent (its reading never ends) or garbled."""
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        match how:
            case "denied":
                target.symlink_to(REFUSES_ROOT_TOO)
            case "timeout":
                os.mkfifo(target)
            case "garbage":
                target.write_bytes(b"\xff\xfe<html>502 Bad Gateway</html>\x00")

    def tool(self, name: str, how: str) -> None:
        """Put a program on the PATH: `how` is what it prints, or one of denied, timeout, refuses."""
        path = self.bin / name
        script = {
            "timeout": "exec /bin/sleep 60",
            "refuses": "echo 'Permission denied' >&2; exit 1",
            "fails": "echo 'cannot connect' >&2; exit 2",
        }.get(how, f"/bin/cat <<'END'\n{how}\nEND")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | (0 if how == "denied" else stat.S_IXUSR))

    def check(self, probe: str, expect: str, args: str = "{}", timeout_s: float = 5.0) -> Result:
        """Run one check by one probe; `expect` in TOML's words."""
        texts = '{ ru = "т", en = "t", lv = "t" }'
        text = (
            f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {texts}\n'
            f'[[checks]]\nid = "it"\nprobe = "{probe}"\nargs = {args}\nseverity = "major"\ntimeout_s = {timeout_s}\n'
            f"{expect}\ntitle = {texts}\nfix = {texts}\n"
        )
        (result,) = run_checks(read_profile(text, "t"), self.context).results
        return result


@pytest.fixture
def world(tmp_path: Path, point: Point, home: Home, store: Store, clock: FakeClock) -> World:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return World(tmp_path / "machine", context)


SPOILT = [
    ("tool absent", "absent", Reason.TOOL_ABSENT),
    ("denied", "denied", Reason.DENIED),
    ("timeout", "timeout", Reason.TIMEOUT),
    ("garbage", "garbage", Reason.ERROR),
]


# --- families that read files of the system --------------------------------------------------------------------------

MEMORY = "MemTotal: {0} kB\nMemFree: 1 kB\nMemAvailable: {1} kB\n"
MEMORY_RULES = 'expect.fail = [{ of = "total", below = 4e9 }]\nexpect.warn = [{ of = "available", below = 1e9 }]'
CPU = "processor\t: 0\nmodel name\t: Test CPU\ncpu MHz\t\t: {0}\n\n"
CPU_RULES = 'expect.fail = [{ of = "cores", below = 2 }]\nexpect.warn = [{ of = "speed", below = 1.9e9 }]'
OS_RULES = (
    'expect.fail = [{ of = "family", none_of = ["debian", "astra"] }]\n'
    'expect.warn = [{ of = "version", version_below = "12" }]'
)
OS = 'PRETTY_NAME="Test"\nID={0}\nVERSION_ID="{1}"\n'


@pytest.mark.parametrize(
    ("probe", "path", "rules", "text", "state"),
    [
        ("memory.size", "/proc/meminfo", MEMORY_RULES, MEMORY.format(8_000_000, 5_000_000), State.OK),
        ("memory.size", "/proc/meminfo", MEMORY_RULES, MEMORY.format(8_000_000, 500_000), State.WARN),
        ("memory.size", "/proc/meminfo", MEMORY_RULES, MEMORY.format(2_000_000, 500_000), State.FAIL),
        ("memory.size", "/proc/meminfo", MEMORY_RULES, "MemTotal: 8000000 kB\n", State.UNKNOWN),
        ("cpu.cores", "/proc/cpuinfo", CPU_RULES, CPU.format(2600) * 4, State.OK),
        ("cpu.cores", "/proc/cpuinfo", CPU_RULES, CPU.format(1200) * 4, State.WARN),
        ("cpu.cores", "/proc/cpuinfo", CPU_RULES, CPU.format(2600), State.FAIL),
        ("cpu.cores", "/proc/cpuinfo", CPU_RULES, "processor : 0\n\nprocessor : 1\n", State.UNKNOWN),
        ("os.build", "/etc/os-release", OS_RULES, OS.format("debian", "12"), State.OK),
        ("os.build", "/etc/os-release", OS_RULES, OS.format("debian", "11"), State.WARN),
        ("os.build", "/etc/os-release", OS_RULES, OS.format("plan9", "4"), State.FAIL),
        ("os.build", "/etc/os-release", OS_RULES, "ID=debian\n", State.UNKNOWN),
    ],
)
def test_what_a_file_says(world: World, probe: str, path: str, rules: str, text: str, state: State) -> None:
    world.file(path, text)
    assert world.check(probe, rules).state is state


@pytest.mark.parametrize(("name", "how", "reason"), SPOILT, ids=[name for name, *_ in SPOILT])
@pytest.mark.parametrize(
    ("probe", "path", "rules"),
    [
        ("memory.size", "/proc/meminfo", MEMORY_RULES),
        ("cpu.cores", "/proc/cpuinfo", CPU_RULES),
        ("os.build", "/etc/os-release", OS_RULES),
    ],
)
def test_a_spoilt_file(world: World, probe: str, path: str, rules: str, name: str, how: str, reason: Reason) -> None:
    world.spoil(path, how)
    result = world.check(probe, rules, timeout_s=0.3 if how == "timeout" else 5.0)
    assert (result.state, result.fact.reason) == (State.UNKNOWN, reason)


# --- power ------------------------------------------------------------------------------------------------------------

POWER_RULES = 'expect.fail = [{ of = "on_mains", is = false }]\nexpect.warn = [{ of = "backup", is = "none" }]'


def _supplies(world: World, **supplies: dict[str, str]) -> None:
    for name, words in supplies.items():
        for key, word in words.items():
            world.file(f"/sys/class/power_supply/{name}/{key}", word + "\n")


MAINS_ON, MAINS_OFF = {"type": "Mains", "online": "1"}, {"type": "Mains", "online": "0"}


@pytest.mark.parametrize(
    ("supplies", "files", "state"),
    [
        ({"AC": MAINS_ON, "BAT0": {"type": "Battery", "status": "Full", "capacity": "100"}}, {}, State.OK),
        ({"AC": MAINS_OFF, "BAT0": {"type": "Battery", "status": "Discharging", "capacity": "80"}}, {}, State.FAIL),
        ({"BAT0": {"type": "Battery", "status": "Discharging", "capacity": "80"}}, {}, State.FAIL),
        ({"hid": {"type": "UPS", "status": "Full", "capacity": "99"}}, {}, State.OK),
        # A desktop and a virtual machine have no battery; a machine that tells nothing stays unknown.
        ({}, {"/sys/class/dmi/id/chassis_type": "3"}, State.WARN),
        ({}, {"/proc/cpuinfo": "flags : fpu hypervisor lahf\n"}, State.WARN),
        ({}, {"/sys/class/dmi/id/chassis_type": "10"}, State.UNKNOWN),
        ({}, {}, State.UNKNOWN),
        ({"BAT0": {"type": "Battery", "status": "Unknown"}}, {}, State.UNKNOWN),
        ({"BAT0": {"type": "Battery", "status": "\x00\x7f"}}, {}, State.UNKNOWN),
        # The battery of a wireless mouse is not the computer's.
        ({"mouse": {"type": "Battery", "scope": "Device", "status": "Discharging"}}, {}, State.UNKNOWN),
    ],
)
def test_power(world: World, supplies: dict[str, dict[str, str]], files: dict[str, str], state: State) -> None:
    _supplies(world, **supplies)
    for path, text in files.items():
        world.file(path, text)
    assert world.check("power.supply", POWER_RULES).state is state


def test_power_refused_or_silent(world: World) -> None:
    world.spoil("/sys/class/power_supply/BAT0/type", "denied")
    assert world.check("power.supply", POWER_RULES).state is State.UNKNOWN
    world.spoil("/sys/class/power_supply/BAT0/type", "timeout")
    result = world.check("power.supply", POWER_RULES, timeout_s=0.3)
    assert (result.state, result.fact.reason) == (State.UNKNOWN, Reason.TIMEOUT)


# --- families that ask programs ---------------------------------------------------------------------------------------

ANTIVIRUS_RULES = 'expect.fail = [{ of = "running", is = false }]\nexpect.warn = [{ of = "database_age", above = 24 }]'
BOTH_TOOLS = ("clamdscan", "clamscan")


def _clamav(age_h: float) -> str:
    """As `clamdscan --version` prints it; the fixture's clock says 2026-05-28 05:00 UTC."""
    made = datetime(2026, 5, 28, 5, tzinfo=UTC) - timedelta(hours=age_h)
    return "ClamAV 1.0.7/27449/" + time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(made.timestamp()))


@pytest.mark.parametrize(
    ("says", "daemon", "state", "reason"),
    [
        (_clamav(3), True, State.OK, None),
        (_clamav(30), True, State.WARN, None),
        (_clamav(3), False, State.FAIL, None),
        ("ClamAV 1.0.7", True, State.UNKNOWN, None),  # no database at all: its age is not known
        ("", False, State.UNKNOWN, Reason.ERROR),
        ("Segmentation fault", True, State.UNKNOWN, Reason.ERROR),
        ("denied", True, State.UNKNOWN, Reason.DENIED),
        ("refuses", True, State.UNKNOWN, Reason.DENIED),
        ("fails", True, State.UNKNOWN, Reason.ERROR),
        ("timeout", True, State.UNKNOWN, Reason.TIMEOUT),
        (None, True, State.UNKNOWN, Reason.TOOL_ABSENT),
    ],
)
def test_antivirus(world: World, says: str | None, daemon: bool, state: State, reason: Reason | None) -> None:
    if says is not None:
        world.tool("clamdscan", says)
    world.file("/proc/77/comm", "clamd\n" if daemon else "bash\n")
    result = world.check("antivirus.running", ANTIVIRUS_RULES, timeout_s=0.5 if says == "timeout" else 5)
    assert (result.state, result.fact.reason) == (state, reason)


SOFTWARE_RULES = (
    'expect.fail = [{ of = "installed", is = false }]\nexpect.warn = [{ of = "version", version_below = "3.11" }]'
)
PACKAGES = "bash\t5.2-3\tinstalled\npython3\t{0}\t{1}"


@pytest.mark.parametrize(
    ("says", "state", "reason"),
    [
        (PACKAGES.format("3.11.2-1+b1", "installed"), State.OK, None),
        (PACKAGES.format("3.9.1", "installed"), State.WARN, None),
        ("bash\t5.2-3\tinstalled", State.FAIL, None),
        (PACKAGES.format("3.11.2", "config-files"), State.FAIL, None),  # removed, its settings are left
        (PACKAGES.format("unknown", "installed"), State.UNKNOWN, None),
        ("Ошибка: база занята", State.UNKNOWN, Reason.ERROR),
        ("denied", State.UNKNOWN, Reason.DENIED),
        ("fails", State.UNKNOWN, Reason.ERROR),
        ("timeout", State.UNKNOWN, Reason.TIMEOUT),
    ],
)
def test_software_by_packages(world: World, says: str, state: State, reason: Reason | None) -> None:
    world.tool("dpkg-query", says)
    timeout_s = 0.5 if says == "timeout" else 5
    result = world.check("software.version", SOFTWARE_RULES, '{ linux = "python3" }', timeout_s)
    assert (result.state, result.fact.reason) == (state, reason)


@pytest.mark.parametrize(
    ("says", "state", "reason"),
    [
        ("Python 3.12.4", State.OK, None),
        ("Python 3.8.0", State.WARN, None),
        (None, State.FAIL, None),
        ("usage: nothing", State.UNKNOWN, Reason.ERROR),
        ("timeout", State.UNKNOWN, Reason.TIMEOUT),
    ],
)
def test_software_by_its_own_word(world: World, says: str | None, state: State, reason: Reason | None) -> None:
    if says is not None:
        world.tool("exam-station", says)
    args = '{ command = ["exam-station", "--version"] }'
    result = world.check("software.version", SOFTWARE_RULES, args, 0.5 if says == "timeout" else 5)
    assert (result.state, result.fact.reason) == (state, reason)


def test_software_by_rpm(world: World) -> None:
    world.tool("rpm", "python3\t3.12.1-4.red80\tinstalled")
    assert world.check("software.version", SOFTWARE_RULES, '{ linux = "python3" }').state is State.OK


def test_software_where_nobody_lists_packages(world: World) -> None:
    result = world.check("software.version", SOFTWARE_RULES, '{ linux = "python3" }')
    assert (result.state, result.fact.reason) == (State.UNKNOWN, Reason.TOOL_ABSENT)


def test_programs_are_asked_in_the_c_locale(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = {"LC_ALL": "ru_RU.UTF-8", "LANG": "ru_RU.UTF-8", "LANGUAGE": "ru"}
    machine = world.context.machine
    world.context = replace(world.context, machine=replace(machine, environment={**machine.environment, **spoken}))
    (world.bin / "teller").write_text('#!/bin/sh\n[ "$LC_ALL" = C ] && echo "1.5" || echo "версия полтора"\n')
    (world.bin / "teller").chmod(0o755)
    assert world.check("software.version", SOFTWARE_RULES, '{ command = ["teller"] }').state is State.WARN


# --- clock ------------------------------------------------------------------------------------------------------------

OFFSET_RULES = 'expect.fail = [{ of = "offset", above = 60 }]\nexpect.warn = [{ of = "offset", above = 5 }]'


@contextmanager
def time_server(off_s: float, spoil: Callable[[bytearray], bytes] = bytes) -> Iterator[str]:
    """A real SNTP server on loopback whose clock is `off_s` ahead."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                question, asker = line.recvfrom(512)
            except OSError:
                return
            now = int((time.time() + off_s + NTP_EPOCH) * 2**32)
            answer = bytearray(struct.pack("!BBbb12x8s8sQQ", 0x24, 2, 6, -20, bytes(8), question[40:48], now, now))
            if reply := spoil(answer):
                line.sendto(reply, asker)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{line.getsockname()[1]}"
    finally:
        line.close()


def _unsynchronised(answer: bytearray) -> bytes:
    answer[0] |= 0xC0
    return bytes(answer)


def _foreign(answer: bytearray) -> bytes:
    answer[24:32] = b"another!"
    return bytes(answer)


@pytest.mark.parametrize(
    ("off_s", "spoil", "state", "reason"),
    [
        (0, bytes, State.OK, None),
        (12, bytes, State.WARN, None),
        (-12, bytes, State.WARN, None),
        (-3600, bytes, State.FAIL, None),
        (0, lambda _answer: b"", State.UNKNOWN, Reason.TIMEOUT),
        (0, lambda _answer: b"HTTP/1.1 400", State.UNKNOWN, Reason.ERROR),
        (0, _unsynchronised, State.UNKNOWN, Reason.ERROR),
        (0, _foreign, State.UNKNOWN, Reason.ERROR),
    ],
)
def test_clock_offset(
    world: World, off_s: float, spoil: Callable[[bytearray], bytes], state: State, reason: Reason | None
) -> None:
    with time_server(off_s, spoil) as server:
        result = world.check("clock.offset", OFFSET_RULES, f'{{ servers = ["{server}"] }}', timeout_s=0.8)
    assert (result.state, result.fact.reason) == (state, reason)
    if state is not State.UNKNOWN:
        assert abs(result.fact.evidence["offset_s"] - off_s) < 1


def test_one_good_time_server_is_enough(world: World) -> None:
    with time_server(0) as good:
        servers = json.dumps([good, "no-such-host.invalid", "127.0.0.1:9"])
        assert world.check("clock.offset", OFFSET_RULES, f"{{ servers = {servers} }}", timeout_s=3).state is State.OK


def test_clock_offset_without_a_network(world: World) -> None:
    result = world.check("clock.offset", OFFSET_RULES, '{ servers = ["no-such-host.invalid"] }', timeout_s=2)
    assert result.state is State.UNKNOWN


@pytest.mark.parametrize(("zone", "state"), [("Europe/Moscow", State.OK), ("Asia/Yekaterinburg", State.FAIL)])
def test_clock_zone(world: World, zone: str, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert world.check("clock.zone", 'expect.fail = [{ of = "difference", above = 0 }]').state is state
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("step_s", "state"), [(10, State.OK), (-20, State.WARN), (-7200, State.FAIL)])
def test_clock_set_back(world: World, ledger: Ledger, clock: FakeClock, step_s: float, state: State) -> None:
    ledger.append("agent.started", {}, "agent")
    clock.step(step_s)
    rules = 'expect.fail = [{ of = "behind", above = 60 }]\nexpect.warn = [{ of = "behind", above = 5 }]'
    assert world.check("clock.forward", rules).state is state


# --- network ----------------------------------------------------------------------------------------------------------

CHANNEL_RULES = (
    'expect.fail = [{ of = "reached", is_not = "answer" }]\n'
    'expect.warn = [{ of = "took", above = 0.25 }, { of = "status", above = 499 }]'
)


@contextmanager
def portal(answer: bytes, delay_s: float = 0.0) -> Iterator[str]:
    """A real server on loopback that answers with these bytes; with none it stays silent."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _asker = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(line,), daemon=True).start()

    def talk(line: socket.socket) -> None:
        with closing(line):
            if not line.recv(2048):
                return
            done.wait(delay_s if answer else 30)
            line.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        done.set()
        listener.close()


@pytest.mark.parametrize(
    ("answer", "delay_s", "state", "reached"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, State.OK, "answer"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 0, State.OK, "answer"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 0, State.WARN, "answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0.3, State.WARN, "answer"),
        (b"\x00\x01 not HTTP at all\r\n\r\n", 0, State.FAIL, "connection"),
        (b"", 0, State.FAIL, "connection"),
    ],
)
def test_channel(world: World, answer: bytes, delay_s: float, state: State, reached: str) -> None:
    with portal(answer, delay_s) as url:
        result = world.check("network.channel", CHANNEL_RULES, f'{{ url = "{url}" }}', timeout_s=1 if not answer else 5)
    assert (result.state, result.fact.values["reached"]) == (state, reached)


@pytest.mark.parametrize(
    ("url", "reached"),
    [("http://127.0.0.1:9/", "name"), ("http://no-such-host.invalid/", "nothing"), ("https://127.0.0.1:9/", "name")],
)
def test_channel_that_is_not_there(world: World, url: str, reached: str) -> None:
    result = world.check("network.channel", CHANNEL_RULES, f'{{ url = "{url}" }}')
    assert (result.state, result.fact.values["reached"]) == (State.FAIL, reached)


def test_an_address_that_is_none(world: World) -> None:
    assert world.check("network.channel", CHANNEL_RULES, '{ url = "http://x:port/" }').state is State.UNKNOWN


# --- disk -------------------------------------------------------------------------------------------------------------

FREE_RULES = 'expect.fail = [{ of = "ratio", below = 1.0 }]\nexpect.warn = [{ of = "ratio", below = 1.2 }]'


def _with_need(world: World, ratio: float) -> None:
    """Set the cameras' bit rate so that the disk holds `ratio` times what the day needs."""
    point, day = world.context.point, world.context.point.days[0]
    world.context = replace(world.context, day=day)
    before = world.check("disk.free", FREE_RULES).fact.values
    free, need = float(str(before["free"])), float(str(before["need"]))
    factor = free / (need * ratio)
    cameras = tuple(
        camera.model_copy(update={"bitrate_mbps": camera.bitrate_mbps * factor}) for camera in point.cameras
    )
    world.context = replace(world.context, point=point.model_copy(update={"cameras": cameras}))


@pytest.mark.parametrize(("ratio", "state"), [(3.0, State.OK), (1.1, State.WARN), (0.5, State.FAIL)])
def test_disk_free(world: World, ratio: float, state: State) -> None:
    _with_need(world, ratio)
    assert world.check("disk.free", FREE_RULES).state is state
    twice = world.check("disk.free", FREE_RULES, "{ copies = 2 }").fact.values
    assert twice["need"] == pytest.approx(2 * float(str(world.check("disk.free", FREE_RULES).fact.values["need"])))


def test_disk_need_is_what_is_still_to_be_recorded(world: World, clock: FakeClock) -> None:
    def need() -> Any:
        return world.check("disk.free", FREE_RULES).fact.values["need"]

    # Headquarters 165 + 235 + 120 min, room 60 + 235 + 10, corridor and entrance 120 + 235 + 30; 2 Mbit/s each.
    whole = (520 + 305 + 385 + 385) * 60 * 250_000
    already = 45 * 60 * 250_000  # it is 08:00 in Moscow, and the headquarters are recorded since 07:15
    assert need() == whole - already
    clock.advance(24 * 3600)
    assert need() == whole


def test_disk_without_a_plan(world: World) -> None:
    world.context = replace(world.context, point=world.context.point.model_copy(update={"days": ()}), day=None)
    result = world.check("disk.free", FREE_RULES)
    assert (result.state, result.fact.reason) == (State.SKIP, Reason.NO_PLAN)


@pytest.mark.parametrize(("bound", "state"), [(0.0, State.OK), (1e9, State.FAIL)])
def test_disk_speed(world: World, bound: float, state: State) -> None:
    rules = f'expect.fail = [{{ of = "ratio", below = {bound} }}]'
    assert world.check("disk.write_speed", rules, "{ megabytes = 2 }").state is state
    assert not [path for path in world.context.home.footage.iterdir() if "write-test" in path.name]


def test_disk_that_cannot_be_written(world: World) -> None:
    world.context = replace(world.context, home=Home.at(Path("/proc/nowhere")))
    assert world.check("disk.write_speed", 'expect.fail = [{ of = "ratio", below = 1 }]').state is State.UNKNOWN


# --- ledger, by hand --------------------------------------------------------------------------------------------------

WHOLE_RULES = 'expect.fail = [{ of = "whole", is = false }]'
KEY_RULES = 'expect.fail = [{ of = "usable", is = false }]\nexpect.warn = [{ of = "private", is = false }]'


def test_a_whole_ledger_and_a_changed_one(world: World, ledger: Ledger, store: Store) -> None:
    ledger.append("agent.started", {}, "agent")
    assert world.check("ledger.whole", WHOLE_RULES).state is State.OK
    with store.transaction() as connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET record = replace(record, 'agent.started', 'agent.stopped') WHERE seq = 2")
    result = world.check("ledger.whole", WHOLE_RULES)
    assert result.state is State.FAIL
    assert result.fact.evidence["findings"]


def test_a_ledger_that_is_no_database(world: World, tmp_path: Path) -> None:
    other = Home.at(tmp_path / "other")
    other.create()
    world.context = replace(world.context, home=other)
    assert world.check("ledger.whole", WHOLE_RULES).state is State.UNKNOWN
    other.store.write_bytes(b"garbage" * 1000)
    assert world.check("ledger.whole", WHOLE_RULES).state is State.FAIL


def test_the_ledger_key(world: World, ledger: Ledger, home: Home) -> None:
    assert world.check("ledger.key", KEY_RULES).state is State.OK
    (home.keys / "ledger.key").chmod(0o644)
    assert world.check("ledger.key", KEY_RULES).state is State.WARN
    (home.keys / "ledger.pub").write_text("garbage")
    assert world.check("ledger.key", KEY_RULES).state is State.FAIL
    (home.keys / "ledger.key").unlink()
    assert world.check("ledger.key", KEY_RULES).state is State.FAIL


def test_by_hand(world: World) -> None:
    result = world.check("manual.confirm", "", '{ roles = ["commission_member"] }')
    assert (result.state, result.manual) == (State.PENDING, True)
