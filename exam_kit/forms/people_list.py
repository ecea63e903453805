"""The register of people as CSV and XLSX, in the columns that can be taken in again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import datetime

from exam_kit.forms.exports import as_csv
from exam_kit.forms.sheet import Paper, day_text
from exam_kit.forms.spreadsheet import as_xlsx
from exam_kit.i18n import N_
from exam_kit.journal.people_card import Card, Record, RecordKind
from exam_kit.journal.people_import import COLUMNS, GIVEN_BY, OTHER_COLUMNS, VALID_UNTIL
from exam_kit.journal.people_profile import PeopleProfile
from exam_kit.journal.people_state import STANDING_LABELS, state_on
from exam_kit.point import Point
from exam_kit.store import Head
from exam_kit.store.rights import ROLE_LABELS

__all__ = ["people_csv", "people_xlsx"]

SHEET = N_("People")


def people_csv(
    point: Point, cards: Sequence[Card], profile: PeopleProfile, language: str, *, made_at: datetime | None = None
) -> bytes:
    """Everybody in the register as they stand; the same columns as `people_import` reads."""
    return as_csv(_rows(Paper(point, language, Head(0, ""), made_at=made_at), cards, profile))


def people_xlsx(
    point: Point, cards: Sequence[Card], profile: PeopleProfile, language: str, *, made_at: datetime | None = None
) -> bytes:
    """The same as a workbook."""
    paper = Paper(point, language, Head(0, ""), made_at=made_at)
    return as_xlsx(paper.say(SHEET), _rows(paper, cards, profile))


def _rows(paper: Paper, cards: Sequence[Card], profile: PeopleProfile) -> list[list[str]]:
    say, other = paper.say, paper.words(OTHER_COLUMNS)
    kinds = [one.label.text(paper.language) for one in profile.briefing]
    titles = [
        other["number"],
        *(say(title) for title in COLUMNS.values()),
        *(title for kind in kinds for title in (kind, say(GIVEN_BY, briefing=kind), say(VALID_UNTIL, briefing=kind))),
        *(other[key] for key in ("dismissal_date", "dismissal_order", "received", "state")),
    ]
    today = paper.local(paper.made_at).date()
    return [titles, *(_row(paper, card, profile, today) for card in cards)]


def _row(paper: Paper, card: Card, profile: PeopleProfile, today: dt.date) -> list[str]:
    appointed, dismissed = card.last(RecordKind.APPOINTED), card.last(RecordKind.DISMISSED)
    received = card.last(RecordKind.RECEIVED)
    latest: dict[str, Record] = {one.briefing: one for one in card.standing(RecordKind.BRIEFED)}
    cells = [str(card.number), card.name, card.post, paper.say(ROLE_LABELS[card.role]), card.login]
    cells += [appointed.order, day_text(appointed.date), appointed.agreed] if appointed else ["", "", ""]
    for one in profile.briefing:
        given = latest.get(one.code)
        cells += [day_text(given.date), given.given_by, day_text(given.until) if given.until else ""] if given else [
            "", "", ""
        ]  # fmt: skip
    cells += [day_text(dismissed.date), dismissed.order] if dismissed else ["", ""]
    state = state_on(card, today, profile)
    return [*cells, day_text(received.date) if received else "", paper.say(STANDING_LABELS[state.standing])]
