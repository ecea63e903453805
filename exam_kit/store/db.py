"""Opening the database so that what is acknowledged is durable."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    import sqlite_utils

__all__ = ["Store", "open_store"]

BUSY_TIMEOUT_S = 10.0


class Folds(dict[str, object]):
    """Views of one ledger's file as far as they were carried (see `fold`), shared by all that have it open here."""

    _shared: ClassVar[WeakValueDictionary[Path, Folds]] = WeakValueDictionary()
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__()
        self._turns: dict[str, threading.Lock] = {}

    @classmethod
    def of(cls, path: Path) -> Folds:
        """The views of the file at `path`."""
        path = path.absolute()
        with cls._lock:
            found = cls._shared.get(path)
            if found is None:
                found = cls._shared[path] = cls()
            return found

    def turn(self, name: str) -> threading.Lock:
        """Who holds it carries the view `name`."""
        with self._lock:
            return self._turns.setdefault(name, threading.Lock())


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
        self.folds = Folds.of(path)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises:
            StoreError: the file cannot be opened.
        """
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
        return found

    @property
    def db(self) -> sqlite_utils.Database:
        """This thread's connection with the comforts of sqlite-utils, for work on the schema."""
        # Imported here: it brings pandas where that is installed, half a second that most commands need not spend.
        import sqlite_utils

        return sqlite_utils.Database(self.connection)

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

    @property
    def after_commit(self) -> dict[str, Callable[[], object]]:
        """What this thread's transaction does once it is committed, by name; forgotten when it is rolled back."""
        found: dict[str, Callable[[], object]] | None = getattr(self._local, "after_commit", None)
        if found is None:
            found = self._local.after_commit = {}
        return found

    @property
    def unsaved(self) -> dict[str, object]:
        """Views of the ledger as this thread's transaction has carried them (see `fold`); gone when it ends."""
        found: dict[str, object] | None = getattr(self._local, "unsaved", None)
        if found is None:
            found = self._local.unsaved = {}
        return found

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
        self.after_commit.clear()
        try:
            yield connection
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as problem:
            _roll_back(connection)
            if not _of_the_file(problem):
                raise
            raise _store_error(self.path, problem) from problem
        except BaseException:
            _roll_back(connection)
            raise
        finally:
            self.unsaved.clear()
        for act in list(self.after_commit.values()):
            act()
        self.after_commit.clear()

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT."""
        with self.told():
            cursor = self.connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextmanager
    def told(self) -> Iterator[None]:
        """What the database refuses in the block, or cannot be read of it, becomes a StoreError."""
        try:
            yield
        except sqlite3.DatabaseError as problem:
            if not _of_the_file(problem):
                raise
            raise _store_error(self.path, problem) from problem

    def reading(self) -> Store:
        """The same file through connections that cannot write; it goes on from the views folded so far."""
        return Store(self.path, read_only=True)

    def close(self) -> None:
        """Close this thread's connection."""
        found = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            self._local.connection = None


def open_store(home: Home) -> Store:
    """The home's store, made or brought up to date when needed.

    Raises:
        StoreError: it cannot be opened or migrated.
    """
    home.create()
    store = Store(home.store)
    try:
        (version,) = store.connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise StoreError(
                m(
                    "{path}: was written by a newer Exam Kit. Use that one, or set EXAM_KIT_HOME to another folder.",
                    path=home.store,
                )
            )
        if version < SCHEMA_VERSION:
            _migrate(store)
    except sqlite3.Error as problem:
        raise _store_error(home.store, problem) from problem
    return store


def _migrate(store: Store) -> None:
    from exam_kit.store.migrations import migrations  # only a new or an older database needs the tools for it

    # sqlite-utils begins deferred; taking a lock first keeps two starting processes from both migrating.
    with _exclusive(store):
        migrations.apply(store.db)
        store.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


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


def _of_the_file(problem: sqlite3.DatabaseError) -> bool:
    """The file or its disk is at fault, not what was asked: a read that fails is also told as a malformed file."""
    return isinstance(problem, sqlite3.OperationalError) or type(problem) is sqlite3.DatabaseError


def _store_error(path: Path, problem: sqlite3.Error) -> StoreError:
    return StoreError(
        m(
            "{path}: the database refused ({reason}). See that the disk has space and is writable and that no other "
            "program holds the file, then try again; nothing recorded before is lost.",
            path=path,
            reason=problem,
        )
    )
