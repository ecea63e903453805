"""Orders that name cameras which point.toml no longer has."""

from __future__ import annotations

from exam_kit.agent import orders, planner
from exam_kit.clock import FakeClock
from exam_kit.point import Point
from exam_kit.store import Ledger, Store


def test_cameras_that_left_the_point_do_not_hide_older_orders(
    ledger: Ledger, store: Store, point: Point, clock: FakeClock
) -> None:
    orders.give(ledger, "record", {"cameras": ["R1-1"]}, actor="terminal:tester", ordered_by="head", why="early")
    gone = [f"GONE-{number}" for number in range(len(point.cameras))]
    orders.give(ledger, "stop", {"cameras": gone}, actor="terminal:tester", ordered_by="head", why="old")
    assert "R1-1" in planner.recording_wishes(store, point, clock.now()).record
