"""Looking for lines of the access log: by date, room, person, action and words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from exam_kit.i18n import translate
from exam_kit.journal.access_book import AccessBook
from exam_kit.journal.access_row import ACTION_LABELS, AccessAction, AccessRow
from exam_kit.journal.person import Person
from exam_kit.journal.words import folded_text, words

__all__ = ["PAGE", "Asked", "Found", "chosen", "people_in", "search"]

PAGE = 50
"""So many lines at a time."""


@dataclass(frozen=True)
class Asked:
    """What is looked for; what is left empty does not matter.

    `since` and `until` are the point's local dates, both included. `room` is a code. `person` is a login or a part of
    a name, of whoever acted, wrote, ended or countersigned the line. Every word of `text` must occur in the line:
    number, rooms, action (in `language`), details, reason, people, order.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    room: str = ""
    person: str = ""
    action: AccessAction | None = None
    text: str = ""
    language: str = "ru"

    def as_query(self) -> dict[str, str]:
        """As an address carries it, what is empty left out; `of_query` is the inverse."""
        told = {
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "room": self.room,
            "person": self.person,
            "action": self.action.value if self.action else "",
            "text": self.text,
        }
        return {name: value for name, value in told.items() if value}

    @classmethod
    def of_query(cls, told: Mapping[str, str], language: str) -> Asked:
        """Raises ValueError for what is neither a date nor an action."""
        since, until, action = told.get("since"), told.get("until"), told.get("action")
        return cls(
            dt.date.fromisoformat(since) if since else None,
            dt.date.fromisoformat(until) if until else None,
            told.get("room", ""),
            told.get("person", ""),
            AccessAction(action) if action else None,
            told.get("text", ""),
            language,
        )


@dataclass(frozen=True)
class Found:
    """One page of what was found, newest first, and how many lines there are in all."""

    rows: list[AccessRow]
    total: int


def search(book: AccessBook | Sequence[AccessRow], asked: Asked, *, offset: int = 0, limit: int | None = PAGE) -> Found:
    """The lines of `book` (in the order of their numbers) that `asked` describes; `limit` None gives all of them."""
    rows = chosen(book, asked)
    last = len(rows) - offset
    first = 0 if limit is None else max(0, last - limit)
    return Found(list(rows[first : max(last, 0)][::-1]), len(rows))


def chosen(book: AccessBook | Sequence[AccessRow], asked: Asked) -> Sequence[AccessRow]:
    """All lines that `asked` describes, in the order of their numbers; what tells most of them apart goes first."""
    rows: Sequence[AccessRow] = book
    since, until, room, action = asked.since, asked.until, asked.room, asked.action
    if since is not None:
        rows = [row for row in rows if row.date >= since]
    if until is not None:
        rows = [row for row in rows if row.date <= until]
    if action is not None:
        rows = [row for row in rows if row.action is action]
    if room:
        rows = [row for row in rows if room in row.rooms]
    if asked.person.strip():
        about = _is_about(asked.person)
        rows = [row for row in rows if about(row)]
    for word in words(asked.text):
        acts = {one for one, label in ACTION_LABELS.items() if word in folded_text(translate(label, asked.language))}
        rows = [row for row in rows if word in row.said or row.action in acts]
    return rows


def people_in(rows: Iterable[AccessRow]) -> list[Person]:
    """Who acted, by name: for a list to choose from."""
    people = {id(row.person): row.person for row in rows}
    return sorted(set(people.values()), key=lambda person: (folded_text(person.name), person.login))


def _is_about(asked: str) -> Callable[[AccessRow], bool]:
    wanted, login = words(asked), asked.strip()
    known: dict[int, bool] = {}

    def fits(person: Person | None) -> bool:
        if person is None:
            return False
        answer = known.get(id(person))  # lines share their people, so few are looked at in earnest
        if answer is None:
            name = folded_text(person.name)
            answer = known[id(person)] = person.login == login or all(word in name for word in wanted)
        return answer

    def about(row: AccessRow) -> bool:
        return (
            fits(row.person)
            or fits(row.writer)
            or fits(row.ended_by)
            or fits(row.responsible)
            or (row.countersigned is not None and fits(row.countersigned.person))
        )

    return about
