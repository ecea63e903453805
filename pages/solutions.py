"""The base of solutions: what to do, what helped how often, written here and taken over from other points."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.seat import require_page
from exam_kit.ui.solution_exchange import exchange
from exam_kit.ui.solution_forms import change_one, write_new
from exam_kit.ui.solution_hints import solutions_of
from exam_kit.ui.solution_list import look_for

seat = require_page(Act.VIEW)
st.title(_("Solutions"))

keeps = seat.may(Act.KEEP_SOLUTIONS)
book = solutions_of(seat)
if keeps:
    write_new(seat, book)
look_for()
if keeps:
    change_one()
    exchange(seat, book)
