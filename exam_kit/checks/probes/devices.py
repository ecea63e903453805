"""What is plugged in: scanners, tokens, flash drives."""

from __future__ import annotations

import re
from dataclasses import dataclass

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

BUS = "/sys/bus/usb/devices"
STORAGE = "08"
"""USB class of mass storage."""


@probe("scanner.found", lane="waiting", readings={"scanners": ("", N_("scanners")), "names": ("", "")})
def scanner(at: At) -> Fact:
    """How many scanners the system sees (SANE; Windows' imaging devices)."""
    if at.machine.platform == "windows":
        names = windows.scanners(windows.facts(at))
        source = "Win32_PnPEntity"
    else:
        record = at.command("scanimage", "-f", "%d\t%v %m%n")
        said = record.answer()
        rows = [line.split("\t") for line in said.splitlines() if line.strip()]
        if any(len(row) != 2 or ":" not in row[0] for row in rows):
            raise NoFact(Reason.ERROR, command="scanimage", said=said[:200])
        # A webcam is a "scanner" to SANE's v4l, and "test" is not a device.
        names = [row[1].strip() for row in rows if row[0].partition(":")[0] not in ("v4l", "test")]
        source = "scanimage"
    return Fact({"scanners": len(names), "names": ", ".join(names[:5]) or None}, {"source": source, "found": names})


@dataclass(frozen=True)
class _Device:
    identity: str
    """VENDOR:PRODUCT in small hexadecimal digits"""
    serial: str
    name: str
    storage: bool


def _plugged(at: At) -> list[_Device]:
    if at.machine.platform == "windows":
        return [_Device(*entry) for entry in windows.usb(windows.facts(at))]
    names = at.machine.names(BUS)
    if not names:
        raise NoFact(Reason.TOOL_ABSENT, missing=BUS)
    found = []
    for name in names:
        if ":" in name:  # an interface of a device, not a device
            continue
        vendor, product = (at.machine.read(f"{BUS}/{name}/{part}").lower() for part in ("idVendor", "idProduct"))
        if not re.fullmatch(r"[0-9a-f]{4}", vendor) or not re.fullmatch(r"[0-9a-f]{4}", product):
            raise NoFact(Reason.ERROR, device=name, said=f"{vendor}:{product}"[:100])
        parts = [part for part in names if part.startswith(f"{name}:")]
        storage = any(at.machine.read_or(f"{BUS}/{part}/bInterfaceClass") == STORAGE for part in parts)
        serial = at.machine.read_or(f"{BUS}/{name}/serial")
        found.append(_Device(f"{vendor}:{product}", serial, at.machine.read_or(f"{BUS}/{name}/product"), storage))
    return found


@probe("usb.tokens", readings={"tokens": ("", N_("tokens"))})
def tokens(at: At, *, models: list[str]) -> Fact:
    """How many tokens are plugged in; `models` lists their kinds, "VENDOR:PRODUCT" or "VENDOR:*" (hexadecimal)."""
    devices = _plugged(at)
    found = [device for device in devices if _is_one_of(device, models)]
    return Fact({"tokens": len(found)}, {"plugged_in": len(devices), "tokens": [device.name for device in found]})


@probe(
    "usb.storage",
    readings={"drives": ("", N_("flash drives")), "foreign": ("", N_("not on the list")), "names": ("", "")},
)
def storage(at: At, *, allowed: list[str]) -> Fact:
    """How many drives are plugged in by USB, and how many of them are not on the list.

    `allowed` lists serial numbers, or models as "VENDOR:PRODUCT".
    """
    drives = [device for device in _plugged(at) if device.storage]
    foreign = [drive for drive in drives if drive.serial not in allowed and not _is_one_of(drive, allowed)]
    return Fact(
        {
            "drives": len(drives),
            "foreign": len(foreign),
            "names": ", ".join(drive.name or drive.identity for drive in foreign[:5]) or None,
        },
        {"drives": [{"model": d.identity, "serial": d.serial, "name": d.name} for d in drives]},
    )


def _is_one_of(device: _Device, models: list[str]) -> bool:
    vendor = device.identity.partition(":")[0]
    return any(model.lower() in (device.identity, f"{vendor}:*") for model in models)
