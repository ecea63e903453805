"""Arithmetic of stretches of time: half-open, UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

__all__ = ["Span", "clip", "merged", "missing", "total_s"]

Span = tuple[dt.datetime, dt.datetime]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in the fewest stretches, in order."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def clip(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of `spans` lies inside `window`, merged."""
    return merged((max(start, window[0]), min(end, window[1])) for start, end in spans)


def missing(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of `window` no span holds."""
    lacking: list[Span] = []
    at = window[0]
    for start, end in clip(spans, window):
        if at < start:
            lacking.append((at, start))
        at = end
    if at < window[1]:
        lacking.append((at, window[1]))
    return lacking


def total_s(spans: Sequence[Span]) -> float:
    return sum((end - start).total_seconds() for start, end in spans)
