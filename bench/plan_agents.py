"""The two agents that live through the same days: the kit's plan, and a plain daily job of the `schedule` library."""

from __future__ import annotations

import datetime as real_datetime
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import schedule

from bench.laptop import RUN_S, Life
from exam_kit.agent import planner
from exam_kit.agent.clock_watch import ClockWatch
from exam_kit.clock import from_iso
from exam_kit.point import Point
from exam_kit.store import Store

__all__ = ["DailyJob", "PlanAgent"]

NEVER_S = 1e9


class _Runner:
    """A run of the checks: it takes a while, sleeps when the laptop sleeps, dies with the process."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._left: tuple[float, float, str] | None = None

    def start(self, day: str) -> None:
        self._left = (self._life.clock.monotonic() + RUN_S, self._life.now, day)

    @property
    def busy(self) -> bool:
        return self._left is not None

    def ended(self) -> bool:
        """True once, when the run that was started is through."""
        if self._left is None or self._life.clock.monotonic() < self._left[0]:
            return False
        self._life.runs.append((self._left[1], self._left[2]))
        self._left = None
        return True

    def die(self) -> None:
        self._left = None


class PlanAgent:
    """What `exam_kit.agent.loop` does with the plan, with the planner's own functions on a real store."""

    def __init__(self, life: Life, store: Store, point: Point, run_folder: Path, witnessed: Container[str]) -> None:
        """`witnessed`: the days on which a time server answers."""
        self._life, self._store, self._point = life, store, point
        self._witnessed = witnessed
        self._kept = run_folder / "clock.json"
        self._runner = _Runner(life)
        self._planned: planner.PlannedRun | None = None
        self._owner = 0
        self._bounds: list[float] = []
        self.reported: list[tuple[float, str]] = []
        """(when, the day) of each window reported as missed"""
        self.astray: list[tuple[float, str]] = []
        """and of each reported as run at another time"""

    def begin(self) -> None:
        planner.release(self._store)
        planner.sync(self._store, self._point)
        self._watch = ClockWatch(self._life.clock, kept=self._kept)
        self._owner += 1
        self._seen = NEVER_S  # the first beat comes at once
        if not self._bounds:
            rows = self._store.query("SELECT due_from, due_until FROM run_plan")
            self._bounds = sorted(from_iso(text).timestamp() for row in rows for text in row.values())

    def end(self) -> None:
        self._runner.die()
        self._planned = None

    def beat(self) -> None:
        clock = self._life.clock
        self._seen = self._offset()
        step = self._watch.step()
        if step is not None:
            planner.reopen(self._store, clock, step)
        if self._runner.ended() and self._planned is not None:
            # The time server is asked at the run's end, whatever the clock was before.
            proven = self._planned.day in self._witnessed and self._life.was_right(self._life.now - 1, self._life.now)
            planner.finish(self._store, clock, self._planned, "ready", proven=proven)
            self._planned = None
        if self._planned is not None:
            planner.renew(self._store, clock, self._planned)
        for run in planner.missed(self._store, clock):
            (self.reported if run.began is None else self.astray).append((self._life.now, run.day))
        if self._planned is None:
            self._planned = planner.claim(self._store, clock, str(self._owner))
            if self._planned is not None:
                self._runner.start(self._planned.day)

    def _offset(self) -> float:
        return self._life.clock.now().timestamp() - self._life.clock.boot()

    def next_s(self) -> float:
        if self._runner.busy or abs(self._offset() - self._seen) > 1:
            return 0.0
        now = self._life.clock.now().timestamp()
        return next((bound - now for bound in self._bounds if bound - now > -30), NEVER_S)


class DailyJob:
    """`schedule.every().day.at("08:00")` in the point's own zone, asked at every beat, as its manual shows."""

    def __init__(self, life: Life, zone: ZoneInfo, at: str) -> None:
        self._life, self._zone, self._at = life, zone, at
        self._runner = _Runner(life)
        self._jobs = schedule.Scheduler()

    def begin(self) -> None:
        with self._clock():
            self._jobs = schedule.Scheduler()
            self._jobs.every().day.at(self._at).do(self._job)

    def _job(self) -> None:
        self._runner.start(self._life.clock.now().astimezone(self._zone).date().isoformat())

    def end(self) -> None:
        self._runner.die()

    def beat(self) -> None:
        self._runner.ended()
        with self._clock():
            self._jobs.run_pending()

    def next_s(self) -> float:
        if self._runner.busy:
            return 0.0
        with self._clock():
            left = self._jobs.idle_seconds
        return NEVER_S if left is None else max(left, 0.0)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        """The library reads `datetime.datetime.now()`: it is given one that reads the laptop's clock in local time."""
        clock, zone = self._life.clock, self._zone

        class Now(real_datetime.datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return clock.now().astimezone(tz or zone).replace(tzinfo=tz)

        stand_in: Mapping[str, Any] = {**vars(real_datetime), "datetime": Now}
        library: Any = schedule
        before = library.datetime
        library.datetime = SimpleNamespace(**stand_in)
        try:
            yield
        finally:
            library.datetime = before
