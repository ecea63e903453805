"""The plan: what is due is served once, what was slept through is said, and clocks that people set cannot cheat it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exam_kit.agent import orders, planner
from exam_kit.agent.clock_watch import ClockWatch
from exam_kit.agent.loop import Agent
from exam_kit.clock import FakeClock
from exam_kit.errors import StoreError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point, read_point
from exam_kit.store import Ledger, Store
from tests.conftest import POINT_TOML

DUE = datetime(2026, 5, 28, 5, 0, tzinfo=UTC)


@pytest.fixture
def plan(store: Store, point: Point, clock: FakeClock) -> Store:
    clock.step(-3600)  # 07:00 in Moscow, an hour before the check is due
    planner.sync(store, point)
    return store


def set_to(plan: Store, clock: FakeClock, watch: ClockWatch, by: float) -> planner.Rejudged:
    """Set the clock by hand, and have the plan judged anew."""
    clock.step(by)
    step = watch.step()
    assert step is not None
    return planner.reopen(plan, clock, step)


def test_a_run_is_claimed_once_when_its_window_opens(plan: Store, clock: FakeClock) -> None:
    assert planner.claim(plan, clock, "a") is None
    clock.advance(3600)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    assert (run.kind, run.day, run.due_from) == ("check", "2026-05-28", DUE)
    assert planner.claim(plan, clock, "b") is None
    planner.finish(plan, clock, run, "ready")
    assert planner.claim(plan, clock, "b") is None
    clock.advance(7200)
    assert planner.missed(plan, clock) == []


def test_a_run_whose_owner_died_is_free_again(plan: Store, clock: FakeClock) -> None:
    clock.advance(3600)
    assert planner.claim(plan, clock, "a") is not None
    clock.advance(planner.LEASE.total_seconds() + 1)
    assert planner.claim(plan, clock, "b") is not None
    planner.release(plan)
    assert planner.claim(plan, clock, "c") is not None


def test_a_run_is_caught_up_late_in_its_window(plan: Store, clock: FakeClock) -> None:
    clock.sleep(3600 + 59 * 60)
    assert planner.claim(plan, clock, "a") is not None


def test_a_window_slept_through_is_reported_once(plan: Store, clock: FakeClock) -> None:
    clock.sleep(3600 + 61 * 60)
    assert planner.claim(plan, clock, "a") is None
    assert [run.id for run in planner.missed(plan, clock)] == ["check:2026-05-28T10:00:00"]
    assert planner.missed(plan, clock) == []


def test_a_run_served_by_a_clock_that_ran_ahead_is_served_again_at_the_right_time(
    plan: Store, clock: FakeClock
) -> None:
    watch = ClockWatch(clock)
    clock.step(3600)
    step = watch.step()
    assert step is not None
    run = planner.claim(plan, clock, "a")
    assert run is not None
    planner.finish(plan, clock, run, "ready")
    clock.advance(60)
    clock.step(-3600)
    back = watch.step()
    assert back is not None
    assert round(back.seconds) == -3600
    assert planner.reopen(plan, clock, back).reopened == [run.id]
    clock.advance(3600)
    assert planner.claim(plan, clock, "a") is not None


def test_a_window_missed_by_a_clock_that_ran_ahead_opens_again(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.step(24 * 3600)
    assert watch.step() is not None
    assert len(planner.missed(plan, clock)) == 1
    clock.step(-24 * 3600)
    step = watch.step()
    assert step is not None
    assert len(planner.reopen(plan, clock, step).reopened) == 1


def test_a_run_served_at_the_right_time_stays_served_after_a_small_correction(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.advance(3700)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    planner.finish(plan, clock, run, "ready")
    clock.step(-30)
    step = watch.step()
    assert step is not None
    assert planner.reopen(plan, clock, step).reopened == []


def test_a_run_that_sleeps_through_its_windows_end_is_not_reported(plan: Store, clock: FakeClock) -> None:
    clock.advance(3600 + 3500)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    clock.sleep(7200)
    planner.renew(plan, clock, run)
    assert planner.missed(plan, clock) == []
    assert planner.finish(plan, clock, run, "ready")
    assert planner.missed(plan, clock) == []


def test_a_run_under_way_when_the_clock_is_set_right_is_served_again_at_its_time(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.step(3600)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    clock.step(-3700)
    step = watch.step()
    assert step is not None
    planner.reopen(plan, clock, step)
    assert not planner.finish(plan, clock, run, "ready")
    assert planner.claim(plan, clock, "a") is None
    clock.advance(3800)
    assert planner.claim(plan, clock, "a") == run


def test_a_clock_set_wrongly_and_right_again_leaves_a_run_served(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.advance(3700)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    planner.finish(plan, clock, run, "ready")
    for by, opened in ((-7200, [run.id]), (7200, [])):
        clock.step(by)
        step = watch.step()
        assert step is not None
        assert planner.reopen(plan, clock, step).reopened == opened
    assert planner.claim(plan, clock, "a") is None
    clock.advance(7200)
    assert planner.missed(plan, clock) == []


@pytest.mark.parametrize("proven", [False, True])
def test_only_a_time_server_can_tell_a_clock_set_wrongly_from_one_set_right(
    plan: Store, clock: FakeClock, proven: bool
) -> None:
    """The laptop sees the same in two lives: its clock was right and is set back, or was ahead and is set right."""
    watch = ClockWatch(clock)
    clock.advance(3600)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    assert planner.finish(plan, clock, run, "ready", proven=proven)
    set_to(plan, clock, watch, -600)
    clock.advance(600)
    again = planner.claim(plan, clock, "a")
    assert again == (None if proven else run)


def test_a_clock_set_while_the_run_was_under_way_proves_nothing(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.step(3600)
    assert watch.step() is not None
    run = planner.claim(plan, clock, "a")
    assert run is not None
    set_to(plan, clock, watch, -3600)
    assert not planner.finish(plan, clock, run, "ready", proven=True)
    clock.advance(3600)
    assert planner.claim(plan, clock, "a") == run


def test_a_window_run_only_at_a_wrong_time_is_reported_and_taken_back(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.advance(3600)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    assert planner.finish(plan, clock, run, "ready")
    assert set_to(plan, clock, watch, 7200).reopened == [run.id]
    assert [(one.id, one.began) for one in planner.missed(plan, clock)] == [(run.id, DUE + timedelta(hours=2))]
    assert planner.missed(plan, clock) == []
    assert set_to(plan, clock, watch, -7200).served == [run.id]
    assert planner.missed(plan, clock) == []


def test_the_first_of_two_runs_counts_when_the_clock_is_put_right(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    for wait, by in ((3600, -1800), (1800, 1800)):
        clock.advance(wait)
        run = planner.claim(plan, clock, "a")
        assert run is not None
        planner.finish(plan, clock, run, "ready")
        judged = set_to(plan, clock, watch, by)
    assert judged.reopened == []
    assert planner.claim(plan, clock, "a") is None
    clock.advance(7200)
    assert planner.missed(plan, clock) == []


def test_a_clock_set_back_while_the_machine_was_off_dates_no_window_that_is_over(
    plan: Store, clock: FakeClock, tmp_path: Path
) -> None:
    kept = tmp_path / "clock.json"
    clock.advance(3600)
    run = planner.claim(plan, clock, "a")
    assert run is not None
    planner.finish(plan, clock, run, "ready")
    clock.advance(9000)
    assert ClockWatch(clock, kept=kept).step() is None
    clock.reboot(100)
    clock.step(-4000)
    step = ClockWatch(clock, kept=kept).step()
    assert step is not None
    assert not step.exact
    assert planner.reopen(plan, clock, step).reopened == []
    assert planner.claim(plan, clock, "a") is None


def test_a_window_reported_once_stays_reported_when_the_clock_goes_astray(plan: Store, clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.sleep(3 * 3600)
    assert len(planner.missed(plan, clock)) == 1
    for by in (-5400, 5400):
        clock.step(by)
        step = watch.step()
        assert step is not None
        planner.reopen(plan, clock, step)
    assert planner.missed(plan, clock) == []


@pytest.mark.parametrize(("reboot", "seen"), [(False, -3600), (True, -3500)])
def test_a_clock_set_while_no_agent_ran_is_noticed(clock: FakeClock, tmp_path: Path, reboot: bool, seen: int) -> None:
    kept = tmp_path / "clock.json"
    assert ClockWatch(clock, kept=kept).step() is None
    if reboot:
        clock.reboot(100)
    else:
        clock.sleep(100)
    clock.step(-3600)
    step = ClockWatch(clock, kept=kept).step()
    assert step is not None
    assert round(step.seconds) == seen


@pytest.mark.parametrize("kept", ["", "{}", "[1]", '{"boot": "boot-1", "offset_s": "x"}'])
def test_a_spoilt_note_of_the_clock_is_no_step(clock: FakeClock, tmp_path: Path, kept: str) -> None:
    (tmp_path / "clock.json").write_text(kept)
    assert ClockWatch(clock, kept=tmp_path / "clock.json").step() is None


def test_a_day_taken_away_goes_though_its_run_was_begun_by_a_dead_agent(
    plan: Store, point: Point, clock: FakeClock
) -> None:
    clock.advance(3600)
    assert planner.claim(plan, clock, "a") is not None
    planner.release(plan)
    later = point.days[0].model_copy(update={"date": point.days[0].date + timedelta(days=2)})
    planner.sync(plan, point.model_copy(update={"days": (later,)}))
    assert planner.claim(plan, clock, "b") is None


def test_a_step_that_cannot_be_kept_is_seen_at_the_next_look(clock: FakeClock, tmp_path: Path) -> None:
    kept = tmp_path / "run" / "clock.json"
    watch = ClockWatch(clock, kept=kept)
    clock.step(3600)
    with pytest.raises(OSError, match=r"clock\.json"):
        watch.step()
    kept.parent.mkdir()
    step = watch.step()
    assert step is not None
    assert round(step.seconds) == 3600
    assert watch.step() is None
    assert ClockWatch(clock, kept=kept).step() is None


def test_a_step_that_the_database_refused_is_judged_at_the_next_beat(
    home: Home, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    agent = Agent(home, clock=clock)
    try:
        with monkeypatch.context() as broken:

            def refused(*_given: object) -> planner.Rejudged:
                raise StoreError(m("no"))

            broken.setattr(planner, "reopen", refused)
            clock.step(3600)
            with pytest.raises(StoreError):
                agent._clock_set()
        agent._clock_set()
        agent._clock_set()
        assert [e.body["by_s"] for e in agent.ledger.entries(("clock.stepped",))] == [3600.0]
    finally:
        agent.store.close()


def test_sleep_is_no_clock_step(clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    clock.sleep(10_000)
    clock.advance(5)
    assert watch.step() is None


def give(ledger: Ledger, kind: str, *cameras: str) -> int:
    return orders.give(
        ledger, kind, {"cameras": list(cameras)}, actor="terminal:tester", ordered_by="head", why="because"
    )


def wanted(store: Store, point: Point, clock: FakeClock) -> set[str]:
    return set(planner.recording_wishes(store, point, clock.now()).record)


def test_cameras_record_in_their_zones_window(store: Store, point: Point, clock: FakeClock) -> None:
    assert wanted(store, point, clock) == {"HQ-1", "COR1-1", "ENTR-1"}
    clock.advance(3600)
    assert wanted(store, point, clock) == {"HQ-1", "COR1-1", "ENTR-1", "R1-1"}
    clock.advance(5 * 3600 + 5 * 60)
    assert wanted(store, point, clock) == {"HQ-1", "COR1-1", "ENTR-1"}


def test_the_last_order_wins(store: Store, ledger: Ledger, point: Point, clock: FakeClock) -> None:
    give(ledger, "stop", "HQ-1", "COR1-1")
    assert wanted(store, point, clock) == {"ENTR-1"}
    clock.advance(10)
    number = give(ledger, "record", "R1-1", "HQ-1")
    wishes = planner.recording_wishes(store, point, clock.now())
    now = wishes.record
    assert (set(wishes.stop), wishes.stop["COR1-1"].ordered_by) == ({"COR1-1"}, "head")
    assert set(now) == {"HQ-1", "R1-1", "ENTR-1"}
    assert (now["R1-1"].order, now["R1-1"].ordered_by, now["ENTR-1"].order) == (number, "head", None)


def test_a_stop_given_before_a_window_does_not_keep_it_from_recording(
    store: Store, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    give(ledger, "stop", "R1-1")
    clock.advance(3601)
    assert "R1-1" in wanted(store, point, clock)


def test_an_early_start_goes_on_until_an_order_stops_it(
    store: Store, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    give(ledger, "record", "R1-1")
    clock.advance(12 * 3600)
    assert wanted(store, point, clock) == {"R1-1"}
    give(ledger, "stop", "R1-1")
    assert wanted(store, point, clock) == set()


def test_an_order_stands_in_the_ledger_before_anything_is_done(store: Store, ledger: Ledger) -> None:
    number = give(ledger, "record", "R1-1")
    entry = list(ledger.entries(["order.given"]))[-1]
    assert entry.body == {"order": "record", "body": {"cameras": ["R1-1"]}, "ordered_by": "head", "why": "because"}
    order = orders.take(store, "record")
    assert order is not None
    assert (order.id, order.state, order.given_at) == (number, "taken", entry.at)
    assert orders.take(store, "record") is None
    orders.report(store, number, {"done": 1})
    orders.end(ledger, order, "done", {"files": 3})
    ended = orders.get(store, number)
    assert ended is not None
    assert (ended.open, ended.progress, ended.result) == (False, {"done": 1}, {"files": 3})


def test_an_order_of_a_dead_agent_is_taken_up_again_and_one_nobody_took_can_be_withdrawn(
    store: Store, ledger: Ledger
) -> None:
    number = give(ledger, "record", "R1-1")
    taken = orders.take(store, "record")
    assert taken is not None
    assert not orders.withdraw(ledger, number, by=taken)
    assert orders.reopen(store) == 1
    assert orders.withdraw(ledger, number, by=taken)
    withdrawn = orders.get(store, number)
    assert withdrawn is not None
    assert withdrawn.state == "cancelled"


@pytest.mark.parametrize(("kind", "by"), [("explode", "head"), ("record", " ")])
def test_an_order_without_a_sense_or_a_giver_is_refused(ledger: Ledger, kind: str, by: str) -> None:
    with pytest.raises(UsageError):
        orders.give(ledger, kind, {}, actor="terminal:tester", ordered_by=by, why="")


def test_a_changed_day_moves_its_run_and_a_removed_one_goes(store: Store, point: Point, clock: FakeClock) -> None:
    planner.sync(store, point)
    later = point.days[0].model_copy(update={"date": point.days[0].date + timedelta(days=2)})
    planner.sync(store, point.model_copy(update={"days": (later,)}))
    assert [row["day"] for row in store.query("SELECT day FROM run_plan")] == ["2026-05-30"]


def test_of_two_exam_days_that_overlap_the_later_window_is_a_new_one(
    store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    # The first exam's rooms are recorded until 03:45 of the second day, the second's from 00:30.
    days = POINT_TOML.replace("start = 10:00:00", "start = 23:40:00")
    days += '[[days]]\ndate = 2026-05-29\nstart = 01:30:00\nsubject = "x"\nduration_min = 60\n'
    point = read_point(days)
    clock.advance((datetime(2026, 5, 28, 21, 0, tzinfo=UTC) - clock.now()).total_seconds())
    assert "R1-1" in planner.recording_wishes(store, point, clock.now()).record
    orders.give(ledger, "stop", {"cameras": ["R1-1"]}, actor="terminal:tester", ordered_by="head", why="over")
    assert "R1-1" in planner.recording_wishes(store, point, clock.now()).stop
    clock.advance(3600)
    assert "R1-1" in planner.recording_wishes(store, point, clock.now()).record
