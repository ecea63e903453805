"""Incident sheets, opened at once, written on step by step, closed with a decision; room calls as their short form."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import Incidents
from exam_kit.store import Act
from exam_kit.ui.incident_page import BOOKS, calls_book, sheets_book
from exam_kit.ui.seat import require_page

seat = require_page(Act.VIEW)
st.title(_("Incidents"))

book = Incidents(seat.ledger, seat.point, categories=load_categories(seat.home))
if "calls" in st.query_params:
    st.query_params.pop("calls")
    st.session_state["incident-book"] = "calls"
if "show-incident" in st.session_state or "sheet" in st.query_params:
    st.session_state["incident-book"] = "sheets"
st.session_state.setdefault("incident-book", "sheets")
which = st.segmented_control(
    _("Book"), list(BOOKS), format_func=lambda one: _(BOOKS[one]), required=True, label_visibility="collapsed",
    key="incident-book",
)  # fmt: skip
if which == "calls":
    calls_book(seat, book)
else:
    sheets_book(seat, book)
