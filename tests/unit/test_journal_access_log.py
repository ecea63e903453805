"""The hardware access log, as a specialist, a head of the point and a commission member use it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog, LineKind
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person, person_of
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role, Store, open_store

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
REGION = Account("rcoi", "Администратор А. А.", Role.REGIONAL_ADMIN, "РЦОИ", "ru")

START = datetime(2026, 5, 28, 4, 45, tzinfo=UTC)


@pytest.fixture
def log(ledger: Ledger, point: Point, clock: FakeClock) -> AccessLog:
    return AccessLog(ledger, point, clock)


def draft(**changes: Any) -> AccessDraft:
    values: dict[str, Any] = {
        "rooms": "0001–0002, 7777",
        "action": AccessAction.OPERABILITY_CHECK,
        "start": START,
        "end": START + timedelta(minutes=15),
    }
    return AccessDraft(**{**values, **changes})


def test_a_line_keeps_what_was_written(log: AccessLog) -> None:
    row = log.add(draft(), SPECIALIST)
    assert (row.number, row.year, row.kind, row.date) == (1, 2026, LineKind.ROW, date(2026, 5, 28))
    assert row.rooms == ("7777", "0001", "0002")
    assert row.rooms_text == "0001, 0002, 7777"
    assert row.person == Person("Специалист Т. Т.", "технический специалист", "spec")
    assert log.rows() == [row]


def test_a_correction_is_a_new_line_and_both_are_shown(log: AccessLog) -> None:
    log.add(draft(), SPECIALIST)
    log.add(draft(rooms="7777"), SPECIALIST)
    new = log.correct(1, draft(rooms="0001"), "не та аудитория", SPECIALIST)
    first, second, third = log.rows(date(2026, 5, 28))
    assert (first.number, first.corrected_by, first.void) == (1, RowRef(2026, 3), True)
    assert first.rooms_text == "0001, 0002, 7777", "what was written first still stands"
    assert not second.void
    assert third == new
    assert (third.number, third.corrects, third.why) == (3, RowRef(2026, 1), "не та аудитория")


def test_a_withdrawal_is_a_new_line(log: AccessLog) -> None:
    log.add(draft(), SPECIALIST)
    gone = log.withdraw(1, "строка внесена дважды", SPECIALIST)
    first, second = log.rows()
    assert first.withdrawn_by == gone.ref == RowRef(2026, 2)
    assert second.kind is LineKind.WITHDRAWAL
    assert second.withdraws == first.ref
    assert not second.open


@pytest.mark.parametrize(
    "act",
    [
        lambda log: log.correct(1, draft(), "why", SPECIALIST),
        lambda log: log.withdraw(1, "why", SPECIALIST),
        lambda log: log.countersign(1, HEAD),
        lambda log: log.end(1, START, SPECIALIST),
    ],
)
def test_a_line_that_was_put_right_is_left_alone(log: AccessLog, act: Callable[[AccessLog], object]) -> None:
    log.add(draft(), SPECIALIST)
    log.correct(1, draft(), "why", SPECIALIST)
    with pytest.raises(RefusedEntry, match="line 2 has taken its place"):
        act(log)


def test_the_day_brings_the_correction_made_the_day_after(log: AccessLog, clock: FakeClock) -> None:
    log.add(draft(), SPECIALIST)
    clock.advance(86_400)
    log.add(draft(start=clock.now(), end=clock.now()), SPECIALIST)
    log.withdraw(1, "ошибка", SPECIALIST)
    assert [row.number for row in log.rows(date(2026, 5, 28))] == [1, 3]
    assert [row.number for row in log.rows(date(2026, 5, 29))] == [1, 2, 3]


def test_an_open_line_is_ended_once(log: AccessLog, clock: FakeClock) -> None:
    log.add(draft(end=None), SPECIALIST)
    assert [row.number for row in log.open_rows()] == [1]
    with pytest.raises(RefusedEntry, match="not ended yet"):
        log.countersign(1, HEAD)
    with pytest.raises(RefusedEntry, match="before the start"):
        log.end(1, START - timedelta(minutes=1), SPECIALIST)
    log.end(1, clock.now(), SPECIALIST)
    assert not log.open_rows()
    with pytest.raises(RefusedEntry, match="written already"):
        log.end(1, clock.now(), SPECIALIST)


def test_numbers_begin_anew_each_local_year(log: AccessLog, clock: FakeClock) -> None:
    clock.step((datetime(2026, 12, 31, 20, 59, tzinfo=UTC) - clock.now()).total_seconds())
    assert log.add(draft(), SPECIALIST).ref == RowRef(2026, 1)
    clock.advance(120)  # 00:01 of 1 January in Moscow, still 2026 in UTC
    assert log.add(draft(), SPECIALIST).ref == RowRef(2027, 1)
    assert log.correct(1, draft(), "why", SPECIALIST, year=2026).corrects == RowRef(2026, 1)


def test_countersigned_by_one_who_did_not_act(log: AccessLog) -> None:
    log.add(draft(), SPECIALIST)
    log.countersign(1, HEAD)
    (row,) = log.rows()
    assert row.countersigned is not None
    assert row.countersigned.person.name == HEAD.name
    with pytest.raises(RefusedEntry, match="already"):
        log.countersign(1, MEMBER)


def test_nobody_countersigns_their_own_act(log: AccessLog) -> None:
    log.add(draft(person=Person(HEAD.name, HEAD.post, HEAD.login)), SPECIALIST)
    with pytest.raises(RefusedEntry, match=r"Руководитель Р\. Р\. acted or wrote here and cannot countersign"):
        log.countersign(1, HEAD)
    with pytest.raises(AccessDenied, match="specialist"):
        log.countersign(1, SPECIALIST)
    log.countersign(1, MEMBER)


def test_a_person_without_an_account_is_known_by_name(log: AccessLog) -> None:
    log.add(draft(person=Person("руководитель  р. р.")), SPECIALIST)
    with pytest.raises(RefusedEntry, match="cannot countersign"):
        log.countersign(1, HEAD)


def test_the_kit_writes_for_whoever_ordered(log: AccessLog) -> None:
    by_order = log.add(draft(action="recording_started", order=7, person=person_of(HEAD)), "agent")
    assert (by_order.person.login, by_order.writer.login, by_order.order) == ("head", "agent", 7)
    with pytest.raises(RefusedEntry, match="cannot countersign"):
        log.countersign(1, HEAD)
    by_plan = log.add(draft(), "agent")
    assert by_plan.person.name == "Exam Kit"


@pytest.mark.parametrize("actor", [HEAD, MEMBER, CHAIR, REGION, "somebody"])
def test_only_the_specialist_writes(log: AccessLog, actor: Any) -> None:
    with pytest.raises(AccessDenied):
        log.add(draft(), actor)
    with pytest.raises(AccessDenied):
        log.correct(1, draft(), "why", actor)
    with pytest.raises(AccessDenied):
        log.withdraw(1, "why", actor)


@pytest.mark.parametrize("account", [SPECIALIST, CHAIR, REGION])
def test_only_head_and_commission_countersign(log: AccessLog, account: Account) -> None:
    log.add(draft(), SPECIALIST)
    with pytest.raises(AccessDenied):
        log.countersign(1, account)


@pytest.mark.parametrize("name", [SPECIALIST.name, " специалист  т. т.", "Специа\u200bлист Т.\u00ad Т."])
def test_two_accounts_of_one_name_are_one_person(log: AccessLog, name: str) -> None:
    log.add(draft(), SPECIALIST)
    with pytest.raises(RefusedEntry, match="cannot countersign"):
        log.countersign(1, Account("spec2", name, Role.HEAD_OF_POINT, "руководитель ППЭ", "ru"))
    assert log.countersign_all(Account("spec3", name, Role.COMMISSION_MEMBER, "член ГЭК", "ru")) == []


def test_a_text_pasted_for_a_name_is_refused(log: AccessLog) -> None:
    for person in (Person("ж" * 301), Person("Инженер И. И.", "ж" * 301)):
        with pytest.raises(RefusedEntry, match="at most 300"):
            log.add(draft(person=person), SPECIALIST)
    assert len(log.add(draft(person=Person("ж" * 300), text="ж" * 4000), SPECIALIST).person.name) == 300


def test_what_is_not_seen_is_not_written(log: AccessLog) -> None:
    with pytest.raises(RefusedEntry, match="nothing is written"):
        log.add(draft(action="other", text="\u200b\u2060\ufeff"), SPECIALIST)
    row = log.add(draft(action="other", text="камера \u202e1000\u202c за\u00adменена"), SPECIALIST)
    assert row.text == "камера 1000 заменена"


def test_a_disabled_account_does_nothing(log: AccessLog) -> None:
    with pytest.raises(AccessDenied, match="disabled"):
        log.add(draft(), Account("old", "Бывший", Role.SPECIALIST, "", "ru", disabled=True))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rooms": "0009"}, "'0009' is not a room"),
        ({"rooms": " , "}, "none is named"),
        ({"action": "dancing"}, "not an action"),
        ({"action": "other", "text": "  "}, "nothing is written"),
        ({"text": "x" * 5000}, "at most 4000"),
        ({"text": "\ud800"}, "broken character"),
        ({"end": START - timedelta(minutes=1)}, "before the start"),
        ({"start": START + timedelta(hours=2), "end": None}, "still to come"),
        ({"end": START + timedelta(hours=2)}, "still to come"),
    ],
)
def test_what_the_book_does_not_take(log: AccessLog, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedEntry, match=reason):
        log.add(draft(**changes), SPECIALIST)
    assert log.rows() == []


def test_an_unknown_number_is_named(log: AccessLog) -> None:
    with pytest.raises(RefusedEntry, match="line 4: there is no such line in 2026"):
        log.withdraw(4, "why", SPECIALIST)


def test_a_refused_line_leaves_no_hole(log: AccessLog, store: Store) -> None:
    log.add(draft(), SPECIALIST)
    with pytest.raises(RuntimeError), store.transaction():
        log.add(draft(), SPECIALIST)
        raise RuntimeError("the power fails here")
    assert log.add(draft(), SPECIALIST).number == 2


WRITER = """
import json, sys, time
from pathlib import Path
from datetime import timedelta
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessDraft, AccessLog
from exam_kit.point import read_point
from exam_kit.store import Account, Ledger, Role, open_store
root, point, login, count = sys.argv[1:]
home = Home.at(Path(root))
log = AccessLog(Ledger(open_store(home), home), read_point(Path(point).read_text()))
now = SystemClock().now()
who = Account(login, login, Role.SPECIALIST, "", "ru")
numbers = []
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(count)):
    numbers.append(log.add(AccessDraft("7777", "operability_check", now, now), who).number)
    time.sleep(0.001)  # lets the other process have the lock, so that the two really take turns
