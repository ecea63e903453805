"""A laptop over many exam days: when it is on, awake, has its agent running, and whether its clock is right.

The story is drawn from a seed before anything runs, so that different agents live through the same days. What was
possible is reckoned from the story alone, never from what an agent says.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from exam_kit.clock import FakeClock

__all__ = ["BEAT_S", "RUN_S", "Agent", "Event", "Life", "Window", "live", "story"]

BEAT_S = 15.0
RUN_S = 40.0
"""How long one run of the checks takes, with the laptop awake."""

HOUR, MINUTE = 3600.0, 60.0


@dataclass(frozen=True)
class Window:
    """When one exam day's check is due, as POSIX time."""

    day: str
    start: float
    end: float

    def holds(self, moment: float) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True)
class Event:
    """What happens to the laptop: on, off, sleep, wake; ends, begins (the agent); step (the clock, by `by` seconds)."""

    at: float
    what: str
    by: float = 0.0


class Agent(Protocol):
    """What is simulated. `clock` is the laptop's; `ran` is called with the name of the day of each run that ended."""

    def begin(self) -> None:
        """A process starts."""

    def end(self) -> None:
        """It is killed."""

    def beat(self) -> None:
        """Fifteen seconds later, awake."""

    def next_s(self) -> float:
        """Seconds, by the laptop's clock, until something may be due; never less than nothing."""


def story(windows: Sequence[Window], seed: int) -> list[Event]:
    """The events of all days, in order."""
    rng = random.Random(seed)
    events: list[Event] = []
    error = 0.0
    awake_till = windows[0].start - 12 * HOUR
    asleep = False
    for window in windows:
        if rng.random() < 0.06:
            continue  # a day on which nobody switches it on
        on = max(window.start + rng.uniform(-4 * HOUR, 1.3 * HOUR), awake_till + MINUTE)
        off = max(on, window.end) + rng.uniform(0.1 * HOUR, 6 * HOUR)
        events.append(Event(on, "wake" if asleep else "on"))
        events += _troubles(rng, on, off, window)
        error, steps = _steps(rng, on, off, error)
        events += steps
        asleep = rng.random() < 0.4
        events.append(Event(off, "sleep" if asleep else "off"))
        awake_till = off
    return sorted(events, key=lambda event: event.at)


def _troubles(rng: random.Random, on: float, off: float, window: Window) -> Iterator[Event]:
    """Sleeps, restarts of the agent and of the machine, most of them about the window."""
    moment = on
    for _number in range(rng.choice([0, 0, 1, 2, 3, 5])):
        moment = max(moment + 5, rng.uniform(window.start - HOUR, window.end + 0.3 * HOUR))
        what, back, longest = rng.choice(
            [
                ("sleep", "wake", 2 * HOUR),
                ("sleep", "wake", 10 * MINUTE),
                ("ends", "begins", 120.0),
                ("off", "on", 1500.0),
            ]
        )
        lasts = max(1.0, longest * rng.random() ** 2)
        if moment + lasts >= off:
            return
        yield Event(moment, what)
        moment += lasts
        yield Event(moment, back)


def _steps(rng: random.Random, on: float, off: float, error: float) -> tuple[float, list[Event]]:
    """Somebody sets the clock wrongly, by seconds, an hour, a day; later somebody or the network sets it right."""
    if error:
        return 0.0, [Event(rng.uniform(on, off), "step", -error)]
    if rng.random() >= 0.25:
        return 0.0, []
    by = rng.choice([1, -1]) * rng.choice([30.0, 10 * MINUTE, HOUR, HOUR, 3 * HOUR, 24 * HOUR, rng.uniform(5, 7200)])
    wrong = rng.uniform(on, off)
    right = wrong + rng.choice([60.0, 20 * MINUTE, 2 * HOUR]) * rng.uniform(0.2, 1.5)
    if right < off:
        return 0.0, [Event(wrong, "step", by), Event(right, "step", -by)]
    return by, [Event(wrong, "step", by)]


@dataclass(frozen=True)
class Span:
    """A stretch of true time in which nothing changed."""

    start: float
    end: float
    process: int
    """number of the agent's process; 0 while none runs"""
    awake: bool
    right: bool


