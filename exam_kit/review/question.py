"""What somebody looks for in the books, as the screen asks it and as the address of an export carries it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from exam_kit.errors import UsageError, m
from exam_kit.i18n import N_
from exam_kit.journal.access_row import AccessAction

__all__ = ["BOOK_LABELS", "PAGE", "Book", "Question"]

PAGE = 50
"""So many lines at a time."""

LONGEST = 200
"""Characters of a person or a text that is looked for."""


class Book(StrEnum):
    """A book that is reviewed."""

    ACCESS = "access"
    CABINET = "cabinet"
    INCIDENTS = "incidents"
    CALLS = "calls"


BOOK_LABELS = {
    Book.ACCESS: N_("Access log"),
    Book.CABINET: N_("Cabinet log"),
    Book.INCIDENTS: N_("Incidents"),
    Book.CALLS: N_("Room calls"),
}


@dataclass(frozen=True)
class Question:
    """What is looked for; what is left empty does not matter.

    `since` and `until` are the point's local dates, both included; `room` is a code, `action` one of the access log's;
    `person` is a part of a name or a login; every word of `text` must occur in the line.
    """

    book: Book = Book.ACCESS
    since: dt.date | None = None
    until: dt.date | None = None
    room: str = ""
    person: str = ""
    action: str = ""
    text: str = ""

    def query(self) -> str:
        """The inverse of `of`, for an address."""
        return urlencode({name: str(value) for name, value in vars(self).items() if value})

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Question:
        """What an address asks.

        Raises:
            UsageError: it asks for a book, a date or an action that cannot be.
        """
        try:
            action = AccessAction(asked["action"]).value if asked.get("action") else ""
            return cls(
                Book(asked.get("book") or Book.ACCESS),
                _date(asked.get("since", "")),
                _date(asked.get("until", "")),
                asked.get("room", "")[:LONGEST],
                asked.get("person", "")[:LONGEST],
                action,
                asked.get("text", "")[:LONGEST],
            )
        except ValueError:
            raise UsageError(m("Review: there is no such book, date or action. Choose them on the page.")) from None


def _date(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
