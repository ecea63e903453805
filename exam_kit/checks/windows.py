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

__all__ = ["antivirus", "facts", "parse", "power", "programs", "system"]

SCRIPT = r"""
$ProgressPreference = 'SilentlyContinue'
$ErrorActionPreference = 'SilentlyContinue'
[Console]::OutputEncoding = [System.Text.Encoding]::UTF8
$keys = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*',
        'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*',
        'HKCU:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*'
@{
  os       = Get-CimInstance Win32_OperatingSystem | Select-Object Caption, Version, BuildNumber
  defender = Get-MpComputerStatus | Select-Object AMServiceEnabled, AntivirusEnabled, RealTimeProtectionEnabled,
               AMProductVersion, AMRunningMode,
               @{n='Updated'; e={$_.AntivirusSignatureLastUpdated.ToUniversalTime().ToString('o')}}
  products = @(Get-CimInstance -Namespace root/SecurityCenter2 -ClassName AntiVirusProduct |
               Select-Object displayName, productState)
  programs = @(Get-ItemProperty $keys | Where-Object DisplayName | Select-Object DisplayName, DisplayVersion)
  battery  = @(Get-CimInstance Win32_Battery | Select-Object BatteryStatus, EstimatedChargeRemaining)
  chassis  = @((Get-CimInstance Win32_SystemEnclosure).ChassisTypes)
  model    = (Get-CimInstance Win32_ComputerSystem).Model
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
