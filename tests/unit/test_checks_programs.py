"""Probe families that ask programs, on Linux and with recorded answers of Windows."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exam_kit.checks import CheckContext, Reason, State
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Store
from tests.checks_world import World


@pytest.fixture
def world(tmp_path: Path, point: Point, home: Home, store: Store, clock: FakeClock) -> World:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return World(tmp_path / "machine", context)


POWER_RULES = 'expect.fail = [{ of = "on_mains", is = false }]\nexpect.warn = [{ of = "backup", is = "none" }]'


MEMORY_RULES = 'expect.fail = [{ of = "total", below = 4e9 }]\nexpect.warn = [{ of = "available", below = 1e9 }]'
CPU_RULES = 'expect.fail = [{ of = "cores", below = 2 }]\nexpect.warn = [{ of = "speed", below = 1.9e9 }]'


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
    world.context = world.context._replace(machine=machine._replace(environment={**machine.environment, **spoken}))
    (world.bin / "teller").write_text('#!/bin/sh\n[ "$LC_ALL" = C ] && echo "1.5" || echo "версия полтора"\n')
    (world.bin / "teller").chmod(0o755)
    assert world.check("software.version", SOFTWARE_RULES, '{ command = ["teller"] }').state is State.WARN


# --- Windows: the same probes; PowerShell is a little program that prints a recorded answer ---------------------------

WINDOWS_ANSWER = {
    "os": {"Caption": "Microsoft Windows 10 Pro", "Version": "10.0.19045", "BuildNumber": "19045"},
    "defender": {
        "AMServiceEnabled": True,
        "AntivirusEnabled": True,
        "RealTimeProtectionEnabled": True,
        "AMProductVersion": "4.18.24090.11",
        "Updated": "2026-05-27T21:30:00.0000000Z",
    },
    "products": [],
    "programs": [{"DisplayName": "Python 3.12.4 (64-bit)", "DisplayVersion": "3.12.4150.0"}],
    "battery": [{"BatteryStatus": 2, "EstimatedChargeRemaining": 97}],
    "chassis": [10],
    "model": "ThinkPad T14",
}
WINDOWS_RULES = {
    "os.build": ('expect.fail = [{ of = "version", version_below = "10.0.19041" }]', "{}"),
    "antivirus.running": (ANTIVIRUS_RULES, "{}"),
    "software.version": (SOFTWARE_RULES, '{ windows_name = "Python 3" }'),
    "power.supply": (POWER_RULES, "{}"),
}


@pytest.fixture
def windows_world(world: World) -> World:
    world.context = world.context._replace(machine=world.context.machine._replace(platform="windows"))
    return world


@pytest.mark.parametrize("probe", WINDOWS_RULES)
@pytest.mark.parametrize(
    ("says", "state", "reason"),
    [
        (json.dumps(WINDOWS_ANSWER), State.OK, None),
        (None, State.UNKNOWN, Reason.TOOL_ABSENT),
        ("denied", State.UNKNOWN, Reason.DENIED),
        ("refuses", State.UNKNOWN, Reason.DENIED),
        ("timeout", State.UNKNOWN, Reason.TIMEOUT),
        ("Get-CimInstance : Неизвестная ошибка", State.UNKNOWN, Reason.ERROR),
        ("{}", State.UNKNOWN, None),
    ],
)
def test_windows(windows_world: World, probe: str, says: str | None, state: State, reason: Reason | None) -> None:
    if says is not None:
        windows_world.tool("powershell.exe", says)
    rules, args = WINDOWS_RULES[probe]
    result = windows_world.check(probe, rules, args, 0.5 if says == "timeout" else 5)
    assert result.state is state
    assert reason is None or result.fact.reason is reason


def test_windows_tells_memory_and_processor(windows_world: World) -> None:
    assert windows_world.check("memory.size", MEMORY_RULES).fact.values["total"]
    assert windows_world.check("cpu.cores", CPU_RULES).fact.values["cores"]
