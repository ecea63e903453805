"""Will the computer stay awake and alone: its screen, its sleep, its updates."""

from __future__ import annotations

import re
from pathlib import Path

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

POWER_SCHEMA = "org.gnome.settings-daemon.plugins.power"
ASLEEP = ("suspend", "hibernate", "shutdown", "logout")
MASKED = ("/etc/systemd/system/sleep.target", "/etc/systemd/system/suspend.target")


@probe("screen.size", readings={"width": ("px", N_("width")), "height": ("px", N_("height"))})
def size(at: At) -> Fact:
    """Size of the largest screen in use, pixels."""
    if at.machine.platform == "windows":
        return windows.screen(windows.facts(at))
    connected = [
        name
        for name in at.machine.names("/sys/class/drm")
        if at.machine.read_or(f"/sys/class/drm/{name}/status") == "connected"
    ]
    modes = [at.machine.read_or(f"/sys/class/drm/{name}/modes").partition("\n")[0] for name in connected]
    source = "/sys/class/drm"
    if not connected:
        # Without a graphics driver of the kernel's (or in a remote session) the display server still knows.
        source = "xrandr"
        said = at.command("xrandr", "--current").answer()
        modes = [f"{wide}x{high}" for wide, high in re.findall(r"current (\d+) x (\d+)", said)]
    sizes = [(int(m[1]), int(m[2])) for mode in modes if (m := re.match(r"(\d+)x(\d+)", mode))]
    if not sizes:
        raise NoFact(Reason.ERROR, source=source, said=modes)
    width, height = max(sizes, key=lambda pair: pair[0] * pair[1])
    return Fact({"width": width, "height": height}, {"source": source, "screens": [f"{w}×{h}" for w, h in sizes]})


@probe("os.sleep", readings={"sleeps": ("", N_("falls asleep")), "after": ("min", N_("after"))})
def sleep(at: At) -> Fact:
    """Whether the computer falls asleep by itself on mains, and after how many minutes (None: never)."""
    if at.machine.platform == "windows":
        return windows.sleep(windows.facts(at))
    for unit in MASKED:
        path = Path(at.machine.path(unit))
        if path.is_symlink() and str(path.readlink()) == "/dev/null":
            return Fact({"sleeps": False, "after": None}, {"source": unit, "said": "masked"})
    kind = _setting(at, POWER_SCHEMA, "sleep-inactive-ac-type").strip("'")
    after = _setting(at, POWER_SCHEMA, "sleep-inactive-ac-timeout")
    if kind not in (*ASLEEP, "nothing", "blank", "interactive") or not _is_int(after):
        raise NoFact(Reason.ERROR, source="gsettings", said=f"{kind} {after}"[:200])
    minutes = int(after) / 60
    sleeps = kind in ASLEEP and minutes > 0
    return Fact(
        {"sleeps": sleeps, "after": round(minutes, 1) if sleeps else None}, {"source": "gsettings", "does": kind}
    )


@probe("os.screensaver", readings={"blanks": ("", N_("the screen goes dark")), "after": ("min", N_("after"))})
def screensaver(at: At) -> Fact:
    """Whether the screen goes dark or locks by itself, and after how many minutes (None: never)."""
    if at.machine.platform == "windows":
        return windows.screensaver(windows.facts(at))
    record = at.command("gsettings", "get", "org.gnome.desktop.session", "idle-delay")
    if record.fault is None and record.rc == 0:
        idle = re.fullmatch(r"uint32 (\d+)", record.out.strip())
        if idle is None:
            raise NoFact(Reason.ERROR, source="gsettings", said=record.out[:200])
        return _blanks(int(idle[1]), "gsettings")
    if record.fault is not Reason.TOOL_ABSENT:
        record.answer()  # says why
    said = at.command("xset", "q").answer()
    saver = re.search(r"timeout:\s+(\d+)", said)
    standby = re.search(r"Standby:\s+(\d+).*?Off:\s+(\d+)", said)
    if saver is None:
        raise NoFact(Reason.ERROR, source="xset", said=said[:200])
    times = [int(saver[1])]
    if "DPMS is Enabled" in said and standby is not None:
        times += [int(standby[1]), int(standby[2])]
    return _blanks(min((seconds for seconds in times if seconds), default=0), "xset")


def _blanks(seconds: int, source: str) -> Fact:
    return Fact({"blanks": seconds > 0, "after": round(seconds / 60, 1) if seconds else None}, {"source": source})


def _setting(at: At, schema: str, key: str) -> str:
    return at.command("gsettings", "get", schema, key).answer().strip()


def _is_int(text: str) -> bool:
    return re.fullmatch(r"-?\d+", text) is not None


@probe("os.auto_update", readings={"automatic": ("", N_("updates by itself"))})
def auto_update(at: At) -> Fact:
    """Whether the system installs updates by itself, which may restart it during the exam."""
    if at.machine.platform == "windows":
        return windows.auto_update(windows.facts(at))
    if at.machine.has("apt-config"):
        said = at.command("apt-config", "dump").answer()
        if "APT" not in said:
            raise NoFact(Reason.ERROR, source="apt-config", said=said[:200])
        found = re.findall(r'^APT::Periodic::(Enable|Unattended-Upgrade) "([^"]*)";', said, re.M)
        settings = dict(found)
        on = settings.get("Unattended-Upgrade", "0") not in ("", "0") and settings.get("Enable", "1") != "0"
        return Fact({"automatic": on}, {"source": "apt-config", "said": settings})
    record = at.command("systemctl", "is-enabled", "dnf-automatic.timer", "dnf-automatic-install.timer")
    words = record.out.split()
    # It ends with 1 where none of them is enabled; the words are the answer.
    if record.fault is None and words and set(words) <= {"enabled", "disabled", "masked", "static", "not-found"}:
        return Fact({"automatic": "enabled" in words}, {"source": "systemctl", "said": words})
    raise NoFact(record.fault or Reason.ERROR, source="systemctl", said=(record.out or record.err)[:200])
