"""Bars of time, drawn as plain HTML: a day's plan, and what was recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time

__all__ = ["Lane", "Piece", "bar", "lanes", "legend", "ticks"]


@dataclass(frozen=True)
class Piece:
    """One coloured stretch: `kind` is a class of the style sheet, `title` is read out and shown on hovering."""

    start: datetime
    end: datetime
    kind: str
    title: str = ""


@dataclass(frozen=True)
class Lane:
    """One named bar; `note` stands in words what the bar shows."""

    name: str
    pieces: Sequence[Piece]
    note: str = ""


def bar(
    start: datetime, end: datetime, pieces: Sequence[Piece], edges: Sequence[datetime], now: datetime | None
) -> str:
    """One bar from `start` to `end`; `edges` are marked by dashes, `now` by a line."""
    parts = [_stretch(start, end, piece) for piece in pieces if piece.end > start and piece.start < end]
    parts += [
        f'<i class="edge" style="left:{_place(start, end, edge):.3f}%"></i>' for edge in edges if start < edge < end
    ]
    if now is not None and start <= now <= end:
        parts.append(f'<i class="now" style="left:{_place(start, end, now):.3f}%"></i>')
    return f'<div class="ek-bar">{"".join(parts)}</div>'


def lanes(
    seat: Seat, start: datetime, end: datetime, rows: Sequence[Lane], edges: Sequence[datetime], now: datetime | None
) -> str:
    """Bars under each other over one scale of hours."""
    drawn = "".join(
        f'<div class="ek-lane"><span>{escape(row.name)}{f"<small>{escape(row.note)}</small>" if row.note else ""}'
        f'</span><div role="img" aria-label="{escape(_spoken(seat, row))}">{bar(start, end, row.pieces, edges, now)}'
        "</div></div>"
        for row in rows
    )
    return f'{drawn}<div class="ek-lane"><span></span>{ticks(seat, start, end)}</div>'


def ticks(seat: Seat, start: datetime, end: datetime) -> str:
    """Hours (or minutes, for a short day) under a bar, in the point's time; at most ten of them."""
    step = next(
        timedelta(minutes=minutes)
        for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 1440, 10080)
        if (end - start) / timedelta(minutes=minutes) <= 9.5 or minutes == 10080
    )
    local = start.astimezone(seat.point.tz)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + step * (-(-(local - midnight) // step))
    marks = []
    while first <= end:
        place = _place(start, end, first)
        if 2 <= place <= 98:
            marks.append(f'<span style="left:{place:.3f}%">{clock_time(seat, first)}</span>')
        first += step
    return f'<div class="ek-ticks" aria-hidden="true">{"".join(marks)}</div>'


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """What each kind of stretch means, by pattern and word."""
    shown = "".join(
        f'<span><span class="ek-bar"><i class="{kind}"></i></span>{escape(text)}</span>' for kind, text in entries
    )
    return f'<div class="ek-legend">{shown}</div>'


def _place(start: datetime, end: datetime, at: datetime) -> float:
    return max(0.0, min(100.0, 100 * ((at - start) / (end - start))))


def _stretch(start: datetime, end: datetime, piece: Piece) -> str:
    left, right = _place(start, end, piece.start), _place(start, end, piece.end)
    title = f' title="{escape(piece.title)}"' if piece.title else ""
    return f'<i class="{piece.kind}" style="left:{left:.3f}%;width:{right - left:.3f}%"{title}></i>'


def _spoken(seat: Seat, row: Lane) -> str:
    said = [f"{clock_time(seat, piece.start)}–{clock_time(seat, piece.end)} {piece.title}" for piece in row.pieces]
    return "; ".join([row.name, *said[:12]])
