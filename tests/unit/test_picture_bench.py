"""The short form of `python -m bench.picture`: a few conditions on one drawn room."""

from __future__ import annotations

import pytest

from bench.picture import Told, false_alarms, tamper
from bench.picture_footage import RoomFootage
from bench.picture_tamper import CONDITIONS
from exam_kit.cctv.picture import SHIPPED, Thresholds

LIMITS = Thresholds.from_mapping(SHIPPED)
SEED = 900_003
"""A room of neither set."""
CHOSEN = {"cloth", "hand over 70 %", "shifted 8 %", "another camera", "re-encoded, clock runs"}


@pytest.mark.parametrize(
    "condition", [one for one in CONDITIONS if one.strength in CHOSEN], ids=lambda one: f"{one.name}: {one.strength}"
)
def test_a_condition_is_told(condition: object) -> None:
    chosen = next(one for one in CONDITIONS if one is condition)
    told = Told()
    tamper(RoomFootage(SEED), RoomFootage(SEED + 1), chosen, LIMITS, told, 100)
    assert told.runs == 1
    assert told.alarms == int(chosen.told), told.states
    if not chosen.told:
        # What no single picture tells is left to the walk test.
        assert told.walked == 0


def test_good_footage_is_left_alone() -> None:
    fresh, under = false_alarms(RoomFootage(SEED), 120, LIMITS)
    assert (sum(fresh.values()), under) == (0, 0)
