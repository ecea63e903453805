"""Is there something on the computer that has no place in an exam?"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact
from exam_kit.checks.probes.software import packages
from exam_kit.checks.processes import process_names
from exam_kit.checks.registry import probe
from exam_kit.i18n import N_

FOUND = {"found": ("", N_("found")), "names": ("", "")}


@probe("software.unapproved", readings=FOUND)
def unapproved(at: At, *, forbidden: list[str], allowed: list[str] | None = None) -> Fact:
    """How many installed programs match the patterns of `forbidden` ("*steam*"; case does not matter).

    `allowed` excepts some of them.
    """
    source, installed = packages(at)
    return _found(_matching(installed, forbidden, allowed or []), source, len(installed))


@probe("software.remote_control", readings=FOUND)
def remote_control(at: At, *, programs: list[str]) -> Fact:
    """How many programs that control a computer from afar are installed or run, by the patterns of `programs`.

    On Windows the system's own remote desktop counts, when it is switched on.
    """
    source, installed = packages(at)
    running = process_names(at)
    names = _matching({*installed, *running}, programs, [])
    if at.machine.platform == "windows":
        names = sorted({*names, *windows.remote_desktop(windows.facts(at))})
    return _found(names, source, len(installed), running=len(running))


def _matching(names: Iterable[str], wanted: list[str], excepted: list[str]) -> list[str]:
    def fits(name: str, patterns: list[str]) -> bool:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)

    return sorted({name for name in names if fits(name, wanted) and not fits(name, excepted)})


def _found(names: list[str], source: str, looked_at: int, **more: int) -> Fact:
    return Fact(
        {"found": len(names), "names": ", ".join(names[:10]) or None},
        {"source": source, "looked_at": looked_at, "found": names, **more},
    )
