"""Lines of the hardware access log: what a person drafts, what stands in the book."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from exam_kit.i18n import N_
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.rooms import format_rooms

__all__ = [
    "ACTION_LABELS",
    "CORRECTED",
    "COUNTERSIGNED",
    "ENDED",
    "KINDS",
    "LINES",
    "ROW",
    "WITHDRAWN",
    "AccessAction",
    "AccessDraft",
    "AccessRow",
    "Countersign",
    "LineKind",
]

ROW, CORRECTED, WITHDRAWN = "access.row", "access.corrected", "access.withdrawn"
ENDED, COUNTERSIGNED = "access.ended", "access.countersigned"
LINES = (ROW, CORRECTED, WITHDRAWN)
"""Kinds that are lines of the book, each with a number of its own."""
KINDS = (*LINES, ENDED, COUNTERSIGNED)


class AccessAction(StrEnum):
    """What was done to the equipment: the vocabulary of the published sample, and what the kit adds to it."""

    OPERABILITY_CHECK = "operability_check"
    RECORDING_STARTED = "recording_started"
    VIEW_CORRECTED = "view_corrected"
    MEMORY_CARD_OUT = "memory_card_out"
    MEMORY_CARD_IN = "memory_card_in"
    RECORDING_STOPPED = "recording_stopped"
    MEMORY_EXPORTED = "memory_exported"
    ARCHIVE_MADE = "archive_made"
    CLOCK_SET = "clock_set"
    OTHER = "other"


ACTION_LABELS = {
    AccessAction.OPERABILITY_CHECK: N_("operability check"),
    AccessAction.RECORDING_STARTED: N_("recording switched on"),
    AccessAction.VIEW_CORRECTED: N_("camera view corrected"),
    AccessAction.MEMORY_CARD_OUT: N_("memory card taken out"),
    AccessAction.MEMORY_CARD_IN: N_("memory card put in"),
    AccessAction.RECORDING_STOPPED: N_("recording switched off"),
    AccessAction.MEMORY_EXPORTED: N_("recordings copied from the equipment's memory"),
    AccessAction.ARCHIVE_MADE: N_("archive of recordings made"),
    AccessAction.CLOCK_SET: N_("camera clock set"),
    AccessAction.OTHER: N_("other"),
}


class LineKind(StrEnum):
    """What a line of the book is."""

    ROW = "row"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class AccessDraft:
    """What somebody wants to write. `rooms` is text ("0001–0017, 7777") or codes; moments are aware.

    `person` is who acted on the equipment, when it is not the one who writes; `responsible` is the person responsible
    for CCTV. `order` is the order behind it, where there is one.
    """

    rooms: str | tuple[str, ...]
    action: AccessAction | str
    start: datetime
    end: datetime | None = None
    text: str = ""
    person: Person | None = None
    responsible: Person | None = None
    order: int | None = None


@dataclass(frozen=True, slots=True)
class Countersign:
    """Who confirmed a line, when, and the ledger entry that says so."""

    person: Person
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One line of the book as it stands now. Moments are UTC; `date` is the point's local date of `start`.

    A line that was corrected or withdrawn stays, with `corrected_by` or `withdrawn_by` naming the later line; that
    line names this one in `corrects` or `withdraws`.
    """

    year: int
    number: int
    kind: LineKind
    date: dt.date
    rooms: tuple[str, ...]
    start: datetime
    end: datetime | None
    action: AccessAction
    text: str
    person: Person
    responsible: Person | None
    writer: Person
    written_at: datetime
    seq: int
    hash: str
    order: int | None = None
    why: str = ""
    corrects: RowRef | None = None
    withdraws: RowRef | None = None
    corrected_by: RowRef | None = None
    withdrawn_by: RowRef | None = None
    ended_by: Person | None = None
    countersigned: Countersign | None = None
    before: tuple[Person, ...] = field(default=(), repr=False)
    """Everybody who acted or wrote in the line that this one corrects."""
    said: str = field(default="", repr=False, compare=False)
    """What a search of words looks through, folded."""

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)

    @property
    def hands(self) -> tuple[Person, ...]:
        """Everybody who acted or wrote here; none of them may countersign."""
        ended = (self.ended_by,) if self.ended_by else ()
        return (self.writer, self.person, *ended, *self.before)

    @property
    def void(self) -> bool:
        """True when a later line corrected or withdrew this one."""
        return self.corrected_by is not None or self.withdrawn_by is not None

    @property
    def open(self) -> bool:
        """True while the work goes on: no end is written and the line stands."""
        return self.end is None and not self.void and self.kind is not LineKind.WITHDRAWAL

    @property
    def waits(self) -> bool:
        """True while a countersign is still to come: the work is ended and the line stands."""
        return self.countersigned is None and not self.open and not self.void and self.kind is not LineKind.WITHDRAWAL

    @property
    def rooms_text(self) -> str:
        """The rooms as the log writes them: `0001–0017, 7777`."""
        return format_rooms(self.rooms)
