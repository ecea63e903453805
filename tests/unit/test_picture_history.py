"""Fresh alarms per hour, from what was written down of the picture."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from exam_kit.cctv.picture_history import alarm_rates, note_states, seen_states
from exam_kit.clock import FakeClock
from exam_kit.store import Store


def _play(store: Store, clock: FakeClock, states: str) -> tuple[datetime, datetime]:
    """One letter for each two seconds: o ok, c covered, b blurred, u unknown, - nobody wrote anything."""
    names = {"o": "ok", "c": "covered", "b": "blurred", "u": "unknown"}
    start = clock.now()
    for letter in states:
        if letter != "-":
            with store.transaction() as connection:
                note_states(connection, [("R1-1", names[letter])], clock.now())
        clock.advance(2)
    return start, clock.now()


@pytest.mark.parametrize(
    ("states", "fresh"),
    [
        ("oooooooo", 0),
        ("ooooccccoooo", 1),
        ("ooccbbccoo", 1),  # blurred on the way to covered is one alarm
        ("ooccooccoo", 2),
        ("ooccuuccoo", 1),  # the camera was reconnected under the alarm
        ("ccccoooo", 1),
        ("uuuuuu", 0),
    ],
)
def test_fresh_alarms(store: Store, clock: FakeClock, states: str, fresh: int) -> None:
    start, end = _play(store, clock, states)
    assert alarm_rates(store, ["R1-1", "R2-1"], start, end)["R1-1"].fresh == fresh


def test_only_judged_time_counts_and_silence_does_not(store: Store, clock: FakeClock) -> None:
    start, end = _play(store, clock, "o" * 600 + "-" * 300 + "o" * 1200 + "u" * 900)
    rate = alarm_rates(store, ["R1-1"], start, end)["R1-1"]
    assert rate.watched_s == pytest.approx(3600, abs=8)
    assert rate.per_hour == 0
    assert len(seen_states(store, "R1-1", start, end)) == 3


def test_a_rate_needs_time(store: Store, clock: FakeClock) -> None:
    start, end = _play(store, clock, "oocc")
    rates = alarm_rates(store, ["R1-1", "R2-1"], start, end)
    assert rates["R1-1"].per_hour is None
    assert (rates["R2-1"].fresh, rates["R2-1"].watched_s) == (0, 0)


def test_states_are_cut_to_the_span(store: Store, clock: FakeClock) -> None:
    start, _end = _play(store, clock, "o" * 30 + "c" * 30)
    seen = seen_states(store, "R1-1", start + timedelta(seconds=50), start + timedelta(seconds=70))
    assert [(one.state, (one.end - one.start).total_seconds()) for one in seen] == [("ok", 10), ("covered", 10)]
