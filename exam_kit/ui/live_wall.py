"""The wall of live pictures: its place on the page. `exam_kit/web/wall.js` fills it from `exam_kit/web/wall.py`.

Pushed through Streamlit's media store, every picture of every second would stay in memory until the page is left, and
thirty-two captions that redraw themselves cost the server more than the pictures.
"""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _

__all__ = ["draw_wall"]


def draw_wall() -> None:
    """All cameras without scrolling, one enlarged by click or Enter."""
    label = _("Live pictures; Enter enlarges one, Esc shows all, arrows lead to the next")
    st.html(
        '<button type="button" data-wall-back></button>'
        f'<div class="ek-wall" data-wall role="group" aria-label="{label}"></div>'
    )
