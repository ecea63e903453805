"""Every probe under everything that can happen to it; a new probe without a row fails here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exam_kit.checks import (
    CheckContext,
    Machine,
    Reason,
    Result,
    State,
    own,  # noqa: F401 - registers its probe
    run_checks,
)
from exam_kit.checks.model import Expectation
from exam_kit.checks.profile import SHIPPED, read_profile
from exam_kit.checks.registry import all_probes
from exam_kit.checks.verdicts import rejudge
from exam_kit.clock import FakeClock
from exam_kit.home import Home, kit_root
from exam_kit.point import Point, Secrets
from exam_kit.store import Account, Accounts, Ledger, Role, Store
from tests.checks_matrix import CASES, ERRORS, Case, Row, Setup, both, by_file, by_tool, fault, nothing, script
from tests.checks_servers import http_server, ipp_answer, portal, time_server, tls_server
from tests.checks_world import World

NO_PROGRAM = "it asks no program"
NO_WORDS = "it reads no words"
OWN = "it reads the kit's own files, which this user owns"
NO_MIDDLE = "there is no middle"

open_servers = ExitStack()


@pytest.fixture(scope="module", autouse=True)
def _close_servers() -> Iterator[None]:
    yield
    open_servers.close()


@pytest.fixture
def world(tmp_path: Path, point: Point, home: Home, store: Store, clock: FakeClock) -> World:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return World(tmp_path / "machine", context)


@pytest.fixture(scope="module")
def synthetic_camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a camera that really sends."""
    config = tmp_path_factory.mktemp("cameras") / "cameras.json"
    camera = {"id": "HQ-1", "room": "7777", "zone": "headquarters", "label": "7777"}
    settings = {"region": "77", "point": "0001", "timezone": "Europe/Moscow", "fps": 10, "width": 1280, "height": 720}
    config.write_text(json.dumps({**settings, "cameras": [camera]}), encoding="utf-8")
    argv = [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(config), "--port", "0"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=kit_root()) as sending:
        assert sending.stdout is not None
        assert sending.stdin is not None
        port = json.loads(sending.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}/cameras/HQ-1.ts"
        sending.stdin.close()
        sending.wait(20)


# --- how the machine is made ------------------------------------------------------------------------------------------


def ledger_of(world: World) -> Ledger:
    return Ledger(world.context.store, world.context.home, world.context.clock)


def entry(world: World) -> None:
    ledger_of(world).append("agent.started", {}, "agent")


def later(world: World, hours: float) -> None:
    assert isinstance(world.context.clock, FakeClock)
    world.context.clock.advance(hours * 3600)


def checkpointed(age_h: float) -> Setup:
    def make(world: World) -> None:
        entry(world)
        ledger_of(world).checkpoint()
        later(world, age_h)

    return make


def garbled_checkpoint(world: World) -> None:
    entry(world)
    with world.context.store.transaction() as connection:
        connection.execute("INSERT INTO checkpoint (seq, text) VALUES (1, 'not a checkpoint')")


def changed_ledger(world: World) -> None:
    entry(world)
    with world.context.store.transaction() as connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET record = replace(record, 'agent.started', 'agent.stopped') WHERE seq = 2")


def no_store(world: World) -> None:
    other = Home.at(world.folder / "other")
    other.create()
    world.context = world.context._replace(home=other)


def garbled_store(world: World) -> None:
    no_store(world)
    world.context.home.store.write_bytes(b"garbage" * 1000)


def key_of_mode(mode: int) -> Setup:
    def make(world: World) -> None:
        entry(world)
        (world.context.home.keys / "ledger.key").chmod(mode)

    return make


def no_key(world: World) -> None:
    entry(world)
    (world.context.home.keys / "ledger.key").unlink()


def garbled_key(world: World) -> None:
    entry(world)
    (world.context.home.keys / "ledger.pub").write_text("garbage")


def people(*roles: Role) -> Setup:
    def make(world: World) -> None:
        accounts = Accounts(world.context.store, ledger_of(world), world.context.clock)
        for number, role in enumerate(roles):
            accounts.create(Account(f"user{number}", "Имя", role, "post", "ru"), "2468135", actor="agent")

    return make


def backup(age_h: float, text: str = "copy") -> Setup:
    def make(world: World) -> None:
        path = world.context.home.root / "backups" / "kit.db"
        path.parent.mkdir()
        path.write_text(text)
        made = world.context.clock.now().timestamp() - age_h * 3600
        os.utime(path, (made, made))

    return make


def passwords(world: World) -> None:
    world.context.secrets.set("camera:HQ-1", "s3cret-word")


def view(age_d: float, data: bytes = b"\xff\xd8") -> Setup:
    def make(world: World) -> None:
        one_camera(world)
        world.context.home.references.mkdir(exist_ok=True)
        path = world.context.home.references / "HQ-1.jpg"
        path.write_bytes(data)
        made = world.context.clock.now().timestamp() - age_d * 86400
        os.utime(path, (made, made))

    return make


def one_camera(world: World, url: str = "rtsp://127.0.0.1:9/hq") -> None:
    camera = world.context.point.cameras[0].model_copy(update={"url": url})
    world.context = world.context._replace(point=world.context.point.model_copy(update={"cameras": (camera,)}))


def station_at(address: str) -> Setup:
    def make(world: World) -> None:
        station = world.context.point.stations[0].model_copy(update={"address": address})
        world.context = world.context._replace(point=world.context.point.model_copy(update={"stations": (station,)}))

    return make


