"""One camera's line of time when somebody sets the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exam_kit.cctv.desk import CameraDesk
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.segments import gaps
from exam_kit.clock import FakeClock
from exam_kit.point import Point
from exam_kit.store import Ledger, Store


@pytest.fixture
def desk(store: Store, ledger: Ledger, point: Point, clock: FakeClock) -> CameraDesk:
    return CameraDesk("R1-1", Rows(store, ledger, point), clock, str)


@pytest.mark.parametrize("set_s", [-3600, 86400])
def test_a_clock_set_moves_neither_the_gap_nor_how_long_it_seems_to_last(
    desk: CameraDesk, store: Store, clock: FakeClock, set_s: int
) -> None:
    began = clock.now()
    desk.begin()
    clock.advance(60)
    desk.open_gap(desk.now(), "camera_refused")
    clock.step(set_s)
    clock.advance(30)
    desk.show_gap()
    assert desk.status.gap_since is not None
    assert clock.now() - desk.status.gap_since == timedelta(seconds=30), "what counts its length counts right"
    desk.close_gap(desk.now())
    (gap,) = gaps(store)
    assert (gap.start, gap.end) == (began + timedelta(seconds=60), began + timedelta(seconds=90))


def test_a_new_order_reads_the_clock_anew_but_never_before_what_is_recorded(desk: CameraDesk, clock: FakeClock) -> None:
    desk.begin()
    clock.step(3600)
    desk.end()
    desk.begin()
    assert desk.now() == clock.now()
    recorded_to = desk.now() + timedelta(seconds=10)
    desk.note_recorded(recorded_to)
    desk.end()
    clock.step(-7200)
    desk.begin()
    assert desk.now() == recorded_to
    clock.advance(5)
    assert desk.now() == recorded_to + timedelta(seconds=5)


def test_a_start_that_takes_long_is_a_gap_from_the_order(desk: CameraDesk, store: Store, clock: FakeClock) -> None:
    ordered = clock.now()
    desk.begin()
    clock.advance(4)
    desk.mind_start(4.0)
    assert gaps(store) == []
    clock.advance(1)
    desk.mind_start(4.0)
    (gap,) = gaps(store)
    assert (gap.start, gap.cause, gap.end) == (ordered, "camera_unreachable", None)
