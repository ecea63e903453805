"""Opening the database so that what is acknowledged is durable."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlite_utils

from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store.migrations import migrations

__all__ = ["Store", "open_store"]

BUSY_TIMEOUT_S = 10.0


class Store:
    """The database file, one connection per thread (a connection costs 0.2 ms; sharing one costs correctness).

    Writing goes through `transaction`, which begins IMMEDIATE: a transaction that begins deferred and then writes
    can be refused under concurrency however long it waits. WAL with synchronous=FULL, so a commit that returned
    survives a power cut.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._local = threading.local()

    @property
    def db(self) -> sqlite_utils.Database:
        """This thread's database.

        Raises:
            StoreError: the file cannot be opened.
        """
        found: sqlite_utils.Database | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = sqlite_utils.Database(self._connect())
        return found

    @property
    def connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = self.db.conn
        return connection

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rwc"
        try:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            if not self.read_only:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error as problem:
            raise _store_error(self.path, problem) from problem
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, committed and durable when the block ends, rolled back when it raises.

        A block inside another joins it.

        Raises:
            StoreError: the database is busy, full, read-only or damaged.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as problem:
            raise _store_error(self.path, problem) from problem
        try:
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as problem:
            _roll_back(connection)
            raise _store_error(self.path, problem) from problem
        except BaseException:
            _roll_back(connection)
            raise

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT."""
        try:
            cursor = self.connection.execute(sql, parameters)
        except sqlite3.OperationalError as problem:
            raise _store_error(self.path, problem) from problem
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def close(self) -> None:
        """Close this thread's connection."""
        found = getattr(self._local, "db", None)
        if found is not None:
            found.conn.close()
            self._local.db = None


def open_store(home: Home) -> Store:
    """The home's store, made or brought up to date when needed.

    Raises:
        StoreError: it cannot be opened or migrated.
    """
    home.create()
    store = Store(home.store)
    try:
        # sqlite-utils begins deferred; taking the write lock first keeps two starting processes from both migrating.
        if migrations.pending(store.db):
            with _exclusive(store):
                migrations.apply(store.db)
    except sqlite3.Error as problem:
        raise _store_error(home.store, problem) from problem
    return store


@contextmanager
def _exclusive(store: Store) -> Iterator[None]:
    lock = sqlite3.connect(store.path.with_suffix(".migrating"), timeout=30, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
        lock.execute("COMMIT")
    finally:
        lock.close()


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _store_error(path: Path, problem: sqlite3.Error) -> StoreError:
    return StoreError(
        m(
            "{path}: the database refused ({reason}). See that the disk has space and is writable and that no other "
            "program holds the file, then try again; nothing recorded before is lost.",
            path=path,
            reason=problem,
        )
    )
