"""The cabinet log: openings and closings in turn, seals, two operators, nothing rewritten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.journal.access_log import AccessDraft, AccessLog
from exam_kit.journal.cabinet import CabinetAct, CabinetDraft, strange_seals
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role, Store

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("member", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
INITIATOR = Person("Системный администратор", "администратор")
OPERATORS = (Person("Оператор О. О.", "оператор"), Person("Оператор Второй", "оператор"))


@pytest.fixture
def log(ledger: Ledger, point: Point, clock: FakeClock) -> CabinetLog:
    return CabinetLog(ledger, point, clock)


@pytest.fixture
def draft(clock: FakeClock) -> Callable[..., CabinetDraft]:
    def made(act: str = "opened", seal: str = "A1", **changes: Any) -> CabinetDraft:
        values: dict[str, Any] = {
            "cabinet": "ПАК-1",
            "act": CabinetAct(act),
            "at": clock.now(),
            "reason": "замена диска",
            "unit_on": True,
            "seal": seal,
            "initiator": INITIATOR,
            "operators": OPERATORS,
            **changes,
        }
        return CabinetDraft(**values)

    return made


Draft = Callable[..., CabinetDraft]


def test_a_pair_is_written_and_numbered(log: CabinetLog, draft: Draft, clock: FakeClock) -> None:
    opened = log.add(draft(), SPECIALIST)
    assert [line.ref for line in log.open_cabinets()] == [opened.ref]
    clock.advance(600)
    closed = log.add(draft("closed", "A2"), SPECIALIST)
    assert (opened.number, closed.number) == (1, 2)
    assert log.open_cabinets() == []
    assert [line.seal for line in log.cabinets()] == ["A2"]
    assert closed.operators == OPERATORS
    assert opened.date == date(2026, 5, 28)


def test_closed_only_after_opened_and_opened_only_after_closed(log: CabinetLog, draft: Draft) -> None:
    with pytest.raises(RefusedEntry, match="it is not open"):
        log.add(draft("closed", "A2"), SPECIALIST)
    log.add(draft(), SPECIALIST)
    with pytest.raises(RefusedEntry, match="open already, since line 1"):
        log.add(draft(cabinet="  пак-1 "), SPECIALIST)
    log.add(draft(cabinet="ПАК-2"), SPECIALIST)
    assert [line.cabinet for line in log.open_cabinets()] == ["ПАК-1", "ПАК-2"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reason": " "}, "why the cabinet was opened"),
        ({"cabinet": ""}, "none is named"),
        ({"seal": ""}, "found on the cabinet"),
        ({"operators": (OPERATORS[0], Person("ОПЕРАТОР  о. о."))}, "two different people"),
        ({"operators": (OPERATORS[0], Person(" "))}, "full name"),
        ({"initiator": Person("")}, "full name"),
    ],
)
def test_what_the_book_does_not_take(log: CabinetLog, draft: Draft, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedEntry, match=reason):
        log.add(draft(**changes), SPECIALIST)
    assert log.lines() == []


def test_the_time_lies_between_its_neighbours(log: CabinetLog, draft: Draft, clock: FakeClock) -> None:
    with pytest.raises(RefusedEntry, match="still to come"):
        log.add(draft(at=clock.now() + timedelta(minutes=2)), SPECIALIST)
    log.add(draft(), SPECIALIST)
    with pytest.raises(RefusedEntry, match="does not fit line 1"):
        log.add(draft("closed", "A2", at=clock.now() - timedelta(minutes=1)), SPECIALIST)
    clock.advance(60)
    log.add(draft("closed", "A2"), SPECIALIST)
    clock.advance(60)
    with pytest.raises(RefusedEntry, match="does not fit line 2"):
        log.correct(1, draft(), "поздно", SPECIALIST)


def test_a_seal_is_put_on_once(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(), SPECIALIST)
    with pytest.raises(RefusedEntry, match="a seal is put on once"):
        log.add(draft("closed", "a1"), SPECIALIST)
    log.add(draft("closed", "A2"), SPECIALIST)
    corrected = log.correct(2, draft("closed", "A2", reason="диск заменён"), "причина", SPECIALIST)
    assert (corrected.number, corrected.corrects, corrected.seal) == (3, RowRef(2026, 2), "A2")


def test_another_seal_than_the_one_put_on_is_pointed_out(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(), SPECIALIST)
    log.add(draft("closed", "A2"), SPECIALIST)
    log.add(draft(seal="B7", seal_whole=False), SPECIALIST)
    assert strange_seals(log.lines()) == {RowRef(2026, 3): "A2"}
    log.correct(2, draft("closed", "B7", at=log.get(2).at), "описка в номере", SPECIALIST)
    assert strange_seals(log.lines()) == {}
    assert log.get(3).seal_whole is False


def test_only_the_last_line_of_a_cabinet_is_withdrawn(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(), SPECIALIST)
    log.add(draft("closed", "A2"), SPECIALIST)
    with pytest.raises(RefusedEntry, match="line 2 of the same cabinet comes after"):
        log.withdraw(1, "ошибка", SPECIALIST)
    log.withdraw(2, "шкаф ещё открыт", SPECIALIST)
    assert [line.number for line in log.open_cabinets()] == [1]
    assert log.get(2).withdrawn_by == RowRef(2026, 3)
    with pytest.raises(RefusedEntry, match="line 3 has taken its place"):
        log.countersign(2, HEAD)
    with pytest.raises(RefusedEntry, match="is a withdrawal"):
        log.countersign(3, HEAD)


def test_a_correction_keeps_cabinet_and_act(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(), SPECIALIST)
    with pytest.raises(RefusedEntry, match="is not corrected"):
        log.correct(1, draft(cabinet="ПАК-2"), "why", SPECIALIST)


def test_nobody_named_in_a_line_countersigns_it(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(operators=(OPERATORS[0], Person(MEMBER.name, MEMBER.post, MEMBER.login))), SPECIALIST)
    with pytest.raises(RefusedEntry, match="is named in it"):
        log.countersign(1, MEMBER)
    for account in (SPECIALIST, CHAIR):
        with pytest.raises(AccessDenied):
            log.countersign(1, account)
    assert log.countersign(1, HEAD).countersigned is not None
    with pytest.raises(RefusedEntry, match="already"):
        log.countersign(1, HEAD)
    assert log.waiting() == []


def test_a_correction_does_not_free_who_was_named_before(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(initiator=Person(HEAD.name, HEAD.post, HEAD.login)), SPECIALIST)
    log.correct(1, draft(), "другой инициатор", SPECIALIST)
    with pytest.raises(RefusedEntry, match="is named in it"):
        log.countersign(2, HEAD)


@pytest.mark.parametrize("account", [HEAD, MEMBER, CHAIR])
def test_only_the_specialist_writes(log: CabinetLog, draft: Draft, account: Account) -> None:
    with pytest.raises(AccessDenied):
        log.add(draft(), account)
    log.add(draft(), SPECIALIST)
    with pytest.raises(AccessDenied):
        log.correct(1, draft(), "why", account)
    with pytest.raises(AccessDenied):
        log.withdraw(1, "why", account)


def test_a_refused_line_leaves_no_hole(log: CabinetLog, draft: Draft, store: Store) -> None:
    log.add(draft(), SPECIALIST)
    with pytest.raises(RuntimeError), store.transaction():
        log.add(draft("closed", "A2"), SPECIALIST)
        raise RuntimeError("the power fails here")
    assert log.add(draft("closed", "A2"), SPECIALIST).number == 2
    with pytest.raises(RefusedEntry, match="no such line"):
        log.get(3)


def test_numbers_of_the_two_books_are_their_own(
    log: CabinetLog, draft: Draft, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    access = AccessLog(ledger, point, clock)
    access.add(AccessDraft("0001", "operability_check", clock.now()), SPECIALIST)
    assert log.add(draft(), SPECIALIST).number == 1
    assert access.add(AccessDraft("0001", "operability_check", clock.now()), SPECIALIST).number == 2


def test_all_that_wait_are_countersigned_but_ones_own(log: CabinetLog, draft: Draft) -> None:
    log.add(draft(initiator=Person(HEAD.name, HEAD.post, HEAD.login)), SPECIALIST)
    log.add(draft("closed", "A2"), SPECIALIST)
    log.add(draft(cabinet="ПАК-2"), SPECIALIST)
    assert [line.number for line in log.countersign_all(HEAD)] == [2, 3]
    assert [line.number for line in log.waiting()] == [1]
    assert log.countersign_all(MEMBER, [RowRef(2026, 2)]) == []
    with pytest.raises(AccessDenied):
        log.countersign_all(SPECIALIST)
