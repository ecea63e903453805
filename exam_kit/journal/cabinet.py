"""Lines of the cabinet log: who opened and closed the cabinet of the hardware unit (PAK), with which seals.

The columns are those of the published sample: №, date, opened or closed, time, reason, unit found on or off, initiator,
two operators; and the seal, which is checked and removed at each opening and put anew at each closing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.journal.access_row import Countersign, LineKind
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.words import folded_text
from exam_kit.store.ledger import Entry

__all__ = [
    "ACT_LABELS",
    "CORRECTED",
    "COUNTERSIGNED",
    "KINDS",
    "LINE",
    "LINES",
    "WITHDRAWN",
    "CabinetAct",
    "CabinetDraft",
    "CabinetLine",
    "fold",
    "in_force",
    "last_of_each",
    "strange_seals",
]

LINE, CORRECTED, WITHDRAWN = "cabinet.line", "cabinet.corrected", "cabinet.withdrawn"
COUNTERSIGNED = "cabinet.countersigned"
LINES = (LINE, CORRECTED, WITHDRAWN)
"""Kinds that are lines of the book, each with a number of its own."""
KINDS = (*LINES, COUNTERSIGNED)
LINE_KINDS = {LINE: LineKind.ROW, CORRECTED: LineKind.CORRECTION, WITHDRAWN: LineKind.WITHDRAWAL}


class CabinetAct(StrEnum):
    """What was done to the cabinet."""

    OPENED = "opened"
    CLOSED = "closed"


ACT_LABELS = {CabinetAct.OPENED: N_("cabinet opened"), CabinetAct.CLOSED: N_("cabinet closed")}


@dataclass(frozen=True)
class CabinetDraft:
    """What somebody wants to write. `at` is aware; `operators` are exactly two different people.

    At an opening `seal` is the number found on the cabinet and `seal_whole` whether it was unharmed; at a closing
    `seal` is the new number put on it. `unit_on`: whether the unit was found switched on.
    """

    cabinet: str
    act: CabinetAct
    at: datetime
    reason: str
    unit_on: bool
    seal: str
    initiator: Person
    operators: tuple[Person, Person]
    seal_whole: bool = True


@dataclass(frozen=True)
class CabinetLine:
    """One line of the book as it stands now. Moments are UTC; `date` is the point's local date of `at`."""

    year: int
    number: int
    kind: LineKind
    date: dt.date
    cabinet: str
    act: CabinetAct
    at: datetime
    reason: str
    unit_on: bool
    seal: str
    seal_whole: bool
    initiator: Person
    operators: tuple[Person, ...]
    writer: Person
    written_at: datetime
    seq: int
    hash: str
    why: str = ""
    corrects: RowRef | None = None
    withdraws: RowRef | None = None
    corrected_by: RowRef | None = None
    withdrawn_by: RowRef | None = None
    countersigned: Countersign | None = None
    place: RowRef | None = None
    """For a correction the first line that it stands for: it was done when that one was."""
    before: tuple[Person, ...] = ()
    """Everybody named in the line that this one corrects."""

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)

    @property
    def order(self) -> tuple[datetime, RowRef]:
        """What was done first sorts first."""
        return self.at, self.place or self.ref

    @property
    def void(self) -> bool:
        """True when a later line corrected or withdrew this one."""
        return self.corrected_by is not None or self.withdrawn_by is not None

    @property
    def stands(self) -> bool:
        """True for a line that says what was done and was not taken back."""
        return not self.void and self.kind is not LineKind.WITHDRAWAL

    @property
    def waits(self) -> bool:
        """True while a countersign is still to come."""
        return self.stands and self.countersigned is None

    @property
    def hands(self) -> tuple[Person, ...]:
        """Everybody who wrote, asked for it or did it; none of them may countersign."""
        return (self.writer, self.initiator, *self.operators, *self.before)


def fold(lines: Mapping[RowRef, CabinetLine], entries: Iterable[Entry], point: str) -> dict[RowRef, CabinetLine]:
    """The lines with what further entries say."""
    found = dict(lines)
    for entry in entries:
        body = entry.body
        if body.get("point") != point:
            continue
        ref = RowRef(body["year"], body["no"])
        if entry.kind in LINE_KINDS:
            found[ref] = line = _line(entry, found)
            if line.corrects in found:
                found[line.corrects] = replace(found[line.corrects], corrected_by=ref)
            if line.withdraws in found:
                found[line.withdraws] = replace(found[line.withdraws], withdrawn_by=ref)
        elif entry.kind == COUNTERSIGNED and ref in found:
            signed = Countersign(Person.from_dict(body["writer"]), entry.at, entry.seq)
            found[ref] = replace(found[ref], countersigned=signed)
    return found


def in_force(lines: Iterable[CabinetLine], cabinet: str) -> list[CabinetLine]:
    """What was done to one cabinet and stands, in the order it was done."""
    wanted = folded_text(cabinet)
    found = [line for line in lines if line.stands and folded_text(line.cabinet) == wanted]
    return sorted(found, key=lambda line: line.order)


def last_of_each(lines: Iterable[CabinetLine]) -> list[CabinetLine]:
    """The last line that stands of every cabinet, open ones first."""
    last: dict[str, CabinetLine] = {}
    for line in sorted(lines, key=lambda line: line.order):
        if line.stands:
            last[folded_text(line.cabinet)] = line
    return sorted(last.values(), key=lambda line: (line.act is not CabinetAct.OPENED, line.cabinet))


def strange_seals(lines: Iterable[CabinetLine]) -> dict[RowRef, str]:
    """The openings at which another seal was found than the closing before had put on, and which one that was."""
    known, strange = list(lines), {}
    for cabinet in {folded_text(line.cabinet) for line in known}:
        for before, line in pairwise(in_force(known, cabinet)):
            if line.act is CabinetAct.OPENED and folded_text(line.seal) != folded_text(before.seal):
                strange[line.ref] = before.seal
    return strange


def _line(entry: Entry, found: Mapping[RowRef, CabinetLine]) -> CabinetLine:
    body: dict[str, Any] = entry.body
    corrects = RowRef.of(body["corrects"]) if body.get("corrects") else None
    wrong = found.get(corrects) if corrects else None
    return CabinetLine(
        year=body["year"],
        number=body["no"],
        kind=LINE_KINDS[entry.kind],
        date=dt.date.fromisoformat(body["date"]),
        cabinet=body["cabinet"],
        act=CabinetAct(body["act"]),
        at=from_iso(body["at"]),
        reason=body["reason"],
        unit_on=body["unit_on"],
        seal=body["seal"],
        seal_whole=body["seal_whole"],
        initiator=Person.from_dict(body["initiator"]),
        operators=tuple(Person.from_dict(one) for one in body["operators"]),
        writer=Person.from_dict(body["writer"]),
        written_at=entry.at,
        seq=entry.seq,
        hash=entry.hash,
        why=body.get("why", ""),
        corrects=corrects,
        withdraws=RowRef.of(body["withdraws"]) if body.get("withdraws") else None,
        place=(wrong.place or wrong.ref) if wrong else None,
        before=wrong.hands if wrong else (),
    )
