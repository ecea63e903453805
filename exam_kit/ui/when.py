"""Moments, spans and sizes as people at the point read them: their zone, their language, 24 hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal

from exam_kit.i18n import N_, translate
from exam_kit.ui.seat import Reader

__all__ = ["LOCALES", "clock_time", "countdown", "day_name", "moment", "seconds_time", "short_day", "size", "span"]

LOCALES = {"ru": "ru_RU", "en": "en_GB", "lv": "lv_LV"}


def _locale(seat: Reader) -> str:
    return LOCALES[seat.language]


def clock_time(seat: Reader, at: datetime) -> str:
    """08:15"""
    return format_time(at.astimezone(seat.tz), "HH:mm", locale=_locale(seat))


def seconds_time(seat: Reader, at: datetime) -> str:
    """08:15:04"""
    return format_time(at.astimezone(seat.tz), "HH:mm:ss", locale=_locale(seat))


def day_name(seat: Reader, day: date) -> str:
    """четверг, 28 мая 2026"""
    pattern = "EEEE, y. 'gada' d. MMMM" if seat.language == "lv" else "EEEE, d MMMM y"
    return format_date(day, pattern, locale=_locale(seat))


def short_day(seat: Reader, day: date) -> str:
    """28.05.2026"""
    return format_date(day, "dd/MM/yyyy" if seat.language == "en" else "dd.MM.yyyy", locale=_locale(seat))


def moment(seat: Reader, at: datetime) -> str:
    """28.05 08:15"""
    pattern = "dd/MM HH:mm" if seat.language == "en" else "dd.MM HH:mm"
    return format_datetime(at.astimezone(seat.tz), pattern, locale=_locale(seat))


def countdown(left: timedelta) -> str:
    """1:05:09; with days in front where there are any. Never below zero."""
    seconds = max(0, int(left.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def span(seat: Reader, seconds: float) -> str:
    """2 h 05 min · 4 min · 38 s: two units at most, the way people say it."""
    whole = max(0, round(seconds))
    if whole >= 2 * 86400:
        return translate(N_("{days} d"), seat.language).format(days=whole // 86400)
    if whole >= 3600:
        text = translate(N_("{hours} h {minutes} min"), seat.language)
        return text.format(hours=whole // 3600, minutes=f"{whole % 3600 // 60:02}")
    if whole >= 120:
        return translate(N_("{minutes} min"), seat.language).format(minutes=whole // 60)
    return translate(N_("{seconds} s"), seat.language).format(seconds=whole)


def size(seat: Reader, count: float) -> str:
    """1.4 GB, in powers of ten, as carriers are sold."""
    units = ((1e12, N_("{size} TB")), (1e9, N_("{size} GB")), (1e6, N_("{size} MB")), (1e3, N_("{size} kB")))
    for unit, text in units:
        if count >= unit:
            value = format_decimal(count / unit, "0.0" if count < 10 * unit else "0", locale=_locale(seat))
            return translate(text, seat.language).format(size=value)
    return translate(N_("{size} B"), seat.language).format(size=int(count))
