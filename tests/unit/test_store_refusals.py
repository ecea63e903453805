"""What cannot be read of the database is told as a fault of the store, also in the middle of an answer."""

from __future__ import annotations

import sqlite3

import pytest

from exam_kit.errors import StoreError
from exam_kit.home import Home
from exam_kit.store import Ledger, Store

PAGE = 4096


def test_a_page_that_cannot_be_read_is_told(home: Home, store: Store, ledger: Ledger) -> None:
    for number in range(60):
        ledger.append("access.row", {"number": number, "text": "x" * 400}, "specialist")
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (root,) = store.connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ledger'").fetchone()
    store.close()
    with home.store.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    broken = Store(home.store, read_only=True)
    with pytest.raises(StoreError, match="malformed"):
        list(Ledger(broken, home).entries())
    with pytest.raises(StoreError, match="malformed"):
        broken.query("SELECT record FROM ledger")
    broken.close()


def test_what_was_asked_wrongly_is_no_fault_of_the_store(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as connection:
        connection.execute("INSERT INTO archive_file (job) VALUES (NULL)")
