"""The parsers of Windows' answers, on answers put together from Microsoft's documentation (never run on Windows)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks import NoFact, Reason, windows

NOW = datetime(2026, 5, 28, 5, 0, tzinfo=UTC)

# Get-MpComputerStatus, Win32_OperatingSystem, AntiVirusProduct, Uninstall keys, Win32_Battery, Win32_SystemEnclosure.
ANSWER: dict[str, Any] = {
    "os": {"Caption": "Microsoft Windows 10 Pro", "Version": "10.0.19045", "BuildNumber": "19045"},
    "defender": {
        "AMServiceEnabled": True,
        "AntivirusEnabled": True,
        "RealTimeProtectionEnabled": True,
        "AMProductVersion": "4.18.24090.11",
        "AMRunningMode": "Normal",
        "Updated": "2026-05-27T21:30:00.0000000Z",
    },
    "products": [{"displayName": "Windows Defender", "productState": 397568}],
    "programs": [
        {"DisplayName": "Python 3.12.4 (64-bit)", "DisplayVersion": "3.12.4150.0"},
        {"DisplayName": "Станция печати ЭМ", "DisplayVersion": "26.1.0"},
    ],
    "battery": [{"BatteryStatus": 2, "EstimatedChargeRemaining": 97}],
    "chassis": [10],
    "model": "ThinkPad T14",
}


def test_a_whole_answer() -> None:
    found = windows.parse("\ufeff" + json.dumps(ANSWER))
    assert windows.system(found).values == {"family": "windows", "version": "10.0.19045", "build": "19045"}
    assert windows.antivirus(found, NOW).values == {
        "running": True,
        "database_age": 7.5,
        "version": "4.18.24090.11",
    }
    assert windows.programs(found)["Станция печати ЭМ"] == "26.1.0"
    assert windows.power(found).values == {"on_mains": True, "backup": "battery", "charge": 97}


@pytest.mark.parametrize(
    ("change", "running", "age"),
    [
        ({"RealTimeProtectionEnabled": False}, False, 7.5),
        ({"AMServiceEnabled": False}, False, 7.5),
        ({"AntivirusEnabled": None}, False, 7.5),
        ({"Updated": None}, True, None),
        ({"Updated": "garbage"}, True, None),
    ],
)
def test_defender(change: dict[str, Any], running: bool, age: float | None) -> None:
    fact = windows.antivirus({**ANSWER, "defender": {**ANSWER["defender"], **change}}, NOW)
    assert (fact.values["running"], fact.values["database_age"]) == (running, age)


@pytest.mark.parametrize(("state", "running"), [(266240, True), (262144, False)])
def test_another_product_takes_defenders_place(state: int, running: bool) -> None:
    """266240 = 0x041000: on, up to date; 262144 = 0x040000: off."""
    found = {"defender": None, "products": {"displayName": "Kaspersky Endpoint Security", "productState": state}}
    assert windows.antivirus(found, NOW).values["running"] is running


def test_no_antivirus_at_all() -> None:
    with pytest.raises(NoFact) as none:
        windows.antivirus({"defender": None, "products": []}, NOW)
    assert none.value.fact.reason is Reason.TOOL_ABSENT


@pytest.mark.parametrize(
    ("change", "on_mains"),
    [
        ({"battery": [{"BatteryStatus": 1, "EstimatedChargeRemaining": 60}]}, False),
        ({"battery": {"BatteryStatus": 6, "EstimatedChargeRemaining": 60}}, True),
        ({"battery": [{"BatteryStatus": 10}]}, None),
        ({"battery": [{"BatteryStatus": "?"}]}, None),
        ({"battery": [], "chassis": [3], "model": "OptiPlex"}, True),
        ({"battery": [], "chassis": [1], "model": "VMware Virtual Platform"}, True),
        ({"battery": [], "chassis": [10], "model": "ThinkPad"}, None),
        ({"battery": None, "chassis": None, "model": None}, None),
    ],
)
def test_power(change: dict[str, Any], on_mains: bool | None) -> None:
    if on_mains is None:
        with pytest.raises(NoFact):
            windows.power({**ANSWER, **change})
    else:
        assert windows.power({**ANSWER, **change}).values["on_mains"] is on_mains


@pytest.mark.parametrize("text", ["", "[]", "Get-CimInstance : Access denied", "{", "null"])
def test_garbage(text: str) -> None:
    with pytest.raises(NoFact):
        windows.parse(text)


@pytest.mark.parametrize("empty", [{}, {"os": None, "programs": None}, {"os": {}, "programs": []}])
def test_missing_parts(empty: dict[str, Any]) -> None:
    for part in (windows.system, windows.programs):
        with pytest.raises(NoFact):
            part(empty)


def test_the_script_asks_nothing_that_repairs_packages() -> None:
    assert "Win32_Product " not in windows.SCRIPT
    assert base64.b64encode(windows.SCRIPT.encode("utf-16-le"))
    assert len(windows.SCRIPT.encode("utf-16-le")) * 4 / 3 < 8000, "cmd.exe's longest command line is 8191"
    assert Path(windows.__file__).read_text(encoding="utf-8").count("powershell.exe") == 1
