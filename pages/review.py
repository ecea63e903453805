"""The books as a reviewer reads them: is the chain whole, what was done, what is missing. Nothing is written."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.review_books import browse
from exam_kit.ui.review_bundle import take_along
from exam_kit.ui.review_chain import compare_print, draw_chain
from exam_kit.ui.seat import Seat, live, require_page

seat = require_page(Act.VIEW)
st.title(_("Review"))


@live(3.0)
def chain(seat: Seat) -> None:
    draw_chain(seat)


@st.fragment
def books() -> None:
    browse(require_page(Act.VIEW))


chain()
compare_print(seat)
books()
take_along(seat)
