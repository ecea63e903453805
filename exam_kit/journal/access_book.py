"""The access log as it stands: its lines folded from the ledger, and carried on from entry to entry.

A book of 100,000 lines is read in about a second, so what many lines share (people, rooms) is kept once, and a line
is made once, when all that the entries say about it is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.journal.access_row import (
    CORRECTED,
    COUNTERSIGNED,
    ENDED,
    ROW,
    WITHDRAWN,
    AccessAction,
    AccessRow,
    Countersign,
    LineKind,
)
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.words import folded_text
from exam_kit.store.ledger import Entry

__all__ = ["AccessBook"]

LINE_KINDS = {ROW: LineKind.ROW, CORRECTED: LineKind.CORRECTION, WITHDRAWN: LineKind.WITHDRAWAL}
FIELDS = tuple(field.name for field in fields(AccessRow))
Key = tuple[int, int]
"""Year and number. A plain tuple: of so many, the garbage collector need not look at each again and again."""


class AccessBook(Sequence[AccessRow]):
    """All lines of one point in the order of their numbers. It does not change; `carried` makes the next one."""

    def __init__(self, point: str, rows: list[AccessRow] | None = None, at: dict[Key, int] | None = None) -> None:
        self._point = point
        self._rows = rows or []
        self._at = at or {}

    @classmethod
    def of(cls, point: str, rows: Iterable[AccessRow]) -> AccessBook:
        """A book of these lines."""
        ordered = sorted(rows, key=lambda row: row.ref)
        return cls(point, ordered, _places(ordered))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __iter__(self) -> Iterator[AccessRow]:
        return iter(self._rows)

    def get(self, ref: RowRef) -> AccessRow | None:
        """The line with this number."""
        at = self._at.get((ref.year, ref.number))
        return None if at is None else self._rows[at]

    def of_day(self, day: dt.date) -> list[AccessRow]:
        """The lines of a local date, and with each the one it is about and the one that took its place."""
        chosen = {row.ref: row for row in self._rows if row.date == day}
        for row in list(chosen.values()):
            for ref in (row.corrects, row.withdraws, row.corrected_by, row.withdrawn_by):
                linked = self.get(ref) if ref else None
                if linked is not None:
                    chosen[linked.ref] = linked
        return [chosen[ref] for ref in sorted(chosen)]

    def open_rows(self) -> list[AccessRow]:
        """Lines without an end, oldest first: who is at the equipment now."""
        return [row for row in self._rows if row.end is None and row.open]

    def waiting(self) -> list[AccessRow]:
        """Lines that wait for a countersign, oldest first."""
        return [row for row in self._rows if row.countersigned is None and row.waits]

    def carried(self, entries: Iterable[Entry]) -> AccessBook:
        """The book with what `entries` add to it."""
        made: dict[Key, dict[str, Any]] = {}

        def known(key: Key) -> dict[str, Any] | None:
            """The values of a line, to be added to."""
            if key not in made and key in self._at:
                row = self._rows[self._at[key]]
                made[key] = {name: getattr(row, name) for name in FIELDS}
            return made.get(key)

        for entry in entries:
            body = entry.body
            if body.get("point") != self._point:
                continue
            key = (body["year"], body["no"])
            if entry.kind in LINE_KINDS:
                made[key] = values = _line(entry)
                for name, mark in (("corrects", "corrected_by"), ("withdraws", "withdrawn_by")):
                    about = known(values[name]) if values[name] else None
                    if about is not None:
                        about[mark] = RowRef(*key)
                        if mark == "corrected_by":  # who made the line that is put right answers for the whole of it
                            values["before"] = _hands(about)
                continue
            about = known(key)
            if about is None:
                continue  # only a tampered ledger has words about a line that is not there; its check names them
            writer = _person(body["writer"])
            if entry.kind == ENDED:
                about["end"], about["ended_by"] = from_iso(body["end"]), writer
            elif entry.kind == COUNTERSIGNED:
                about["countersigned"] = Countersign(writer, entry.at, entry.seq)
        return self._with(made) if made else self

    def _with(self, made: dict[Key, dict[str, Any]]) -> AccessBook:
        rows, at = self._rows.copy(), self._at.copy()
        in_order = True
        for key, values in made.items():
            values["said"] = _said(values)
            row = AccessRow(**values)
            if key in at:
                rows[at[key]] = row
                continue
            in_order = in_order and (not rows or rows[-1].ref < key)
            at[key] = len(rows)
            rows.append(row)
        if not in_order:  # the clock was set back over the turn of a year
            return AccessBook.of(self._point, rows)
        return AccessBook(self._point, rows, at)


def _places(rows: Iterable[AccessRow]) -> dict[Key, int]:
    return {(row.year, row.number): index for index, row in enumerate(rows)}


def _line(entry: Entry) -> dict[str, Any]:
    body = entry.body
    corrects, withdraws = body.get("corrects"), body.get("withdraws")
    return {
        "year": body["year"],
        "number": body["no"],
        "kind": LINE_KINDS[entry.kind],
        "date": _date(body["date"]),
        "rooms": _rooms(tuple(body["rooms"])),
        "start": from_iso(body["start"]),
        "end": from_iso(body["end"]) if body["end"] else None,
        "action": _action(body["action"]),
        "text": body["text"],
        "person": _person(body["person"]),
        "responsible": _person(body["responsible"]) if body["responsible"] else None,
        "writer": _person(body["writer"]),
        "written_at": entry.at,
        "seq": entry.seq,
        "hash": entry.hash,
        "order": body["order"],
        "why": body.get("why", ""),
        "corrects": RowRef.of(corrects) if corrects else None,
        "withdraws": RowRef.of(withdraws) if withdraws else None,
    }


def _hands(values: dict[str, Any]) -> tuple[Person, ...]:
    ended_by = values.get("ended_by")
    return (values["writer"], values["person"], *((ended_by,) if ended_by else ()), *values.get("before", ()))


def _said(values: dict[str, Any]) -> str:
    """What a search of words looks through, the action left out: its words are of the reader's language."""
    signed, order, responsible = values.get("countersigned"), values["order"], values["responsible"]
    said = [
        str(values["number"]),
        _rooms_said(values["rooms"]),
        folded_text(values["text"]),
        _person_said(values["person"].name, values["person"].post),
    ]
    if values["why"]:
        said.append(folded_text(values["why"]))
    if values["writer"] is not values["person"]:
        said.append(_person_said(values["writer"].name, values["writer"].post))
    if responsible:
        said.append(_person_said(responsible.name, responsible.post))
    if signed:
        said.append(_person_said(signed.person.name, signed.person.post))
    if order is not None:
        said.append(str(order))
    return "\n".join(said)


def _person(data: dict[str, Any]) -> Person:
    return _one_person(str(data["name"]), str(data.get("post", "")), str(data.get("login", "")))


@lru_cache(maxsize=4096)
def _one_person(name: str, post: str, login: str) -> Person:
    return Person(name, post, login)


@lru_cache(maxsize=4096)
def _person_said(name: str, post: str) -> str:
    return folded_text(f"{name} {post}")


@lru_cache(maxsize=4096)
def _rooms(codes: tuple[str, ...]) -> tuple[str, ...]:
    return codes


@lru_cache(maxsize=4096)
def _rooms_said(codes: tuple[str, ...]) -> str:
    return folded_text(" ".join(codes))


@lru_cache(maxsize=4096)
def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@lru_cache(maxsize=64)
def _action(name: str) -> AccessAction:
    return AccessAction(name)
