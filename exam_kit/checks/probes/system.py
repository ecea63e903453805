"""Which operating system this is, how long it is supported, and whether it is a real machine."""

from __future__ import annotations

import datetime as dt
import re

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

RELEASE = "/etc/os-release"


@probe(
    "os.build",
    readings={"family": ("", N_("system")), "version": ("", N_("version")), "build": ("", N_("build"))},
)
def build(at: At) -> Fact:
    """Family ("windows", or the ID of os-release: "debian", "astra", "altlinux", …), version and build."""
    if at.machine.platform == "windows":
        return windows.system(windows.facts(at))
    said = _release(at)
    kernel = at.machine.read_or("/proc/sys/kernel/osrelease")
    return Fact(
        {"family": said["ID"], "version": said.get("VERSION_ID") or None, "build": kernel or None},
        {"source": RELEASE, "name": said.get("PRETTY_NAME", "")},
    )


def _release(at: At) -> dict[str, str]:
    text = at.machine.read(RELEASE)
    said = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', text, re.M))
    if "ID" not in said:
        raise NoFact(Reason.ERROR, source=RELEASE, said=text[:200])
    return said


@probe("os.support", readings={"days_left": ("d", N_("supported for")), "ends": ("date", N_("support ends"))})
def support(at: At, *, ends: dict[str, dt.date]) -> Fact:
    """Days until the maker's support of this system ends; negative when it has ended.

    `ends` maps "FAMILY VERSION" ("debian 12", "windows 19045": the build stands for Windows' version) to the last
    day. What the system says of itself (SUPPORT_END of os-release) is taken where the profile does not tell.
    """
    if at.machine.platform == "windows":
        name, own = f"windows {windows.system(windows.facts(at)).values['build']}", ""
    else:
        said = _release(at)
        name, own = f"{said['ID']} {said.get('VERSION_ID', '')}".strip(), said.get("SUPPORT_END", "")
    last = ends.get(name) or _day(own)
    if last is None:
        raise NoFact(Reason.ERROR, system=name, said="the profile does not tell when its support ends")
    today = at.context.clock.now().astimezone(at.context.point.tz).date()
    return Fact(
        {"days_left": (last - today).days, "ends": last.isoformat()},
        {"system": name, "source": "profile" if name in ends else RELEASE},
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@probe("os.virtual_machine", readings={"virtual": ("", N_("virtual machine")), "kind": ("", N_("kind"))})
def virtual_machine(at: At) -> Fact:
    """Whether this is a virtual machine, and which kind."""
    if at.machine.platform == "windows":
        return windows.virtual(windows.facts(at))
    record = at.command("systemd-detect-virt", "--vm")
    said = record.out.strip()
    # It ends with 1 where it found none, and says so in one word.
    if record.fault is None and record.rc == 1 and said == "none":
        return Fact({"virtual": False, "kind": None}, {"source": "systemd-detect-virt"})
    said = record.answer().strip()
    if not re.fullmatch(r"[a-z0-9-]{2,30}", said) or said == "none":
        raise NoFact(Reason.ERROR, command="systemd-detect-virt", said=said[:200])
    return Fact({"virtual": True, "kind": said}, {"source": "systemd-detect-virt"})
