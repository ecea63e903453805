"""What happened at the equipment and has no line beside it; the lines that are usual at an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exam_kit.clock import FakeClock
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.cabinet import CabinetAct, CabinetDraft
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.person import Person
from exam_kit.journal.presets import usual_lines
from exam_kit.journal.unlogged import Silence, cabinets_without_row, gaps_without_row
from exam_kit.point import Point
from exam_kit.point.model import Beside, Zone
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
RULES = Beside(gap_min_s=10, near_min=15)
NOON = datetime(2026, 5, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def log(ledger: Ledger, point: Point, clock: FakeClock) -> AccessLog:
    clock.step((NOON - clock.now()).total_seconds())
    return AccessLog(ledger, point, clock)


def gap(minutes_ago: float, long_min: float | None, room: str = "0001", cause: str = "camera_unreachable") -> Silence:
    start = NOON - timedelta(minutes=minutes_ago)
    end = None if long_min is None else start + timedelta(minutes=long_min)
    return Silence((f"CAM-{room}",), (room,), start, end, cause)


def bare(log: AccessLog, *gaps: Silence) -> list[Silence]:
    return gaps_without_row(gaps, log.book(), RULES, NOON)


def test_a_gap_without_a_line_is_pointed_out(log: AccessLog) -> None:
    assert bare(log, gap(60, 5)) == [gap(60, 5)]
    assert bare(log, gap(60, None)) == [gap(60, None)]
    assert bare(log) == []


def test_a_gap_too_short_to_need_a_line_is_left_out(log: AccessLog) -> None:
    assert bare(log, gap(60, 0.1)) == []
    assert bare(log, gap(60, 10 / 60)) != []


@pytest.mark.parametrize(
    ("rooms", "minutes_ago", "told"),
    [
        ("0001", 60, True),
        ("0001, 7777", 70, True),  # within a quarter of an hour before it
        ("0001", 41, True),  # and after it
        ("0001", 76, False),
        ("0001", 39, False),
        ("7777", 60, False),
    ],
)
def test_a_line_near_enough_about_the_room_is_beside_it(
    log: AccessLog, rooms: str, minutes_ago: float, told: bool
) -> None:
    at = NOON - timedelta(minutes=minutes_ago)
    log.add(AccessDraft(rooms, "other", at, at, text="замена кабеля"), SPECIALIST)
    assert (bare(log, gap(60, 5)) == []) is told


def test_a_line_that_goes_on_is_beside_what_happens_meanwhile(log: AccessLog) -> None:
    log.add(AccessDraft("0001", "view_corrected", NOON - timedelta(hours=5)), SPECIALIST)
    assert bare(log, gap(60, 5)) == []


def test_what_the_plan_wrote_and_what_was_withdrawn_explain_nothing(log: AccessLog) -> None:
    at = NOON - timedelta(minutes=60)
    log.add(AccessDraft("0001", "recording_started", at, at), "agent")
    assert bare(log, gap(60, 5)) != []
    log.add(AccessDraft("0001", "view_corrected", at, at), SPECIALIST)
    assert bare(log, gap(60, 5)) == []
    log.withdraw(2, "не было", SPECIALIST)
    assert bare(log, gap(60, 5)) != []


def test_cameras_that_fall_silent_together_are_one(log: AccessLog) -> None:
    (one,) = bare(log, gap(60, 5, "0002"), gap(59, 8, "0001"), gap(58, None, "7777"))
    assert (one.rooms, one.start, one.end) == (("0002", "0001", "7777"), NOON - timedelta(minutes=60), None)
    assert len(bare(log, gap(60, 5), gap(59, 5, "0002", "disk_full"))) == 2
    assert len(bare(log, gap(60, 5), gap(30, 5))) == 2


def test_an_opened_cabinet_without_a_line_is_pointed_out(
    log: AccessLog, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    cabinets = CabinetLog(ledger, point, clock)
    people: dict[str, Any] = {"initiator": Person("И. И."), "operators": (Person("О. О."), Person("П. П."))}
    at = NOON - timedelta(minutes=60)
    line = cabinets.add(CabinetDraft("ПАК", CabinetAct.OPENED, at, "осмотр", True, "1", **people), SPECIALIST)
    cabinets.add(CabinetDraft("ПАК", CabinetAct.CLOSED, at, "осмотр", True, "2", **people), SPECIALIST)
    assert cabinets_without_row(cabinets.lines(), log.book(), RULES) == [line]
    log.add(AccessDraft("7777", "other", at, at, text="осмотр"), SPECIALIST)
    assert cabinets_without_row(cabinets.lines(), log.book(), RULES) == []
    assert cabinets_without_row(cabinets.lines(), log.book(), RULES, ("7777",)) == []
    assert cabinets_without_row(cabinets.lines(), log.book(), RULES, ("0001",)) == [line]


def test_the_usual_lines_of_a_morning_come_in_the_order_of_the_plan(point: Point) -> None:
    day = point.days[0]
    lines = usual_lines(point, day, datetime(2026, 5, 28, 4, 0, tzinfo=UTC))
    assert [(line.action, line.rooms) for line in lines] == [
        (AccessAction.OPERABILITY_CHECK, ("7777", "0001", "0002", "COR1", "ENTR")),
        (AccessAction.RECORDING_STARTED, ("7777",)),
        (AccessAction.RECORDING_STARTED, ("COR1", "ENTR")),
        (AccessAction.RECORDING_STARTED, ("0001",)),  # no camera stands in 0002
        (AccessAction.VIEW_CORRECTED, ()),
    ]
    assert lines[2].zones == (Zone.CORRIDOR, Zone.ENTRANCE)


def test_the_usual_lines_of_an_evening(point: Point) -> None:
    day = point.days[0]
    lines = usual_lines(point, day, datetime(2026, 5, 28, 20, 0, tzinfo=UTC))
    off = [line.rooms for line in lines if line.action is AccessAction.RECORDING_STOPPED]
    assert off == [("0001",), ("COR1", "ENTR"), ("7777",)]
    assert lines[3].action is AccessAction.MEMORY_CARD_OUT


def test_without_an_exam_day_everything_is_switched_at_once(point: Point) -> None:
    lines = usual_lines(point, None, NOON)
    assert [line.rooms for line in lines if line.action is AccessAction.RECORDING_STARTED] == [
        ("7777", "0001", "COR1", "ENTR")
    ]
