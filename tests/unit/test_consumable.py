"""Consumables: what there is, what the exam needs, and whether it is enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.journal.consumable import Consumables, Enough
from exam_kit.journal.equipment_norms import Need
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")


@pytest.fixture
def stock(ledger: Ledger, point: Point, clock: FakeClock) -> Consumables:
    return Consumables(ledger, point, clock)


def line(stock: Consumables, code: str) -> tuple[int, int | None, int | None, Enough]:
    (found,) = [one for one in stock.lines() if one.norm.code == code]
    return found.quantity, found.need, found.wanted, found.enough


def test_stock_is_what_the_entries_come_to(stock: Consumables) -> None:
    stock.receive("paper", 20, "накладная 7", SPECIALIST)
    stock.use("paper", 3, "пробная печать", SPECIALIST)
    stock.count("paper", 16, "одна пачка промокла", SPECIALIST)
    stock.use("paper", 16, "экзамен", SPECIALIST)
    found = stock.stock()
    assert found.quantities == {"paper": 0}
    assert [(move.kind, move.quantity, move.after) for move in found.moves] == [
        ("received", 20, 20),
        ("used", 3, 17),
        ("counted", 16, 16),
        ("used", 16, 0),
    ]


def test_the_need_is_not_known_without_candidates_and_is_never_taken_for_enough(stock: Consumables) -> None:
    stock.receive("paper", 1000, "", SPECIALIST)
    assert line(stock, "paper") == (1000, None, None, Enough.UNKNOWN)
    stock.set_basis(200, SPECIALIST)
    assert line(stock, "paper") == (1000, 13, 16, Enough.ENOUGH)


def test_enough_is_the_need_with_its_margin(stock: Consumables) -> None:
    stock.set_basis(200, SPECIALIST)  # paper: 1 + 0.06 × 200 = 13, × 1.2 = 15.6
    for quantity, enough in ((4, Enough.LOW), (12, Enough.SHORT), (13, Enough.SCARCE), (16, Enough.ENOUGH)):
        stock.count("paper", quantity, "пересчёт", SPECIALIST)
        assert line(stock, "paper")[3] is enough
    assert line(stock, "seal") == (0, 8, 10, Enough.LOW), "two exam rooms, and never less than the minimum"
    stock.set_basis(200, SPECIALIST, rooms=12)
    assert line(stock, "seal")[1:3] == (28, 34)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda stock: stock.use("paper", 6, "", SPECIALIST), "there are 5"),
        (lambda stock: stock.use("toner", 1, "", SPECIALIST), "there are 0"),
        (lambda stock: stock.receive("paper", 0, "", SPECIALIST), "not a quantity"),
        (lambda stock: stock.receive("paper", -1, "", SPECIALIST), "not a quantity"),
        (lambda stock: stock.receive("paper", 10**9, "", SPECIALIST), "not a quantity"),
        (lambda stock: stock.receive("paper", 1_000_000, "", SPECIALIST), "not a quantity"),
        (lambda stock: stock.count("paper", -1, "why", SPECIALIST), "not a quantity"),
        (lambda stock: stock.count("paper", 1, " ", SPECIALIST), "why it was counted"),
        (lambda stock: stock.receive("gold", 1, "", SPECIALIST), "not a consumable"),
        (lambda stock: stock.set_basis(-1, SPECIALIST), "not a number of candidates"),
        (lambda stock: stock.set_basis(10**9, SPECIALIST), "not a number of candidates"),
    ],
)
def test_what_cannot_be_is_refused(stock: Consumables, act: Callable[[Consumables], object], why: str) -> None:
    stock.receive("paper", 5, "", SPECIALIST)
    before = stock.stock()
    with pytest.raises(RefusedEntry, match=why):
        act(stock)
    assert stock.stock() == before


def test_only_keepers_write(stock: Consumables) -> None:
    for act in (stock.receive, stock.use, stock.count):
        with pytest.raises(AccessDenied):
            act("paper", 1, "почему", MEMBER)
    with pytest.raises(AccessDenied):
        stock.set_basis(10, MEMBER)


@pytest.mark.parametrize(
    ("need", "count"),
    [
        (Need(per_candidate=0.07), 7),
        (Need(per_candidate=0.071), 8),
        (Need(fixed=1, per_room=0.5), 3),
        (Need(), 0),
    ],
)
def test_needs_are_rounded_up_and_not_by_a_hair(need: Need, count: int) -> None:
    assert need.count(3, 100) == count
