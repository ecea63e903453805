"""How many processor cores, how fast."""

from __future__ import annotations

import re

import psutil

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

MAX_FREQUENCY = "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"


@probe("cpu.cores", readings={"cores": ("", N_("cores")), "speed": ("hz", N_("clock speed"))})
def cores(at: At) -> Fact:
    """Cores the system sees, and the highest speed of one in Hz (None where the machine does not tell)."""
    if at.machine.platform == "windows":
        frequency = psutil.cpu_freq()
        fastest = (frequency.max or frequency.current) * 1e6 if frequency else None
        return Fact({"cores": psutil.cpu_count(), "speed": fastest}, {"source": "psutil"})
    text = at.machine.read("/proc/cpuinfo")
    count = len(re.findall(r"^processor\s*:", text, re.M))
    if not count:
        raise NoFact(Reason.ERROR, source="/proc/cpuinfo", said=text[:200])
    maximum = at.machine.read_or(MAX_FREQUENCY)
    speeds = [float(mhz) * 1e6 for mhz in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", text, re.M)]
    model = re.search(r"^model name\s*:\s*(.+)", text, re.M)
    speed = int(maximum) * 1e3 if maximum.isdigit() else max(speeds, default=None)
    return Fact({"cores": count, "speed": speed}, {"source": "/proc/cpuinfo", "model": model[1] if model else ""})
