"""Texts shown as they are: Streamlit reads what it is given as Markdown, and paths and messages are not that."""

from __future__ import annotations

import re

__all__ = ["plain"]

SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:.-])")


def plain(text: str) -> str:
    """`text` so that it comes out letter by letter, its lines under each other.

    >>> plain("a_b *c*")
    'a\\\\_b \\\\*c\\\\*'
    """
    return SPECIAL.sub(r"\\\1", text).replace("\n", "  \n")
