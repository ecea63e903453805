"""Planned recordings that have begun: a clock that somebody sets does not end them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exam_kit.agent.planner import Wishes
from exam_kit.cctv.status import Desired
from exam_kit.clock import Clock
from exam_kit.point import Point, camera_windows
from exam_kit.store import Store

__all__ = ["Underway"]


@dataclass(frozen=True)
class _Begun:
    by: Desired
    ends_at: datetime
    ends_boot_s: float
    """The same end on the clock that never steps."""
    last_order: int
    """The latest order there was: a later one decides, whatever time it bears."""


class Underway:
    """Keeps a recording that the plan began until its window is over by the wall clock and by the clock that never
    steps. Which of the two is right nobody here can know, and footage nobody asked for is the smaller harm.
    """

    def __init__(self, store: Store, point: Point, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._windows = {camera.id: camera_windows(point, camera) for camera in point.cameras}
        self._begun: dict[str, _Begun] = {}

    def hold(self, wishes: Wishes) -> Wishes:
        """The wishes with recordings under way added back to them."""
        now, boot_s = self._clock.now(), self._clock.boot()
        for camera, by in wishes.record.items():
            if by.order is not None:
                self._begun.pop(camera, None)
            elif camera not in self._begun:
                self._note(camera, by, now, boot_s)
        record, stop = dict(wishes.record), dict(wishes.stop)
        for camera, begun in list(self._begun.items()):
            if camera in record:
                continue
            told = stop.get(camera)
            ordered = told is not None and told.order is not None and told.order > begun.last_order
            if ordered or (now >= begun.ends_at and boot_s >= begun.ends_boot_s):
                del self._begun[camera]
                continue
            record[camera] = begun.by
            stop.pop(camera, None)
        return Wishes(record, stop)

    def _note(self, camera: str, by: Desired, now: datetime, boot_s: float) -> None:
        window = next((window for window in reversed(self._windows[camera]) if window.holds(now)), None)
        if window is not None:
            last = self._store.query("SELECT coalesce(max(id), 0) AS last FROM orders")[0]["last"]
            left_s = (window.end - now).total_seconds()
            self._begun[camera] = _Begun(by, window.end, boot_s + left_s, last)
