"""Looking for lines of the access log."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from exam_kit.clock import FakeClock
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.journal.person import Person, person_of
from exam_kit.journal.search import PAGE, Asked, people_in, search
from exam_kit.journal.words import folded_text
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

ANNA = Account("anna", "Альфа Примерова", Role.SPECIALIST, "технический специалист", "ru")
OLEG = Account("oleg", "Омега Образцов", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")


@pytest.fixture
def log(ledger: Ledger, point: Point, clock: FakeClock) -> AccessLog:
    """Six lines over two days: 1 checked, 2 corrected by 3, 4 by an engineer, 5 with an order, 6 open."""
    found = AccessLog(ledger, point, clock)

    def write(actor: Any, rooms: str, action: str, **more: Any) -> AccessRow:
        now = clock.now()
        return found.add(AccessDraft(rooms, action, now, **{"end": now, **more}), actor)

    write(ANNA, "0001, 0002", "operability_check")
    write(ANNA, "0001", "view_corrected", text="Счётчик ① в кадре")
    found.correct(2, AccessDraft("0002", "view_corrected", clock.now(), clock.now()), "не та аудитория", ANNA)
    clock.advance(86_400)
    write(OLEG, "7777", "memory_card_out", person=Person("Инженер Завода", "наладчик"))
    ordered = AccessDraft("COR1", "recording_started", clock.now(), clock.now(), person=person_of(HEAD), order=417)
    found.add(ordered, "agent")
    write(OLEG, "ENTR", "other", text="протёрт объектив", end=None)
    found.countersign(1, HEAD)
    return found


def numbers(log: AccessLog, **asked: Any) -> list[int]:
    return [row.number for row in search(log.book(), Asked(**asked)).rows]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"since": date(2026, 5, 29)}, [6, 5, 4]),
        ({"until": date(2026, 5, 28)}, [3, 2, 1]),
        ({"since": date(2026, 5, 29), "until": date(2026, 5, 28)}, []),
        ({"room": "0002"}, [3, 1]),
        ({"room": "000"}, []),
        ({"action": AccessAction.VIEW_CORRECTED}, [3, 2]),
        ({"person": "oleg"}, [6, 4]),
        ({"person": "омега"}, [6, 4]),
        ({"person": "head"}, [5, 1]),  # who countersigned is found too
        ({"person": "инженер завода"}, [4]),
        ({"person": "nobody"}, []),
        ({"text": "СЧЕТЧИК 1"}, [2]),
        ({"text": "не та аудитория"}, [3]),
        ({"text": "ракурс 0002"}, [3]),
        ({"text": "view 0002", "language": "en"}, [3]),
        ({"text": "view 0002", "language": "ru"}, []),
        ({"text": "417"}, [5]),
        ({"text": "наладчик"}, [4]),
        ({"text": "руководитель", "since": date(2026, 5, 29)}, [5]),
        ({"text": "объектив нигде"}, []),
        (
            {"text": "включение", "room": "COR1", "action": AccessAction.RECORDING_STARTED, "person": "Руководитель"},
            [5],
        ),
    ],
)
def test_what_is_asked_for_is_found_newest_first(log: AccessLog, asked: dict[str, Any], expected: list[int]) -> None:
    assert numbers(log, **asked) == expected


def test_a_page_at_a_time_with_the_total(log: AccessLog) -> None:
    book = log.book()
    first, second, past = (search(book, Asked(), offset=at, limit=4) for at in (0, 4, 8))
    assert [row.number for row in first.rows] == [6, 5, 4, 3]
    assert [row.number for row in second.rows] == [2, 1]
    assert past.rows == []
    assert {first.total, second.total, past.total} == {6}
    assert len(search(book, Asked(), limit=None).rows) == 6
    assert PAGE == 50


def test_the_book_is_carried_on_and_an_older_view_of_it_stays(log: AccessLog, clock: FakeClock) -> None:
    before = log.book()
    log.end(6, clock.now(), OLEG)
    log.withdraw(4, "лишняя", OLEG)
    after = log.book()
    assert [row.open for row in before][-1] is True
    assert (len(before), len(after)) == (6, 7)
    assert after[3].withdrawn_by == after[6].ref
    assert after.open_rows() == []
    assert [row.number for row in after.waiting()] == [3, 5, 6]
    assert log.book() is after


def test_a_book_read_anew_is_the_book_that_was_carried(
    log: AccessLog, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    log.end(6, clock.now() + timedelta(seconds=30), OLEG)
    log.countersign(6, HEAD)
    carried = list(log.book())
    ledger.store.folds.clear()
    assert list(log.book()) == carried
    assert [row.said for row in log.book()] == [row.said for row in carried]


def test_people_to_choose_from(log: AccessLog) -> None:
    assert [person.name for person in people_in(log.book())] == [
        "Альфа Примерова",
        "Инженер Завода",
        "Омега Образцов",
        "Руководитель Р. Р.",
    ]


@pytest.mark.parametrize(
    ("text", "folded"), [("  ЁЛКА  ", "елка"), ("ﬁne ①", "fine 1"), ("ĀBOLS", "ābols"), ("A\u0301", "\u00e1"), ("", "")]
)
def test_text_is_folded(text: str, folded: str) -> None:
    assert folded_text(text) == folded


@pytest.mark.parametrize(
    "asked",
    [
        Asked(language="lv"),
        Asked(date(2026, 5, 1), date(2026, 5, 31), "0001", "spec", AccessAction.CLOCK_SET, "два слова & знак=", "lv"),
    ],
)
def test_what_is_asked_goes_through_an_address_and_back(asked: Asked) -> None:
    assert Asked.of_query(dict(parse_qsl(urlencode(asked.as_query()))), "lv") == asked


@pytest.mark.parametrize(
    ("told", "reason"),
    [({"since": "yesterday"}, "isoformat"), ({"until": "2026-13-01"}, "month"), ({"action": "dancing"}, "dancing")],
)
def test_an_address_that_asks_nonsense_is_refused(told: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Asked.of_query(told, "ru")
