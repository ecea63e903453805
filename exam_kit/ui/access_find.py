"""Which lines of the access log are in sight: today's, all, or those that are looked for; fifty at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import ACTION_LABELS, AccessAction, AccessRow
from exam_kit.journal.search import PAGE, Asked, chosen, people_in
from exam_kit.ui.fields import read_date
from exam_kit.ui.papers import book_links
from exam_kit.ui.seat import Seat, saying_errors

__all__ = ["InSight", "choose_lines", "page_buttons"]

SCOPES = {"today": N_("today"), "all": N_("all days"), "find": N_("find")}


@dataclass(frozen=True)
class InSight:
    """One page of lines, newest first; `query` asks the papers for all of them."""

    rows: Sequence[AccessRow]
    total: int
    first: int
    query: str


def choose_lines(seat: Seat, log: AccessLog) -> InSight:
    """Draw the choice and the way to paper; the lines it leaves."""
    choice = st.container(horizontal=True, vertical_alignment="center", key="log-choice")
    scope = choice.segmented_control(
        _("Lines"), list(SCOPES), format_func=lambda one: _(SCOPES[one]),
        default="today", required=True, label_visibility="collapsed", key="log-scope",
    )  # fmt: skip
    seen = _seen(seat, log, scope)
    with choice:
        book_links("access-log", seen.query)
    return seen


def _seen(seat: Seat, log: AccessLog, scope: str | None) -> InSight:
    if scope == "today":
        rows = log.rows(seat.today)[::-1]
        first = _first("today", len(rows))
        return InSight(rows[first : first + PAGE], len(rows), first, urlencode({"day": seat.today}))
    asked = Asked(language=seat.language)
    if scope == "find":
        with saying_errors(seat):
            asked = _asked(seat, log)
    found = chosen(log.book(), asked)
    first = _first(repr(asked), len(found))
    last = len(found) - first
    return InSight(found[max(0, last - PAGE) : last][::-1], len(found), first, urlencode(asked.as_query()))


def page_buttons(seen: InSight) -> None:
    """Which of the lines these are, and the way to newer and older ones."""
    if seen.total <= PAGE:
        return
    last = seen.first + len(seen.rows)
    with st.container(horizontal=True, vertical_alignment="center", key="log-pages"):
        st.caption(_("Lines {first}–{last} of {total}, newest first").format(
            first=seen.first + 1, last=last, total=seen.total
        ))  # fmt: skip
        st.button(_("Newer"), disabled=seen.first == 0, key="log-newer", on_click=_turn, args=(seen.first - PAGE,))
        st.button(_("Older"), disabled=last >= seen.total, key="log-older", on_click=_turn, args=(last,))


def _turn(first: int) -> None:
    st.session_state["log-first"] = max(0, first)


def _first(what: str, total: int) -> int:
    """The place of the first line in sight; another question begins with the newest again."""
    if st.session_state.get("log-asked") != what:
        st.session_state["log-asked"], st.session_state["log-first"] = what, 0
    first = int(st.session_state["log-first"])
    return first if first < total else max(0, (total - 1) // PAGE * PAGE)


def _asked(seat: Seat, log: AccessLog) -> Asked:
    since_at, until_at, room_at, action_at = st.columns([1, 1, 1, 2])
    since = since_at.text_input(_("From, dd.mm.yyyy"), key="find-since")
    until = until_at.text_input(_("To, dd.mm.yyyy"), key="find-until")
    everywhere = _("everywhere")
    room = room_at.selectbox(
        _("Room"), ["", *(room.code for room in seat.point.rooms)], filter_mode=None,
        format_func=lambda one: one or everywhere, key=f"find-room-{seat.language}",
    )  # fmt: skip
    anything = _("any action")
    action = action_at.selectbox(
        _("Action"), [None, *AccessAction], filter_mode=None,
        format_func=lambda one: _(ACTION_LABELS[one]) if one else anything, key=f"find-action-{seat.language}",
    )  # fmt: skip
    person_at, text_at = st.columns([2, 3])
    anybody = _("anybody")
    people = {person.login or person.name: person.name for person in people_in(log.book())}
    person = person_at.selectbox(
        _("Person"), ["", *people], filter_mode=None,
        format_func=lambda one: people.get(one) or anybody, key=f"find-person-{seat.language}",
    )  # fmt: skip
    text = text_at.text_input(_("Words that occur in the line"), key="find-text")
    return Asked(
        since=read_date(since),
        until=read_date(until),
        room=room or "",
        person=person or "",
        action=action,
        text=text or "",
        language=seat.language,
    )
