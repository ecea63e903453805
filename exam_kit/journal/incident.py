"""An incident sheet (лист нештатной ситуации) as it stands: folded from the ledger, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incident_parts import Decision, Event, Hand, Taken
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.questions import Answer
from exam_kit.store.evidence import KeptFile

__all__ = ["Incident", "IncidentDraft"]


@dataclass(frozen=True)
class IncidentDraft:
    """What is known when an incident is opened. Moments are aware; `room`, `camera`, `station` are codes or empty.

    `detected_by` is who noticed it, when that is not the one who writes. `outages` are those of the cameras, where more
    is known of them than that `camera` is lost since `gap_from`. `checks` are runs, `calls` room calls behind it.
    """

    category: str
    description: str
    detected_at: datetime
    detected_by: Person | None = None
    room: str = ""
    camera: str = ""
    station: str = ""
    gap_from: datetime | None = None
    log_rows: tuple[RowRef, ...] = ()
    outages: tuple[Outage, ...] = ()
    checks: tuple[str, ...] = ()
    calls: tuple[RowRef, ...] = ()


@dataclass(frozen=True)
class Incident:
    """A sheet as it stands now; `timeline` holds all that was written, in the order it was written. Moments UTC.

    `answers` are the latest to each question. `checks` are runs, `gaps` recordings' gaps, `equipment` inventory
    numbers that the sheet is about. `signed_off` is None on an open sheet, and where an older kit closed it.
    """

    year: int
    number: int
    category: str
    description: str
    detected_at: datetime
    detected_by: Person
    room: str
    camera: str
    station: str
    opened_by: Person
    opened_at: datetime
    seq: int
    hash: str
    timeline: tuple[Event, ...]
    hands: tuple[Hand, ...]
    key: str = ""
    replaced_with: str = ""
    gap_from: datetime | None = None
    gap_to: datetime | None = None
    candidates: int | None = None
    minutes_added: int | None = None
    evidence: tuple[str, ...] = ()
    files: tuple[KeptFile, ...] = ()
    answers: tuple[Answer, ...] = ()
    log_rows: tuple[RowRef, ...] = ()
    checks: tuple[str, ...] = ()
    calls: tuple[RowRef, ...] = ()
    gaps: tuple[Outage, ...] = ()
    equipment: tuple[str, ...] = ()
    outages: tuple[Outage, ...] = ()
    decisions: tuple[Taken, ...] = ()
    running_since: datetime | None = None
    restored_at: datetime | None = None
    conclusion: str = ""
    closed_by: Person | None = None
    closed_at: datetime | None = None
    signed_off: Person | None = None

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def cameras(self) -> tuple[str, ...]:
        """The affected cameras, in the order in which they were first lost."""
        return tuple(dict.fromkeys(outage.camera for outage in self.outages))

    @property
    def away(self) -> frozenset[str]:
        """Those of them that are not back yet."""
        return frozenset(outage.camera for outage in self.outages if outage.back_at is None)

    @property
    def holder(self) -> Hand:
        """Who has it now; of a closed sheet, who had it last."""
        return self.hands[-1]

    @property
    def told_roles(self) -> frozenset[str]:
        """The roles of those who were told, since it last began."""
        # People write whole minutes: told in the minute in which it began counts.
        since = (self.running_since or self.detected_at).replace(second=0, microsecond=0)
        return frozenset(
            event.data["role"] for event in self.events("reported") if event.data.get("role") and event.at >= since
        )

    @property
    def decision(self) -> Taken | None:
        """The latest decision."""
        return self.decisions[-1] if self.decisions else None

    @property
    def stopped(self) -> bool:
        return self.decision is not None and self.decision.decision is Decision.STOP_EXAM

    @property
    def duration_s(self) -> float | None:
        """From detection to restoration; None while it lasts."""
        return None if self.restored_at is None else (self.restored_at - self.detected_at).total_seconds()

    def events(self, kind: str) -> tuple[Event, ...]:
        """The timeline's lines of one kind: `reported`, `step`, …"""
        return tuple(event for event in self.timeline if event.kind == kind)
