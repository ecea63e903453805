"""Looking through the books: what is asked, fifty lines at a time, and the same taken along."""

from __future__ import annotations

from datetime import date

import streamlit as st

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_, _
from exam_kit.journal.access_row import ACTION_LABELS
from exam_kit.journal.categories import load_categories
from exam_kit.review.bundle_home import is_bundle
from exam_kit.review.lines import look
from exam_kit.review.question import BOOK_LABELS, PAGE, Book, Question
from exam_kit.ui.papers import paper_link
from exam_kit.ui.review_table import review_table
from exam_kit.ui.seat import Seat, saying_errors
from exam_kit.ui.when import short_day

__all__ = ["browse"]

PERIODS = {"today": N_("today"), "all": N_("all days"), "dates": N_("dates")}


def browse(seat: Seat) -> None:
    """The filters and what they find."""
    with saying_errors(seat):
        question = _asked(seat)
        if st.session_state.get("review-asked") != question:
            st.session_state["review-asked"], st.session_state["review-from"] = question, 0
        offset: int = st.session_state["review-from"]
        found = look(
            seat.ledger, seat.point, load_categories(seat.home), question, seat.language, offset=offset, limit=PAGE
        )
        _around(question, offset, found.total)
        if found.lines:
            st.html(review_table(seat, found.lines))
        else:
            st.info(_("Nothing is found."))


def _asked(seat: Seat) -> Question:
    left, right = st.columns([1, 1])
    book = left.segmented_control(
        _("Book"), list(Book), format_func=lambda one: _(BOOK_LABELS[one]), default=Book.ACCESS, required=True,
        label_visibility="collapsed", key="review-book",
    )  # fmt: skip
    period = right.segmented_control(
        _("Period"), list(PERIODS), format_func=lambda one: _(PERIODS[one]),
        default="all" if is_bundle(seat.home) else "today", required=True,
        label_visibility="collapsed", key="review-period",
    )  # fmt: skip
    since = until = seat.today if period == "today" else None
    columns = st.columns([2, 2, 2, 3] if period != "dates" else [1.2, 1.2, 2, 2, 2, 3], vertical_alignment="bottom")
    if period == "dates":
        today = short_day(seat, seat.today)
        since = _date(columns[0].text_input(_("From"), value=today, key="review-since"))
        until = _date(columns[1].text_input(_("To"), value=today, key="review-until"))
    room_at, person_at, action_at, text_at = columns[-4:]
    rooms = {one.code: f"{one.code} {one.name}" if one.name else one.code for one in seat.point.rooms}
    room = room_at.selectbox(
        _("Room"), ["", *rooms], format_func=lambda one: rooms.get(one) or _("all rooms"), key="review-room",
        filter_mode=None,
    )  # fmt: skip
    person = person_at.text_input(_("Person"), key="review-person", max_chars=80)
    actions = {action.value: label for action, label in ACTION_LABELS.items()}
    action = action_at.selectbox(
        _("Action"), ["", *actions], format_func=lambda one: _(actions[one]) if one else _("all actions"),
        key="review-action", disabled=book is not Book.ACCESS, filter_mode=None,
    )  # fmt: skip
    text = text_at.text_input(_("Words"), key="review-text", max_chars=200)
    return Question(Book(book), since, until, room, person, action if book is Book.ACCESS else "", text)


def _date(text: str) -> date | None:
    """28.05.2026, 28/05/2026 or 2026-05-28; None for nothing written."""
    if not text.strip():
        return None
    parts = text.strip().replace("/", ".").replace("-", ".").split(".")
    try:
        numbers = [int(part) for part in parts]
        return date(*numbers) if len(parts[0]) == 4 else date(*reversed(numbers))
    except (ValueError, TypeError):
        raise RefusedEntry(
            m("Date: '{text}' is not a date. Write day, month and year: 28.05.2026.", text=text)
        ) from None


def _around(question: Question, offset: int, total: int) -> None:
    """How many there are, the way to older and newer ones, and the exports."""
    with st.container(horizontal=True, vertical_alignment="center", key="review-around"):
        last = min(offset + PAGE, total)
        st.html(
            f'<p class="ek-note" data-total="{total}">'
            + _("Lines {first}–{last} of {total}").format(first=min(offset + 1, total), last=last, total=total)
            + "</p>",
            width="content",
        )
        if st.button(_("← newer"), disabled=offset == 0, key="review-newer"):
            st.session_state["review-from"] = max(0, offset - PAGE)
            st.rerun(scope="fragment")
        if st.button(_("older →"), disabled=last >= total, key="review-older"):
            st.session_state["review-from"] = offset + PAGE
            st.rerun(scope="fragment")
        asked = question.query()
        for kind, label in (("pdf", _("Print (PDF)")), ("xlsx", "XLSX"), ("csv", "CSV")):
            paper_link(label, f"/papers/review.{kind}?{asked}")
