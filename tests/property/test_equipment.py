"""Entries about equipment and stock in any order: no item has two holders, no stock is below nothing."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exam_kit.clock import FakeClock
from exam_kit.errors import RefusedEntry
from exam_kit.home import Home
from exam_kit.journal import equipment_fold
from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_import import take_import
from exam_kit.journal.equipment_item import ItemDraft, ItemState, Register
from exam_kit.journal.equipment_takes import StockTakes, take_result
from exam_kit.journal.person import Person
from exam_kit.point import Point, read_point
from exam_kit.store import Account, Ledger, Role, open_store
from tests.conftest import POINT_TOML

KEEPERS = (
    Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru"),
    Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru"),
)
PEOPLE = (Person("Первый П. П."), Person("Второй В. В."), *KEEPERS)
NUMBERS = ("1", "2", "3 ", "х")
ROOMS = ("7777", "0001", "0002", "")

numbers = st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=2)
steps = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "add",
                "issue",
                "issue",
                "back",
                "back",
                "move",
                "state",
                "change",
                "list",
                "start",
                "tick",
                "untick",
                "end",
            )
        ),
        numbers,
        st.sampled_from(KEEPERS),
        st.sampled_from(PEOPLE),
        st.sampled_from(ROOMS),
        st.sampled_from(ItemState),
    ),
    min_size=5,
    max_size=30,
)


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Ledger, Iterator[Point]]]:
    """One ledger, and for every example a point of its own in it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(Path(folder))
        home.create()
        store = open_store(home)
        point = read_point(POINT_TOML)
        points = (
            point.model_copy(update={"region": f"{number // 10000:02}", "code": f"{number % 10000:04}"})
            for number in range(10**6)
        )
        yield Ledger(store, home, FakeClock(datetime(2026, 5, 28, tzinfo=UTC))), points
        store.close()


def _act(book: Equipment, step: tuple[Any, ...]) -> None:
    what, named, keeper, person, room, state = step
    takes = StockTakes(book)
    account = person if isinstance(person, Account) else None
    acts: dict[str, Callable[[], object]] = {
        "add": lambda: book.add(ItemDraft(named[0], "printer", room=room, state=state), keeper),
        "issue": lambda: book.issue(named, person, keeper, condition="цел", room=room, signed=account),
        "back": lambda: book.take_back(named, keeper, condition="цел", room=room, state=state, fault="нет"),
        "move": lambda: book.move(named, room, keeper, condition="цел"),
        "state": lambda: book.set_state(named[0], state, "так", keeper),
        "change": lambda: book.change(named[0], {"inventory": named[-1], "room": room}, "так", keeper),
        "list": lambda: take_import(book, "a.csv", f"inventory;kind\n{named[0]};camera\n".encode(), keeper),
        "start": lambda: takes.start(keeper, [room] if room else []),
        "tick": lambda: takes.tick(named[0], room, keeper),
        "untick": lambda: takes.untick(named[0], keeper),
        "end": lambda: takes.end(keeper),
    }
    acts[what]()


def _holders(register: Register) -> dict[int, Person | None]:
    """Who has what by the sheets alone; an issue of what somebody has, or a return from another, fails here."""
    held: dict[int, Person | None] = {}
    for sheet in register.sheets.values():
        for line in sheet.lines:
            if sheet.kind == "issued":
                assert held.get(line.item) is None, "given to two"
                held[line.item] = sheet.receiver
            elif sheet.kind == "returned":
                holder = held.get(line.item)
                assert holder is not None
                assert holder.same_as(sheet.giver)
                held[line.item] = None
            else:
                assert held.get(line.item) is None, "moved out of somebody's hands"
    return held


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_no_item_has_two_holders(opened: tuple[Ledger, Iterator[Point]], steps: list[tuple[Any, ...]]) -> None:
    ledger, points = opened
    book = Equipment(ledger, next(points))
    book.register()  # read once up to here: what follows is read on from it
    begun = ledger.head().seq
    with ledger.store.transaction():
        for inventory in NUMBERS[:2]:
            book.add(ItemDraft(inventory, "printer", room="7777"), KEEPERS[0])
        for step in steps:
            before = ledger.head()
            try:
                _act(book, step)
            except RefusedEntry:
                assert ledger.head() == before, "what is refused writes nothing"
    register = book.register()
    held = _holders(register)
    assert {item.id: item.holder for item in register.items.values()} == {
        item: held.get(item) for item in register.items
    }
    assert [sheet.number for sheet in register.sheets.values()] == list(range(1, len(register.sheets) + 1))
    assert sorted(register.numbers.values()) == sorted(register.items), "each number is one item's"
    assert all(register.find(item.inventory) is item for item in register.items.values())
    assert not any(item.holder and item.state is ItemState.WRITTEN_OFF for item in register.items.values())
    assert sum(take.ended_at is None for take in register.takes.values()) <= 1
    for take in register.takes.values():
        result = take_result(register, take)
        groups = [*result.found, *(item for item, _room in result.elsewhere), *result.missing, *result.away]
        assert len(groups) == len(set(groups)), "an item stands in one group"
        assert len(result.found) + len(result.elsewhere) + len(result.unexpected) == len(take.ticks)
    entries = ledger.entries(equipment_fold.KINDS, after=begun)
    assert equipment_fold.fold(Register(), entries, book.key) == register


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(("receive", "use", "use", "count")), st.sampled_from(("paper", "toner")), st.integers(-2, 9)
        ),
        max_size=40,
    )
)
def test_stock_is_never_below_nothing(
    opened: tuple[Ledger, Iterator[Point]], moves: list[tuple[str, str, int]]
) -> None:
    ledger, points = opened
    stock = Consumables(ledger, next(points))
    stock.stock()
    wanted = {"paper": 0, "toner": 0}
    with ledger.store.transaction():
        for what, code, quantity in moves:
            with contextlib.suppress(RefusedEntry):
                getattr(stock, what)(code, quantity, "так", KEEPERS[0])
                wanted[code] = {"receive": wanted[code] + quantity, "use": wanted[code] - quantity, "count": quantity}[
                    what
                ]
    found = stock.stock()
    assert {code: found.quantities.get(code, 0) for code in wanted} == wanted
    assert min(wanted.values()) >= 0
    assert all(move.after >= 0 for move in found.moves)
