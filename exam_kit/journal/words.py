"""Text as a search compares it: capitals, width of letters and ё do not matter."""

from __future__ import annotations

import unicodedata

__all__ = ["folded_text", "words"]


def folded_text(text: str) -> str:
    """`text` in small letters, compatible forms made one (NFKC), ё as е, one space between words.

    >>> folded_text("  Счётчик  ①")
    'счетчик 1'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("ё", "е")
    return " ".join(text.casefold().split())


def words(text: str) -> tuple[str, ...]:
    """What must occur in a line for it to be found."""
    return tuple(dict.fromkeys(folded_text(text).split()))
