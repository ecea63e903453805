"""`exam-kit doctor`: is this installation sound?

Each check looks at one thing and answers with findings: what was seen, and the way out where something is wrong. A
check that itself breaks is a finding too: what is not known is not called good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exam_kit.clock import Clock, SystemClock
from exam_kit.doctor import memory, place, software
from exam_kit.doctor.report import DoctorReport, Finding, State
from exam_kit.errors import ExamKitError, m
from exam_kit.home import Home
from exam_kit.point import Point, load_point

__all__ = ["DoctorReport", "Finding", "State", "diagnose", "run"]

DEFAULT_PORT = 8501


def run(home: Home, *, clock: Clock | None = None, port: int = DEFAULT_PORT) -> DoctorReport:
    """Look at everything. Reads only; nothing is made or mended."""
    return DoctorReport(tuple(diagnose(home, clock or SystemClock(), port)))


def diagnose(home: Home, clock: Clock, port: int) -> Iterator[Finding]:
    """The findings, one check after another."""
    try:
        point: Point | None = load_point(home.point_file)
    except ExamKitError:
        point = None  # told by the check of the point
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": software.python,
        "packages": software.packages,
        "imports": software.imports,
        "home": lambda: place.home_folder(home),
        "space": lambda: place.space(home),
        "timezones": lambda: software.timezones(point),
        "point": lambda: place.point_file(home),
        "secrets": lambda: place.passwords(home, point),
        "keys": lambda: memory.keys(home),
        "store": lambda: memory.database(home),
        "ledger": lambda: memory.ledger(home),
        "agent": lambda: place.agent(home, clock),
        "port": lambda: place.free_port(home, clock, port),
    }
    for name, check in checks.items():
        try:
            yield from check()
        except ExamKitError as problem:
            yield Finding(name, State.UNKNOWN, problem.message, None, problem.details)
        except Exception as problem:  # noqa: BLE001 - a check that breaks is a finding, and the others go on
            yield Finding(
                name,
                State.UNKNOWN,
                m("could not be checked ({reason})", reason=problem),
                m("Run 'python3 start.py --install-only'; if it stays, show the log files to the developers."),
            )
