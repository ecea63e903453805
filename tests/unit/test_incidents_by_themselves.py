"""Sheets that nobody opens: by the agent, one however often it is reported, and taken back when all is well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exam_kit.agent import orders
from exam_kit.agent.loop import Agent
from exam_kit.agent.planner import PlannedRun
from exam_kit.agent.watch import Watch
from exam_kit.cctv.status import CameraStatus, Desired
from exam_kit.checks.model import Expectation, Fact, Result, Run, Severity, State, Verdict
from exam_kit.clock import FakeClock, iso
from exam_kit.home import Home
from exam_kit.journal.incident import Incident
from exam_kit.journal.incidents import Incidents
from exam_kit.point import Point
from exam_kit.store import Ledger, Store, open_store
from tests.archive_day import DAY, record
from tests.conftest import POINT_TOML

Until = Callable[..., None]
TITLES = {"ru": "Часы", "en": "Clock", "lv": "Pulkstenis"}


@pytest.fixture
def watch(point: Point, home: Home, store: Store, ledger: Ledger, clock: FakeClock) -> Watch:
    return Watch(point, home, store, ledger, clock)


@pytest.fixture
def sheets(point: Point, ledger: Ledger, clock: FakeClock) -> Incidents:
    return Incidents(ledger, point, clock)


def run_of(clock: FakeClock, number: int, state: State, severity: Severity = Severity.BLOCKER) -> Run:
    at = iso(clock.now())
    result = Result(
        "clock-offset", "", 1, "clock.offset", TITLES, TITLES, severity, Expectation(), {}, Fact({}), state, (), at, 0.1
    )
    return Run(f"run-{number}", "2026-05-28", "demo", "0" * 64, "agent", at, at, Verdict.NOT_READY, (result,))


def test_a_failed_blocker_opens_one_sheet_that_names_its_run(watch: Watch, sheets: Incidents, clock: FakeClock) -> None:
    for number in range(3):
        watch.check_finished(run_of(clock, number, State.FAIL))
        clock.advance(60)
    (sheet,) = sheets.all()
    assert (sheet.category, sheet.checks, sheet.opened_by.login) == ("wrong_clock", ("run-0",), "agent")
    watch.check_finished(run_of(clock, 3, State.UNKNOWN))
    assert sheets.get(1).restored_at is None, "what could not be measured is not good again"
    watch.check_finished(run_of(clock, 4, State.OK))
    assert sheets.get(1).restored_at == clock.now()
    clock.advance(60)
    watch.check_finished(run_of(clock, 5, State.FAIL))
    assert [event.kind for event in sheets.get(1).timeline] == ["opened", "restored", "recurred"]


@pytest.mark.parametrize("severity", [one for one in Severity if one is not Severity.BLOCKER])
def test_what_does_not_block_opens_nothing(
    watch: Watch, sheets: Incidents, clock: FakeClock, severity: Severity
) -> None:
    watch.check_finished(run_of(clock, 1, State.FAIL, severity))
    assert sheets.all() == []


def test_a_slept_through_check_opens_one_sheet(watch: Watch, sheets: Incidents, clock: FakeClock) -> None:
    due = clock.now() - timedelta(hours=2)
    missed = PlannedRun("check:2026-05-28", "check", "2026-05-28", due, due + timedelta(hours=1), None)
    watch.check_missed(missed)
    watch.check_missed(missed)
    (sheet,) = sheets.all()
    assert (sheet.category, sheet.key) == ("check_missed", "check:2026-05-28")


def test_a_camera_that_does_not_record_opens_one_sheet(watch: Watch, sheets: Incidents, clock: FakeClock) -> None:
    since, plan = clock.now(), Desired("agent", "plan", "window of zone room")
    for _second in range(30):
        clock.advance(1)
        lost = CameraStatus("R1-1", "lost", clock.now(), gap_since=since, fault="stream_ended", desired=plan)
        watch.cameras({"R1-1": lost})
    (sheet,) = sheets.all()
    assert (sheet.category, sheet.camera, sheet.gap_from) == ("cctv_lost", "R1-1", since)


def order(number: int, *, day: str = "2026-05-28") -> orders.Order:
    return orders.Order(number, "archive", {"day": day}, "spec", "head", "", datetime.now(UTC), "done")


def test_copies_that_fail_again_at_one_place_share_a_sheet(watch: Watch, sheets: Incidents, clock: FakeClock) -> None:
    watch.archive_ended(order(1), {"/media/a": "нет места", "/media/b": ""})
    clock.advance(60)
    watch.archive_ended(order(2), {"/media/a": "нет места"})
    (sheet,) = sheets.all()
    assert sheet.category == "archive_failed" and "нет места" in sheet.description
    watch.archive_ended(order(3), {"/media/b": "сбой чтения"})
    watch.archive_ended(order(4, day="2026-05-29"), {"/media/a": "нет места"})
    assert len(sheets.all()) == 3, "another place and another day are other sheets"
    watch.archive_ended(order(5), {"/media/a": ""})
    restored = [one.number for one in sheets.all() if one.restored_at is not None]
    assert restored == [1]


def test_a_changed_copy_is_one_sheet_until_it_is_whole(watch: Watch, sheets: Incidents) -> None:
    watch.bag_verified("/media/a/bag", "whole", quick=False)
    assert sheets.all() == []
    watch.bag_verified("/media/a", "not_a_bag", quick=False)
    assert sheets.all() == [], "somebody chose another folder"
    for outcome in ("changed", "missing", "not_a_bag"):
        watch.bag_verified("/media/a/bag", outcome, quick=False)
    watch.bag_verified("/media/a/bag", "whole", quick=True)
    (sheet,) = sheets.all()
    assert (sheet.category, sheet.restored_at) == ("archive_failed", None), "a quick look proves no content"
    watch.bag_verified("/media/a/bag", "whole", quick=False)
    assert sheets.get(1).restored_at is not None


# -- through the agent itself


@pytest.fixture
def agent(home: Home) -> Iterator[Agent]:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    store = open_store(home)
    record(store, Ledger(store, home), home)
    store.close()
    made = Agent(home, plan_beat_s=60)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def served(agent: Agent, until: Until, kind: str, **body: Any) -> orders.Order:
    number = orders.give(agent.ledger, kind, body, actor="terminal:tester", ordered_by="head", why="test")

    def ended() -> bool:
        found = orders.get(agent.store, number)
        return found is not None and not found.open

    until(ended, 90)
    found = orders.get(agent.store, number)
    assert found is not None
    return found


def test_bad_archives_by_the_agent(agent: Agent, until: Until, tmp_path: Path) -> None:
    def bad() -> list[Incident]:
        return [one for one in Incidents(agent.ledger, agent.point).all() if one.category == "archive_failed"]

    stick, gone = tmp_path / "stick", tmp_path / "gone"
    stick.mkdir()
    wanted = {"day": str(DAY), "zones": ["entrance"], "destinations": [str(stick), str(gone)]}
    made = served(agent, until, "archive", **wanted)
    until(lambda: len(bad()) == 1, 30)
    assert str(gone) in bad()[0].key
    gone.mkdir()
    served(agent, until, "archive", **{**wanted, "destinations": [str(gone)]})
    until(lambda: bad()[0].restored_at is not None, 30)

    bag = Path(made.result["bag"])
    next(bag.rglob("*.mp4")).write_bytes(b"changed")
    served(agent, until, "verify_bag", path=str(bag))
    until(lambda: len(bad()) == 2, 30)
    served(agent, until, "verify_bag", path=str(bag))
    (bag / "bagit.txt").unlink()
    served(agent, until, "verify_bag", path=str(bag))
    until(lambda: not agent.duties.verified_bags, 30)
    assert [one.restored_at is None for one in bad()] == [False, True]