print(json.dumps(numbers))
"""


def test_two_processes_write_at_once_and_no_number_is_missing(home: Home, tmp_path: Path) -> None:
    from tests.conftest import POINT_TOML

    store = open_store(home)
    Ledger(store, home)  # the key is made once, at set-up
    store.close()
    point = tmp_path / "point.toml"
    point.write_text(POINT_TOML, encoding="utf-8")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(home.root), str(point), login, "60"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for login in ("one", "two")
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    numbers = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(numbers[0] + numbers[1]) == list(range(1, 121))
    assert numbers[0] != list(range(numbers[0][0], numbers[0][0] + 60)), "the two took turns"


def test_all_that_wait_are_countersigned_but_ones_own(log: AccessLog, clock: FakeClock) -> None:
    log.add(draft(), SPECIALIST)
    log.add(draft(person=Person(HEAD.name, HEAD.post, HEAD.login)), SPECIALIST)
    log.add(draft(end=None), SPECIALIST)
    log.add(draft(), SPECIALIST)
    log.correct(4, draft(), "не та аудитория", SPECIALIST)
    log.add(draft(), SPECIALIST)
    with pytest.raises(AccessDenied):
        log.countersign_all(SPECIALIST)
    assert [row.number for row in log.countersign_all(HEAD, [RowRef(2026, 1), RowRef(2026, 2)])] == [1]
    assert [row.number for row in log.countersign_all(HEAD)] == [5, 6]
    assert [row.number for row in log.book().waiting()] == [2]
    assert log.countersign_all(HEAD) == []
    assert [row.number for row in log.countersign_all(MEMBER)] == [2]
