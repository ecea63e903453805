"""What Windows says about itself: one PowerShell process that prints one JSON, and the parsers of it.

The parsers are tested on answers put together from Microsoft's documentation; none of this was run on Windows.
`Win32_Product` is never asked: it repairs every installed package it lists.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.site import NoFact

__all__ = [
    "antivirus",
    "antivirus_schedule",
    "auto_update",
    "battery_wear",
    "disks",
    "facts",
    "parse",
    "power",
    "printers",
    "programs",
    "remote_desktop",
    "scanners",
    "screen",
    "screensaver",
    "sleep",
    "system",
    "time_service",
    "usb",
    "virtual",
]

SCRIPT = r"""
$ProgressPreference = $ErrorActionPreference = 'SilentlyContinue'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
function Cim($c, $f) { Get-CimInstance $c -Filter $f }
$u = 'Microsoft\Windows\CurrentVersion\Uninstall\*'
$keys = "HKLM:\SOFTWARE\$u", "HKLM:\SOFTWARE\WOW6432Node\$u", "HKCU:\SOFTWARE\$u"
@{
os = Cim Win32_OperatingSystem | Select Caption, Version, BuildNumber
defender = Get-MpComputerStatus | Select AMServiceEnabled, AntivirusEnabled, RealTimeProtectionEnabled,
 AMProductVersion, AMRunningMode, @{n='Updated'; e={$_.AntivirusSignatureLastUpdated.ToUniversalTime().ToString('o')}}
products = @(Get-CimInstance -Namespace root/SecurityCenter2 AntiVirusProduct | Select displayName, productState)
scan = Get-MpPreference | Select @{n='Day'; e={[int]$_.ScanScheduleDay}},
 @{n='At'; e={$_.ScanScheduleTime.TotalMinutes}}
programs = @(gp $keys | ? DisplayName | Select DisplayName, DisplayVersion)
battery = @(Cim Win32_Battery | Select BatteryStatus, EstimatedChargeRemaining)
full = @((Get-CimInstance -Namespace root/wmi BatteryFullChargedCapacity).FullChargedCapacity)
design = @((Get-CimInstance -Namespace root/wmi BatteryStaticData).DesignedCapacity)
chassis = @((Cim Win32_SystemEnclosure).ChassisTypes)
model = (Cim Win32_ComputerSystem).Model
screen = @(Cim Win32_VideoController | Select CurrentHorizontalResolution, CurrentVerticalResolution)
disks = @(Get-PhysicalDisk | Select FriendlyName, @{n='Health'; e={[int]$_.HealthStatus}},
 @{n='Wear'; e={($_ | Get-StorageReliabilityCounter).Wear}})
au = gp HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU | Select NoAutoUpdate, AUOptions
services = @(Cim Win32_Service "Name='wuauserv' OR Name='W32Time'" | Select Name, State, StartMode)
timesource = "$(w32tm /query /source)"
sleep = @(powercfg /q SCHEME_CURRENT SUB_SLEEP STANDBYIDLE | sls '0x[0-9a-f]{8}$' | % { $_.Matches[0].Value })
saver = gp 'HKCU:\Control Panel\Desktop' | Select ScreenSaveActive, ScreenSaveTimeOut
nordp = (gp 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server').fDenyTSConnections
printers = @(Cim Win32_Printer | Select Name, Default, WorkOffline, PrinterStatus, DetectedErrorState)
jobs = @(Cim Win32_PrintJob).Count
imaging = @(Cim Win32_PnPEntity "PNPClass='Image'" | Select Name, Status)
usb = @(Cim Win32_PnPEntity "PNPDeviceID LIKE 'USB\\VID%'" | Select PNPDeviceID, Name, Service)
} | ConvertTo-Json -Depth 4 -Compress
"""


def facts(at: At) -> dict[str, Any]:
    """Everything the script tells, read once per run; NoFact when PowerShell does not answer."""
    # Encoded, because PowerShell's reading of a script from its input differs between versions.
    encoded = base64.b64encode(SCRIPT.encode("utf-16-le")).decode()
    argv = ("powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded)
    return at.once("windows", lambda: parse(at.command(*argv).answer()))


def parse(text: str) -> dict[str, Any]:
    """The script's JSON; NoFact when it is none."""
    try:
        found = json.loads(text.lstrip("\ufeff"))
    except ValueError as problem:
        raise NoFact(Reason.ERROR, command="powershell", said=text[:200]) from problem
    if not isinstance(found, dict):
        raise NoFact(Reason.ERROR, command="powershell", said=text[:200])
    return found


def system(found: dict[str, Any]) -> Fact:
    """Values as `os.build` gives them."""
    os = found.get("os")
    if not isinstance(os, dict) or not os.get("Version"):
        raise NoFact(Reason.ERROR, missing="Win32_OperatingSystem")
    return Fact(
        {"family": "windows", "version": str(os["Version"]), "build": str(os.get("BuildNumber") or "") or None},
        {"name": os.get("Caption", "")},
    )


def antivirus(found: dict[str, Any], now: datetime) -> Fact:
    """Values as `antivirus.running` gives them.

    Where Defender gives way to another product, the Security Center's list tells whether that one is on: the second
    byte of `productState` is 10 or 11 (hexadecimal) for a product that is on.
    """
    defender = found.get("defender")
    products = [entry for entry in _list(found.get("products")) if "Defender" not in str(entry.get("displayName"))]
    on = [entry for entry in products if _is_on(entry.get("productState"))]
    if on:
        return Fact(
            {"running": True, "database_age": None, "version": None},
            {"program": str(on[0].get("displayName")), "products": products},
        )
    if not isinstance(defender, dict) or defender.get("AMServiceEnabled") is None:
        if products:
            return Fact({"running": False, "database_age": None, "version": None}, {"products": products})
        raise NoFact(Reason.TOOL_ABSENT, looked_for=["Get-MpComputerStatus", "SecurityCenter2"])
    running = all(
        defender.get(key) is True for key in ("AMServiceEnabled", "AntivirusEnabled", "RealTimeProtectionEnabled")
    )
    updated = _moment(defender.get("Updated"))
    age = max(round((now - updated).total_seconds() / 3600, 1), 0.0) if updated else None
    return Fact(
        {"running": running, "database_age": age, "version": defender.get("AMProductVersion")},
        {
            "program": "Microsoft Defender",
            "mode": defender.get("AMRunningMode", ""),
            "database_dated": str(updated or ""),
        },
    )


def programs(found: dict[str, Any]) -> dict[str, str]:
    """Versions by the name shown in "Apps"."""
    listed = _list(found.get("programs"))
    if not listed:
        raise NoFact(Reason.ERROR, missing="Uninstall keys")
    return {
        str(entry["DisplayName"]): str(entry.get("DisplayVersion") or "") for entry in listed if "DisplayName" in entry
    }


def power(found: dict[str, Any]) -> Fact:
    """Values as `power.supply` gives them.

    BatteryStatus of Win32_Battery: 1 discharging, 2 on mains, 3 full, 4 low, 5 critical, 6–9 charging, 10 undefined,
    11 partially charged; the last two do not tell where the power comes from.
    """
    batteries, chassis, model = _list(found.get("battery")), found.get("chassis"), str(found.get("model") or "")
    evidence = {"batteries": batteries, "chassis": chassis, "model": model}
    if batteries:
        status = batteries[0].get("BatteryStatus")
        if status not in range(1, 10):
            raise NoFact(Reason.ERROR, **evidence)
        charge = batteries[0].get("EstimatedChargeRemaining")
        return Fact({"on_mains": status in (2, 3, 6, 7, 8, 9), "backup": "battery", "charge": charge}, evidence)
    virtual = re.search(r"virtual|kvm|vmware", model, re.I) is not None
    stationary = isinstance(chassis, list) and bool(chassis) and all(str(kind) in _STATIONARY for kind in chassis)
    if stationary or virtual:
        return Fact({"on_mains": True, "backup": "none", "charge": None}, evidence)
    raise NoFact(Reason.ERROR, **evidence)


def virtual(found: dict[str, Any]) -> Fact:
    """Values as `os.virtual_machine` gives them. "A hypervisor is present" is true of many real machines: not asked."""
    model = str(found.get("model") or "")
    if not model:
        raise NoFact(Reason.ERROR, missing="Win32_ComputerSystem")
    kind = re.search(r"virtualbox|vmware|kvm|qemu|parallels|virtual machine|hvm domu", model, re.I)
    return Fact({"virtual": kind is not None, "kind": kind[0].lower() if kind else None}, {"model": model})


def screen(found: dict[str, Any]) -> Fact:
    """Values as `screen.size` gives them."""
    listed = _list(found.get("screen"))
    sizes = [(e.get("CurrentHorizontalResolution"), e.get("CurrentVerticalResolution")) for e in listed]
    known = [(w, h) for w, h in sizes if isinstance(w, int) and isinstance(h, int)]
    if not known:
        raise NoFact(Reason.ERROR, missing="Win32_VideoController", said=listed)
    width, height = max(known, key=lambda pair: pair[0] * pair[1])
    return Fact({"width": width, "height": height}, {"screens": [f"{w}×{h}" for w, h in known]})


def disks(found: dict[str, Any]) -> Fact:
    """Values as `disk.health` gives them. HealthStatus of MSFT_PhysicalDisk: 0 healthy, 1 warning, 2 unhealthy."""
    listed = _list(found.get("disks"))
    told = [entry.get("Health") for entry in listed]
    if not listed or any(health not in (0, 1, 2) or isinstance(health, bool) for health in told):
        raise NoFact(Reason.ERROR, missing="Get-PhysicalDisk", said=listed)
    worn = [entry["Wear"] for entry in listed if isinstance(entry.get("Wear"), int)]
    return Fact(
        {
            "healthy": all(health == 0 for health in told),
            "disks": len(listed),
            "worn": max(worn, default=None),
            "bad_sectors": None,
        },
        {"disks": listed},
    )


def auto_update(found: dict[str, Any]) -> Fact:
    """Values as `os.auto_update` gives them: off by policy (NoAutoUpdate) or with its service disabled."""
    services = _services(found)
    if "wuauserv" not in services:
        raise NoFact(Reason.ERROR, missing="wuauserv")
    policy = found.get("au") if isinstance(found.get("au"), dict) else {}
    mode = services["wuauserv"].get("StartMode")
    off = mode == "Disabled" or (policy or {}).get("NoAutoUpdate") == 1
    return Fact({"automatic": not off}, {"policy": policy, "service": mode})


def time_service(found: dict[str, Any]) -> Fact:
    """Values as `clock.sync` gives them. Without a server the source is the computer's own clock."""
    service, source = _services(found).get("W32Time"), str(found.get("timesource") or "").strip()
    if service is None:
        raise NoFact(Reason.ERROR, missing="W32Time")
    on = service.get("State") == "Running"
    own = not source or re.search(r"local cmos|free-running|0x[0-9a-f]{8}\b", source, re.I) is not None
    return Fact({"on": on, "synchronised": on and not own}, {"service": service, "server": source})


def _services(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(entry.get("Name")): entry for entry in _list(found.get("services"))}


def sleep(found: dict[str, Any]) -> Fact:
    """Values as `os.sleep` gives them: the last two numbers of `powercfg /q` are seconds on mains and on battery."""
    said = found.get("sleep")
    words = said if isinstance(said, list) else [said]
    numbers = [int(str(word), 16) for word in words if re.fullmatch(r"0x[0-9a-fA-F]{8}", str(word))]
    if len(numbers) < 2:
        raise NoFact(Reason.ERROR, missing="powercfg", said=said)
    seconds = numbers[-2]
    return Fact({"sleeps": seconds > 0, "after": round(seconds / 60, 1) if seconds else None}, {"said": said})


def screensaver(found: dict[str, Any]) -> Fact:
    """Values as `os.screensaver` gives them."""
    saver = found.get("saver")
    active = str(saver.get("ScreenSaveActive")) if isinstance(saver, dict) else ""
    if active not in ("0", "1"):
        raise NoFact(Reason.ERROR, missing="ScreenSaveActive", said=saver)
    seconds = str((saver or {}).get("ScreenSaveTimeOut") or "")
    after = round(int(seconds) / 60, 1) if active == "1" and seconds.isdigit() else None
    return Fact({"blanks": active == "1", "after": after}, {"saver": saver})


def remote_desktop(found: dict[str, Any]) -> list[str]:
    """The system's own remote desktop, by name, when connections are let in."""
    denied = found.get("nordp")
    if denied not in (0, 1) or isinstance(denied, bool):
        raise NoFact(Reason.ERROR, missing="fDenyTSConnections")
    return [] if denied else ["Remote Desktop"]


def printers(found: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """(printers: name, default, ready, why not; jobs that wait). PrinterStatus: 3 idle, 4 printing, 5 warming up.

    DetectedErrorState: 2 no error; 0 unknown, which most network printers say.
    """
    listed = _list(found.get("printers"))
    jobs = found.get("jobs")
    if "printers" not in found or not isinstance(jobs, int):
        raise NoFact(Reason.ERROR, missing="Win32_Printer")
    told = []
    for entry in listed:
        status, fault = entry.get("PrinterStatus"), entry.get("DetectedErrorState")
        ready = status in (3, 4, 5) and fault in (0, 2, None) and entry.get("WorkOffline") is False
        why = "" if ready else f"status {status}, error {fault}, offline {entry.get('WorkOffline')}"
        told.append(
            {"name": str(entry.get("Name")), "default": entry.get("Default") is True, "ready": ready, "why": why}
        )
    return told, jobs


def scanners(found: dict[str, Any]) -> list[str]:
    """Names of the imaging devices that work."""
    if "imaging" not in found:
        raise NoFact(Reason.ERROR, missing="Win32_PnPEntity")
    return [str(entry.get("Name")) for entry in _list(found["imaging"]) if entry.get("Status") == "OK"]


def usb(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """(VENDOR:PRODUCT, serial number, name, is it a drive) of what is plugged in.

    A device's identity is USB\\VID_0A89&PID_0030\\SERIAL; a serial with "&" was made up by Windows.
    """
    listed = _list(found.get("usb"))
    if not listed or any("PNPDeviceID" not in entry for entry in listed):
        raise NoFact(Reason.ERROR, missing="Win32_PnPEntity")
    told = []
    for entry in listed:
        device = re.match(r"USB\\VID_([0-9A-F]{4})&PID_([0-9A-F]{4})\\(.*)", str(entry.get("PNPDeviceID")), re.I)
        if device is None:  # one interface of a device ("…&MI_00\…")
            continue
        serial = "" if "&" in device[3] else device[3]
        drive = str(entry.get("Service")).upper() in ("USBSTOR", "UASPSTOR")
        told.append((f"{device[1]}:{device[2]}".lower(), serial, str(entry.get("Name")), drive))
    return told


def antivirus_schedule(found: dict[str, Any]) -> tuple[int, float]:
    """(day, minutes after midnight) of Defender's planned scan; day 0 every day, 1 Sunday … 7 Saturday, 8 never."""
    scan = found.get("scan")
    day, minute = (scan.get("Day"), scan.get("At")) if isinstance(scan, dict) else (None, None)
    if not isinstance(day, int) or day not in range(9) or (day != 8 and not isinstance(minute, int | float)):
        raise NoFact(Reason.ERROR, missing="Get-MpPreference", said=scan)
    return day, float(minute or 0)


def battery_wear(found: dict[str, Any]) -> Fact:
    """Values as `power.battery` gives them."""
    full, design = (_numbers(found.get(part)) for part in ("full", "design"))
    if full and design and design[0] > 0:
        return Fact({"health": round(100 * full[0] / design[0], 1), "cycles": None}, {"full": full, "new": design})
    supply = power(found)
    if supply.values["backup"] == "none":
        return Fact.skip(Reason.NOT_REQUIRED, **supply.evidence)
    raise NoFact(Reason.ERROR, missing="BatteryStaticData", full=full, new=design)


def _numbers(found: object) -> list[int]:
    entries = found if isinstance(found, list) else [found]
    return [entry for entry in entries if isinstance(entry, int) and not isinstance(entry, bool)]


_STATIONARY = {"3", "4", "5", "6", "7", "13", "15", "16", "17", "23", "24", "25", "28", "29", "35", "36"}


def _list(found: object) -> list[dict[str, Any]]:
    """PowerShell writes a list of one as the one itself."""
    entries = found if isinstance(found, list) else [found]
    return [entry for entry in entries if isinstance(entry, dict)]


def _is_on(state: object) -> bool:
    return isinstance(state, int) and (state >> 12) & 0xF == 1


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None
