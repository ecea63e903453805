"""Which operating system this is."""

from __future__ import annotations

import re

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_


@probe(
    "os.build",
    readings={"family": ("", N_("system")), "version": ("", N_("version")), "build": ("", N_("build"))},
)
def build(at: At) -> Fact:
    """Family ("windows", or the ID of os-release: "debian", "astra", "altlinux", …), version and build."""
    if at.machine.platform == "windows":
        return windows.system(windows.facts(at))
    text = at.machine.read("/etc/os-release")
    said = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', text, re.M))
    if "ID" not in said:
        raise NoFact(Reason.ERROR, source="/etc/os-release", said=text[:200])
    kernel = at.machine.read_or("/proc/sys/kernel/osrelease")
    return Fact(
        {"family": said["ID"], "version": said.get("VERSION_ID") or None, "build": kernel or None},
        {"source": "/etc/os-release", "name": said.get("PRETTY_NAME", "")},
    )
