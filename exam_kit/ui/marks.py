"""States as shape, word and colour together: colour alone says nothing to many eyes and to no printer."""

from __future__ import annotations

from html import escape

__all__ = ["CHECK_TONES", "VERDICT_TONES", "chip", "mark"]

CHECK_TONES = {
    "ok": "good",
    "warn": "warn",
    "fail": "bad",
    "unknown": "unknown",
    "skip": "none",
    "pending": "ask",
    "waived": "warn",
}
VERDICT_TONES = {"ready": "good", "ready_with_remarks": "warn", "incomplete": "ask", "not_ready": "bad"}


def mark(tone: str) -> str:
    """The shape of a tone: good disc, warn triangle, bad octagon, ask full square, unknown hollow square, rec, none."""
    return f'<span class="ek-mark {tone}" aria-hidden="true"></span>'


def chip(tone: str, text: str) -> str:
    """A word with its shape, in a coloured lozenge."""
    return f'<span class="ek-chip {tone}">{mark(tone)}{escape(text)}</span>'
