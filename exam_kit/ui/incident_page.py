"""The two books of the incidents' page: sheets, and room calls as the short form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.incident import Incident
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.room_call import RoomCalls
from exam_kit.store import Act
from exam_kit.ui.incident_clock import running_clock
from exam_kit.ui.incident_forms import open_sheet, write_on_sheet
from exam_kit.ui.incident_list import PAGE_ROWS, chosen_sheets, list_label, sheets_table
from exam_kit.ui.incident_view import sheet_view
from exam_kit.ui.papers import paper_link
from exam_kit.ui.room_calls import calls_table, new_call, open_calls, other_acts
from exam_kit.ui.seat import Seat, live
from exam_kit.ui.solution_hints import on_sheet

__all__ = ["BOOKS", "calls_book", "sheets_book"]

BOOKS = {"sheets": N_("Incident sheets"), "calls": N_("Room calls")}
WHICH = {"open": N_("open"), "today": N_("today"), "all": N_("all days")}

SHORT = 3
SHORT_PX = 190
"""More sheets than so many roll in a frame, so that the clock below stays on the screen."""

Row = TypeVar("Row")


def sheets_book(seat: Seat, book: Incidents) -> None:
    """The list, and one sheet with its clock, what is known and the forms."""
    sheets = book.all()
    wanted = _wanted(sheets)
    if seat.may(Act.OPEN_INCIDENT):
        with st.expander(_("Open an incident"), expanded=not sheets):
            open_sheet(seat, book)
    if not sheets:
        st.info(_("No incidents. Good."))
        return
    filter_at, which_at = st.columns([2, 5], vertical_alignment="center")
    which = filter_at.segmented_control(
        _("Sheets"), list(WHICH), format_func=lambda one: _(WHICH[one]), required=True, key="which-sheets",
        default="open" if any(sheet.is_open for sheet in sheets) else "all", label_visibility="collapsed",
    )  # fmt: skip
    listed = page_of(chosen_sheets(seat, book, sheets, which or "open"), "sheets")
    if wanted is not None and wanted not in listed:
        listed = [wanted, *listed]
    if not listed:
        st.info(_("No open incidents."))
        return
    with which_at:
        sheet = _choice(seat, book, listed, wanted)

    @live(5.0)
    def table(seat: Seat) -> None:
        with st.container(height=SHORT_PX if len(listed) > SHORT else "content", border=False):
            st.html(sheets_table(seat, book, listed, sheet.ref))

    table()
    _one(seat, book, sheet)


def _wanted(sheets: Sequence[Incident]) -> Incident | None:
    """The sheet just opened, or the one an address names: ?sheet=<year>-<number>."""
    named = st.query_params.pop("sheet", "")
    ref = st.session_state.pop("show-incident", None)
    found = next((one for one in sheets if one.ref == ref or f"{one.year}-{one.number}" == named), None)
    if found is not None:
        st.session_state["incident"] = found.ref
    # Kept until another is chosen: it may be on no page of the list.
    chosen = st.session_state.get("incident")
    return found or next((one for one in sheets if one.ref == chosen), None)


def _choice(seat: Seat, book: Incidents, listed: Sequence[Incident], wanted: Incident | None) -> Incident:
    by_ref = {sheet.ref: sheet for sheet in listed}
    if wanted is not None:
        st.session_state["incident"] = wanted.ref
    chosen = st.selectbox(
        _("Incident"), list(by_ref), format_func=lambda ref: list_label(seat, book, by_ref[ref]), filter_mode=None,
        key="incident", label_visibility="collapsed",
    )  # fmt: skip
    return by_ref[chosen] if chosen in by_ref else listed[0]


def _one(seat: Seat, book: Incidents, sheet: Incident) -> None:
    @live(5.0)
    def clock(seat: Seat) -> None:
        st.html(running_clock(seat, book, sheet))

    clock()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.html(sheet_view(seat, book, sheet))
    with right:
        write_on_sheet(seat, book, sheet)
        on_sheet(seat, sheet)
        paper_link(_("Print (PDF)"), f"/papers/incident.pdf?year={sheet.year}&number={sheet.number}")


def calls_book(seat: Seat, book: Incidents) -> None:
    """Open calls on top, one line to write a new one, the day's calls as the form has them."""
    calls = RoomCalls(seat.ledger, seat.point)
    everything = calls.all()
    open_calls(seat, calls, [call for call in everything if call.is_open])
    if seat.may(Act.OPEN_INCIDENT):
        new_call(seat, calls)
    with st.container(horizontal=True, vertical_alignment="center"):
        whole = st.segmented_control(
            _("Lines"), [False, True], format_func=lambda every: _("all days") if every else _("today"),
            default=False, required=True, label_visibility="collapsed", key="whole-calls",
        )  # fmt: skip
        day = "" if whole else f"?day={seat.today}"
        paper_link(_("Print (PDF)"), f"/papers/room-calls.pdf{day}")
        paper_link(_("Table (CSV)"), f"/papers/room-calls.csv{day}")
    tz, today = seat.tz, seat.today
    rows = [one for one in everything[::-1] if whole or one.is_open or one.called_at.astimezone(tz).date() == today]
    if not rows:
        st.info(_("No room calls yet."))
        return
    shown = page_of(rows, "calls")
    st.html(calls_table(seat, shown))
    other_acts(seat, calls, book, shown)


def page_of(rows: Sequence[Row], key: str) -> list[Row]:
    """The page that is looked at; a choice of pages where there is more than one."""
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    page: int | None = 0
    if pages > 1:

        def lines(one: int) -> str:
            return f"{one * PAGE_ROWS + 1}–{min(len(rows), (one + 1) * PAGE_ROWS)}"

        page = st.selectbox(
            _("Page"), list(range(pages)), format_func=lines, filter_mode=None, key=f"page-{key}", width=160
        )
    first = (page or 0) * PAGE_ROWS
    return list(rows[first : first + PAGE_ROWS])
