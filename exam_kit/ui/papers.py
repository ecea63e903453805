"""Links to the same facts on paper."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import _

__all__ = ["book_links", "paper_link"]


def paper_link(label: str, address: str) -> None:
    """A document of this server, opened in a new tab."""
    st.html(
        f'<span class="ek-paper"><a href="{escape(address)}" target="_blank">{escape(label)}</a></span>',
        width="content",
    )


def book_links(name: str, query: str) -> None:
    """A book on paper and as a table: all lines that `query` describes, also those that are not in sight."""
    asked = f"?{query}" if query else ""
    links = ((_("Print (PDF)"), "pdf"), ("XLSX", "xlsx"), ("CSV", "csv"))
    said = " ".join(
        f'<a href="{escape(f"/papers/{name}.{kind}{asked}")}" target="_blank">{escape(label)}</a>'
        for label, kind in links
    )
    st.html(f'<span class="ek-paper">{said}</span>', width="content")
