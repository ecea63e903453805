"""Links to the same facts on paper."""

from __future__ import annotations

from html import escape

import streamlit as st

__all__ = ["paper_link"]


def paper_link(label: str, address: str) -> None:
    """A document of this server, opened in a new tab."""
    st.html(
        f'<span class="ek-paper"><a href="{escape(address)}" target="_blank">{escape(label)}</a></span>',
        width="content",
    )
