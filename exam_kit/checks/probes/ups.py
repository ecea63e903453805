"""How long the power lasts when the mains fail: the UPS (NUT), and the wear of the laptop's own battery."""

from __future__ import annotations

import re

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.probes.power import STATIONARY
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_


@probe(
    "power.ups",
    lane="waiting",
    readings={
        "runtime": ("min", N_("lasts")),
        "charge": ("%", N_("charge")),
        "on_line": ("", N_("on mains")),
        "replace": ("", N_("battery to be replaced")),
    },
)
def ups(at: At, *, name: str = "") -> Fact:
    """What a UPS says through NUT; the one called `name`, else the first that `upsc -l` lists."""
    unit = name
    if not unit:
        listed = [line for line in at.command("upsc", "-l").answer().split() if re.fullmatch(r"[\w.@:-]+", line)]
        if not listed:
            raise NoFact(Reason.ERROR, command="upsc", said="no UPS is set up")
        unit = listed[0]
    said = at.command("upsc", unit).answer()
    told = dict(re.findall(r"^([a-z0-9.]+): (.*)$", said, re.M))
    status = told.get("ups.status", "").split()
    if not {"OL", "OB"} & set(status):
        raise NoFact(Reason.ERROR, command="upsc", unit=unit, said=said[:200])
    runtime, charge = _number(told.get("battery.runtime")), _number(told.get("battery.charge"))
    return Fact(
        {
            "runtime": round(runtime / 60, 1) if runtime is not None else None,
            "charge": charge,
            "on_line": "OL" in status,
            "replace": "RB" in status,
        },
        {
            "unit": unit,
            "status": " ".join(status),
            "model": told.get("ups.model", ""),
            "load": told.get("ups.load", ""),
        },
    )


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d+(\.\d+)?", text.strip()) else None


@probe("power.battery", readings={"health": ("%", N_("capacity left of the new one's")), "cycles": ("", N_("cycles"))})
def battery(at: At) -> Fact:
    """What the laptop's battery still holds, in per cent of what it held when new; skipped where there is none."""
    if at.machine.platform == "windows":
        return windows.battery_wear(windows.facts(at))
    folder = "/sys/class/power_supply"
    for entry in at.machine.names(folder):
        words = {key: at.machine.read_or(f"{folder}/{entry}/{key}") for key in ("type", "scope", "cycle_count")}
        if words["type"] != "Battery" or words["scope"] == "Device":
            continue
        for quantity in ("energy", "charge"):
            full = _number(at.machine.read_or(f"{folder}/{entry}/{quantity}_full"))
            new = _number(at.machine.read_or(f"{folder}/{entry}/{quantity}_full_design"))
            if full is not None and new:
                cycles = _number(words["cycle_count"])
                return Fact(
                    {"health": round(100 * full / new, 1), "cycles": int(cycles) if cycles else None},
                    {"battery": entry, "quantity": quantity, "full": full, "new": new},
                )
        raise NoFact(Reason.ERROR, battery=entry, said="does not tell what it holds")
    chassis = at.machine.read_or("/sys/class/dmi/id/chassis_type")
    guest = " hypervisor" in at.machine.read_or("/proc/cpuinfo")
    if chassis in STATIONARY or guest:
        return Fact.skip(Reason.NOT_REQUIRED, chassis_type=chassis, virtual_machine=guest)
    raise NoFact(Reason.ERROR, said="a computer that may have a battery shows none", chassis_type=chassis)
