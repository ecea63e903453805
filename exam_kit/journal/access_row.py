"""Lines of the hardware access log, and how they are read back from the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.rooms import format_rooms
from exam_kit.store.ledger import Entry

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
    "fold",
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


@dataclass(frozen=True)
class Countersign:
    """Who confirmed a line, when, and the ledger entry that says so."""

    person: Person
    at: datetime
    seq: int


@dataclass(frozen=True)
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
    hands: tuple[Person, ...] = field(default=(), repr=False)
    """Everybody who acted or wrote here; none of them may countersign."""

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)

    @property
    def void(self) -> bool:
        """True when a later line corrected or withdrew this one."""
        return self.corrected_by is not None or self.withdrawn_by is not None

    @property
    def open(self) -> bool:
        """True while the work goes on: no end is written and the line stands."""
        return self.end is None and not self.void and self.kind is not LineKind.WITHDRAWAL

    @property
    def rooms_text(self) -> str:
        """The rooms as the log writes them: `0001–0017, 7777`."""
        return format_rooms(self.rooms)


def fold(entries: Iterable[Entry], point: str, before: Iterable[AccessRow] = ()) -> dict[RowRef, AccessRow]:
    """The lines of `point`, in the order they were written, with all that later entries say about them.

    `before` are lines that the entries go on from, when not all entries are given.
    """
    rows: dict[RowRef, AccessRow] = {row.ref: row for row in before}
    for entry in entries:
        body = entry.body
        if body.get("point") != point:
            continue
        ref = RowRef(body["year"], body["no"])
        if entry.kind in LINES:
            row = rows[ref] = _line(entry, rows)
            _link(row, rows)
        elif entry.kind == ENDED:
            by = Person.from_dict(body["writer"])
            rows[ref] = replace(rows[ref], end=from_iso(body["end"]), ended_by=by, hands=(*rows[ref].hands, by))
        elif entry.kind == COUNTERSIGNED:
            signed = Countersign(Person.from_dict(body["writer"]), entry.at, entry.seq)
            rows[ref] = replace(rows[ref], countersigned=signed)
    return rows


def _line(entry: Entry, rows: dict[RowRef, AccessRow]) -> AccessRow:
    body: dict[str, Any] = entry.body
    writer = Person.from_dict(body["writer"])
    person = Person.from_dict(body["person"])
    hands: tuple[Person, ...] = (writer, person)
    kind = {ROW: LineKind.ROW, CORRECTED: LineKind.CORRECTION, WITHDRAWN: LineKind.WITHDRAWAL}[entry.kind]
    corrects = RowRef.of(body["corrects"]) if body.get("corrects") else None
    if corrects:  # who made the line that is put right answers for the whole of it
        hands = (*hands, *rows[corrects].hands)
    return AccessRow(
        year=body["year"],
        number=body["no"],
        kind=kind,
        date=dt.date.fromisoformat(body["date"]),
        rooms=tuple(body["rooms"]),
        start=from_iso(body["start"]),
        end=from_iso(body["end"]) if body["end"] else None,
        action=AccessAction(body["action"]),
        text=body["text"],
        person=person,
        responsible=Person.from_dict(body["responsible"]) if body["responsible"] else None,
        writer=writer,
        written_at=entry.at,
        seq=entry.seq,
        hash=entry.hash,
        order=body["order"],
        why=body.get("why", ""),
        corrects=corrects,
        withdraws=RowRef.of(body["withdraws"]) if body.get("withdraws") else None,
        hands=hands,
    )


def _link(row: AccessRow, rows: dict[RowRef, AccessRow]) -> None:
    if row.corrects:
        rows[row.corrects] = replace(rows[row.corrects], corrected_by=row.ref)
    if row.withdraws:
        rows[row.withdraws] = replace(rows[row.withdraws], withdrawn_by=row.ref)
