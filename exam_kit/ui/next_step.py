"""What to do next, by the clock and by what stands in the store. Pure: the same facts give the same step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exam_kit.errors import Message, m

__all__ = ["DayFacts", "NextStep", "next_step"]


@dataclass(frozen=True)
class DayFacts:
    """The exam day as far as the next step depends on it; moments UTC."""

    now: datetime
    check_due: datetime
    first_recording: datetime | None
    exam_start: datetime
    exam_end: datetime
    verdict: str | None
    checking: bool
    missing: int
    recording: int
    open_incidents: int
    archived: bool
    archiving: bool
    open_rows: int


@dataclass(frozen=True)
class NextStep:
    """One sentence, the page where it is done (name of its script, or empty), and the moment it is due, if any."""

    what: Message
    page: str = ""
    at: datetime | None = None


def next_step(facts: DayFacts) -> NextStep:
    """The one thing to do next; trouble first, then the plan."""
    trouble = _trouble(facts)
    if trouble is not None:
        return trouble
    if facts.now < facts.exam_start:
        return _before(facts)
    if facts.now < facts.exam_end:
        return NextStep(m("The exam is on. Keep an eye on the cameras."), "cameras", facts.exam_end)
    return _after(facts)


def _trouble(facts: DayFacts) -> NextStep | None:
    if facts.missing:
        return NextStep(
            m("Cameras that should record and do not: {count}. See to them now.", count=facts.missing), "cameras"
        )
    if facts.open_incidents:
        return NextStep(
            m("Open incidents: {count}. Write each step until it is closed.", count=facts.open_incidents), "incidents"
        )
    return None


def _before(facts: DayFacts) -> NextStep:
    if facts.checking:
        return NextStep(m("The checks are running. Wait for the verdict."), "checks")
    if facts.verdict is None:
        if facts.now < facts.check_due:
            return NextStep(m("The check of hardware and programs starts by itself."), "checks", facts.check_due)
        return NextStep(m("The check has not been run yet. Run it now."), "checks")
    if facts.verdict == "not_ready":
        return NextStep(m("The check found faults. Put them right and run those checks again."), "checks")
    if facts.verdict == "incomplete":
        return NextStep(m("The check is incomplete. Answer the items that are confirmed by hand."), "checks")
    if facts.verdict == "ready_with_remarks":
        return NextStep(m("Ready with remarks. Look through them while there is time."), "checks", facts.exam_start)
    if facts.first_recording and facts.now < facts.first_recording:
        return NextStep(m("All is ready. Recording starts by itself."), "cameras", facts.first_recording)
    return NextStep(m("All is ready. Wait for the exam to start."), "cameras", facts.exam_start)


def _after(facts: DayFacts) -> NextStep:
    if facts.recording:
        return NextStep(m("The exam is over. Stop the recording when the head of the point orders it."), "archive")
    if facts.archiving:
        return NextStep(m("The footage is being copied. Wait until it is verified."), "archive")
    if not facts.archived:
        return NextStep(m("Copy the footage of the corridors and the entrance."), "archive")
    if facts.open_rows:
        return NextStep(
            m("Lines of the access log without an end: {count}. Write their ends.", count=facts.open_rows), "access_log"
        )
    return NextStep(m("The day is done: the footage is archived and the access log is closed."))
