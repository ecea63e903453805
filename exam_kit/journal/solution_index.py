"""The full-text index of the solutions: SQLite FTS5 over their stems, in a file of its own.

It is made from what the ledger says and can be thrown away at any time: it names solutions, and what is shown of them
comes from the ledger. It lies beside the store, not in it, so that nothing about it can be a finding about the ledger
(from SQLite 3.44 on an integrity check of a file reads its FTS tables too), so that whoever may only read the store
can search, and so that a damaged one is simply deleted. See docs/decisions/0010.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from exam_kit.home import Home
from exam_kit.journal.solution_content import Content
from exam_kit.journal.solution_stems import SHORTEST, folded_words, index_stems, is_common, query_stems

__all__ = ["FORMAT", "SolutionIndex"]

log = logging.getLogger(__name__)

FORMAT = "4"
"""Raised when stems are made another way: an older index is then made anew."""

BUSY_TIMEOUT_S = 5.0
MOST_LETTERS = 1000
MOST_WORDS = 24
"""Of a longer text only so much is looked for: a pasted page must not make anybody wait."""

LONGEST_SLIP = 3
"""A word nobody has written is looked for without up to so many letters of its stem's end."""

SYMPTOM_WEIGHT, REST_WEIGHT = 4.0, 1.0

SCHEMA = (
    "CREATE TABLE told (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE held (id INTEGER PRIMARY KEY, solution TEXT NOT NULL UNIQUE, hash TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE words USING fts5(symptom, rest, tokenize='unicode61 remove_diacritics 0', prefix='3 4 5')",
    "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row)",
)


class SolutionIndex:
    """The index in `path`, brought up to date when it is asked; without a path, or where it cannot be kept, in memory.

    One connection for each search: it costs a fraction of a millisecond, and nothing has to be closed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._memory: sqlite3.Connection | None = None

    @classmethod
    def of(cls, home: Home) -> SolutionIndex:
        """The home's, among what is safe to delete."""
        return cls(home.run / "solutions.fts")

    def find(
        self, text: str, stamp: str, contents: Mapping[str, Content], limit: int, within: Iterable[str] = ()
    ) -> list[tuple[str, float]]:
        """Ids of solutions that match `text`, each with its match (greater is better), best first.

        `contents` are all that can be found, and `stamp` changes whenever they do. Of any text something can be
        looked for: there are no operators in it. A text without words finds nothing.
        """
        words = _asked(text)
        if not words:
            return []
        for attempt in ("as it is", "made anew"):
            try:
                with self._opened() as connection:
                    _bring_up(connection, stamp, contents)
                    return _matches(connection, words, limit, frozenset(within))
            except (sqlite3.DatabaseError, OSError) as problem:
                log.warning("the index of solutions could not be used %s: %s", attempt, problem)
                self._discard()
        # The folder cannot be written, or the disk is full: it is found all the same.
        connection = self._in_memory()
        _bring_up(connection, stamp, contents)
        return _matches(connection, words, limit, frozenset(within))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self._path is None or self._memory is not None:
            yield self._in_memory()
            return
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        with closing(connection):
            # What is lost in a power cut is made again.
            connection.execute("PRAGMA synchronous=OFF")
            yield connection

    def _in_memory(self) -> sqlite3.Connection:
        if self._memory is None:
            self._memory = sqlite3.connect(":memory:", isolation_level=None)
        return self._memory

    def _discard(self) -> None:
        if self._path is None:
            return
        try:
            for name in (self._path.name, f"{self._path.name}-journal"):
                self._path.with_name(name).unlink(missing_ok=True)
        except OSError as problem:
            log.warning("%s cannot be removed: %s", self._path, problem)


