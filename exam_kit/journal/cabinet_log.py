"""The cabinet log: a bound book over the ledger, of openings and closings in turn.

A cabinet is closed only after it was opened, and opened only after it was closed. As in the access log nothing is
edited: a correction or a withdrawal is a new line with its own number, and both are shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from exam_kit.clock import Clock, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.access_row import LineKind
from exam_kit.journal.cabinet import (
    CORRECTED,
    COUNTERSIGNED,
    KINDS,
    LINE,
    LINES,
    WITHDRAWN,
    CabinetAct,
    CabinetDraft,
    CabinetLine,
    fold,
    in_force,
    last_of_each,
)
from exam_kit.journal.numbering import RowRef, next_number, point_key
from exam_kit.journal.person import Person, authorise, clean, login_of, person_of
from exam_kit.journal.words import folded_text
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Ledger
from exam_kit.store.rights import Act

__all__ = ["CabinetLog"]

AHEAD = timedelta(minutes=1)
"""People write whole minutes, so a moment may seem this much ahead of the clock."""


class CabinetLog:
    """The cabinet log of one point; rights are checked here, whoever calls.

    Every method that writes returns when the entry is on the disk, and raises `AccessDenied` when the role has no
    right to it, `RefusedEntry` when the rules of the book do not allow it, `StoreError` when the database refuses.
    Where a line is named by its number, `year` is the year it is counted in; this year's when it is left out.
    """

    def __init__(self, ledger: Ledger, point: Point, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self._point = point
        self._key = point_key(point)
        self._clock = clock or ledger.clock

    def add(self, draft: CabinetDraft, actor: Account) -> CabinetLine:
        """Write an opening or a closing."""
        authorise(actor, Act.WRITE_LOG)
        with self._ledger.store.transaction():
            cabinet = clean(draft.cabinet, "cabinet")
            before = in_force(self.lines(), cabinet)
            last = before[-1] if before else None
            if draft.act is CabinetAct.CLOSED and (last is None or last.act is CabinetAct.CLOSED):
                raise RefusedEntry(
                    m("Cabinet {cabinet}: it is not open. Write its opening first, then the closing.", cabinet=cabinet)
                )
            if draft.act is CabinetAct.OPENED and last is not None and last.act is CabinetAct.OPENED:
                raise RefusedEntry(
                    m(
                        "Cabinet {cabinet}: it is open already, since line {number}. Write the closing first.",
                        cabinet=cabinet,
                        number=last.number,
                    )
                )
            return self._write(LINE, self._fields(draft, cabinet, last, None), actor)

    def correct(
        self, number: int, draft: CabinetDraft, why: str, actor: Account, *, year: int | None = None
    ) -> CabinetLine:
        """Write the line that puts line `number` right. Which cabinet it was, and whether it was opened or closed, is
        not put right: such a line is withdrawn and written anew."""
        authorise(actor, Act.WRITE_LOG)
        why = clean(why, "why")
        with self._ledger.store.transaction():
            wrong = self._standing(number, year)
            if draft.act is not wrong.act or folded_text(draft.cabinet) != folded_text(wrong.cabinet):
                raise RefusedEntry(
                    m(
                        "Cabinet log, line {number}: which cabinet it is and what was done is not corrected. "
                        "Withdraw the line and write a new one.",
                        number=number,
                    )
                )
            chain = in_force(self.lines(), wrong.cabinet)
            at = chain.index(wrong)
            after = chain[at + 1] if at + 1 < len(chain) else None
            fields = self._fields(draft, wrong.cabinet, chain[at - 1] if at else None, after, wrong)
            return self._write(CORRECTED, {**fields, "corrects": wrong.ref.as_list(), "why": why}, actor)

    def withdraw(self, number: int, why: str, actor: Account, *, year: int | None = None) -> CabinetLine:
        """Write the line that withdraws line `number`, the last of its cabinet."""
        authorise(actor, Act.WRITE_LOG)
        why = clean(why, "why")
        with self._ledger.store.transaction():
            wrong = self._standing(number, year)
            last = in_force(self.lines(), wrong.cabinet)[-1]
            if last.ref != wrong.ref:
                raise RefusedEntry(
                    m(
                        "Cabinet log, line {number}: line {later} of the same cabinet comes after it. "
                        "Withdraw line {later} first, or correct this one.",
                        number=number,
                        later=last.number,
                    )
                )
            now = self._clock.now()
            fields = {**_as_stored(wrong), "at": iso(now), "date": self._date(now), "withdraws": wrong.ref.as_list()}
            return self._write(WITHDRAWN, {**fields, "why": why}, actor)

    def countersign(self, number: int, account: Account, *, year: int | None = None) -> CabinetLine:
        """Confirm line `number`. Never by the initiator, an operator or who wrote it, never twice."""
        authorise(account, Act.COUNTERSIGN)
        with self._ledger.store.transaction():
            line = self._standing(number, year)
            who = person_of(account)
            if any(who.same_as(hand) for hand in line.hands):
                raise RefusedEntry(
                    m(
                        "Cabinet log, line {number}: {name} is named in it and cannot countersign it. "
                        "The head of the point or a commission member who is not must do it.",
                        number=number,
                        name=account.name,
                    )
                )
            if line.countersigned:
                raise RefusedEntry(
                    m(
                        "Cabinet log, line {number}: {name} has countersigned it already. Nothing more is needed.",
                        number=number,
                        name=line.countersigned.person.name,
                    )
                )
            self._sign(line, account)
            return self.get(line.number, line.year)

    def countersign_all(self, account: Account, refs: Iterable[RowRef] | None = None) -> list[CabinetLine]:
        """Confirm every line that waits (of `refs`, or of all), each with an entry of its own; those confirmed.

        Lines that name the person are left waiting for somebody else.
        """
        authorise(account, Act.COUNTERSIGN)
        who, wanted = person_of(account), None if refs is None else set(refs)
        with self._ledger.store.transaction():
            waiting = [
                line
                for line in self.waiting()
                if (wanted is None or line.ref in wanted) and not any(who.same_as(hand) for hand in line.hands)
            ]
            for line in waiting:
                self._sign(line, account)
            signed = self._fold()
            return [signed[line.ref] for line in waiting]

    def _sign(self, line: CabinetLine, account: Account) -> None:
        writer = person_of(account).as_dict()
        body = {"point": self._key, "year": line.year, "no": line.number, "writer": writer}
        self._ledger.append(COUNTERSIGNED, body, account.login)

    def lines(self, day: dt.date | None = None) -> list[CabinetLine]:
        """The lines in the order of their numbers: all, or those of one local date and the lines tied to them."""
        found = self._fold()
        chosen = set(found) if day is None else {ref for ref, line in found.items() if line.date == day}
        for line in [found[ref] for ref in chosen]:
            linked = (line.corrects, line.withdraws, line.corrected_by, line.withdrawn_by)
            chosen |= {ref for ref in linked if ref is not None and ref in found}
        return [found[ref] for ref in sorted(chosen)]

    def open_cabinets(self) -> list[CabinetLine]:
        """The opening of every cabinet that is open now."""
        return [line for line in last_of_each(self.lines()) if line.act is CabinetAct.OPENED]

    def cabinets(self) -> list[CabinetLine]:
        """The last line of every cabinet that the log knows, open ones first."""
        return last_of_each(self.lines())

    def waiting(self) -> list[CabinetLine]:
        """Lines that wait for a countersign, oldest first."""
        return [line for line in self.lines() if line.waits]

    def get(self, number: int, year: int | None = None) -> CabinetLine:
        """The line; RefusedEntry when there is none."""
        year = year or self._year()
        line = self._fold().get(RowRef(year, number))
        if line is None:
            raise RefusedEntry(
                m(
                    "Cabinet log, line {number}: there is no such line in {year}. See the number in the log.",
                    number=number,
                    year=year,
                )
            )
        return line

    def _standing(self, number: int, year: int | None) -> CabinetLine:
        line = self.get(number, year)
        later = line.corrected_by or line.withdrawn_by
        if later:
            raise RefusedEntry(
                m(
                    "Cabinet log, line {number}: line {later} has taken its place. Act on line {later}.",
                    number=number,
                    later=later.number,
                )
            )
        if line.kind is LineKind.WITHDRAWAL:
            raise RefusedEntry(
                m("Cabinet log, line {number}: it is a withdrawal. Write a new line instead.", number=number)
            )
        return line

    def _fold(self) -> Mapping[RowRef, CabinetLine]:
        empty: Mapping[RowRef, CabinetLine] = {}
        return folded(
            self._ledger,
            f"cabinet log of {self._key}",
            KINDS,
            lambda lines, entries: fold(lines, entries, self._key),
            empty,
        )

    def _year(self) -> int:
        return self._clock.now().astimezone(self._point.tz).year

    def _date(self, moment: dt.datetime) -> str:
        return moment.astimezone(self._point.tz).date().isoformat()

    def _fields(
        self,
        draft: CabinetDraft,
        cabinet: str,
        before: CabinetLine | None,
        after: CabinetLine | None,
        instead_of: CabinetLine | None = None,
    ) -> dict[str, Any]:
        """What is stored of a line between the lines `before` and `after` of its cabinet."""
        opened = draft.act is CabinetAct.OPENED
        seal = clean(draft.seal, "seal_found" if opened else "seal_put")
        if draft.at > self._clock.now() + AHEAD:
            raise RefusedEntry(
                m("Cabinet log: the time is still to come. Write what has been done, with the time it was done.")
            )
        if (before is not None and draft.at < before.at) or (after is not None and draft.at > after.at):
            near = before if before is not None and draft.at < before.at else after
            assert near is not None
            raise RefusedEntry(
                m(
                    "Cabinet {cabinet}: the time does not fit line {number}, which is of the same cabinet. "
                    "Correct the time.",
                    cabinet=cabinet,
                    number=near.number,
                )
            )
        if not opened:
            self._new_seal(seal, {line.ref for line in (instead_of, after) if line is not None})
        first, second = (_cleaned(one) for one in draft.operators)
        if first.same_as(second):
            raise RefusedEntry(m("Cabinet log: both operators are {name}. Name two different people.", name=first.name))
        return {
            "date": self._date(draft.at),
            "cabinet": cabinet,
            "act": draft.act.value,
            "at": iso(draft.at),
            "reason": clean(draft.reason, "reason"),
            "unit_on": draft.unit_on,
            "seal": seal,
            "seal_whole": draft.seal_whole or not opened,
            "initiator": _cleaned(draft.initiator).as_dict(),
            "operators": [first.as_dict(), second.as_dict()],
        }

    def _new_seal(self, seal: str, beside: Collection[RowRef]) -> None:
        """A numbered seal is used once: what was on a cabinet before cannot be put on again.

        `beside`: the line that is corrected, and the next opening, which found this very seal.
        """
        wanted = folded_text(seal)
        for line in self.lines():
            if line.stands and line.ref not in beside and folded_text(line.seal) == wanted:
                raise RefusedEntry(
                    m(
                        "Seal № {seal}: line {number} names it already, and a seal is put on once. "
                        "Write the number of the new seal.",
                        seal=seal,
                        number=line.number,
                    )
                )

    def _write(self, kind: str, fields: Mapping[str, Any], actor: Account) -> CabinetLine:
        year = self._year()
        with self._ledger.store.transaction() as connection:
            number = next_number(connection, LINES, self._key, year)
            body = {"point": self._key, "year": year, "no": number, "writer": person_of(actor).as_dict(), **fields}
            self._ledger.append(kind, body, login_of(actor))
            return self.get(number, year)


def _as_stored(line: CabinetLine) -> dict[str, Any]:
    return {
        "cabinet": line.cabinet,
        "act": line.act.value,
        "reason": line.reason,
        "unit_on": line.unit_on,
        "seal": line.seal,
        "seal_whole": line.seal_whole,
        "initiator": line.initiator.as_dict(),
        "operators": [one.as_dict() for one in line.operators],
    }


def _cleaned(person: Person) -> Person:
    return Person(clean(person.name, "name"), clean(person.post, "post", required=False), person.login)
