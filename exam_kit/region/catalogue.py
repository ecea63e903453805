"""The catalogue: what of what was expected is there. Derived from the register, the ledger and the bags' coverage.

It lies apart from the content and can be deleted at any time: `Catalogue.catch_up` builds it again. Per camera and day
it keeps stretches of time, not files, so that a region's season (300 points, 8 days, 29 cameras) is some 70,000 rows;
the table of points × days is kept reckoned, and what is missing is found by an index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exam_kit.errors import StoreError, m

__all__ = ["Catalogue"]

VERSION = 1

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE point (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, timezone TEXT NOT NULL, key TEXT NOT NULL, stamp TEXT NOT NULL
) STRICT;
-- The key of each point as the ledger last saw it registered.
CREATE TABLE known_key (point TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT;
CREATE TABLE expected (
  point TEXT NOT NULL, day TEXT NOT NULL, camera TEXT NOT NULL, zone TEXT NOT NULL, place TEXT NOT NULL,
  subject TEXT NOT NULL, from_at TEXT NOT NULL, to_at TEXT NOT NULL, PRIMARY KEY (point, day, camera)
) STRICT, WITHOUT ROWID;
-- `folder`: where the region keeps the bag or what it wrote down of it. `place`: where the footage lies.
CREATE TABLE bag (
  hash TEXT PRIMARY KEY, seq INTEGER NOT NULL, point TEXT NOT NULL, day TEXT NOT NULL, name TEXT NOT NULL,
  copy INTEGER NOT NULL, outcome TEXT NOT NULL, content TEXT NOT NULL, supplement_to TEXT NOT NULL,
  received_at TEXT NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, bag_s REAL NOT NULL,
  folder TEXT NOT NULL, place TEXT NOT NULL, source TEXT NOT NULL, read INTEGER NOT NULL
) STRICT;
CREATE INDEX bag_day ON bag (point, day);
CREATE INDEX bag_content ON bag (point, day, content);
CREATE TABLE span (
  point TEXT NOT NULL, day TEXT NOT NULL, camera TEXT NOT NULL, zone TEXT NOT NULL, place TEXT NOT NULL,
  from_at TEXT NOT NULL, to_at TEXT NOT NULL, bag TEXT NOT NULL
) STRICT;
CREATE INDEX span_day ON span (point, day);
CREATE TABLE gap (
  point TEXT NOT NULL, day TEXT NOT NULL, camera TEXT NOT NULL, from_at TEXT NOT NULL, to_at TEXT,
  cause TEXT NOT NULL, bag TEXT NOT NULL
) STRICT;
CREATE INDEX gap_day ON gap (point, day, camera);
CREATE TABLE quarantine (
  mark TEXT PRIMARY KEY, seq INTEGER NOT NULL, point TEXT NOT NULL, day TEXT NOT NULL, bag TEXT NOT NULL,
  code TEXT NOT NULL, message TEXT NOT NULL, source TEXT NOT NULL, folder TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE INDEX quarantine_day ON quarantine (point, day);
CREATE TABLE again (bag TEXT NOT NULL, source TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (bag, source)) STRICT;
CREATE TABLE receipt (bag TEXT PRIMARY KEY, file TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE camera_day (
  point TEXT NOT NULL, day TEXT NOT NULL, camera TEXT NOT NULL, zone TEXT NOT NULL, place TEXT NOT NULL,
  expected_s REAL NOT NULL, delivered_s REAL NOT NULL, short INTEGER NOT NULL, missing TEXT NOT NULL,
  PRIMARY KEY (point, day, camera)
) STRICT, WITHOUT ROWID;
CREATE INDEX camera_day_short ON camera_day (day, point, camera) WHERE short;
CREATE TABLE point_day (
  point TEXT NOT NULL, day TEXT NOT NULL, subject TEXT NOT NULL, due_at TEXT NOT NULL,
  keep_until TEXT NOT NULL, expected_s REAL NOT NULL, delivered_s REAL NOT NULL, cameras INTEGER NOT NULL,
  short INTEGER NOT NULL, bags INTEGER NOT NULL, quarantined INTEGER NOT NULL, last_at TEXT,
  PRIMARY KEY (point, day)
) STRICT, WITHOUT ROWID;
"""


class Catalogue:
    """The SQLite file. One connection; a desk is opened per command or per screen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.connection = self._open()
        except sqlite3.DatabaseError as problem:
            raise StoreError(
                m(
                    "{path}: the catalogue cannot be read ({reason}). It holds nothing of its own: run "
                    "'exam-kit region rebuild'.",
                    path=path,
                    reason=problem,
                )
            ) from problem

    def _open(self) -> sqlite3.Connection:
        # Screens are drawn by several threads one after the other; the lock around a desk keeps them apart.
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # derived: what a power cut takes is reckoned again
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            _empty(connection)
        return connection

    @classmethod
    def remove(cls, path: Path) -> None:
        """Delete the file and what SQLite keeps beside it."""
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; a block inside another joins it."""
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        cursor = self.connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def put(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows by their columns' names; one with the same key is replaced."""
        for row in rows:
            columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            # Names of tables and columns are this program's own; only values come from bags.
            self.connection.execute(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", row)  # noqa: S608

    def meta(self, name: str, default: str = "") -> str:
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def set_meta(self, name: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def close(self) -> None:
        self.connection.close()


def _empty(connection: sqlite3.Connection) -> None:
    """Another version's tables are not carried over: they are derived."""
    connection.execute("BEGIN EXCLUSIVE")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        connection.execute(f'DROP TABLE "{name}"')
    for statement in SCHEMA.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
