"""Is the program itself whole: Python, its packages, the libraries they need, time zones."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from exam_kit.doctor.packages import broken_imports, python_fits, wrong_versions
from exam_kit.doctor.report import Finding, State
from exam_kit.errors import m
from exam_kit.point import Point

__all__ = ["imports", "packages", "python", "timezones"]

REINSTALL = m("Delete the folder .venv and run 'python3 start.py'.")


def python() -> Iterator[Finding]:
    found, wanted, fits = python_fits()
    if fits:
        yield Finding("python", State.OK, m("{version}", version=found))
    else:
        yield Finding(
            "python",
            State.FAULT,
            m("{version}, but the kit needs {wanted}", version=found, wanted=wanted),
            m("Install a fitting Python and run start.py with it."),
        )


def packages() -> Iterator[Finding]:
    count, wrong = wrong_versions()
    if not wrong:
        yield Finding("packages", State.OK, m("{count} at their locked versions", count=count))
        return
    for name, locked, found in wrong:
        seen = (
            m("{name}: {found} is installed, {locked} is locked", name=name, found=found, locked=locked)
            if found
            else m("{name}: is not installed", name=name)
        )
        yield Finding("packages", State.FAULT, seen, REINSTALL)


def imports() -> Iterator[Finding]:
    count, broken = broken_imports()
    if not broken:
        yield Finding("imports", State.OK, m("{count} load, those for video among them", count=count))
    for name, reason in broken.items():
        yield Finding(
            "imports",
            State.FAULT,
            m("{name}: does not load ({reason})", name=name, reason=reason),
            m("Run 'python3 start.py --install-only': it names the missing system library and the command for it.")
            if ".so" in reason
            else REINSTALL,
        )


def timezones(point: Point | None) -> Iterator[Finding]:
    names = available_timezones()
    wanted = point.timezone if point else "Europe/Moscow"
    if wanted in names and ZoneInfo(wanted):
        yield Finding("timezones", State.OK, m("{count} known", count=len(names)))
    else:
        yield Finding("timezones", State.FAULT, m("{zone}: no data for this zone", zone=wanted), REINSTALL)
