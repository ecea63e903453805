"""What was recorded of the day: its place on the page. `exam_kit/web/footage.js` draws it and plays any second."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.point import ExamDay
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import short_day

__all__ = ["choose_day", "draw_coverage"]


def choose_day(seat: Seat) -> ExamDay | None:
    """The exam day to look at: the one in hand, or another that has begun."""
    begun = [day for day in sorted(seat.point.days, key=lambda day: day.date) if day.date <= seat.today]
    days = {day.date: day for day in (*begun, *([seat.day] if seat.day else []))}
    if len(days) < 2 or seat.day is None:
        return seat.day
    dates = list(days)
    chosen = st.selectbox(
        _("Exam day"), dates, format_func=lambda one: f"{short_day(seat, one)} · {days[one].subject}",
        index=dates.index(seat.day.date), filter_mode=None, key="footage-day",
    )  # fmt: skip
    return days.get(chosen, seat.day)


def draw_coverage(day: ExamDay) -> None:
    """One bar per camera over the day; a click or Enter at a second plays it."""
    st.html(f'<div class="ek-day" data-footage="{day.date}"></div>')
