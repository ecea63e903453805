"""Interval arithmetic behind coverage, against counting minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exam_kit.cctv.absence import missed
from exam_kit.cctv.coverage import Interval, intersect, length_s, merge, subtract

ORIGIN = datetime(2026, 5, 28, 5, 0, tzinfo=UTC)
MINUTES = 60


def at(minute: int) -> datetime:
    return ORIGIN + timedelta(minutes=minute)


minutes = st.integers(0, MINUTES)
intervals = st.lists(st.tuples(minutes, minutes).map(lambda pair: (at(pair[0]), at(pair[1]))), max_size=8)


def cells(found: list[Interval]) -> set[int]:
    """The minutes that lie in any of the intervals."""
    return {n for n in range(MINUTES) if any(a <= at(n) and at(n + 1) <= b for a, b in found)}


def assert_tidy(found: list[Interval]) -> None:
    """In order, apart from each other, none empty."""
    assert all(a < b for a, b in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(intervals)
def test_merge_keeps_the_time_and_nothing_else(some: list[Interval]) -> None:
    assert_tidy(merge(some))
    assert cells(merge(some)) == cells(some)
    assert merge(merge(some)) == merge(some)
    assert length_s(some) == 60.0 * len(cells(some))


@given(intervals, intervals)
def test_intersect_and_subtract_divide_the_time_between_them(left: list[Interval], right: list[Interval]) -> None:
    both, rest = intersect(left, right), subtract(left, right)
    assert_tidy(both)
    assert cells(both) == cells(left) & cells(right)
    assert cells(rest) == cells(left) - cells(right)
    assert intersect(left, right) == intersect(right, left)
    assert length_s(both) + length_s(rest) == length_s(left)


@given(st.booleans(), minutes, st.none() | minutes, intervals, intervals, minutes)
def test_missed_time_is_never_recorded_time_and_covers_every_planned_minute(
    wanted: bool,
    alive: int,
    recorded_to: int | None,
    windows: list[Interval],
    recorded: list[Interval],
    now: int,
) -> None:
    """Between the agent's last sign of life and now, a planned minute is either recorded or in a gap."""
    found = missed(
        wanted=wanted,
        alive_until=at(alive),
        recorded_to=None if recorded_to is None else at(min(recorded_to, alive)),
        windows=merge(windows),
        recorded=recorded,
        now=at(now),
    )
    gaps = [(gap.start, gap.end or at(now)) for gap in found]
    assert not intersect(gaps, recorded)
    since_then = [(at(alive), at(now))]
    assert not subtract(intersect(windows, since_then), [*gaps, *recorded])
    assert all(gap.start >= at(alive) - timedelta(seconds=15) for gap in found)
    assert sum(gap.end is None for gap in found) <= 1
