"""Incident sheets: opened at once, written on step by step, closed with a decision."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import Incidents
from exam_kit.store import Act
from exam_kit.ui.incident_forms import open_sheet, write_on_sheet
from exam_kit.ui.incident_view import list_label, running_clock, sheet_view
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, live, require_page

seat = require_page(Act.VIEW)
st.title(_("Incidents"))

book = Incidents(seat.ledger, seat.point, categories=load_categories(seat.home))
sheets = sorted(book.all(), key=lambda sheet: (not sheet.is_open, -sheet.year, -sheet.number))

if seat.may(Act.OPEN_INCIDENT):
    with st.expander(_("Open an incident"), expanded=not sheets):
        open_sheet(seat, book)
if not sheets:
    st.info(_("No incidents. Good."))
    st.stop()

refs = [sheet.ref for sheet in sheets]
# The alarm above every page leads here with ?sheet=<year>-<number>.
linked = {f"{ref.year}-{ref.number}": ref for ref in refs}.get(st.query_params.pop("sheet", ""))
wanted = st.session_state.pop("show-incident", linked)
if wanted in refs:
    st.session_state["incident"] = wanted
by_ref = {sheet.ref: sheet for sheet in sheets}
chosen = st.selectbox(
    _("Incident"), refs, format_func=lambda ref: list_label(seat, book, by_ref[ref]), filter_mode=None, key="incident"
)
sheet = by_ref[chosen] if chosen in by_ref else sheets[0]


@live(5.0)
def clock(seat: Seat) -> None:
    st.html(running_clock(seat, book, sheet))


clock()
left, right = st.columns([3, 2], gap="medium")
with left:
    st.html(sheet_view(seat, book, sheet))
with right:
    write_on_sheet(seat, book, sheet)
    paper_link(_("Print (PDF)"), f"/papers/incident.pdf?year={sheet.year}&number={sheet.number}")
