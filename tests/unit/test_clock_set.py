"""Somebody sets the clock in the middle of the exam, or daylight saving ends: nothing stops."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from exam_kit.agent import orders, planner
from exam_kit.agent.loop import Agent
from exam_kit.agent.status import heartbeat
from exam_kit.agent.underway import Underway
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.conftest import POINT_TOML

BEGIN = datetime(2026, 5, 28, 6, 0, tzinfo=UTC)
"""10:00 in Moscow is 07:00 UTC; rooms are recorded from an hour before until 10 minutes after 235 min of exam."""
END = BEGIN + timedelta(minutes=60 + 235 + 10)


class Room:
    """One room's camera, as the agent sees it turn by turn."""

    def __init__(self, store: Store, ledger: Ledger, point: Point, clock: FakeClock) -> None:
        self._store, self._ledger, self._point, self._clock = store, ledger, point, clock
        self._underway = Underway(store, point, clock)

    def turn(self) -> tuple[bool, int | None]:
        """Is it to record, and by which order is it stopped."""
        wishes = self._underway.hold(planner.recording_wishes(self._store, self._point, self._clock.now()))
        stopped = wishes.stop.get("R1-1")
        return "R1-1" in wishes.record, stopped.order if stopped else None

    def order(self, kind: str) -> int:
        return orders.give(
            self._ledger, kind, {"cameras": ["R1-1"]}, actor="terminal:tester", ordered_by="head", why="test"
        )


@pytest.fixture
def room(store: Store, ledger: Ledger, point: Point, clock: FakeClock) -> Room:
    made = Room(store, ledger, point, clock)
    clock.advance((BEGIN - clock.now()).total_seconds() + 1800)
    assert made.turn() == (True, None)
    return made


@pytest.mark.parametrize("step_s", [-7200, -60 * 86400, 6 * 3600, 86400])
def test_a_recording_goes_on_whatever_the_clock_is_set_to(room: Room, clock: FakeClock, step_s: float) -> None:
    clock.step(step_s)
    assert room.turn() == (True, None)
    clock.advance(600)
    assert room.turn() == (True, None)


def test_it_ends_when_both_clocks_say_so(room: Room, clock: FakeClock) -> None:
    left_s = (END - clock.now()).total_seconds()
    clock.step(left_s + 60)
    clock.advance(left_s - 1)
    assert room.turn() == (True, None)
    clock.advance(2)
    assert room.turn() == (False, None)


def test_without_a_step_it_ends_with_its_window(room: Room, clock: FakeClock) -> None:
    clock.advance((END - clock.now()).total_seconds() - 1)
    assert room.turn()[0]
    clock.advance(1)
    assert not room.turn()[0]


def test_an_order_to_stop_is_obeyed_although_the_clock_says_it_was_given_before_the_window(
    room: Room, clock: FakeClock
) -> None:
    clock.step(-7200)
    number = room.order("stop")
    assert room.turn() == (False, number)
    assert room.turn() == (False, number)


def test_an_old_order_to_stop_does_not_come_back_with_the_clock(
    store: Store, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    room = Room(store, ledger, point, clock)
    room.order("stop")  # before the window: it rests until then
    clock.advance((BEGIN - clock.now()).total_seconds() + 60)
    assert room.turn()[0]
    clock.step(-7200)
    assert room.turn()[0]


def test_an_order_that_failed_or_was_withdrawn_is_not_obeyed(room: Room, ledger: Ledger, store: Store) -> None:
    for state in ("failed", "cancelled"):
        number = room.order("stop")
        assert room.turn() == (False, number)
        given = orders.get(store, number)
        assert given is not None
        orders.end(ledger, given, state, {"error": "the role may not"})
        assert room.turn()[0]


def test_the_agent_goes_on_beating_when_the_clock_is_set_back(
    home: Home, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = timedelta()

    class Shifted(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + shift

    class Wall(SystemClock):
        def now(self) -> datetime:
            return super().now() + shift

    monkeypatch.setattr("schedule.datetime.datetime", Shifted)
    home.point_file.write_text(POINT_TOML.replace("2026-05-28", "2036-05-28"), encoding="utf-8")
    agent = Agent(home, clock=Wall())
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        until(lambda: heartbeat(home) is not None)
        shift = timedelta(hours=-1)
        set_at = agent.clock.boot()

        def beats() -> bool:
            last = heartbeat(home, agent.clock)
            return last is not None and agent.clock.boot() - last.age_s > set_at + 2

        until(beats, 20)
        assert [entry.kind for entry in agent.ledger.entries(("clock.stepped",))] == ["clock.stepped"]
    finally:
        agent.stop()
        thread.join(30)
