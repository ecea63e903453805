"""Views carried on from entry to entry say the same as the ledger read anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from exam_kit.home import Home
from exam_kit.store import Entry, Ledger, open_store
from exam_kit.store.fold import folded

KINDS = ("a", "b")


@pytest.fixture
def read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the entries that were read to make views."""
    seen: list[int] = []
    whole = ledger.entries

    def counted(*kinds: object, **bounds: object) -> Iterable[Entry]:
        for entry in whole(*kinds, **bounds):  # type: ignore[arg-type]
            seen.append(entry.seq)
            yield entry

    monkeypatch.setattr(ledger, "entries", counted)
    return seen


def view(ledger: Ledger) -> tuple[int, ...]:
    def carry(before: tuple[int, ...], entries: Iterable[Entry]) -> tuple[int, ...]:
        return (*before, *(entry.body["n"] for entry in entries))

    return folded(ledger, "numbers", KINDS, carry, ())


def test_each_entry_is_read_once(ledger: Ledger, read: list[int]) -> None:
    assert view(ledger) == ()
    for number, kind in enumerate("abcab"):
        ledger.append(kind, {"n": number}, "agent")
        view(ledger)
    assert view(ledger) == (0, 1, 3, 4)
    assert read == [2, 3, 5, 6]


def test_a_view_inside_a_transaction_is_not_kept_when_it_is_rolled_back(ledger: Ledger) -> None:
    ledger.append("a", {"n": 1}, "agent")
    assert view(ledger) == (1,)
    with pytest.raises(RuntimeError), ledger.store.transaction():
        ledger.append("a", {"n": 2}, "agent")
        assert view(ledger) == (1, 2)
        raise RuntimeError
    assert view(ledger) == (1,)
    ledger.append("a", {"n": 3}, "agent")
    assert view(ledger) == (1, 3)


def test_inside_a_transaction_too_each_entry_is_read_once(ledger: Ledger, read: list[int]) -> None:
    ledger.append("a", {"n": 0}, "agent")
    view(ledger)
    with ledger.store.transaction():
        for number in range(1, 6):
            ledger.append("a", {"n": number}, "agent")
            assert view(ledger) == tuple(range(number + 1))
    assert read == [2, 3, 4, 5, 6, 7]
    assert view(ledger) == tuple(range(6))
    with pytest.raises(RuntimeError), ledger.store.transaction():
        ledger.append("a", {"n": 99}, "agent")
        view(ledger)
        raise RuntimeError
    with ledger.store.transaction():
        ledger.append("a", {"n": 6}, "agent")
        assert view(ledger) == tuple(range(7))
    assert not ledger.store.unsaved


def test_a_view_begins_anew_on_another_ledger_in_the_same_place(ledger: Ledger, home: Home) -> None:
    older = sqlite3.connect(home.root / "older.db")
    ledger.append("a", {"n": 1}, "agent")
    ledger.store.connection.backup(older)
    older.close()
    ledger.append("a", {"n": 2}, "agent")
    assert view(ledger) == (1, 2)
    ledger.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.store.close()
    home.store.write_bytes((home.root / "older.db").read_bytes())
    again = Ledger(open_store(home), home)
    again.store.folds = ledger.store.folds
    again.append("a", {"n": 5}, "agent")
    assert view(again) == (1, 5)
    again.store.close()


def test_whoever_opens_the_same_file_goes_on_from_the_same_view(ledger: Ledger, home: Home) -> None:
    ledger.append("a", {"n": 7}, "agent")
    other = Ledger(open_store(home), home)
    assert view(other) == view(ledger) == (7,)
    assert other.store.folds is ledger.store.folds is ledger.store.reading().folds


def test_many_threads_that_ask_at_once_read_the_ledger_once(ledger: Ledger, read: list[int]) -> None:
    for number in range(20):
        ledger.append("a", {"n": number}, "agent")
    with ThreadPoolExecutor(8) as pool:
        views = set(pool.map(view, [ledger] * 16))
    assert views == {tuple(range(20))}
    assert read == list(range(2, 22))
