"""What stands about each person of the point, as it is read back from the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from exam_kit.journal.person import Person
from exam_kit.store.ledger import Entry
from exam_kit.store.rights import Role

__all__ = [
    "ADDED",
    "CHANGED",
    "KINDS",
    "REMOVED",
    "ROSTERED",
    "WITHDRAWN",
    "Card",
    "Duty",
    "Record",
    "RecordKind",
    "Register",
    "fold",
]

ADDED, CHANGED, REMOVED = "person.added", "person.changed", "person.removed"
WITHDRAWN, ROSTERED = "person.withdrawn", "person.rostered"


class RecordKind(StrEnum):
    """What an entry says about a person; the value is the kind of the ledger's entry."""

    APPOINTED = "person.appointed"
    DISMISSED = "person.dismissed"
    BRIEFED = "person.briefed"
    RECEIVED = "person.received"
    ADMITTED = "person.admitted"


KINDS = (ADDED, CHANGED, REMOVED, WITHDRAWN, ROSTERED, *RecordKind)


@dataclass(frozen=True)
class Record:
    """One entry about a person. `date` is the local date it is about; `by` and `at` are who wrote it and when.

    `order` is the order's №, `agreed` with whom the appointment was agreed; `briefing` is the code of its kind,
    `given_by` who gave it, `until` the last day it holds. `why` is the reason of an admission or a correction.
    A record that was corrected or withdrawn stays, and names the entry that did so.
    """

    seq: int
    kind: RecordKind
    date: dt.date
    by: Person
    at: datetime
    order: str = ""
    agreed: str = ""
    briefing: str = ""
    given_by: str = ""
    until: dt.date | None = None
    why: str = ""
    corrects: int | None = None
    corrected_by: int | None = None
    withdrawn_by: int | None = None
    withdrawn_why: str = ""

    @property
    def standing(self) -> bool:
        return self.corrected_by is None and self.withdrawn_by is None


@dataclass(frozen=True)
class Card:
    """A person of the register as they stand now; `number` is their № in the register, for good."""

    number: int
    name: str
    post: str
    role: Role
    login: str
    seq: int
    records: tuple[Record, ...] = ()
    changes: tuple[int, ...] = ()
    removed: bool = False

    @property
    def person(self) -> Person:
        return Person(self.name, self.post, self.login)

    def standing(self, *kinds: RecordKind) -> list[Record]:
        """The records of `kinds` that hold, by date and then in the order they were written."""
        found = [one for one in self.records if one.standing and one.kind in kinds]
        return sorted(found, key=lambda one: (one.date, one.seq))

    def last(self, *kinds: RecordKind) -> Record | None:
        """The latest of them."""
        return next(reversed(self.standing(*kinds)), None)


@dataclass(frozen=True)
class Duty:
    """Who is on duty on an exam day: numbers of the register; the entry that says so, and by whom."""

    date: dt.date
    people: tuple[int, ...]
    by: Person
    at: datetime
    seq: int


@dataclass(frozen=True)
class Register:
    """All cards by number and the duty of each day. `in_force` once an appointment was ever entered."""

    cards: Mapping[int, Card] = field(default_factory=dict)
    duties: Mapping[dt.date, Duty] = field(default_factory=dict)
    in_force: bool = False

    @property
    def people(self) -> list[Card]:
        """Everybody who stands in the register, by number."""
        return [card for _number, card in sorted(self.cards.items()) if not card.removed]

    def by_login(self, login: str) -> Card | None:
        """The person with this account; None when nobody in the register has it."""
        return next((card for card in self.people if login and card.login == login), None)

    def by_name(self, name: str) -> Card | None:
        """The person called so, whatever the capitals; None when there is none."""
        wanted = Person(name)
        return next((card for card in self.people if wanted.same_as(Person(card.name))), None)

    def of(self, person: Person) -> Card | None:
        """Whose entries these are: by the account, otherwise by the name; two accounts of one name are one person."""
        return self.by_login(person.login) or self.by_name(person.name)


def fold(register: Register, entries: Iterable[Entry], point: str) -> Register:
    """`register` carried on by further entries of `point`.

    Only a tampered ledger has words about a person who is not there. Its check names them; here they are passed over,
    so that orders can be given all the same.
    """
    cards, duties, in_force = dict(register.cards), dict(register.duties), register.in_force
    for entry in entries:
        body = entry.body
        if body.get("point") != point:
            continue
        if entry.kind == ROSTERED:
            date = dt.date.fromisoformat(body["date"])
            people = tuple(int(number) for number in body["people"])
            duties[date] = Duty(date, people, Person.from_dict(body["by"]), entry.at, entry.seq)
            continue
        number = int(body["no"])
        if entry.kind == ADDED:
            cards[number] = Card(number, **_particulars(body), seq=entry.seq)
        elif number not in cards:
            continue
        elif entry.kind == CHANGED:
            card = cards[number]
            cards[number] = replace(card, **_particulars(body), changes=(*card.changes, entry.seq))
        elif entry.kind == REMOVED:
            cards[number] = replace(cards[number], removed=True)
        elif entry.kind == WITHDRAWN:
            card = cards[number]
            gone = {"withdrawn_by": entry.seq, "withdrawn_why": body["why"]}
            cards[number] = replace(card, records=_with(card.records, int(body["about"]), **gone))
        else:
            record = _record(entry)
            card = cards[number]
            records = card.records
            if record.corrects is not None:
                records = _with(records, record.corrects, corrected_by=entry.seq)
            cards[number] = replace(card, records=(*records, record))
            in_force = in_force or record.kind is RecordKind.APPOINTED
    return Register(cards, duties, in_force)


def _particulars(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": body["name"], "post": body["post"], "role": Role(body["role"]), "login": body["login"]}


def _with(records: tuple[Record, ...], seq: int, **changed: Any) -> tuple[Record, ...]:
    return tuple(replace(one, **changed) if one.seq == seq else one for one in records)


def _record(entry: Entry) -> Record:
    body: dict[str, Any] = entry.body
    return Record(
        seq=entry.seq,
        kind=RecordKind(entry.kind),
        date=dt.date.fromisoformat(body["date"]),
        by=Person.from_dict(body["by"]),
        at=entry.at,
        order=body.get("order", ""),
        agreed=body.get("agreed", ""),
        briefing=body.get("briefing", ""),
        given_by=body.get("given_by", ""),
        until=dt.date.fromisoformat(body["until"]) if body.get("until") else None,
        why=body.get("why", ""),
        corrects=body.get("corrects"),
    )
