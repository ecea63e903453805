"""What a sheet is made of: its events, decisions, agreements, and in whose hands it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from exam_kit.i18n import N_
from exam_kit.journal.person import Person

__all__ = [
    "DECISION_LABELS",
    "EVENT_LABELS",
    "LINE_LABELS",
    "WAY_LABELS",
    "Agreement",
    "Decision",
    "Event",
    "Hand",
    "Line",
    "Taken",
    "Way",
]

EVENT_LABELS = {
    "opened": N_("detected"),
    "step": N_("measure"),
    "reported": N_("reported"),
    "noted": N_("noted"),
    "answered": N_("questions answered"),
    "handed": N_("handed over"),
    "attached": N_("files added"),
    "restored": N_("restored"),
    "recurred": N_("happened again"),
    "lost": N_("camera does not record"),
    "back": N_("camera no longer missing"),
    "decided": N_("decision"),
    "closed": N_("closed"),
}


class Decision(StrEnum):
    """What was decided about the exam."""

    GO_ON = "go_on"
    MAKE_UP_TIME = "make_up_time"
    MOVE_CANDIDATES = "move_candidates"
    STOP_EXAM = "stop_exam"


DECISION_LABELS = {
    Decision.GO_ON: N_("the exam goes on"),
    Decision.MAKE_UP_TIME: N_("lost time is made up"),
    Decision.MOVE_CANDIDATES: N_("candidates are moved to another room or station"),
    Decision.STOP_EXAM: N_("the exam is stopped"),
}


class Line(StrEnum):
    """Who works on it (field guide, section 6: support levels)."""

    FIRST = "first"
    SECOND = "second"
    ADMINISTRATOR = "administrator"
    SERVICE = "service"

    @property
    def rank(self) -> int:
        """Administrator and service firm stand side by side, above the second line."""
        return min(list(Line).index(self), 2)


LINE_LABELS = {
    Line.FIRST: N_("first line"),
    Line.SECOND: N_("second line"),
    Line.ADMINISTRATOR: N_("administrator"),
    Line.SERVICE: N_("service firm"),
}


class Way(StrEnum):
    """How somebody agreed."""

    PHONE = "phone"
    IN_PERSON = "in_person"
    IN_WRITING = "in_writing"


WAY_LABELS = {
    Way.PHONE: N_("by phone"),
    Way.IN_PERSON: N_("in person"),
    Way.IN_WRITING: N_("in writing"),
}


@dataclass(frozen=True)
class Event:
    """One line of the timeline: what kind, when it happened, what it says, who wrote it and when."""

    kind: str
    at: datetime
    text: str
    by: Person
    written_at: datetime
    seq: int
    data: dict[str, Any]

    @property
    def label(self) -> str:
        """English key of the kind's name; translate it where it is shown."""
        return EVENT_LABELS[self.kind]


@dataclass(frozen=True)
class Agreement:
    """That the chair agreed, as the commission member writes it down. Sheets of older kits lack moment and way."""

    person: Person
    at: datetime | None = None
    way: Way | None = None


@dataclass(frozen=True)
class Taken:
    """A decision with who took it and, where the exam is stopped, who agreed."""

    decision: Decision
    text: str
    by: Person
    agreed: Agreement | None
    at: datetime

    @property
    def agreed_by(self) -> Person | None:
        return self.agreed.person if self.agreed else None


@dataclass(frozen=True)
class Hand:
    """In whose hands the sheet was: line, person where one is named, since when, why. `until` is None for the last."""

    line: Line
    person: Person | None
    since: datetime
    why: str = ""
    until: datetime | None = None

    def seconds(self, now: datetime) -> float:
        """How long they have had it, or had it."""
        return max(((self.until or now) - self.since).total_seconds(), 0.0)