def supplies(**entries: dict[str, str]) -> Setup:
    def make(world: World) -> None:
        for name, words in entries.items():
            for key, word in words.items():
                world.file(f"/sys/class/power_supply/{name}/{key}", word)

    return make


def spoilt(path: str, how: str, before: Setup = nothing) -> Setup:
    return both(before, lambda world: world.spoil(path, how))


def usb(*devices: tuple[str, str, bool]) -> Setup:
    """Devices as (VENDOR:PRODUCT, serial, is it a drive)."""

    def make(world: World) -> None:
        for number, (identity, serial, drive) in enumerate([("1d6b:0002", "", False), *devices]):
            vendor, _colon, product = identity.partition(":")
            folder = f"/sys/bus/usb/devices/1-{number}"
            world.file(f"{folder}/idVendor", vendor)
            world.file(f"{folder}/idProduct", product)
            world.file(f"{folder}/serial", serial)
            world.file(f"{folder}:1.0/bInterfaceClass", "08" if drive else "0b")

    return make


def camera_clock(off_s: float | None) -> Setup:
    """A camera whose web server tells a time that is so far off; None: it tells none."""

    def make(world: World) -> None:
        date = None if off_s is None else datetime.now(UTC) + timedelta(seconds=off_s)
        one_camera(world, f"{open_servers.enter_context(http_server(date=date))}/main.ts")

    return make


def silent_camera(world: World) -> None:
    one_camera(world, open_servers.enter_context(portal(b"")))


def garbled_camera(world: World) -> None:
    one_camera(world, open_servers.enter_context(portal(b"\x00\x01 not HTTP at all\r\n\r\n")))


def cron(line: str) -> Setup:
    def make(world: World) -> None:
        world.tool("clamscan", "ClamAV 1.0.7")
        world.file("/etc/crontab", f"SHELL=/bin/sh\n# planned\n{line}\n")

    return make


def clock_step(seconds: float) -> Setup:
    def make(world: World) -> None:
        entry(world)
        assert isinstance(world.context.clock, FakeClock)
        world.context.clock.step(seconds)

    return make


# --- the table --------------------------------------------------------------------------------------------------------


def server(answer: bytes, delay_s: float = 0.0) -> str:
    return open_servers.enter_context(portal(answer, delay_s))


def bare(address: str) -> str:
    return address.removeprefix("http://").rstrip("/")


