"""The hardware access log (журнал доступа к ПАК): a bound book over the ledger.

Lines are numbered without a hole for each point and year. Nothing is edited: a correction or a withdrawal is a new
line with its own number that names the line it is about, and both are shown. Rights are checked here, whoever calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from exam_kit.clock import Clock, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.access_book import AccessBook
from exam_kit.journal.access_row import (
    CORRECTED,
    COUNTERSIGNED,
    ENDED,
    KINDS,
    LINES,
    ROW,
    WITHDRAWN,
    AccessAction,
    AccessDraft,
    AccessRow,
    LineKind,
)
from exam_kit.journal.numbering import RowRef, next_number, point_key
from exam_kit.journal.person import Actor, Person, authorise, clean, login_of, person_of
from exam_kit.journal.rooms import parse_rooms
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act

__all__ = ["AccessAction", "AccessDraft", "AccessLog", "AccessRow", "LineKind"]

AHEAD = timedelta(minutes=1)
"""People write whole minutes, so a moment may seem this much ahead of the clock."""


class AccessLog:
    """The access log of one point.

    Every method that writes returns when the entry is on the disk, and raises `AccessDenied` when the role has no
    right to it, `RefusedEntry` when the rules of the book do not allow it, `StoreError` when the database refuses.
    Where a line is named by its number, `year` is the year it is counted in; this year's when it is left out.
    """

    def __init__(self, ledger: Ledger, point: Point, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self._point = point
        self._key = point_key(point)
        # The ledger's own clock: a line must not be later than the entry that holds it.
        self._clock = clock or ledger.clock

    def add(self, draft: AccessDraft, actor: Actor) -> AccessRow:
        """Write a line. The agent may; it names who gave the order, and the kit itself where nobody did."""
        authorise(actor, Act.WRITE_LOG, agent=True)
        return self._write(ROW, self._fields(draft, draft.person or person_of(actor)), actor)

    def correct(self, number: int, draft: AccessDraft, why: str, actor: Actor, *, year: int | None = None) -> AccessRow:
        """Write the line that puts line `number` right; the new line."""
        authorise(actor, Act.WRITE_LOG)
        why = clean(why, "why")
        with self._ledger.store.transaction():
            wrong = self._standing(number, year)
            if wrong.kind is LineKind.WITHDRAWAL:
                raise RefusedEntry(
                    m("Access log, line {number}: it is a withdrawal. Write a new line instead.", number=number)
                )
            fields = self._fields(draft, draft.person or wrong.person)
            return self._write(CORRECTED, {**fields, "corrects": wrong.ref.as_list(), "why": why}, actor, wrong)

    def withdraw(self, number: int, why: str, actor: Actor, *, year: int | None = None) -> AccessRow:
        """Write the line that withdraws line `number`; the new line."""
        authorise(actor, Act.WRITE_LOG)
        why = clean(why, "why")
        with self._ledger.store.transaction():
            wrong = self._standing(number, year)
            if wrong.kind is LineKind.WITHDRAWAL:
                raise RefusedEntry(
                    m("Access log, line {number}: it is a withdrawal. Write a new line instead.", number=number)
                )
            now = self._clock.now()
            fields = self._stored(wrong.rooms, wrong.action, now, now, "", person_of(actor), None, None)
            return self._write(WITHDRAWN, {**fields, "withdraws": wrong.ref.as_list(), "why": why}, actor, wrong)

    def end(self, number: int, at: datetime, actor: Actor, *, year: int | None = None) -> AccessRow:
        """Write the end of an open line."""
        authorise(actor, Act.WRITE_LOG, agent=True)
        with self._ledger.store.transaction():
            row = self._standing(number, year)
            if not row.open:
                raise RefusedEntry(
                    m("Access log, line {number}: its end is written already. Correct the line instead.", number=number)
                )
            self._in_time(row.start, at)
            return self._about(ENDED, row, actor, end=iso(at))

    def countersign(self, number: int, account: Account, *, year: int | None = None) -> AccessRow:
        """Confirm line `number`. Never by who acted or wrote, never twice, never while the line is open."""
        authorise(account, Act.COUNTERSIGN)
        with self._ledger.store.transaction():
            row = self._standing(number, year)
            who = person_of(account)
            if any(who.same_as(hand) for hand in row.hands):
                raise RefusedEntry(
                    m(
                        "Access log, line {number}: {name} acted or wrote here and cannot countersign it. "
                        "The head of the point or a commission member who did not act must do it.",
                        number=number,
                        name=account.name,
                    )
                )
            if row.countersigned:
                raise RefusedEntry(
                    m(
                        "Access log, line {number}: {name} has countersigned it already. Nothing more is needed.",
                        number=number,
                        name=row.countersigned.person.name,
                    )
                )
            if row.open:
                raise RefusedEntry(
                    m(
                        "Access log, line {number}: the work is not ended yet. Write its end first.",
                        number=number,
                    )
                )
            return self._about(COUNTERSIGNED, row, account)

    def countersign_all(self, account: Account, refs: Iterable[RowRef] | None = None) -> list[AccessRow]:
        """Confirm every line that waits (of `refs`, or of all), each with an entry of its own; those confirmed.

        Lines that the person acted or wrote in are left waiting for somebody else.
        """
        authorise(account, Act.COUNTERSIGN)
        who, wanted = person_of(account), None if refs is None else set(refs)
        with self._ledger.store.transaction():
            waiting = [
                row
                for row in self.book().waiting()
                if (wanted is None or row.ref in wanted) and not any(who.same_as(hand) for hand in row.hands)
            ]
            return [self._about(COUNTERSIGNED, row, account) for row in waiting]

    def book(self) -> AccessBook:
        """The whole log as it stands, for searches and pages; it is kept and carried on, not read anew."""
        return folded(self._ledger, f"access log of {self._key}", KINDS, AccessBook.carried, AccessBook(self._key))

    def rows(self, day: dt.date | None = None) -> list[AccessRow]:
        """The lines in the order of their numbers: all, or those of one local date.

        A line of that date brings with it the line it corrects or withdraws and the one that did so to it.
        """
        book = self.book()
        return list(book) if day is None else book.of_day(day)

    def open_rows(self) -> list[AccessRow]:
        """Lines without an end: who is at the equipment now."""
        return self.book().open_rows()

    def get(self, number: int, year: int | None = None) -> AccessRow:
        """The line; RefusedEntry when there is none."""
        row = self.book().get(RowRef(year or self._year(), number))
        if row is None:
            raise RefusedEntry(
                m(
                    "Access log, line {number}: there is no such line in {year}. See the number in the log.",
                    number=number,
                    year=year or self._year(),
                )
            )
        return row

    def _standing(self, number: int, year: int | None) -> AccessRow:
        row = self.get(number, year)
        later = row.corrected_by or row.withdrawn_by
        if later:
            raise RefusedEntry(
                m(
                    "Access log, line {number}: line {later} has taken its place. Act on line {later}.",
                    number=number,
                    later=later.number,
                )
            )
        return row

    def _year(self) -> int:
        return self._clock.now().astimezone(self._point.tz).year

    def _fields(self, draft: AccessDraft, person: Person) -> dict[str, Any]:
        known = [room.code for room in self._point.rooms]
        written = draft.rooms if isinstance(draft.rooms, str) else ", ".join(draft.rooms)
        try:
            action = AccessAction(draft.action)
        except ValueError as problem:
            raise RefusedEntry(
                m("Access log: '{action}' is not an action of the log. Choose one from the list.", action=draft.action)
            ) from problem
        text = clean(draft.text, "text", required=action is AccessAction.OTHER)
        self._in_time(draft.start, draft.end)
        rooms = parse_rooms(written, known)
        return self._stored(rooms, action, draft.start, draft.end, text, person, draft.responsible, draft.order)

    def _stored(
        self,
        rooms: tuple[str, ...],
        action: AccessAction,
        start: datetime,
        end: datetime | None,
        text: str,
        person: Person,
        responsible: Person | None,
        order: int | None,
    ) -> dict[str, Any]:
        return {
            "date": start.astimezone(self._point.tz).date().isoformat(),
            "rooms": list(rooms),
            "start": iso(start),
            "end": iso(end) if end else None,
            "action": action.value,
            "text": text,
            "person": _cleaned(person).as_dict(),
            "responsible": _cleaned(responsible).as_dict() if responsible else None,
            "order": order,
        }

    def _in_time(self, start: datetime, end: datetime | None) -> None:
        latest = self._clock.now() + AHEAD
        if end is not None and end < start:
            raise RefusedEntry(m("Access log: the end is before the start. Correct one of them."))
        if start > latest or (end is not None and end > latest):
            raise RefusedEntry(
                m("Access log: the time is still to come. Write what has been done, with the time it was done.")
            )

    def _write(self, kind: str, fields: Mapping[str, Any], actor: Actor, *about: AccessRow) -> AccessRow:
        year = self._year()
        with self._ledger.store.transaction() as connection:
            number = next_number(connection, LINES, self._key, year)
            writer = person_of(actor).as_dict()
            body = {"point": self._key, "year": year, "no": number, "writer": writer, **fields}
            entry = self._ledger.append(kind, body, login_of(actor))
        return self._carried(entry, RowRef(year, number), *about)

    def _about(self, kind: str, row: AccessRow, actor: Actor, **more: str) -> AccessRow:
        body = {"point": self._key, "year": row.year, "no": row.number, "writer": person_of(actor).as_dict(), **more}
        entry = self._ledger.append(kind, body, login_of(actor))
        return self._carried(entry, row.ref, row)

    def _carried(self, entry: Entry, ref: RowRef, *about: AccessRow) -> AccessRow:
        """The line as the new entry leaves it, without reading the whole book for it."""
        row = AccessBook.of(self._key, about).carried([entry]).get(ref)
        assert row is not None
        return row


def _cleaned(person: Person) -> Person:
    return Person(clean(person.name, "name"), clean(person.post, "post", required=False), person.login)
