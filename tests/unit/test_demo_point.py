"""The demo keeps to its own: it never touches a real point, nor the other way round."""

from __future__ import annotations

import datetime as dt

import pytest

from exam_kit.agent.demo_point import COMPRESSED, LEISURELY, is_demo, make_accounts, write_point
from exam_kit.clock import FakeClock
from exam_kit.errors import UsageError
from exam_kit.home import Home
from exam_kit.point import check_due, exam_start, zone_windows
from exam_kit.store import Accounts, Ledger, Store
from tests.conftest import POINT_TOML


def test_the_demo_day_begins_now_and_every_window_lies_before_the_exam(home: Home, clock: FakeClock) -> None:
    for timetable in (COMPRESSED, LEISURELY):
        point = write_point(home, clock, 1234, timetable)
        (day,) = point.days
        begins = exam_start(point, day)
        assert abs((begins - clock.now()).total_seconds() - timetable.start_s) < 1
        assert clock.now() < check_due(point, day)[0] < begins
        assert all(clock.now() < window.start < begins for window in zone_windows(point, day).values())
        assert len(point.cameras) == 6
        home.point_file.unlink()


def test_a_restart_in_the_middle_keeps_the_day_and_moves_the_cameras_port(
    home: Home, clock: FakeClock, store: Store, ledger: Ledger
) -> None:
    first = write_point(home, clock, 1111, LEISURELY)
    make_accounts(home, store, ledger)
    clock.advance(300)
    again = write_point(home, clock, 2222, LEISURELY)
    assert exam_start(again, again.days[0]) == exam_start(first, first.days[0])
    assert "2222" in again.cameras[0].url
    clock.advance(24 * 3600)
    later = write_point(home, clock, 2222, LEISURELY)
    assert later.days[0].date == first.days[0].date + dt.timedelta(days=1)


def test_pins_are_kept_over_a_restart_and_made_anew_when_they_were_lost(
    home: Home, store: Store, ledger: Ledger
) -> None:
    made = make_accounts(home, store, ledger)
    assert make_accounts(home, store, ledger) == made
    home.demo_file.unlink()
    again = make_accounts(home, store, ledger)
    assert Accounts(store, ledger).check(again[0]["login"], again[0]["pin"]).login == again[0]["login"]


def test_a_real_point_is_never_overwritten(home: Home, clock: FakeClock) -> None:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    assert not is_demo(home)
    with pytest.raises(UsageError, match="the demo does not touch it"):
        write_point(home, clock, 1, COMPRESSED)
    assert home.point_file.read_text(encoding="utf-8") == POINT_TOML
