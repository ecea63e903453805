"""Where the power comes from, and how long it lasts without the mains."""

from __future__ import annotations

from pathlib import Path

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

STATIONARY = {"3", "4", "5", "6", "7", "13", "15", "16", "17", "23", "24", "25", "28", "29", "35", "36"}
"""Chassis types of SMBIOS (DSP0134, table 17) that have no battery inside: desktops, towers, all-in-ones, servers."""


@probe(
    "power.supply",
    readings={
        "on_mains": ("", N_("on mains")),
        "backup": ("", N_("back-up power")),
        "charge": ("%", N_("charge")),
    },
)
def supply(at: At) -> Fact:
    """On mains or not; back-up "none", "battery" or "ups"; its charge in per cent, None without one."""
    if at.machine.platform == "windows":
        return windows.power(windows.facts(at))
    folder = Path(at.machine.path("/sys/class/power_supply"))
    supplies = [_supply(at, entry) for entry in sorted(folder.glob("*"))]
    # A mouse has a battery, too; it does not keep the computer running.
    supplies = [entry for entry in supplies if entry["scope"] != "Device"]
    batteries = [entry for entry in supplies if entry["type"] in ("Battery", "UPS")]
    mains = [entry["online"] for entry in supplies if entry["type"] in ("Mains", "USB", "Wireless") and entry["online"]]
    if not batteries:
        return _without_battery(at, supplies)
    first = batteries[0]
    backup = "ups" if first["type"] == "UPS" else "battery"
    charge = int(first["capacity"]) if first["capacity"].isdigit() else None
    if mains:
        on_mains: bool | None = "1" in mains
    else:
        on_mains = {"Discharging": False, "Charging": True, "Full": True, "Not charging": True}.get(first["status"])
    if on_mains is None:
        raise NoFact(Reason.ERROR, supplies=supplies)
    return Fact({"on_mains": on_mains, "backup": backup, "charge": charge}, {"supplies": supplies})


def _supply(at: At, entry: Path) -> dict[str, str]:
    words = {key: at.machine.read_or(f"/sys/class/power_supply/{entry.name}/{key}") for key in _KEYS}
    return {"name": entry.name, **words}


_KEYS = ("type", "online", "status", "capacity", "scope")


def _without_battery(at: At, supplies: list[dict[str, str]]) -> Fact:
    """That it runs on mains is only believed of a machine that is known to have no battery inside."""
    chassis = at.machine.read_or("/sys/class/dmi/id/chassis_type")
    maker = at.machine.read_or("/sys/class/dmi/id/sys_vendor")
    guest = " hypervisor" in at.machine.read_or("/proc/cpuinfo")
    evidence = {"supplies": supplies, "chassis_type": chassis, "maker": maker, "virtual_machine": guest}
    if chassis in STATIONARY or guest:
        return Fact({"on_mains": True, "backup": "none", "charge": None}, evidence)
    return Fact.unknown(Reason.ERROR, **evidence)
