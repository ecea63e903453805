"""What people type, understood: times of the point's clock, and a text field that keeps what was typed."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import streamlit as st

from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.people_import import parse_date
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time

__all__ = ["fresh", "fresh_key", "read_date", "read_time", "time_now", "whole_number"]

TIME = re.compile(r"\s*(\d{1,2})[:.\s-]?(\d{2})\s*")


def read_date(text: str | None) -> date | None:
    """The day that "28.05.2026" means (see `parse_date`); None for nothing written. Raises RefusedEntry."""
    return parse_date(text) if text and text.strip() else None


def read_time(seat: Seat, text: str, day: date, after: datetime | None = None) -> datetime:
    """The moment that "08:15" (also 8.15, 0815) means on that local date; past midnight where `after` is later.

    Raises:
        RefusedEntry: it is not a time.
    """
    found = TIME.fullmatch(text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise RefusedEntry(m("Time: '{text}' is not a time. Write hours and minutes: 08:15.", text=text.strip()))
    moment = datetime(day.year, day.month, day.day, int(found[1]), int(found[2]), tzinfo=seat.point.tz)
    if after is not None and moment < after - timedelta(minutes=1) and after - moment > timedelta(hours=12):
        moment += timedelta(days=1)
    return moment


def time_now(seat: Seat) -> str:
    """The point's clock as a field shows it."""
    return clock_time(seat, seat.now)


def fresh_key(form: str) -> str:
    """A key that stays until `fresh`: fields keep what was typed through errors and redraws."""
    return f"{form}-{st.session_state.get(f'fresh-{form}', 0)}"


def fresh(form: str) -> None:
    """Empty the form: what it held was written."""
    st.session_state[f"fresh-{form}"] = st.session_state.get(f"fresh-{form}", 0) + 1


def whole_number(text: str) -> int:
    """A whole number as it is typed, also with spaces between thousands; RefusedEntry when it is none."""
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise RefusedEntry(m("'{text}' is not a whole number. Write digits only.", text=text.strip()[:40]))
    return int(digits)
