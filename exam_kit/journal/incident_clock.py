"""The clock that runs while an incident lasts: how long already, how long there still is, what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from exam_kit.journal.categories import Category, Mark
from exam_kit.journal.incident import Incident
from exam_kit.point.model import Point

__all__ = ["ClockStage", "IncidentClock", "MarkState", "incident_clock", "mark_state"]


class ClockStage(StrEnum):
    """How the clock stands."""

    RUNNING = "running"
    DUE = "due"
    OVER = "over"
    STOPPED = "stopped"


class MarkState(StrEnum):
    """How a mark stands: still to come, reached and not done as far as the sheet shows, or done."""

    AHEAD = "ahead"
    DUE = "due"
    DONE = "done"


@dataclass(frozen=True)
class IncidentClock:
    """Seconds since detection (or since it happened again), against the category's limit.

    `left_s` is negative past the limit, None where there is none. `due` are the marks already reached, `next` the one
    to come, `marks` all of them with what the sheet says of each. `stage` is `stopped` once it is restored or closed.
    """

    elapsed_s: float
    limit_at: datetime | None
    left_s: float | None
    due: tuple[Mark, ...]
    next: Mark | None
    stage: ClockStage
    marks: tuple[tuple[Mark, MarkState], ...] = ()

    @property
    def minutes(self) -> int:
        """Whole minutes that have passed."""
        return int(self.elapsed_s // 60)


def incident_clock(incident: Incident, category: Category | None, point: Point, now: datetime) -> IncidentClock:
    """The incident's clock at `now`; a category that is not in the data has no limit."""
    since = incident.running_since or incident.detected_at
    stopped = incident.restored_at or incident.closed_at
    until = min(stopped, now) if stopped else now
    elapsed = max(until - since, timedelta())
    marks = category.marks if category else ()
    due = tuple(mark for mark in marks if elapsed >= timedelta(minutes=mark.after_min))
    limit = category.limit.until(since, point) if category and category.limit else None
    left = (limit - until).total_seconds() if limit else None
    if stopped:
        stage = ClockStage.STOPPED
    elif left is not None and left <= 0:
        stage = ClockStage.OVER
    else:
        stage = ClockStage.DUE if due else ClockStage.RUNNING
    return IncidentClock(
        elapsed.total_seconds(),
        limit,
        left,
        due,
        next((mark for mark in marks if mark not in due), None),
        stage,
        tuple((mark, mark_state(incident, mark, reached=mark in due)) for mark in marks),
    )


def mark_state(incident: Incident, mark: Mark, *, reached: bool) -> MarkState:
    """Told and decided, as far as it wants either, is done; where it wants neither only its time says something."""
    wants = bool(mark.tell) or mark.decision
    told = incident.told_roles.issuperset(mark.tell)
    since = (incident.running_since or incident.detected_at).replace(second=0, microsecond=0)
    decided = not mark.decision or any(taken.at >= since for taken in incident.decisions)
    if wants and told and decided:
        return MarkState.DONE
    return MarkState.DUE if reached else MarkState.AHEAD