def _bring_up(connection: sqlite3.Connection, stamp: str, contents: Mapping[str, Content]) -> None:
    """Make the index say what `contents` say; nothing is done where it does."""
    wanted = f"{FORMAT} {stamp}"
    if _told(connection) == wanted:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        told = _told(connection)  # another process may have brought it up while we waited
        if told != wanted:
            if told.partition(" ")[0] != FORMAT:
                _make(connection)
            _align(connection, contents)
            connection.execute("INSERT OR REPLACE INTO told VALUES ('stamp', ?)", (wanted,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _told(connection: sqlite3.Connection) -> str:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'told'").fetchone() is None:
        return ""
    row = connection.execute("SELECT value FROM told WHERE name = 'stamp'").fetchone()
    return str(row[0]) if row else ""


def _make(connection: sqlite3.Connection) -> None:
    for name in ("vocabulary", "words", "held", "told"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in SCHEMA:
        connection.execute(statement)


def _align(connection: sqlite3.Connection, contents: Mapping[str, Content]) -> None:
    held = {solution: (row, digest) for row, solution, digest in connection.execute("SELECT * FROM held")}
    hashes = {solution: content.hash for solution, content in contents.items()}
    gone = [(row,) for solution, (row, digest) in held.items() if hashes.get(solution) != digest]
    connection.executemany("DELETE FROM words WHERE rowid = ?", gone)
    connection.executemany("DELETE FROM held WHERE id = ?", gone)
    for solution, digest in hashes.items():
        if held.get(solution, (0, ""))[1] == digest:
            continue
        row = connection.execute("INSERT INTO held (solution, hash) VALUES (?, ?)", (solution, digest)).lastrowid
        symptom, rest = _stems(contents[solution])
        connection.execute("INSERT INTO words (rowid, symptom, rest) VALUES (?, ?, ?)", (row, symptom, rest))


def _stems(content: Content) -> tuple[str, str]:
    """The stems of the symptoms and of all else, in all languages."""
    symptom: list[str] = []
    rest: list[str] = []
    for language, wording in content.texts.items():
        symptom += _of_text(wording.symptom, language)
        rest += _of_text(" ".join((wording.cause, *wording.steps)), language)
    return " ".join(symptom), " ".join(rest)


def _of_text(text: str, language: str) -> Iterator[str]:
    for word in folded_words(text):
        if not is_common(word):
            yield from index_stems(word, language)


def _asked(text: str) -> list[tuple[str, ...]]:
    """For each word of a query the beginnings that it may be found by."""
    words = [word for word in folded_words(text[:MOST_LETTERS]) if len(word) > 1]
    telling = [word for word in words if not is_common(word)]
    found = [query_stems(word) for word in telling]
    if telling and not text[-1:].isspace():
        # The last one may still be typed: it begins like this.
        found[-1] = tuple(dict.fromkeys((*found[-1], telling[-1])))
    return list(dict.fromkeys(found))[:MOST_WORDS]


def _matches(
    connection: sqlite3.Connection, words: list[tuple[str, ...]], limit: int, within: frozenset[str]
) -> list[tuple[str, float]]:
    groups = [group for group in (_known(connection, word) for word in words) if group]
    if not groups:
        return []
    # Stems are letters and digits only, and quoted: nothing in them can be read as an operator.
    query = " OR ".join(f'"{stem}"*' for group in groups for stem in group)
    rows = connection.execute(
        "SELECT held.solution, -bm25(words, ?, ?) FROM words JOIN held ON held.id = words.rowid"
        " WHERE words MATCH ? ORDER BY bm25(words, ?, ?) LIMIT ?",
        (SYMPTOM_WEIGHT, REST_WEIGHT, query, SYMPTOM_WEIGHT, REST_WEIGHT, -1 if within else limit),
    )
    return [(str(solution), float(match)) for solution, match in rows if not within or solution in within][:limit]


def _known(connection: sqlite3.Connection, beginnings: tuple[str, ...]) -> tuple[str, ...]:
    """Those beginnings that any solution has; where none has, shorter ones, down to the shortest that says something.

    So an ending that no table knows, or a slip near the end of a word, still finds.
    """
    found = tuple(one for one in beginnings if _begins(connection, one))
    shorter = beginnings[0]
    least = max(SHORTEST, len(shorter) - LONGEST_SLIP)
    while not found and len(shorter) > least and not shorter.isdigit():
        shorter = shorter[:-1]
        found = (shorter,) if _begins(connection, shorter) else ()
    return found


def _begins(connection: sqlite3.Connection, beginning: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM vocabulary WHERE term >= ? AND term < ? LIMIT 1", (beginning, beginning + "\U0010ffff")
    ).fetchone()
    return row is not None
