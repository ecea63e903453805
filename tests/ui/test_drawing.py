"""What the screens say and draw, without a browser: the next step, times as typed and as shown, bars of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import RefusedEntry
from exam_kit.home import Home
from exam_kit.i18n import set_language
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role, Store
from exam_kit.ui.bars import Lane, Piece, bar, lanes, ticks
from exam_kit.ui.day_plan import draw_plan
from exam_kit.ui.fields import read_time
from exam_kit.ui.next_step import DayFacts, next_step
from exam_kit.ui.orders_view import give, may_give
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, countdown, day_name, moment, short_day, size, span
from exam_kit.web.signin import demo_accounts

START = datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
FACTS = DayFacts(
    now=START - timedelta(hours=3),
    check_due=START - timedelta(hours=2),
    first_recording=START - timedelta(minutes=165),
    exam_start=START,
    exam_end=START + timedelta(minutes=235),
    verdict=None,
    checking=False,
    missing=0,
    recording=0,
    open_incidents=0,
    archived=False,
    archiving=False,
    open_rows=0,
)
BEFORE, DURING, AFTER = START - timedelta(hours=1), START + timedelta(hours=1), START + timedelta(hours=4)


@pytest.fixture
def seat(home: Home, store: Store, ledger: Ledger, clock: FakeClock, point: Point) -> Seat:
    set_language("ru")
    account = Account("anna", "Альфа", Role.SPECIALIST, "технический специалист", "ru")
    return Seat(home, store, ledger, clock, point, account, "ru", "secret-token")


@pytest.mark.parametrize(
    ("facts", "page", "part"),
    [
        ({}, "checks", "starts by itself"),
        ({"now": BEFORE}, "checks", "Run it now"),
        ({"checking": True}, "checks", "are running"),
        ({"verdict": "not_ready"}, "checks", "found faults"),
        ({"verdict": "incomplete"}, "checks", "incomplete"),
        ({"verdict": "ready"}, "cameras", "Recording starts by itself"),
        ({"verdict": "ready", "now": BEFORE}, "cameras", "Wait for the exam"),
        ({"verdict": "ready_with_remarks", "now": BEFORE}, "checks", "Ready with remarks"),
        ({"verdict": "ready_with_remarks", "now": BEFORE, "missing": 2}, "cameras", "do not: 2"),
        ({"now": DURING, "open_incidents": 1}, "incidents", "Open incidents: 1"),
        ({"now": DURING, "recording": 4}, "cameras", "exam is on"),
        ({"now": AFTER, "recording": 4}, "archive", "Stop the recording"),
        ({"now": AFTER}, "archive", "Copy the footage"),
        ({"now": AFTER, "archiving": True}, "archive", "being copied"),
        ({"now": AFTER, "archived": True, "open_rows": 2}, "access_log", "without an end: 2"),
        ({"now": AFTER, "archived": True}, "", "The day is done"),
    ],
)
def test_the_next_step_follows_from_the_facts(facts: dict[str, object], page: str, part: str) -> None:
    step = next_step(replace(FACTS, **facts))  # type: ignore[arg-type]
    assert step.page == page
    assert part in str(step.what)


@pytest.mark.parametrize("text", ["08:15", "8:15", "8.15", "0815", " 08-15 "])
def test_a_time_is_read_as_people_write_it(seat: Seat, text: str) -> None:
    assert read_time(seat, text, date(2026, 5, 28)) == datetime(2026, 5, 28, 5, 15, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "25:00", "08:60", "утром", "8", "08:15:30"])
def test_what_is_no_time_is_refused(seat: Seat, text: str) -> None:
    with pytest.raises(RefusedEntry):
        read_time(seat, text, date(2026, 5, 28))


def test_an_end_past_midnight_belongs_to_the_next_day(seat: Seat) -> None:
    evening = read_time(seat, "23:50", date(2026, 5, 28))
    assert read_time(seat, "00:10", date(2026, 5, 28), evening) - evening == timedelta(minutes=20)
    assert read_time(seat, "23:40", date(2026, 5, 28), evening) < evening


@pytest.mark.parametrize(
    ("language", "day", "short", "at"),
    [
        ("ru", "четверг, 28 мая 2026", "28.05.2026", "28.05 08:00"),
        ("en", "Thursday, 28 May 2026", "28/05/2026", "28/05 08:00"),
        ("lv", "ceturtdiena, 2026. gada 28. maijs", "28.05.2026", "28.05 08:00"),
    ],
)
def test_dates_read_as_in_the_readers_language(seat: Seat, language: str, day: str, short: str, at: str) -> None:
    seat = replace(seat, language=language)
    assert day_name(seat, date(2026, 5, 28)) == day
    assert short_day(seat, date(2026, 5, 28)) == short
    assert moment(seat, seat.now) == at
    assert clock_time(seat, seat.now) == "08:00"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 с"),
        (59.6, "60 с"),
        (119, "119 с"),
        (120, "2 мин"),
        (3600, "1 ч 00 мин"),
        (8000, "2 ч 13 мин"),
        (400000, "4 дн."),
    ],
)
def test_spans_are_said_in_two_units_at_most(seat: Seat, seconds: float, said: str) -> None:
    assert span(seat, seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 Б"), (999, "999 Б"), (1500, "1,5 КБ"), (635e6, "635 МБ"), (82.4e9, "82 ГБ"), (1.25e12, "1,2 ТБ")],
)
def test_sizes_are_said_as_on_a_carrier(seat: Seat, count: float, said: str) -> None:
    assert size(seat, count) == said


def test_a_countdown_never_goes_below_zero() -> None:
    assert countdown(timedelta(hours=1, minutes=5, seconds=9)) == "1:05:09"
    assert countdown(timedelta(seconds=-5)) == "0:00:00"


def test_bars_keep_to_their_scale(seat: Seat) -> None:
    end = START + timedelta(hours=1)
    outside = Piece(START - timedelta(hours=2), START - timedelta(hours=1), "gap")
    across = Piece(START - timedelta(hours=1), START + timedelta(minutes=30), "recorded", '"><script>')
    drawn = bar(START, end, [outside, across], [START + timedelta(minutes=15)], end)
    assert "gap" not in drawn
    assert 'class="recorded" style="left:0.000%;width:50.000%"' in drawn
    assert "<script>" not in drawn
    assert "left:25.000%" in drawn
    assert 1 <= ticks(seat, START, end).count("<span") <= 10
    assert 'role="img"' in lanes(seat, START, end, [Lane("HQ-1", [across], "1 ч")], [], None)


def test_the_plan_shows_the_zones_that_have_cameras(seat: Seat) -> None:
    assert seat.day is not None
    drawn = draw_plan(seat, seat.day)
    for words in ("Штаб", "07:15–15:55", "Аудитории", "09:00–14:05", "08:00–09:00", "10:00–13:55"):
        assert words in drawn


@pytest.mark.parametrize(
    ("today", "expected"), [("2026-05-27", "2026-05-28"), ("2026-05-28", "2026-05-28"), ("2026-06-30", "2026-05-28")]
)
def test_the_day_in_hand_is_todays_the_next_or_the_last(
    seat: Seat, clock: FakeClock, today: str, expected: str
) -> None:
    clock.advance((datetime.fromisoformat(f"{today}T09:00+03:00") - clock.now()).total_seconds())
    assert seat.day is not None
    assert str(seat.day.date) == expected


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (Role.SPECIALIST, {"record", "stop", "check", "archive", "pause", "verify_bag", "cancel"}),
        (Role.HEAD_OF_POINT, {"record", "stop", "verify_bag"}),
        (Role.COMMISSION_MEMBER, {"verify_bag"}),
        (Role.COMMISSION_HEAD, set()),
        (Role.REGIONAL_ADMIN, {"verify_bag", "delete_footage"}),
    ],
)
def test_orders_are_given_by_those_who_may(seat: Seat, role: Role, kinds: set[str]) -> None:
    from exam_kit.errors import AccessDenied

    seat = replace(seat, account=replace(seat.account, role=role))
    for kind in ("record", "stop", "check", "archive", "pause", "verify_bag", "delete_footage", "cancel"):
        assert may_give(seat, kind) == (kind in kinds)
        if kind not in kinds:
            with pytest.raises(AccessDenied):
                give(seat, kind, {}, ordered_by="boris", why="")
    assert seat.store.query("SELECT * FROM orders") == []


@pytest.mark.parametrize("text", ["/a_b/*c*", ":red[x] $1$ #1. - <b>", "line\nline", "Кавычки «ёлочки» — тире"])
def test_a_message_comes_out_letter_by_letter(text: str) -> None:
    shown = plain(text)
    assert shown.replace("\\", "").replace("  \n", "\n") == text
    assert not any(mark in shown.replace(f"\\{mark}", "") for mark in "*_<>$:[]#")


def test_the_sessions_secret_is_not_in_its_text(seat: Seat) -> None:
    assert "secret-token" not in repr(seat) + str(seat)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"accounts": 1}', '{"accounts": [{"login": "x"}]}'])
def test_a_damaged_demo_file_shows_nobody(home: Home, text: str) -> None:
    home.demo_file.write_text(text, encoding="utf-8")
    assert demo_accounts(home) == []
