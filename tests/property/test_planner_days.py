"""The plan on a laptop that is not treated well: the short form of `python -m bench.planner_days`."""

from __future__ import annotations

import pytest

from bench.planner_days import ZONES, simulate


@pytest.mark.parametrize("number", range(len(ZONES)), ids=[zone for zone, _start, _first in ZONES])
def test_every_window_that_can_be_served_is_served_once_and_every_other_is_reported(number: int) -> None:
    plan, daily = simulate(*ZONES[number], days=20, seed=40 + number)
    assert plan.windows == 20
    assert plan.could > 5
    assert plan.not_served == []
    assert plan.twice == []
    assert plan.once + plan.again >= plan.could
    assert plan.unsaid == []
    assert plan.said_twice == []
    assert plan.said_wrongly == []
    assert daily.could == plan.could


def test_where_time_servers_answer_no_clock_makes_a_window_served_twice() -> None:
    plan, _daily = simulate(*ZONES[0], days=60, seed=1000, answering=1.0)
    assert plan.wrong_clock > 3
    assert (plan.once, plan.again, plan.twice, plan.doubted) == (plan.could, 0, [], [])