@dataclass
class Life:
    """What really happened."""

    clock: FakeClock
    now: float
    spans: list[Span] = field(default_factory=list)
    runs: list[tuple[float, str]] = field(default_factory=list)
    """(when it truly began, the day it was for) of every run that ended"""

    def could_serve(self, window: Window) -> bool:
        """Was one process there, awake, with a right clock, for a beat inside the window, and awake for a run after?"""
        spans = [span for span in self.spans if span.end > window.start and span.process and span.awake]
        for first in spans:
            start = max(first.start, window.start)
            if start >= window.end:
                return False
            if not first.right or min(first.end, window.end) - start < BEAT_S + 1:
                continue
            began = start + BEAT_S + 1
            awake = sum(span.end - max(span.start, began) for span in spans
                        if span.process == first.process and span.end > began)  # fmt: skip
            if awake > RUN_S + 2 * BEAT_S:
                return True
        return False

    def was_right(self, start: float, end: float) -> bool:
        """Was the clock right all through this time?"""
        return all(span.right for span in self.spans if span.end > start and span.start <= end)


class _Driver:
    """Moves true time and the laptop's clocks together."""

    def __init__(self, life: Life, agent: Agent, rng: random.Random) -> None:
        self.life, self.agent, self.rng = life, agent, rng
        self.power = self.awake = self.up = False
        self.error = 0.0
        self.process = 0
        self.beat_at = 0.0
        self.late_steps: list[float] = []
        self.fresh = True
        """just begun or woken: the next beat comes whatever is due"""

    def until(self, moment: float) -> None:
        """Let time pass up to an event, with the beats that matter."""
        while self.power and self.awake and self.up:
            wait = 0.0 if self.fresh else max(self.agent.next_s(), 0.0)
            beats = max(-(-(self.life.now + wait - self.beat_at) // BEAT_S), 0.0)
            due = self.beat_at + beats * BEAT_S
            if due >= moment:
                break
            self._pass(due)
            self.beat_at = due + BEAT_S
            self.fresh = False
            self.agent.beat()
        self._pass(moment)

    def _pass(self, moment: float) -> None:
        if moment <= self.life.now:
            return
        process = self.process if self.up and self.power else 0
        span = Span(self.life.now, moment, process, self.awake and self.power, abs(self.error) < 2)
        spans = self.life.spans
        if spans and replace(spans[-1], end=moment) == replace(span, start=spans[-1].start):
            span = replace(spans.pop(), end=moment)
        spans.append(span)
        lasted = moment - self.life.now
        if self.awake or not self.power:
            self.life.clock.advance(lasted)
        else:
            self.life.clock.sleep(lasted)
        self.life.now = moment

    def happens(self, event: Event) -> None:
        match event.what:
            case "on" if not self.power:
                self.life.clock.reboot(0.0)
                self.power = self.awake = True
                self._step_late()
                self._begin()
            case "off" if self.power:
                self._end()
                self.power = False
            case "sleep" if self.power:
                self.awake = False
            case "wake" if self.power and not self.awake:
                self.awake = True
                self._step_late()
                # The thread that beats had slept its time away: it beats at once.
                self._soon()
            case "ends" if self.power:
                self._end()
            case "begins" if self.power and not self.up:
                self._begin()
            case "step":
                self.late_steps.append(event.by)
                if self.power and self.awake:
                    self._step_late()
            case _:
                pass

    def _step_late(self) -> None:
        """Nobody sets the clock of a laptop that is off or asleep: it is set when it is next awake."""
        for by in self.late_steps:
            self.error += by
            self.life.clock.step(by)
        self.late_steps.clear()

    def _begin(self) -> None:
        self.up = True
        self.process += 1
        self.agent.begin()
        self._soon()

    def _soon(self) -> None:
        self.beat_at, self.fresh = self.life.now + 0.2, True

    def _end(self) -> None:
        if self.up:
            self.agent.end()
        self.up = False


def live(life: Life, agent: Agent, events: Sequence[Event], until: float, seed: int) -> None:
    """Let an agent live through the story."""
    driver = _Driver(life, agent, random.Random(seed))
    for event in events:
        if event.at > life.now:
            driver.until(event.at)
        driver.happens(replace(event, at=life.now))
    if not driver.power or not driver.awake or not driver.up:
        # The last morning: it is switched on, the clock is right, and what was missed can be said.
        for what in ("begins", "wake", "on"):
            driver.happens(Event(life.now, what))
    driver.happens(Event(life.now, "step", -driver.error - sum(driver.late_steps)))
    driver.until(max(until, life.now + HOUR))


def at(moment: float) -> datetime:
    """A true moment as the clock should show it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)
