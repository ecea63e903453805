"""The parsers of Windows' answers, on answers put together from Microsoft's documentation (never run on Windows)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks import Fact, NoFact, Reason, windows

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


# --- devices, updates, sleep: CIM classes and commands as Microsoft documents them ------------------------------------

MACHINE: dict[str, Any] = {
    "model": "OptiPlex 7010",
    "screen": {"CurrentHorizontalResolution": 1920, "CurrentVerticalResolution": 1080},
    "disks": [{"FriendlyName": "Samsung SSD 870", "Health": 0, "Wear": 3}],
    "au": {"NoAutoUpdate": 1, "AUOptions": None},
    "services": [
        {"Name": "wuauserv", "State": "Stopped", "StartMode": "Manual"},
        {"Name": "W32Time", "State": "Running", "StartMode": "Auto"},
    ],
    "timesource": "ntp1.vniiftri.ru,0x9",
    "sleep": ["0x00000000", "0xffffffff", "0x00000001", "0x00000000", "0x00000384"],
    "saver": {"ScreenSaveActive": "0", "ScreenSaveTimeOut": "900"},
    "nordp": 1,
    "printers": {"Name": "HP", "Default": True, "WorkOffline": False, "PrinterStatus": 3, "DetectedErrorState": 0},
    "jobs": 0,
    "imaging": {"Name": "CanoScan LiDE 220", "Status": "OK"},
    "usb": [
        {"PNPDeviceID": "USB\\VID_0A89&PID_0030\\5&2A1", "Name": "Rutoken", "Service": "WUDFRd"},
        {"PNPDeviceID": "USB\\VID_0951&PID_1666\\E0D55EA5", "Name": "Kingston", "Service": "USBSTOR"},
        {"PNPDeviceID": "USB\\VID_046D&PID_C31C&MI_00\\7&1", "Name": "Keyboard", "Service": "HidUsb"},
    ],
    "scan": {"Day": 8, "At": 120},
    "full": [41000],
    "design": [50000],
}
ON = {"ScreenSaveActive": "1", "ScreenSaveTimeOut": "600"}
VALUES: list[tuple[Callable[[dict[str, Any]], Fact], dict[str, Any], dict[str, object]]] = [
    (windows.virtual, {}, {"virtual": False, "kind": None}),
    (windows.virtual, {"model": "VMware7,1"}, {"virtual": True, "kind": "vmware"}),
    (windows.virtual, {"model": "Virtual Machine"}, {"virtual": True, "kind": "virtual machine"}),
    (windows.screen, {}, {"width": 1920, "height": 1080}),
    (windows.disks, {}, {"healthy": True, "disks": 1, "worn": 3, "bad_sectors": None}),
    (windows.disks, {"disks": {"Health": 2}}, {"healthy": False, "disks": 1, "worn": None, "bad_sectors": None}),
    (windows.auto_update, {}, {"automatic": False}),
    (windows.auto_update, {"au": None}, {"automatic": True}),
    (
        windows.auto_update,
        {"au": None, "services": [{"Name": "wuauserv", "StartMode": "Disabled"}]},
        {"automatic": False},
    ),
    (windows.time_service, {}, {"on": True, "synchronised": True}),
    (windows.time_service, {"timesource": "Local CMOS Clock"}, {"on": True, "synchronised": False}),
    (windows.time_service, {"timesource": ""}, {"on": True, "synchronised": False}),
    (windows.sleep, {}, {"sleeps": False, "after": None}),
    (windows.sleep, {"sleep": ["0x00000384", "0x0000012c"]}, {"sleeps": True, "after": 15.0}),
    (windows.screensaver, {}, {"blanks": False, "after": None}),
    (
        windows.screensaver,
        {"saver": {"ScreenSaveActive": "1", "ScreenSaveTimeOut": "600"}},
        {"blanks": True, "after": 10},
    ),
    (windows.battery_wear, {}, {"health": 82.0, "cycles": None}),
]


@pytest.mark.parametrize(("parse", "change", "values"), VALUES)
def test_what_the_machine_tells(
    parse: Callable[[dict[str, Any]], Fact], change: dict[str, Any], values: dict[str, object]
) -> None:
    assert dict(parse({**MACHINE, **change}).values) == values


def test_devices() -> None:
    printers, jobs = windows.printers(MACHINE)
    assert (printers, jobs) == ([{"name": "HP", "default": True, "ready": True, "why": ""}], 0)
    offline = {**MACHINE, "printers": [{"Name": "HP", "WorkOffline": True, "PrinterStatus": 3}]}
    assert windows.printers(offline)[0][0]["ready"] is False
    assert windows.scanners(MACHINE) == ["CanoScan LiDE 220"]
    # A serial with "&" was made up by Windows; an interface of a device is not a device.
    assert windows.usb(MACHINE) == [
        ("0a89:0030", "", "Rutoken", False),
        ("0951:1666", "E0D55EA5", "Kingston", True),
    ]
    assert windows.remote_desktop(MACHINE) == []
    assert windows.remote_desktop({"nordp": 0}) == ["Remote Desktop"]
    assert windows.antivirus_schedule(MACHINE) == (8, 120.0)


EVERYTHING: list[Callable[[dict[str, Any]], object]] = [
    windows.virtual, windows.screen, windows.disks, windows.auto_update, windows.time_service, windows.sleep,
    windows.screensaver, windows.battery_wear, windows.printers, windows.scanners, windows.usb,
    windows.remote_desktop, windows.antivirus_schedule,
]  # fmt: skip


@pytest.mark.parametrize("parse", EVERYTHING)
@pytest.mark.parametrize("word", ["absent", None, "Отказано в доступе", {}, [], -7])
def test_an_answer_that_says_nothing_is_no_value(parse: Callable[[dict[str, Any]], object], word: object) -> None:
    found = {} if word == "absent" else dict.fromkeys(MACHINE, word)
    if isinstance(word, str | int):
        found.pop("model", None)  # any word may be a model's name
    found.pop("imaging", None)  # and an empty list of scanners or printers is an answer
    found.pop("printers", None)
    with pytest.raises(NoFact):
        parse(found)
