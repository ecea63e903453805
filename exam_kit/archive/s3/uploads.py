"""What has arrived at a store, remembered across kills: one small database beside the point's own.

A row is written after the store has answered for a part, so a part whose answer was not seen is sent again; nothing
is believed to be there that is not.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.errors import ArchiveError, m
from exam_kit.home import Home

__all__ = ["Arrived", "Part", "Uploads", "state_file"]

_TABLES = """
CREATE TABLE IF NOT EXISTS upload (
  place TEXT NOT NULL, key TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  upload_id TEXT NOT NULL, part_bytes INTEGER NOT NULL,
  PRIMARY KEY (place, key)
) STRICT;
CREATE TABLE IF NOT EXISTS part (
  place TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL,
  sha256 TEXT NOT NULL, etag TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (place, key, number)
) STRICT;
CREATE TABLE IF NOT EXISTS arrived (
  place TEXT NOT NULL, key TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  etag TEXT NOT NULL, parts_sha256 TEXT NOT NULL, how TEXT NOT NULL, retained_until TEXT NOT NULL,
  PRIMARY KEY (place, key)
) STRICT;
"""


@dataclass(frozen=True)
class Part:
    """One part that the store has answered for; `etag` is the store's own, `sha256` ours."""

    number: int
    sha256: str
    etag: str
    bytes: int


@dataclass(frozen=True)
class Arrived:
    """One object that was proved. `parts_sha256` is the composite SHA-256 of an object sent in parts, else empty;
    `how` it was proved: ``server_sha256`` or ``downloaded``; `retained_until` is ISO 8601 or empty."""

    bytes: int
    sha256: str
    etag: str
    parts_sha256: str
    how: str
    retained_until: str

    def lies(self, size: int, etag: str) -> bool:
        """Whether what a listing tells of is the object that was proved: a store gives other bytes another ETag. One
        that gives none tells nothing."""
        return bool(etag) and (size, etag) == (self.bytes, self.etag)


def state_file(home: Home) -> Path:
    """Where uploads are remembered."""
    return home.store.parent / "uploads.db"


class Uploads:
    """The state of one place (endpoint, bucket); every write is on the disk when it returns. Thread-safe.

    Everything raises ArchiveError where it cannot be kept: that ends the sending, and no copy beside it.
    """

    def __init__(self, path: Path, place: str) -> None:
        self._path, self._place = path, place
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as problem:
            raise _not_kept(path, problem) from problem

    def close(self) -> None:
        self._db.close()

    def begun(self, key: str, size: int, sha256: str) -> tuple[str, int] | None:
        """The upload id and part size of an upload of this very file; None when there is none."""
        found = self._one("SELECT upload_id, part_bytes, bytes, sha256 FROM upload WHERE place = ? AND key = ?", key)
        return (str(found[0]), int(found[1])) if found is not None and tuple(found[2:]) == (size, sha256) else None

    def begin(self, key: str, size: int, sha256: str, upload_id: str, part_bytes: int) -> None:
        self._write(
            *self._gone(key),
            (
                "INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?)",
                (self._place, key, size, sha256, upload_id, part_bytes),
            ),
        )

    def upload_ids(self) -> set[str]:
        """Of all uploads that are remembered."""
        with self._asking():
            rows = self._db.execute("SELECT upload_id FROM upload WHERE place = ?", (self._place,)).fetchall()
        return {str(row[0]) for row in rows}

    def part(self, key: str, part: Part) -> None:
        values = (self._place, key, part.number, part.sha256, part.etag, part.bytes)
        self._write(("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)", values))

    def parts(self, key: str) -> dict[int, Part]:
        with self._asking():
            rows = self._db.execute(
                "SELECT number, sha256, etag, bytes FROM part WHERE place = ? AND key = ?", (self._place, key)
            ).fetchall()
        return {row[0]: Part(*row) for row in rows}

    def forget(self, key: str) -> None:
        """The upload is gone or given up."""
        self._write(*self._gone(key))

    def arrive(self, key: str, arrived: Arrived) -> None:
        values = (self._place, key, arrived.bytes, arrived.sha256, arrived.etag)
        more = (arrived.parts_sha256, arrived.how, arrived.retained_until)
        self._write(
            *self._gone(key), ("INSERT OR REPLACE INTO arrived VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, *more))
        )

    def arrived(self, key: str) -> Arrived | None:
        found = self._one(
            "SELECT bytes, sha256, etag, parts_sha256, how, retained_until FROM arrived WHERE place = ? AND key = ?",
            key,
        )
        return None if found is None else Arrived(*found)

    def _gone(self, key: str) -> list[tuple[str, tuple[object, ...]]]:
        where = (self._place, key)
        return [
            ("DELETE FROM upload WHERE place = ? AND key = ?", where),
            ("DELETE FROM part WHERE place = ? AND key = ?", where),
        ]

    def _one(self, query: str, key: str) -> tuple[Any, ...] | None:
        with self._asking():
            found: tuple[Any, ...] | None = self._db.execute(query, (self._place, key)).fetchone()
        return found

    def _write(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        with self._asking():
            self._db.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as problem:
                with suppress(sqlite3.Error):  # a full disk has ended the transaction by itself
                    self._db.execute("ROLLBACK")
                raise _not_kept(self._path, problem) from problem


def _not_kept(path: Path, problem: Exception) -> ArchiveError:
    return ArchiveError(
        m(
            "{path}: the state of uploads cannot be kept ({reason}). See that the disk is not full; a damaged file "
            "may be moved away, uploads then begin anew.",
            path=path,
            reason=type(problem).__name__,
        )
    )