OK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BUSY_ANSWER = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def network_rows() -> dict[str, Row]:
    """Rows whose other side is a real server on loopback."""
    silent, busy, garbled, good = (
        server(b""),
        server(BUSY_ANSWER),
        server(b"\x00\x01 no HTTP\r\n\r\n"),
        server(OK_ANSWER),
    )
    big = open_servers.enter_context(http_server(body=b"x" * 3_000_000))
    small = open_servers.enter_context(http_server(body=b"x"))
    certificate, tls = open_servers.enter_context(tls_server())
    here, in_step, ahead = (open_servers.enter_context(time_server(off)) for off in (0, 12, 3600))
    mute = open_servers.enter_context(time_server(0, lambda _answer: b""))
    odd = open_servers.enter_context(time_server(0, lambda _answer: b"HTTP/1.1 400"))
    printers = {
        name: bare(open_servers.enter_context(http_server(body=ipp_answer(state, toner, why)))) + "/ipp/print"
        for name, state, toner, why in (
            ("good", 3, 60, "none"),
            ("low", 3, 8, "toner-low-warning"),
            ("empty", 3, 60, "media-empty-error"),
        )
    }
    forbidden = bare(open_servers.enter_context(http_server(status=403, body=b""))) + "/ipp/print"

    def url(address: str) -> str:
        return f'{{ url = "{address}" }}'

    def asked(state: State, args: str, reason: Reason | None = None) -> Case:
        return Case(nothing, state, reason, args=args)

    def reserve(address: str, interface: str = "lo") -> str:
        host, _colon, port = bare(address).partition(":")
        return f'{{ interface = "{interface}", host = "{host}", port = {port} }}'

    def host(address: str, authorities: str = certificate) -> str:
        trusted = f', authorities = "{authorities}"' if authorities else ""
        return f'{{ host = "{bare(address)}", issuers = ["Exam authority"]{trusted} }}'

    def port(address: str) -> str:
        return bare(address).partition(":")[2]

    channel = fault("reached, is_not = 'answer'", warn="status, above = 499")
    refused = "nobody but a firewall refuses, and that is an answer"
    return {
        "network.channel": Row(
            channel,
            {
                "ok": asked(State.OK, url(good)),
                "warn": asked(State.WARN, url(busy)),
                "fail": asked(State.FAIL, url("http://127.0.0.1:9/")),
                "absent": asked(State.FAIL, url("http://no-such-host.invalid/")),
                "denied": refused,
                "timeout": asked(State.FAIL, url(silent)),
                "garbage": asked(State.FAIL, url(garbled)),
                "locale": NO_WORDS,
            },
        ),
        "network.reserve": Row(
            channel,
            {
                "ok": asked(State.OK, reserve(good)),
                "warn": asked(State.WARN, reserve(busy)),
                "fail": asked(State.FAIL, reserve("http://127.0.0.1:9")),
                "absent": asked(State.FAIL, reserve(good, "wwan7")),
                "denied": refused,
                "timeout": asked(State.FAIL, reserve(silent)),
                "garbage": asked(State.FAIL, reserve(garbled)),
                "locale": NO_WORDS,
            },
        ),
        "network.throughput": Row(
            fault("speed, below = 2_000_000", warn="speed, below = 4_000_000"),
            {
                "ok": asked(State.OK, url(big + "/file")),
                "warn": Case(nothing, State.WARN, None, fault(warn="speed, below = 1e18"), url(big + "/file")),
                "fail": Case(nothing, State.FAIL, None, fault("speed, below = 1e18"), url(big + "/file")),
                "absent": asked(State.UNKNOWN, url("http://127.0.0.1:9/"), Reason.ERROR),
                "denied": asked(State.UNKNOWN, url(f"http://{forbidden}"), Reason.ERROR),
                "timeout": asked(State.UNKNOWN, url(silent), Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, url(small + "/file"), Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "network.tls": Row(
            fault("trusted, is = false", "expected, is = false", warn="days_left, below = 14"),
            {
                "ok": asked(State.OK, host(tls)),
                "warn": Case(nothing, State.WARN, None, fault(warn="days_left, below = 9999"), host(tls)),
                "fail": asked(State.FAIL, host(tls, "")),
                "absent": asked(State.UNKNOWN, host("127.0.0.1:9"), Reason.ERROR),
                "denied": refused,
                "timeout": asked(State.UNKNOWN, host(silent), Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, host(garbled), Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "network.dns": Row(
            fault("addresses, below = 1", warn="private, is = true"),
            {
                "ok": asked(State.OK, '{ names = ["9.9.9.9"] }'),
                "warn": asked(State.WARN, '{ names = ["localhost"] }'),
                "fail": asked(State.FAIL, '{ names = ["no-such-host.invalid"] }'),
                "absent": asked(State.FAIL, "{ names = [] }"),
                "denied": refused,
                "timeout": "the runner's own limit; see test_runner_deadlines",
                "garbage": asked(State.UNKNOWN, '{ names = ["bad..name"] }', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "network.stations": Row(
            fault("answering, below = 1", warn="silent, above = 0"),
            {
                "ok": Case(station_at("127.0.0.1"), State.OK),
                "warn": Case(station_at("192.0.2.254"), State.WARN, None, fault(warn="silent, above = 0")),
                "fail": Case(station_at("no-such-station.invalid"), State.FAIL),
                "absent": Case(nothing, State.SKIP, Reason.NOT_REQUIRED),
                "denied": refused,
                "timeout": Case(station_at("192.0.2.254"), State.FAIL),
                "garbage": Case(station_at("127.0.0.1"), State.UNKNOWN, Reason.ERROR, args="{ ports = [700000] }"),
                "locale": NO_WORDS,
            },
            f"{{ ports = [{port(good)}] }}",
        ),
        "network.closed": Row(
            fault("open, is = true"),
            {
                "ok": asked(State.OK, '{ targets = ["127.0.0.1:9"] }'),
                "warn": NO_MIDDLE,
                "fail": asked(State.FAIL, f'{{ targets = ["127.0.0.1:9", "127.0.0.1:{port(good)}"] }}'),
                "absent": asked(State.UNKNOWN, "{ targets = [] }", Reason.ERROR),
                "denied": refused,
                "timeout": "silence of the internet is what is asked for",
                "garbage": asked(State.UNKNOWN, '{ targets = ["127.0.0.1:port"] }', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "printer.supplies": Row(
            fault("state, is = 'stopped'", "paper, is = false", warn="toner, below = 15"),
            {
                "ok": asked(State.OK, f'{{ address = "{printers["good"]}" }}'),
                "warn": asked(State.WARN, f'{{ address = "{printers["low"]}" }}'),
                "fail": asked(State.FAIL, f'{{ address = "{printers["empty"]}" }}'),
                "absent": asked(State.UNKNOWN, '{ address = "127.0.0.1:9/x" }', Reason.ERROR),
                "denied": asked(State.UNKNOWN, f'{{ address = "{forbidden}" }}', Reason.DENIED),
                "timeout": asked(State.UNKNOWN, f'{{ address = "{bare(silent)}/x" }}', Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, f'{{ address = "{bare(small)}/x" }}', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "clock.offset": Row(
            fault("offset, above = 60", warn="offset, above = 5"),
            {
                "ok": asked(State.OK, f'{{ servers = ["{here}"] }}'),
                "warn": asked(State.WARN, f'{{ servers = ["{in_step}"] }}'),
                "fail": asked(State.FAIL, f'{{ servers = ["{ahead}"] }}'),
                "absent": asked(State.UNKNOWN, '{ servers = ["no-such-host.invalid"] }', Reason.ERROR),
                "denied": asked(State.UNKNOWN, '{ servers = ["127.0.0.1:9"] }', Reason.ERROR),
                "timeout": asked(State.UNKNOWN, f'{{ servers = ["{mute}"] }}', Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, f'{{ servers = ["{odd}"] }}', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
    }


SCAN = json.dumps({"smartctl": {"exit_status": 0}, "devices": [{"name": "/dev/sda"}]})


def smart(passed: bool, worn: int, rc: int = 0) -> str:
    said = json.dumps(
        {"smart_status": {"passed": passed}, "nvme_smart_health_information_log": {"percentage_used": worn}}
    )
    return f"#!\ncase \"$*\" in *--scan*) echo '{SCAN}';; *) echo '{said}'; exit {rc};; esac"


PACKAGES = "bash\t5.2-3\tinstalled\npython3\t{0}\tinstalled"
MEMORY = "MemTotal: {0} kB\nMemFree: 1 kB\nMemAvailable: {1} kB\n"
CPU = "processor\t: 0\ncpu MHz\t\t: {0}\n\n"
OS = 'PRETTY_NAME="Test"\nID={0}\nVERSION_ID="{1}"\n'
MOUNT = "22 1 254:0 / / {0} - ext4 /dev/sda1 {0}\n"
ENDS = '{ ends = { "debian 12" = 2028-06-30, "debian 11" = 2026-08-31, "debian 10" = 2024-06-30 } }'
BASE = "ClamAV-VDB:{0} 05-00 +0000:27449:2000:90:x:y:builder:1"
LAPTOP = {"AC": {"type": "Mains", "online": "1"}}
GNOME = '#!\ncase "$3" in *type) echo "\'{0}\'";; *) echo {1};; esac'
UPS_SAYS = "battery.charge: 100\\nbattery.runtime: {0}\\nups.status: {1}\\n"
UPS = '#!\ncase "$1" in -l) echo ups;; *) printf \'' + UPS_SAYS + "';; esac"
PRINTER = "printer HP {0}.  enabled since Thu May 28 07:00:00 2026\nsystem default destination: HP"


def battery(full: int) -> Setup:
    return supplies(BAT0={"type": "Battery", "energy_full": str(full), "energy_full_design": "100"})


def machine_rows() -> dict[str, Row]:
    """Rows of probes that ask this machine."""
    write = fault("ratio, below = 0")
    foreign = fault("foreign, above = 0", warn="drives, below = 2")
    tokens = fault("tokens, below = 1", warn="tokens, below = 2")
    token, other = ("0a89:0030", "", False), ("046d:c31c", "", False)
    drive, second, stranger = (("0951:1666", name, True) for name in ("A1", "B2", "X9"))
    bus = "/sys/bus/usb/devices/1-0/idVendor"
    scan = fault("in_exam, is = true")
    supply = fault("on_mains, is = false", warn="backup, is = 'none'")
    usb_errors: dict[str, Case | str] = {
        "absent": Case(nothing, State.UNKNOWN, Reason.TOOL_ABSENT),
        "denied": Case(spoilt(bus, "denied", usb()), State.UNKNOWN, Reason.DENIED),
        "timeout": Case(spoilt(bus, "timeout", usb()), State.UNKNOWN, Reason.TIMEOUT),
        "garbage": Case(spoilt(bus, "garbage", usb()), State.UNKNOWN, Reason.ERROR),
        "locale": NO_WORDS,
    }
    return {
        "memory.size": by_file(
            "/proc/meminfo", MEMORY.format(8_000_000, 5_000_000), MEMORY.format(8_000_000, 500_000),
            MEMORY.format(2_000_000, 500_000), fault("total, below = 4e9", warn="available, below = 1e9"),
        ),
        "cpu.cores": by_file(
            "/proc/cpuinfo", CPU.format(2600) * 4, CPU.format(1200) * 4, CPU.format(2600),
            fault("cores, below = 2", warn="speed, below = 1.9e9"),
        ),
        "os.build": by_file(
            "/etc/os-release", OS.format("debian", "12"), OS.format("debian", "11"), OS.format("plan9", "4"),
            fault("family, none_of = ['debian']", warn="version, version_below = '12'"),
        ),
        "os.support": by_file(
            "/etc/os-release", OS.format("debian", "12"), OS.format("debian", "11"), OS.format("debian", "10"),
            fault("days_left, below = 0", warn="days_left, below = 180"), ENDS,
        ),
        "os.virtual_machine": by_tool(
            "systemd-detect-virt", "#!\necho none; exit 1", "", "kvm", fault("virtual, is = true"),
        ),
        "os.sleep": by_tool(
            "gsettings", GNOME.format("nothing", 900), GNOME.format("suspend", 7200), GNOME.format("suspend", 900),
            fault("after, below = 60", warn="sleeps, is = true"),
            ok=Case(lambda w: script(w, "gsettings", GNOME.format("nothing", 900)[3:]), State.OK, None,
                    fault("sleeps, is = true")),
            locale="gsettings prints values, not words",
        ),
        "os.screensaver": by_tool(
            "gsettings", "uint32 0", "uint32 1800", "uint32 300", fault("blanks, is = true"),
            warn=Case(lambda w: w.tool("gsettings", "uint32 1800"), State.WARN, None, fault(warn="blanks, is = true")),
        ),
        "os.auto_update": by_tool(
            "apt-config", 'APT "";\nAPT::Periodic::Unattended-Upgrade "0";', "",
            'APT "";\nAPT::Periodic::Unattended-Upgrade "1";', fault("automatic, is = true"),
        ),
        "screen.size": by_tool(
            "xrandr", "Screen 0: minimum 8 x 8, current 1920 x 1080, maximum 99 x 99",
            "Screen 0: minimum 8 x 8, current 1366 x 768, maximum 99 x 99",
            "Screen 0: minimum 8 x 8, current 1024 x 768, maximum 99 x 99",
            fault("width, below = 1280", warn="width, below = 1900"),
        ),
        "disk.health": by_tool(
            "smartctl", smart(True, 3), smart(True, 95), smart(False, 3, 8),
            fault("healthy, is = false", warn="worn, above = 90"),
            locale="smartctl is asked for JSON",
        ),
        "disk.filesystem": by_file(
            "/proc/self/mountinfo", MOUNT.format("rw,relatime"), "", MOUNT.format("ro,relatime"),
            fault("writable, is = false", warn="kind, one_of = ['vfat']"),
            warn=Case(lambda w: w.file("/proc/self/mountinfo", MOUNT.format("rw").replace("ext4", "vfat")), State.WARN),
        ),
        "disk.free": Row(
            fault("ratio, below = 0"),
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="ratio, below = 1e9")),
                "fail": Case(nothing, State.FAIL, None, fault("ratio, below = 1e9")),
                "absent": Case(
                    lambda w: setattr(w, "context", w.context._replace(
            day=None, point=w.context.point.model_copy(update={"days": ()}))),
                    State.SKIP, Reason.NO_PLAN),
                **dict.fromkeys(("denied", "timeout", "garbage"), "the kernel's own count of free blocks"),
                "locale": NO_WORDS,
            },
        ),
        "disk.write_speed": Row(
            write,
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="ratio, below = 1e9")),
                "fail": Case(nothing, State.FAIL, None, fault("ratio, below = 1e9")),
                "absent": Case(lambda w: setattr(w, "context", w.context._replace(home=Home.at(Path("/proc/nowhere")))),
                               State.UNKNOWN, Reason.ERROR),
                "denied": "no folder is closed to the tests' user",
                "timeout": "it stops by itself after two seconds",
                "garbage": NO_PROGRAM,
                "locale": NO_WORDS,
            },
            "{ megabytes = 1 }",
        ),
        "disk.carrier": Row(
            fault("there, is = false", warn="separate, is = false"),
            {
                "ok": Case(nothing, State.OK, args='{ folder = "/dev/shm" }'),
                "warn": Case(nothing, State.WARN, args='{ folder = "/tmp" }'),
                "fail": Case(nothing, State.FAIL),
                "absent": Case(nothing, State.FAIL),
                "denied": "no folder is closed to the tests' user",
                "timeout": "the runner's own limit; see test_runner_deadlines",
                "garbage": NO_PROGRAM,
                "locale": NO_WORDS,
            },
            '{ folder = "/media/no-such-carrier" }',
        ),
        "power.supply": Row(
            supply,
            {
                "ok": Case(supplies(**LAPTOP, BAT0={"type": "Battery", "status": "Full"}), State.OK),
                "warn": Case(lambda w: w.file("/sys/class/dmi/id/chassis_type", "3"), State.WARN),
                "fail": Case(supplies(BAT0={"type": "Battery", "status": "Discharging"}), State.FAIL),
                "absent": Case(nothing, State.UNKNOWN, Reason.ERROR),
                "denied": Case(spoilt("/sys/class/power_supply/B/type", "denied"), State.UNKNOWN, Reason.ERROR),
                "timeout": Case(spoilt("/sys/class/power_supply/B/type", "timeout"), State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(supplies(B={"type": "Battery", "status": "\x7f?"}), State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "power.battery": Row(
            fault("health, below = 30", warn="health, below = 60"),
            {
                "ok": Case(battery(90), State.OK),
                "warn": Case(battery(50), State.WARN),
                "fail": Case(battery(20), State.FAIL),
                "absent": Case(nothing, State.UNKNOWN, Reason.ERROR),
                "denied": Case(spoilt("/sys/class/power_supply/BAT0/energy_full", "denied", battery(90)),
                               State.UNKNOWN, Reason.ERROR),
                "timeout": Case(spoilt("/sys/class/power_supply/BAT0/energy_full", "timeout", battery(90)),
                                State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(spoilt("/sys/class/power_supply/BAT0/energy_full", "garbage", battery(90)),
                                State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "power.ups": by_tool(
            "upsc", UPS.format(2400, "OL CHRG"), UPS.format(900, "OL"), UPS.format(2400, "OB DISCHRG"),
            fault("on_line, is = false", warn="runtime, below = 20"),
            locale="upsc prints names of variables, not words",
        ),
        "antivirus.running": by_tool(
            "clamdscan", "ClamAV 1.0.7/27449/Thu May 28 04:00:00 2026", "ClamAV 1.0.7/27449/Mon May 25 04:00:00 2026",
            "", fault("running, is = false", warn="database_age, above = 24"),
            before=lambda w: w.file("/proc/77/comm", "clamd\n"),
            fail=Case(lambda w: w.tool("clamdscan", "ClamAV 1.0.7/27449/Thu May 28 04:00:00 2026"), State.FAIL),
        ),
        "antivirus.databases": by_file(
            "/var/lib/clamav/daily.cvd", BASE.format("28 May 2026"), BASE.format("26 May 2026"),
            BASE.format("01 Jan 2026"), fault("age, above = 168", warn="age, above = 24"),
        ),
        "antivirus.scan": Row(
            scan,
            {
                "ok": Case(cron("0 3 * * * root clamscan -r /home"), State.OK),
                "warn": NO_MIDDLE,
                "fail": Case(cron("30 11 * * 1-5 root clamscan -r /home"), State.FAIL),
                "absent": Case(nothing, State.UNKNOWN, Reason.TOOL_ABSENT),
                "denied": Case(spoilt("/etc/cron.d/scan", "denied", cron("")), State.UNKNOWN, Reason.DENIED),
                "timeout": Case(spoilt("/etc/cron.d/scan", "timeout", cron("")), State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(spoilt("/etc/cron.d/scan", "garbage", cron("")), State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "software.version": by_tool(
            "dpkg-query", PACKAGES.format("3.11.2"), PACKAGES.format("3.9.1"), "bash\t5.2-3\tinstalled",
            fault("installed, is = false", warn="version, version_below = '3.11'"), '{ linux = "python3" }',
        ),
        "software.unapproved": by_tool(
            "dpkg-query", PACKAGES.format("3.11.2"), "", "steam-launcher\t1.0\tinstalled",
            fault("found, above = 0"), '{ forbidden = ["*Steam*"] }',
        ),
        "software.remote_control": by_tool(
            "dpkg-query", PACKAGES.format("3.11.2"), "", "anydesk\t6.3\tinstalled",
            fault("found, above = 0"), '{ programs = ["anydesk*", "*vnc*"] }',
        ),
        "clock.sync": by_tool(
            "timedatectl", "NTP=yes\nNTPSynchronized=yes", "NTP=yes\nNTPSynchronized=no", "NTP=no\nNTPSynchronized=no",
            fault("on, is = false", warn="synchronised, is = false"),
        ),
        "clock.zone": Row(
            fault("difference, above = 100000"),
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="difference, above = -1")),
                "fail": Case(nothing, State.FAIL, None, fault("difference, above = -1")),
                **dict.fromkeys(ERRORS, "it asks nobody but this process"),
                "locale": NO_WORDS,
            },
        ),
        "clock.forward": Row(
            fault("behind, above = 60", warn="behind, above = 5"),
            {
                "ok": Case(clock_step(10), State.OK),
                "warn": Case(clock_step(-20), State.WARN),
                "fail": Case(clock_step(-7200), State.FAIL),
                **dict.fromkeys(ERRORS, OWN),
                "locale": NO_WORDS,
            },
        ),
        "ledger.whole": Row(
            fault("whole, is = false"),
            {
                "ok": Case(entry, State.OK),
                "warn": NO_MIDDLE,
                "fail": Case(changed_ledger, State.FAIL),
                "absent": Case(no_store, State.UNKNOWN, Reason.ERROR),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(garbled_store, State.FAIL),
                "locale": NO_WORDS,
            },
        ),
        "ledger.key": Row(
            fault("usable, is = false", warn="private, is = false"),
            {
                "ok": Case(key_of_mode(0o600), State.OK),
                "warn": Case(key_of_mode(0o644), State.WARN),
                "fail": Case(garbled_key, State.FAIL),
                "absent": Case(no_key, State.FAIL),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(garbled_key, State.FAIL),
                "locale": NO_WORDS,
            },
        ),
        "ledger.checkpoint": Row(
            fault("kept_outside, is = false", warn="age, above = 24"),
            {
                "ok": Case(checkpointed(1), State.OK),
                "warn": Case(checkpointed(30), State.WARN),
                "fail": Case(entry, State.FAIL),
                "absent": Case(entry, State.FAIL),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(garbled_checkpoint, State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "kit.version": Row(
            fault("version, version_below = '0.0.1'"),
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="version, version_below = '99'")),
                "fail": Case(nothing, State.FAIL, None, fault("version, version_below = '99'")),
                **dict.fromkeys(ERRORS, "the version is a part of the program"),
                "locale": NO_WORDS,
            },
        ),
        "kit.people": Row(
            fault("specialists, below = 1", warn="confirming, below = 1"),
            {
                "ok": Case(people(Role.SPECIALIST, Role.COMMISSION_MEMBER), State.OK),
                "warn": Case(people(Role.SPECIALIST), State.WARN),
                "fail": Case(nothing, State.FAIL),
                **dict.fromkeys(ERRORS, OWN),
                "locale": NO_WORDS,
            },
        ),
        "kit.passwords": Row(
            fault("missing, above = 0"),
            {
                "ok": Case(passwords, State.OK),
                "warn": NO_MIDDLE,
                "fail": Case(nothing, State.FAIL),
                "absent": Case(one_camera_without_user, State.SKIP, Reason.NOT_REQUIRED),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(lambda w: w.context.home.secrets.write_text("garbage"), State.UNKNOWN,
                                Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "backup.age": Row(
            fault("backups, below = 1", warn="age, above = 72"),
            {
                "ok": Case(backup(5), State.OK),
                "warn": Case(backup(100), State.WARN),
                "fail": Case(backup(5, ""), State.FAIL),
                "absent": Case(nothing, State.FAIL),
                "denied": "no folder is closed to the tests' user",
                "timeout": "the runner's own limit; see test_runner_deadlines",
                "garbage": Case(lambda w: (w.context.home.root / "backups").write_text("x"), State.UNKNOWN,
                                Reason.ERROR),
                "locale": NO_WORDS,
            },
            '{ folder = "backups" }',
        ),
        "own.file": Row(
            "",
            {
                **dict.fromkeys(CASES, "it stands for a file that cannot be used, and says nothing else"),
                "garbage": Case(nothing, State.UNKNOWN, Reason.ERROR),
            },
            '{ file = "checks/own.py", said = "line 3: invalid syntax" }',
        ),
        "manual.confirm": Row("", {"ok": Case(nothing, State.PENDING), **dict.fromkeys(CASES[1:], "a person answers")}),
        "network.link": by_file(
            "/sys/class/net/eth0/operstate", "up", "", "down", fault("up, is = false", warn="wireless, is = true"),
            '{ interface = "eth0" }',
            warn=Case(wireless, State.WARN),
        ),
        "printer.ready": by_tool(
            "lpstat", PRINTER.format("is idle"), PRINTER.format("is idle"),
            PRINTER.format("disabled since Thu May 28 06:00:00 2026 -\n\tPaper jam"),
            fault("printers, below = 1", "stopped, above = 0"),
            warn=Case(lambda w: w.tool("lpstat", PRINTER.format("is idle")), State.WARN, None,
                      fault("stopped, above = 0", warn="printers, below = 2")),
        ),
        "printer.queue": by_tool(
            "lpstat", "", "HP-12  ivanov  1024  Thu May 28 07:00:00 2026",
            "HP-12  ivanov  1024  Thu May 28\nHP-13  ivanov  99  Thu May 28",
            fault("jobs, above = 1", warn="jobs, above = 0"),
        ),
        "scanner.found": by_tool(
            "scanimage", "genesys:libusb:001:004\tCanon LiDE 220", "", "v4l:/dev/video0\tNoname Webcam",
            fault("scanners, below = 1"),
        ),
        "usb.tokens": Row(
            tokens,
            {
                "ok": Case(usb(token, token), State.OK),
                "warn": Case(usb(token, other), State.WARN),
                "fail": Case(usb(other), State.FAIL),
                **usb_errors,
            },
            '{ models = ["0a89:*"] }',
        ),
        "usb.storage": Row(
            foreign,
            {
                "ok": Case(usb(drive, second, token), State.OK),
                "warn": Case(usb(drive), State.WARN),
                "fail": Case(usb(drive, stranger), State.FAIL),
                **usb_errors,
            },
            '{ allowed = ["A1", "B2"] }',
        ),
        "camera.view": Row(
            fault("approved, is = false", warn="age, above = 365"),
            {
                "ok": Case(view(3), State.OK),
                "warn": Case(view(400), State.WARN),
                "fail": Case(one_camera, State.FAIL),
                "absent": Case(one_camera, State.FAIL),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(view(3, b""), State.FAIL),
                "locale": NO_WORDS,
            },
        ),
        "camera.clock": Row(
            fault("offset, above = 60", warn="offset, above = 5"),
            {
                "ok": Case(camera_clock(0), State.OK),
                "warn": Case(camera_clock(-20), State.WARN),
                "fail": Case(camera_clock(3600), State.FAIL),
                "absent": Case(lambda w: one_camera(w, "http://127.0.0.1:9/x.ts"), State.UNKNOWN, Reason.ERROR),
                "denied": "a camera tells its time with every answer, a refusal too",
                "timeout": Case(silent_camera, State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(garbled_camera, State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
    }  # fmt: skip


def wireless(world: World) -> None:
    world.file("/sys/class/net/eth0/operstate", "up")
    world.file("/sys/class/net/eth0/wireless/x", "")


def one_camera_without_user(world: World) -> None:
    one_camera(world)
    camera = world.context.point.cameras[0].model_copy(update={"user": None})
    world.context = world.context._replace(point=world.context.point.model_copy(update={"cameras": (camera,)}))


SEEN = {
    # Rules under which the synthetic camera is in order, gives a remark, is at fault.
    "camera.answers": ("answers, is = false", "took, above = -1", "answers, is = true"),
    "camera.picture": ("picture, is_not = 'ok'", "picture, is = 'ok'", "picture, is = 'ok'"),
    "camera.resolution": ("width, below = 1280", "width, below = 1920", "width, below = 3840"),
    "camera.frame_rate": ("fps, below = 5", "fps, below = 25", "fps, below = 50"),
    "camera.bitrate": ("share, above = 100", "share, above = 0", "share, above = 0"),
    "camera.sound": ("sound, is = true", "sound, is = false", "sound, is = false"),
    "camera.codec": ("codec, none_of = ['h264']", "codec, is = 'h264'", "codec, is = 'h264'"),
    "camera.keyframes": ("interval, above = 4", "interval, above = 0", "interval, above = 0"),
    "camera.damage": ("share, above = 5", "share, above = -1", "share, above = -1"),
    "camera.caption": ("detail, below = 0.5", "detail, below = 101", "detail, below = 101"),
}
"""Probes that look at the picture: one look serves them all, so they are measured together."""

SILENT_CAMERAS = {"absent", "timeout", "denied"}
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

texts = '{ ru = "т", en = "t", lv = "t" }'


def by_camera(context: CheckContext, checks: dict[str, tuple[str, str]], timeout_s: float) -> dict[str, Result]:
    """The result of each probe, given (rules, args) by name, at the point's one camera."""
    demo = (SHIPPED / "demo.toml").read_text(encoding="utf-8")
    picture = demo[demo.index("[picture]") : demo.index("[keep]")]
    text = f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {texts}\n{picture}\n'
    for name, (rules, args) in checks.items():
        text += (
            f'[[checks]]\nid = "{name.replace(".", "-").replace("_", "-")}"\nprobe = "{name}"\nargs = {args}\n'
            f'severity = "major"\ntimeout_s = {timeout_s}\n{rules}\ntitle = {texts}\nfix = {texts}\n'
        )
    return {result.probe: result for result in run_checks(read_profile(text, "t"), context).results}


def looked(world: World, url: str, timeout_s: float) -> dict[str, Result]:
    """The result of every probe that looks, at one camera with this address."""
    camera = world.context.point.cameras[0].model_copy(update={"url": url, "sound": True})
    point = world.context.point.model_copy(update={"cameras": (camera,)})
    regions = "{ regions = [[0, 0, 1, 0.15], [0, 0.85, 1, 1]] }"
    checks = {
        name: (fault(ok), regions if name == "camera.caption" else "{}") for name, (ok, _warn, _f) in SEEN.items()
    }
    return by_camera(world.context._replace(point=point, machine=Machine()), checks, timeout_s)


# --- the tests --------------------------------------------------------------------------------------------------------

MACHINE = machine_rows()
NETWORK = ("network.channel", "network.reserve", "network.throughput", "network.tls", "network.dns",
           "network.stations", "network.closed", "printer.supplies", "clock.offset")  # fmt: skip


@pytest.fixture(scope="module")
def network() -> dict[str, Row]:
    return network_rows()


def own_probes() -> set[str]:
    return {name for name, probe in all_probes().items() if probe.function.__module__.startswith("exam_kit.")}


def test_every_probe_has_its_row(network: dict[str, Row]) -> None:
    assert set(network) == set(NETWORK)
    rows = {*MACHINE, *network, *SEEN}
    assert rows == own_probes(), rows ^ own_probes()
    assert len(rows) >= 45
    for name, row in {**MACHINE, **network}.items():
        assert tuple(case for case in CASES if case in row.cases) == CASES, name


def put_through(world: World, probe: str, row: Row, name: str) -> None:
    case = row.cases[name]
    if isinstance(case, str):
        pytest.skip(case)
    case.setup(world)
    timeout_s = 0.35 if name == "timeout" else 4.0
    if probe == "network.stations" and name in ("warn", "fail"):
        timeout_s = 0.8
    rules, args = row.rules if case.rules is None else case.rules, row.args if case.args is None else case.args
    if probe.startswith("camera."):
        result = by_camera(world.context, {probe: (rules, args)}, timeout_s)[probe]
    else:
        result = world.check(probe, rules, args, timeout_s)
    said = (result.fact.values, result.fact.evidence)
    assert (result.state, result.fact.reason) == (case.state, case.reason), said
    if name in ERRORS:
        assert result.state is not State.OK, said
    if result.state not in (State.OK, State.SKIP):
        assert result.fact.evidence, "evidence is what a person looks at"


POSSIBLE = [
    (probe, name)
    for probe, row in MACHINE.items()
    for name in CASES
    if not isinstance(row.cases[name], str)
]  # fmt: skip


@pytest.mark.parametrize(("probe", "name"), POSSIBLE)
def test_state_on_this_machine(world: World, probe: str, name: str) -> None:
    put_through(world, probe, MACHINE[probe], name)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("probe", NETWORK)
def test_state_over_the_network(world: World, network: dict[str, Row], probe: str, name: str) -> None:
    if isinstance(network[probe].cases[name], str):
        return  # it cannot happen; the row says why
    put_through(world, probe, network[probe], name)


def test_states_of_a_camera_that_answers(world: World, synthetic_camera: str) -> None:
    for name, result in looked(world, synthetic_camera, 15).items():
        assert result.state is State.OK, (name, result.fact)
        for rules, state in ((SEEN[name][1], State.WARN), (SEEN[name][2], State.FAIL)):
            judged = rejudge(result, _expectation(rules, state))
            assert judged.state is state, (name, rules, result.fact.values)


def _expectation(rule: str, state: State) -> Expectation:
    said = tomllib.loads(fault(rule) if state is State.FAIL else fault(warn=rule))["expect"]
    return Expectation.from_dict({"fail": said.get("fail", []), "warn": said.get("warn", [])})


@pytest.mark.parametrize(
    ("case", "answer", "reason"),
    [
        ("absent", None, Reason.ERROR),
        ("denied", REFUSED, Reason.DENIED),
        ("timeout", b"", Reason.TIMEOUT),
        ("garbage", b"\x00\x01 not HTTP at all\r\n\r\n", Reason.ERROR),
    ],
)
def test_states_of_a_camera_that_does_not(
    world: World, case: str, answer: bytes | None, reason: Reason
) -> None:  # fmt: skip
    url = "http://127.0.0.1:9/x.ts" if answer is None else f"{server(answer)}x.ts"
    for name, result in looked(world, url, 2.5).items():
        if name == "camera.answers" and case in SILENT_CAMERAS:
            assert result.state is State.FAIL, (name, result.fact)
        else:
            assert (result.state, result.fact.reason) == (State.UNKNOWN, reason), (name, result.fact)
        assert result.fact.evidence


def test_a_certificate_of_another_authority_is_told(world: World, network: dict[str, Row]) -> None:
    """Somebody who reads along shows a certificate that the machine trusts, from an unexpected authority."""
    ok = network["network.tls"].cases["ok"]
    assert isinstance(ok, Case)
    assert ok.args is not None
    args = ok.args.replace("Exam authority", "Somebody else")
    result = world.check("network.tls", network["network.tls"].rules, args)
    assert result.state is State.FAIL
    assert result.fact.values["issuer"] == "Exam authority"
