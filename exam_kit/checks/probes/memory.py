"""How much memory there is."""

from __future__ import annotations

import re

import psutil

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_


@probe("memory.size", readings={"total": ("bytes", N_("memory")), "available": ("bytes", N_("free memory"))})
def size(at: At) -> Fact:
    """Memory in all, and what programs can still get."""
    if at.machine.platform == "windows":
        memory = psutil.virtual_memory()
        return Fact({"total": memory.total, "available": memory.available}, {"source": "psutil"})
    text = at.machine.read("/proc/meminfo")
    found = {name: int(kib) * 1024 for name, kib in re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", text, re.M)}
    if found.keys() != {"MemTotal", "MemAvailable"}:
        raise NoFact(Reason.ERROR, source="/proc/meminfo", said=text[:200])
    return Fact({"total": found["MemTotal"], "available": found["MemAvailable"]}, {"source": "/proc/meminfo"})
