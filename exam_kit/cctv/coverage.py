"""What part of the time is recorded: arithmetic on intervals, then one camera's day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from exam_kit.cctv.segments import Gap, Segment, gaps, segments
from exam_kit.cctv.status import camera_statuses
from exam_kit.clock import from_iso
from exam_kit.point import Point
from exam_kit.point.plan import camera_windows
from exam_kit.store import Store

__all__ = ["Coverage", "Interval", "Span", "coverage", "intersect", "length_s", "merge", "rested", "subtract"]

Interval: TypeAlias = tuple[datetime, datetime]
"""From and to; to is not included and is later than from."""

SEAM = timedelta(seconds=0.5)
"""The last frame lasts until the next one would have come: so little after a recording is not missing."""
FOR_EVER = datetime.max.replace(tzinfo=UTC)
LIVE_EDGE = timedelta(seconds=6)
"""A segment being written is known to the second that was last reported; that report is at most this old."""
STARTING = timedelta(seconds=3)
"""Planned time this short before the first frame is the connecting, not a fault."""


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as few intervals in order; empty and reversed ones count for nothing."""
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def intersect(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    """Time that is in both."""
    a, b = merge(left), merge(right)
    found: list[Interval] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if start < end:
            found.append((start, end))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return found


def subtract(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    """Time of `left` that is not in `right`."""
    found: list[Interval] = []
    holes = merge(right)
    for start, end in merge(left):
        at = start
        for hole_start, hole_end in holes:
            if hole_end <= at or hole_start >= end:
                continue
            if hole_start > at:
                found.append((at, hole_start))
            at = max(at, hole_end)
        if at < end:
            found.append((at, end))
    return found


def length_s(intervals: Iterable[Interval]) -> float:
    """Seconds, overlaps counted once."""
    return sum((end - start).total_seconds() for start, end in merge(intervals))


@dataclass(frozen=True)
class Span:
    """A stretch of one kind; `cause` is a gap's (`exam_kit.cctv.status.CAUSES`)."""

    start: datetime
    end: datetime
    kind: Literal["recorded", "gap", "not_planned", "future"]
    cause: str | None = None


@dataclass(frozen=True)
class Coverage:
    """One camera from `start` to `end`: spans in order that leave nothing out and do not overlap."""

    camera: str
    spans: tuple[Span, ...]
    recorded_s: float
    gap_s: float


def coverage(store: Store, point: Point, camera: str, start: datetime, end: datetime, now: datetime) -> Coverage:
    """How a camera's time is covered. A gap is planned or ordered time, up to `now`, without a recording."""
    whole = [(start, end)]
    known = gaps(store, camera, start, end)
    pieces = segments(store, camera, start=start, end=end)
    recorded = intersect(whole, _recorded(store, camera, pieces, known, now))
    windows = [(window.start, window.end) for window in camera_windows(point, point.camera(camera))]
    planned = subtract(windows, rested(store, camera, windows))
    wanted = merge([*planned, *((gap.start, gap.end or now) for gap in known)])
    past = intersect(whole, [(start, max(now, start))])
    missing = subtract(intersect(wanted, past), recorded)
    seams = _seams(missing, recorded, known)
    recorded, missing = merge([*recorded, *seams]), subtract(missing, seams)
    future = subtract(intersect(planned, whole), [*past, *recorded])
    idle = subtract(whole, [*recorded, *missing, *future])
    spans = [
        *(Span(a, b, "recorded") for a, b in recorded),
        *_gap_spans(missing, known, recorded, now),
        *(Span(a, b, "future") for a, b in future),
        *(Span(a, b, "not_planned") for a, b in idle),
    ]
    spans.sort(key=lambda span: span.start)
    return Coverage(camera, tuple(spans), length_s(recorded), length_s(missing))


def rested(store: Store, camera: str, windows: Sequence[Interval]) -> list[Interval]:
    """Time that an order took out of the plan: from a stop to the next start, or to the next window."""
    said = store.query(
        "SELECT kind, at, json_extract(record, '$.body.order') AS by_order FROM ledger "
        "WHERE kind IN ('recording.started', 'recording.stopped') AND json_extract(record, '$.body.camera') = ? "
        "ORDER BY seq",
        (camera,),
    )
    starts = [from_iso(row["at"]) for row in said if row["kind"] == "recording.started"]
    begins = [start for start, _end in windows]
    rested = []
    for row in said:
        if row["kind"] == "recording.stopped" and row["by_order"] is not None:
            stopped = from_iso(row["at"])
            later = [moment for moment in (*starts, *begins) if moment > stopped]
            rested.append((stopped, min(later, default=FOR_EVER)))
    return rested


def _recorded(
    store: Store, camera: str, pieces: Sequence[Segment], known: Sequence[Gap], now: datetime
) -> list[Interval]:
    found = []
    for segment in pieces:
        end = segment.end
        if end is None:
            status = camera_statuses(store).get(camera)
            reported = status.recorded_to if status else None
            end = max(reported, segment.start) if reported else segment.start
            if now - end < LIVE_EDGE:
                end = now
            open_gaps = [gap.start for gap in known if gap.end is None and gap.start >= segment.start]
            end = min([end, *open_gaps])
        if segment.reason != "file_missing":
            found.append((segment.start, end))
    return merge(found)


def _seams(missing: Sequence[Interval], recorded: Sequence[Interval], known: Sequence[Gap]) -> list[Interval]:
    ends = {end for _start, end in recorded}
    noted = [(gap.start, gap.end or FOR_EVER) for gap in known]
    return [(a, b) for a, b in missing if a in ends and b - a <= SEAM and not intersect([(a, b)], noted)]


def _gap_spans(
    missing: Sequence[Interval], known: Sequence[Gap], recorded: Sequence[Interval], now: datetime
) -> list[Span]:
    """Missing time cut where the cause changes; a cause is known where a gap was noted."""
    spans = []
    left = list(missing)
    for gap in known:
        for a, b in intersect(left, [(gap.start, gap.end or now)]):
            spans.append(Span(a, b, "gap", gap.cause))
        left = subtract(left, [(gap.start, gap.end or now)])
    begins = {start for start, _end in recorded}
    for a, b in left:
        # A gap is noted by the clock, a recording ends by its frames: what lies between belongs to the gap.
        beside = next(
            (n for n, span in enumerate(spans) if b - a <= STARTING and (span.start == b or span.end == a)), None
        )
        if beside is not None:
            spans[beside] = Span(min(a, spans[beside].start), max(b, spans[beside].end), "gap", spans[beside].cause)
            continue
        starting = b - a <= STARTING and (b in begins or b == now)
        spans.append(Span(a, b, "gap", "starting" if starting else "not_recorded"))
    return spans
