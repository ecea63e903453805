"""Probe families that read files of the system, under everything that can happen to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks import CheckContext, Reason, State
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Ledger, Store
from tests.checks_world import World


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


# --- disk -------------------------------------------------------------------------------------------------------------

FREE_RULES = 'expect.fail = [{ of = "ratio", below = 1.0 }]\nexpect.warn = [{ of = "ratio", below = 1.2 }]'


def _with_need(world: World, ratio: float) -> None:
    """Set the cameras' bit rate so that the disk holds `ratio` times what the day needs."""
    point, day = world.context.point, world.context.point.days[0]
    world.context = world.context._replace(day=day)
    before = world.check("disk.free", FREE_RULES).fact.values
    free, need = float(str(before["free"])), float(str(before["need"]))
    factor = free / (need * ratio)
    cameras = tuple(
        camera.model_copy(update={"bitrate_mbps": camera.bitrate_mbps * factor}) for camera in point.cameras
    )
    world.context = world.context._replace(point=point.model_copy(update={"cameras": cameras}))


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
    world.context = world.context._replace(point=world.context.point.model_copy(update={"days": ()}), day=None)
    result = world.check("disk.free", FREE_RULES)
    assert (result.state, result.fact.reason) == (State.SKIP, Reason.NO_PLAN)


@pytest.mark.parametrize(("bound", "state"), [(0.0, State.OK), (1e9, State.FAIL)])
def test_disk_speed(world: World, bound: float, state: State) -> None:
    rules = f'expect.fail = [{{ of = "ratio", below = {bound} }}]'
    assert world.check("disk.write_speed", rules, "{ megabytes = 2 }").state is state
    assert not [path for path in world.context.home.footage.iterdir() if "write-test" in path.name]


def test_disk_that_cannot_be_written(world: World) -> None:
    world.context = world.context._replace(home=Home.at(Path("/proc/nowhere")))
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
    world.context = world.context._replace(home=other)
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
