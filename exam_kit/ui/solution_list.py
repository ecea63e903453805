"""Looking for a solution: what is typed finds while it is typed."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.solution import Solution
from exam_kit.journal.solution_index import SolutionIndex
from exam_kit.journal.solution_search import search
from exam_kit.journal.solutions import Solutions
from exam_kit.store import Act
from exam_kit.ui.seat import require_page
from exam_kit.ui.solution_cards import solution_card
from exam_kit.ui.solution_hints import LIVE, solutions_of

__all__ = ["look_for"]

PAGE_ROWS = 20
MOST_HITS = 60


@st.fragment
def look_for() -> None:
    """The search with what it finds; it redraws without the rest of the page."""
    seat = require_page(Act.VIEW)
    book = solutions_of(seat)
    text_at, case_at, gone_at = st.columns([4, 2.4, 1.4], vertical_alignment="bottom")
    text = text_at.text_input(
        _("What is happening, in your words"), key="solution-text", live=LIVE, type="search",
        placeholder=_("for example: the camera does not record"),
    )  # fmt: skip
    codes = ["", *(category.code for category in book.categories.category)]
    case = case_at.selectbox(
        _("Category"), codes, filter_mode=None, key="solution-case",
        format_func=lambda code: book.categories.label(code, seat.language) if code else _("all"),
    )  # fmt: skip
    gone = gone_at.checkbox(_("withdrawn ones"), key="solution-gone")
    found = _gone(book, case) if gone else _found(book, SolutionIndex.of(seat.home), text or "", case)
    if not found:
        st.info(_("Nothing fits. Say it in other words."))
        return
    page = _page(len(found), f"{text}-{case}-{gone}")
    shown = found[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
    cards = "".join(
        solution_card(seat, book, one, opened=bool(text) and number == 0 and page == 0)
        for number, one in enumerate(shown)
    )
    count = _("Solutions: {count}").format(count=len(found))
    st.html(f'<p class="ek-note" role="status">{escape(count)}</p><div class="ek-solutions">{cards}</div>')


def _found(book: Solutions, index: SolutionIndex, text: str, case: str | None) -> list[Solution]:
    shelf = book.shelf
    most = MOST_HITS if text.strip() else len(shelf.solutions)
    return [hit.solution for hit in search(shelf, index, text, case or None, only=bool(case), limit=most)]


def _gone(book: Solutions, case: str | None) -> list[Solution]:
    return [
        one for one in book.shelf.solutions.values() if one.withdrawn and (not case or one.content.category == case)
    ]


def _page(count: int, what: str) -> int:
    pages = -(-count // PAGE_ROWS)
    if pages == 1:
        return 0
    chosen = st.selectbox(
        _("Page"), list(range(pages)), filter_mode=None, key=f"solution-page-{what}", width=160,
        format_func=lambda one: f"{one * PAGE_ROWS + 1}–{min(count, (one + 1) * PAGE_ROWS)}",
    )  # fmt: skip
    return chosen or 0
