"""The journals the agent keeps: across its restarts, across midnight, and under a clock that somebody set back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from exam_kit.agent import orders
from exam_kit.agent.watch import Watch
from exam_kit.cctv.status import CameraStatus, Desired
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.incidents import Incidents
from exam_kit.point import Point, read_point
from exam_kit.store import Account, Accounts, Ledger, Role, Store
from tests.conftest import POINT_TOML

PLAN = Desired("agent", "plan", "window of zone room")


def lost(clock: FakeClock, since: datetime) -> dict[str, CameraStatus]:
    return {"R1-1": CameraStatus("R1-1", "lost", clock.now(), gap_since=since, fault="stream_ended", desired=PLAN)}


def seen(clock: FakeClock, state: str) -> dict[str, CameraStatus]:
    return {"R1-1": CameraStatus("R1-1", state, clock.now(), desired=PLAN)}  # type: ignore[arg-type]


@pytest.fixture
def watch(point: Point, home: Home, store: Store, ledger: Ledger, clock: FakeClock) -> Watch:
    return Watch(point, home, store, ledger, clock)


@pytest.fixture
def sheets(point: Point, ledger: Ledger, clock: FakeClock) -> Incidents:
    return Incidents(ledger, point, clock)


def open_one(watch: Watch, clock: FakeClock) -> None:
    since = clock.now()
    clock.advance(11)
    watch.cameras(lost(clock, since))


def test_a_return_is_noted_by_the_next_agent_too(
    watch: Watch, sheets: Incidents, point: Point, home: Home, store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    open_one(watch, clock)
    again = Watch(point, home, store, ledger, clock)
    again.cameras(seen(clock, "connecting"))  # not lost again yet, and not back either
    assert sheets.all()[0].restored_at is None
    again.cameras(seen(clock, "recording"))
    assert sheets.all()[0].restored_at is not None


def test_a_return_is_noted_although_the_clock_was_set_back(watch: Watch, sheets: Incidents, clock: FakeClock) -> None:
    open_one(watch, clock)
    detected = sheets.all()[0].detected_at
    clock.step(-1800)
    watch.cameras(seen(clock, "recording"))
    assert sheets.all()[0].restored_at == detected


def test_an_exam_across_midnight_is_on_until_it_is_over_and_its_journals_are_exported(
    home: Home, store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    point = read_point(POINT_TOML.replace("start = 10:00:00", "start = 21:30:00"))
    watch = Watch(point, home, store, ledger, clock)
    ledger.append("agent.started", {}, "agent")
    clock.advance((datetime.fromisoformat("2026-05-28T21:00:00+00:00") - clock.now()).total_seconds())
    day = watch.today()  # midnight in Moscow
    assert day is not None and day.date == date(2026, 5, 28)
    clock.advance(timedelta(hours=3, minutes=30).total_seconds())  # the last window ended at 03:25
    watch.day_ended()
    assert [path.name for path in home.logs.iterdir() if "2026-05-28" in path.name or "20260528" in path.name]
    clock.advance(3600)
    assert watch.today() is None


def test_a_stop_is_obeyed_although_its_reason_is_long_and_its_giver_disabled_since(
    watch: Watch, point: Point, store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    head = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
    Accounts(store, ledger, clock).create(head, "123456", actor="agent")
    body = {"cameras": ["R1-1"]}
    number = orders.give(ledger, "stop", body, actor="head", ordered_by="head", why="дым " * 1000)
    with store.transaction() as connection:
        connection.execute("UPDATE account SET disabled = 1")
    order = orders.get(store, number)
    assert order is not None
    watch.recording_ordered(order)
    (row,) = AccessLog(ledger, point, clock).rows()
    assert (row.person.login, row.writer.login, row.order) == ("head", "agent", number)
    assert row.text.endswith("дым…")
    assert 3990 < len(row.text) <= 4000


def test_a_check_that_could_not_be_run_for_very_many_reasons_opens_a_sheet(watch: Watch, sheets: Incidents) -> None:
    watch.check_impossible("\n".join(["profile: a mistake\udcff"] * 500))
    assert sheets.all()[0].description.endswith("…")
