"""From the timestamps a camera sends to time on the wall.

Cameras send a presentation time with each frame, in ticks from an origin of their own, and the first frame often
without any. The wall clock is read once per order; from there a clock that never steps carries time from connection to
connection and the camera's ticks carry it within one, so a clock that somebody sets during the exam cannot make two
pieces overlap, nor pass for missing footage.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

__all__ = ["Anchor", "DecodeOrder", "Drift", "WallClock"]


@dataclass(frozen=True)
class Anchor:
    """`ticks` of a stream with this `time_base` (seconds a tick) is the moment `wall`, UTC."""

    wall: datetime
    ticks: int
    time_base: Fraction

    def moment(self, ticks: int) -> datetime:
        """The moment of any other tick of the stream."""
        # Asked twice a frame: a fraction's own arithmetic took more than everything else here.
        base = self.time_base
        return self.wall + timedelta(seconds=(ticks - self.ticks) * base.numerator / base.denominator)

    def shifted(self, seconds: float) -> Anchor:
        return Anchor(self.wall + timedelta(seconds=seconds), self.ticks, self.time_base)


class WallClock:
    """Wall time for one camera while it is to be recorded: what the wall showed at the order, carried on by the clock
    that never steps. A clock that somebody sets meanwhile moves nothing: footage and gaps stay one line of time.

    `offset_s` is the wall clock minus `boot`, which counts seconds since boot, sleep included.
    """

    def __init__(self, offset_s: float, boot: Callable[[], float]) -> None:
        self._offset_s = offset_s
        self._boot = boot

    def at(self, not_before: datetime | None) -> datetime:
        """The time now. `not_before` is the end of what was recorded last: at the least, time goes on from there."""
        boot_s = self._boot()
        if not_before is not None:
            self._offset_s = max(self._offset_s, not_before.timestamp() - boot_s)
        return datetime.fromtimestamp(boot_s + self._offset_s, UTC)

    def steady(self) -> datetime:
        """The time now, whatever was recorded last."""
        return datetime.fromtimestamp(self._boot() + self._offset_s, UTC)


class Drift:
    """How far a camera's clock has run away from ours, seen over several segments.

    A backlog delivered late (a pause of the network or of the whole machine) is no drift: it ends, drift stays.
    """

    def __init__(self, tolerance_s: float, segments: int = 5) -> None:
        self._tolerance_s = tolerance_s
        self._lags_s: deque[float] = deque(maxlen=segments)

    def correction_s(self, smallest_lag_s: float) -> float:
        """Seconds to add to the camera's time, given the smallest (arrival − camera time) of the segment that ends."""
        self._lags_s.append(smallest_lag_s)
        least, most = min(self._lags_s), max(self._lags_s)
        away = least > self._tolerance_s or most < -self._tolerance_s
        if len(self._lags_s) < (self._lags_s.maxlen or 0) or not away:
            return 0.0
        self._lags_s.clear()
        return least if least > 0 else most

    def forget(self) -> None:
        """Another connection, another anchor."""
        self._lags_s.clear()


class DecodeOrder:
    """Decode times from presentation times, in the order frames arrive.

    RTSP carries no decode times, and what a demuxer guesses is missing for the first frames (skipping those loses
    the first group of pictures). The n-th frame decodes at the n-th smallest presentation time, `delay` frames
    earlier; the delay grows by one when a stream turns out to reorder more than it said.
    """

    def __init__(self, delay: int, frame_ticks: int) -> None:
        self._delay = delay
        self._frame = max(1, frame_ticks)
        self._waiting: list[int] = []
        self._given = 0
        self._first: int | None = None
        self._last: int | None = None

    def put(self, pts: int) -> tuple[int, int]:
        """(pts, dts) to write for the next frame; dts always grows and never exceeds pts."""
        if self._first is None:
            self._first = pts
        if self._delay == 0:
            dts = pts
        else:
            heapq.heappush(self._waiting, pts)
            if len(self._waiting) <= self._delay:
                dts = self._first - (self._delay - self._given) * self._frame
            else:
                dts = heapq.heappop(self._waiting)
        self._given += 1
        if self._last is not None and dts <= self._last:
            dts = self._last + 1
        if dts > pts:
            self._delay += 1
            dts = pts
            if self._last is not None and dts <= self._last:
                # Shown a tick late rather than lost.
                dts = pts = self._last + 1
        self._last = dts
        return pts, dts
