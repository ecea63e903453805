"""Looking through the books: what is asked, fifty lines at a time, and the same taken along."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from exam_kit.i18n import N_, _, ngettext
from exam_kit.journal.access_row import ACTION_LABELS
from exam_kit.journal.categories import load_categories
from exam_kit.review.bundle_home import is_bundle
from exam_kit.review.lines import look
from exam_kit.review.question import BOOK_LABELS, PAGE, Book, Question
from exam_kit.review.unlogged import MOST_DAYS, without_a_line
from exam_kit.ui.fields import read_date
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.papers import paper_link
from exam_kit.ui.review_table import review_table
from exam_kit.ui.seat import Seat, saying_errors
from exam_kit.ui.when import clock_time, moment, short_day

__all__ = ["browse"]

BARE_SHOWN, BARE_OPEN = 40, 3
"""Events without a line that are listed, and so few that the list stands open by itself."""

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
        _unlogged(seat, question)
        _around(question, offset, found.total)
        if found.lines:
            st.html(review_table(seat, found.lines))
        else:
            st.info(_("Nothing is found."))


def _asked(seat: Seat) -> Question:
    left, right = st.columns([2, 1])
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
        since = read_date(columns[0].text_input(_("From"), value=today, key="review-since"))
        until = read_date(columns[1].text_input(_("To"), value=today, key="review-until"))
    room_at, person_at, action_at, text_at = columns[-4:]
    # The language stands in the keys of lists: the browser keeps a choice by its words, not by its place.
    rooms = {one.code: f"{one.code} {one.name}" if one.name else one.code for one in seat.point.rooms}
    room = room_at.selectbox(
        _("Room"), ["", *rooms], format_func=lambda one: rooms.get(one) or _("all rooms"),
        key=f"review-room-{seat.language}", filter_mode=None,
    )  # fmt: skip
    person = person_at.text_input(_("Person"), key="review-person", max_chars=80)
    actions = {action.value: label for action, label in ACTION_LABELS.items()}
    action = action_at.selectbox(
        _("Action"), ["", *actions], format_func=lambda one: _(actions[one]) if one else _("all actions"),
        key=f"review-action-{seat.language}", disabled=book is not Book.ACCESS, filter_mode=None,
    )  # fmt: skip
    text = text_at.text_input(_("Words"), key="review-text", max_chars=200)
    return Question(Book(book), since, until, room, person, action if book is Book.ACCESS else "", text)


def _unlogged(seat: Seat, question: Question) -> None:
    """Gaps and opened cabinets of the days asked for that no line stands beside."""
    since, until = question.since, question.until
    if question.book not in (Book.ACCESS, Book.CABINET) or since is None or until is None:
        return
    if (until - since).days >= MOST_DAYS:
        st.caption(_("Events without a line are shown for at most {days} days at once.").format(days=MOST_DAYS))
        return
    bare = without_a_line(seat.ledger, seat.point, since, until)
    if not bare:
        return
    said = ngettext("{count} event has no line in the log", "{count} events have no line in the log", len(bare))
    lines = "".join(
        f"<li>{chip('warn', _time(seat, one.start, one.end))} {escape(one.what.text(seat.language))}</li>"
        for one in bare[:BARE_SHOWN]
    )
    more = len(bare) - BARE_SHOWN
    if more > 0:
        lines += f"<li>{escape(_('More of them: {count}').format(count=more))}</li>"
    st.html(
        f'<details class="ek-bare" data-bare="{len(bare)}" {"open" if len(bare) <= BARE_OPEN else ""}>'
        f"<summary>{mark('warn')}{escape(said.format(count=len(bare)))}</summary><ul>{lines}</ul></details>"
    )


def _time(seat: Seat, start: datetime, end: datetime | None) -> str:
    if end == start:
        return moment(seat, start)
    return f"{moment(seat, start)}–{clock_time(seat, end) if end else '…'}"


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
