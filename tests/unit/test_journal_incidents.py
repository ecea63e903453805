"""Incident sheets, as those on duty and the agent use them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, PointInvalid, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.categories import SHIPPED, load_categories
from exam_kit.journal.incident_clock import ClockStage, incident_clock
from exam_kit.journal.incident_parts import Agreement, Way
from exam_kit.journal.incidents import Decision, Incident, IncidentDraft, Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person, person_of
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
REGION = Account("rcoi", "Администратор А. А.", Role.REGIONAL_ADMIN, "РЦОИ", "ru")

LOST = datetime(2026, 5, 28, 4, 58, tzinfo=UTC)


@pytest.fixture
def sheets(ledger: Ledger, point: Point, clock: FakeClock) -> Incidents:
    return Incidents(ledger, point, clock)


def draft(**changes: Any) -> IncidentDraft:
    values: dict[str, Any] = {
        "category": "cctv_lost",
        "description": "камера R1-1 не отвечает",
        "detected_at": LOST,
        "room": "0001",
        "camera": "R1-1",
    }
    return IncidentDraft(**{**values, **changes})


def test_a_sheet_from_opening_to_closing(sheets: Incidents, clock: FakeClock) -> None:
    sheets.open(draft(), SPECIALIST)
    sheets.report(1, Person("Руководитель Р. Р.", "руководитель ППЭ"), SPECIALIST, clock.now())
    sheets.step(1, "включена резервная камера", SPECIALIST)
    sheets.note(
        1,
        SPECIALIST,
        replaced_with="инв. № 12-0045",
        gap_from=LOST,
        gap_to=LOST + timedelta(minutes=4),
        candidates=14,
        evidence=["снимок R1-1 08:02"],
        log_rows=[RowRef(2026, 3)],
    )
    clock.advance(240)
    sheets.decide(1, Decision.MAKE_UP_TIME, "добавить 4 минуты", MEMBER)
    sheets.note(1, SPECIALIST, minutes_added=4, log_rows=[RowRef(2026, 3), RowRef(2026, 4)])
    sheet = sheets.close(1, clock.now(), "запись восстановлена, экзамен продолжен", SPECIALIST, signed_off=HEAD)

    assert sheet == sheets.get(1)
    assert [event.kind for event in sheet.timeline] == [
        "opened",
        "reported",
        "step",
        "noted",
        "decided",
        "noted",
        "closed",
    ]
    assert (sheet.replaced_with, sheet.candidates, sheet.minutes_added) == ("инв. № 12-0045", 14, 4)
    assert sheet.log_rows == (RowRef(2026, 3), RowRef(2026, 4))
    assert sheet.duration_s == 360
    assert sheet.decision is not None
    assert sheet.decision.by.name == MEMBER.name
    assert sheet.closed_by is not None
    assert sheet.closed_by.name == SPECIALIST.name
    assert sheet.signed_off is not None
    assert sheet.signed_off.name == HEAD.name
    assert not sheet.is_open


@pytest.mark.parametrize(
    "act",
    [
        lambda sheets: sheets.step(1, "ещё шаг", SPECIALIST),
        lambda sheets: sheets.note(1, SPECIALIST, candidates=1),
        lambda sheets: sheets.decide(1, "go_on", "", MEMBER),
        lambda sheets: sheets.close(1, LOST, "ещё раз", SPECIALIST, signed_off=HEAD),
        lambda sheets: sheets.answer(1, {"power_there": True}, SPECIALIST),
        lambda sheets: sheets.hand(1, "second", None, "не получается", SPECIALIST),
        lambda sheets: sheets.attach(1, [("x.txt", b"x")], SPECIALIST),
        lambda sheets: sheets.restored(1, "agent"),
    ],
)
def test_a_closed_sheet_takes_nothing_more(sheets: Incidents, act: Callable[[Incidents], object]) -> None:
    sheets.open(draft(), SPECIALIST)
    closed(sheets, 1, LOST)
    with pytest.raises(RefusedEntry, match="it is closed"):
        act(sheets)


def test_stopping_takes_a_member_and_the_chairs_agreement(sheets: Incidents, clock: FakeClock) -> None:
    sheets.open(draft(), SPECIALIST)
    chair = Agreement(person_of(CHAIR), clock.now(), Way.PHONE)
    for actor in (SPECIALIST, HEAD, CHAIR, REGION):
        with pytest.raises(AccessDenied):
            sheets.decide(1, Decision.STOP_EXAM, "", actor, agreed=chair)
    for agreed in (None, Agreement(Person(""), LOST, Way.PHONE), Agreement(Person("член  к. к."), LOST, Way.PHONE)):
        with pytest.raises(RefusedEntry, match="agreement of the commission head"):
            sheets.decide(1, Decision.STOP_EXAM, "", MEMBER, agreed=agreed)
    with pytest.raises(RefusedEntry, match="when and how"):
        sheets.decide(1, Decision.STOP_EXAM, "", MEMBER, agreed=Agreement(person_of(CHAIR)))
    with pytest.raises(RefusedEntry, match="still to come"):
        later = Agreement(person_of(CHAIR), clock.now() + timedelta(hours=1), Way.PHONE)
        sheets.decide(1, Decision.STOP_EXAM, "", MEMBER, agreed=later)
    assert not sheets.get(1).stopped
    stopped = sheets.decide(1, Decision.STOP_EXAM, "более 20 минут", MEMBER, agreed=chair)
    assert stopped.stopped
    assert stopped.decision is not None
    assert stopped.decision.agreed == chair
    assert stopped.decision.by.login == MEMBER.login, "the member writes it down, the chair's account writes nothing"
    assert not sheets.close(1, None, "экзамен остановлен", SPECIALIST, signed_off=MEMBER).is_open


def test_the_chair_needs_no_account(sheets: Incidents, clock: FakeClock) -> None:
    sheets.open(draft(), SPECIALIST)
    agreed = Agreement(Person("П. П. Председатель"), clock.now(), Way.IN_WRITING)
    assert sheets.decide(1, "stop_exam", "", MEMBER, agreed=agreed).stopped


@pytest.mark.parametrize("decision", ["make_up_time", "move_candidates"])
def test_what_touches_candidates_is_not_the_specialists(sheets: Incidents, decision: str) -> None:
    sheets.open(draft(), SPECIALIST)
    with pytest.raises(AccessDenied):
        sheets.decide(1, decision, "", SPECIALIST)
    assert sheets.decide(1, decision, "", HEAD).decision is not None


def closed(sheets: Incidents, number: int, restored_at: datetime | None) -> Incident:
    sheets.decide(number, Decision.GO_ON, "", SPECIALIST)
    return sheets.close(number, restored_at, "устранено", SPECIALIST, signed_off=HEAD)


def test_closing_needs_a_time_a_decision_a_conclusion_and_a_signature(sheets: Incidents, clock: FakeClock) -> None:
    sheets.open(draft(), "agent")

    def close(
        restored: datetime | None = LOST, text: str = "устранено", actor: Any = SPECIALIST, signer: Account = HEAD
    ) -> Incident:
        return sheets.close(1, restored, text, actor, signed_off=signer)

    with pytest.raises(RefusedEntry, match="when it was restored"):
        close(None)
    with pytest.raises(RefusedEntry, match="nothing was decided"):
        close()
    sheets.decide(1, Decision.GO_ON, "", SPECIALIST)
    with pytest.raises(RefusedEntry, match="nothing is written"):
        close(text=" ")
    with pytest.raises(RefusedEntry, match="before it was detected"):
        close(LOST - timedelta(minutes=1))
    for signer in (SPECIALIST, CHAIR, REGION):
        with pytest.raises(AccessDenied):
            close(signer=signer)
    with pytest.raises(AccessDenied):
        close(actor="agent")
    sheets.restored(1, "agent", clock.now())
    sheet = close(None, signer=MEMBER)
    assert (sheet.restored_at, sheet.signed_off) == (clock.now(), person_of(MEMBER))


def test_who_opened_a_sheet_does_not_sign_it_off(sheets: Incidents, clock: FakeClock) -> None:
    sheets.open(draft(), HEAD)
    sheets.decide(1, Decision.GO_ON, "", HEAD)
    for signer in (HEAD, replace(MEMBER, login=HEAD.login), replace(MEMBER, name=HEAD.name, login="")):
        with pytest.raises(RefusedEntry, match="cannot sign it off"):
            sheets.close(1, clock.now(), "устранено", SPECIALIST, signed_off=signer)
    assert not sheets.close(1, clock.now(), "устранено", HEAD, signed_off=MEMBER).is_open


@pytest.mark.parametrize("actor", [CHAIR, REGION, "somebody"])
def test_readers_write_nothing(sheets: Incidents, actor: Any) -> None:
    with pytest.raises(AccessDenied):
        sheets.open(draft(), actor)
    sheets.open(draft(), SPECIALIST)
    acts: tuple[Callable[[], object], ...] = (
        lambda: sheets.step(1, "x", actor),
        lambda: sheets.report(1, Person("x"), actor),
        lambda: sheets.note(1, actor, candidates=1),
        lambda: sheets.restored(1, actor),
        lambda: sheets.answer(1, {"power_there": True}, actor),
        lambda: sheets.hand(1, "second", None, "x", actor),
        lambda: sheets.attach(1, [("x.txt", b"x")], actor),
        lambda: sheets.decide(1, "go_on", "", actor),
        lambda: sheets.close(1, LOST, "x", actor, signed_off=HEAD),
    )
    for act in acts:
        with pytest.raises(AccessDenied):
            act()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"category": "ufo"}, "not a category"),
        ({"room": "0099"}, "'0099' is not in this point"),
        ({"camera": "X"}, "'X' is not in this point"),
        ({"description": "\n"}, "nothing is written"),
        ({"detected_at": LOST + timedelta(hours=1)}, "still to come"),
    ],
)
def test_what_a_sheet_does_not_take(sheets: Incidents, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedEntry, match=reason):
        sheets.open(draft(**changes), SPECIALIST)
    assert sheets.all() == []


def test_one_open_sheet_for_one_cause(sheets: Incidents, ledger: Ledger, clock: FakeClock) -> None:
    first = sheets.open_for("camera:R1-1", draft())
    head = ledger.head()
    assert sheets.open_for("camera:R1-1", draft()) == first
    assert ledger.head() == head, "a repeated report writes nothing"
    assert sheets.open_for("camera:COR1-1", draft(camera="COR1-1")).number == 2

    clock.advance(60)
    sheets.restored(1, "agent")
    clock.advance(60)
    again = sheets.open_for("camera:R1-1", draft(detected_at=clock.now()))
    assert (again.number, again.restored_at, again.running_since) == (1, None, clock.now())
    closed(sheets, 1, clock.now())
    assert sheets.open_for("camera:R1-1", draft(detected_at=clock.now())).number == 3


def test_the_clock_of_a_lost_camera(sheets: Incidents, point: Point, clock: FakeClock) -> None:
    sheet = sheets.open(draft(), "agent")
    category = sheets.categories.by_code["cctv_lost"]
    assert category.limit is not None
    limit_s = category.limit.value * 60
    stages = []
    for passed in (0.0, category.marks[0].after_min * 60, limit_s - 1, limit_s):
        found = incident_clock(sheet, category, point, LOST + timedelta(seconds=passed))
        assert found.left_s == limit_s - passed
        stages.append((found.stage, len(found.due)))
    assert stages == [(ClockStage.RUNNING, 0), (ClockStage.DUE, 1), (ClockStage.DUE, 3), (ClockStage.OVER, 3)]
    stopped = incident_clock(
        sheets.restored(1, "agent", clock.now()), category, point, clock.now() + timedelta(hours=1)
    )
    assert (stopped.stage, stopped.elapsed_s, stopped.minutes) == (ClockStage.STOPPED, 120, 2)


@pytest.mark.parametrize(
    ("category", "limit"),
    [
        ("key_missing", datetime(2026, 5, 28, 7, 0, tzinfo=UTC)),
        ("wrong_clock", datetime(2026, 5, 28, 6, 0, tzinfo=UTC)),
        ("stream_lost", LOST + timedelta(days=3)),
        ("other", None),
    ],
)
def test_limits_hang_on_the_exam_or_on_detection(
    sheets: Incidents, point: Point, category: str, limit: datetime | None
) -> None:
    sheet = sheets.open(draft(category=category), SPECIALIST)
    assert incident_clock(sheet, sheets.categories.by_code[category], point, LOST).limit_at == limit


def test_a_day_without_an_exam_has_no_exam_limit(sheets: Incidents, point: Point, clock: FakeClock) -> None:
    clock.advance(86_400)
    sheet = sheets.open(draft(category="key_missing", detected_at=clock.now()), SPECIALIST)
    assert incident_clock(sheet, sheets.categories.by_code["key_missing"], point, clock.now()).left_s is None


def test_every_shipped_category_says_what_to_do_in_three_languages() -> None:
    categories = load_categories()
    assert len(categories.category) >= 12
    for category in categories.category:
        assert len({category.label.text(language) for language in ("ru", "en", "lv")}) == 3
        assert all(category.first.text(language) for language in ("ru", "en", "lv"))
    assert categories.label("of_old_times", "ru") == "of_old_times"


def test_a_points_own_categories_win_and_all_their_mistakes_are_listed(home: Home) -> None:
    home.profiles.mkdir()
    own = home.profiles / "incidents.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    own.write_text(text.replace("value = 20", "value = 25"), encoding="utf-8")
    limit = load_categories(home).by_code["cctv_lost"].limit
    assert limit is not None
    assert limit.value == 25
    own.write_text(
        text.replace('code = "other"', 'code = "Other!"').replace('kind = "days"', 'kind = "weeks"'), encoding="utf-8"
    )
    with pytest.raises(PointInvalid) as caught:
        load_categories(home)
    assert len(caught.value.details) == 2
    own.write_text("season = ", encoding="utf-8")
    with pytest.raises(PointInvalid, match="not valid TOML"):
        load_categories(home)
    assert tomllib.loads(text)["dated"]
