"""What stands around every page: the menu, who is signed in, the local time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from exam_kit.i18n import LANGUAGES, _
from exam_kit.store.rights import ROLE_LABELS
from exam_kit.ui.seat import Seat, Sitter, keep_language
from exam_kit.ui.when import clock_time, day_name

__all__ = ["header", "next_by_key", "sidebar", "sign_out", "style"]

STYLE = Path(__file__).parent / "style.css"


def style() -> None:
    """The kit's own look over Streamlit's theme, with the one sentence that a page says when nobody answers it."""
    lost = _(
        "No answer from Exam Kit. What is shown may be old; the page renews itself when the program answers again."
    )
    st.html(f"<style>:root{{--ek-lost:{json.dumps(lost, ensure_ascii=False)}}}{STYLE.read_text('utf-8')}</style>")


def sidebar(seat: Sitter, pages: Sequence[tuple[Page, str]]) -> None:
    """Where this is, the menu (each page with its icon), the person, the language, the way out."""
    with st.sidebar:
        where, name = seat.brand
        st.html(f'<div class="ek-brand"><b>Exam Kit</b><span>{escape(where)}<br>{escape(name)}</span></div>')
        for page, icon in pages:
            st.page_link(page, icon=icon, width="stretch")
        with st.container(key="ek-foot"):
            role = _(ROLE_LABELS[seat.account.role])
            st.html(f'<div class="ek-who"><b>{escape(seat.account.name)}</b><span>{escape(role)}</span></div>')
            _language(seat)
            sign_out()


def sign_out() -> None:
    """The way out."""
    st.html(
        f'<form class="ek-out" method="post" action="/signout"><button type="submit">{_("Sign out")}</button></form>'
    )


def _language(seat: Sitter) -> None:
    def keep() -> None:
        keep_language(seat.token, st.session_state["language"])
        say_choices_anew()

    st.session_state["language"] = seat.language
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        format_func=str.upper,
        required=True,
        key="language",
        label_visibility="collapsed",
        width="stretch",
        on_change=keep,
    )
    # The document was served in the language of that moment; a screen reader chooses its voice by this attribute.
    st.html(
        f'<script>document.documentElement.lang = "{seat.language}"</script><span hidden>{seat.language}</span>',
        unsafe_allow_javascript=True,
    )


def next_by_key(key: str) -> None:
    """Whoever works by keyboard goes on at the element or container of this key; "" keeps the place and moves nobody.

    The cursor is moved by `exam_kit/web/next.js`, once for each step that is offered anew.
    """
    st.html(f'<span hidden data-next="{escape(key)}"></span>')


def say_choices_anew() -> None:
    """Have every list on the page say its choice in the words of the new language.

    A widget with a key stays the same widget when the words of its options change, and the browser goes on showing the
    word that was chosen. A value that is set by us is sent to it anew. Yes and no (buttons, which may not be set, among
    them) and files have no words. None is not sent anew: a list that offers it has the language in its key.
    """
    for key, value in st.session_state.items():
        if value is not None and not isinstance(value, (bool, list)):
            st.session_state[key] = value


def header(seat: Seat) -> None:
    """Day and time at the point, and whether alarms can be heard.

    The time, the sound and the bar of alarms above are the work of `exam_kit/web/alarms.js`.
    """
    st.html(
        f'<div class="ek-top"><span>{escape(day_name(seat, seat.today))}</span>'
        f'<span><button type="button" data-sound></button> {_("Local time")} '
        f"<b data-clock>{clock_time(seat, seat.now)}</b></span></div>"
    )
