"""Ways to change a ledger file behind the kit's back, written apart from the verifier: plain SQL and bytes."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

__all__ = ["TAMPERINGS", "tamper"]


def _unprotected(path: Path) -> tuple[sqlite3.Connection, list[str]]:
    """The database with its triggers taken off, and the SQL to put them back, as a careful attacker would."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = list(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    for name, _sql in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    return connection, [sql for _name, sql in triggers]


def _changed(path: Path, act: Callable[[sqlite3.Connection], str]) -> str:
    connection, triggers = _unprotected(path)
    said = act(connection)
    for sql in triggers:
        connection.execute(sql)
    connection.close()
    return said


def _last(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(seq) FROM ledger").fetchone()[0])


def a_byte(path: Path, dice: random.Random) -> str:
    """One byte of an entry's text or hash, in the file itself."""
    connection = sqlite3.connect(path)
    seq = dice.randint(1, _last(connection))
    text = connection.execute(f"SELECT {dice.choice(['record', 'hash'])} FROM ledger WHERE seq = ?", (seq,)).fetchone()[
        0
    ]
    connection.close()
    whole = bytearray(path.read_bytes())
    needle = text.encode()
    # A long record may continue on an overflow page, so its first part is looked for.
    at = whole.index(needle[: min(len(needle), 60)]) + dice.randrange(min(len(needle), 60))
    whole[at] ^= 1 << dice.randrange(8)
    path.write_bytes(whole)
    return f"byte {at} of entry {seq}"


def a_field(path: Path, dice: random.Random) -> str:
    def act(connection: sqlite3.Connection) -> str:
        seq = dice.randint(2, _last(connection))
        data = json.loads(connection.execute("SELECT record FROM ledger WHERE seq = ?", (seq,)).fetchone()[0])
        field = dice.choice(["at", "actor", "kind", "body", "prev", "seq", "boot", "mono"])
        data[field] = {"at": "2020-01-01T00:00:00.000000Z", "body": {"number": 999}, "seq": seq + 1, "mono": 1.5}.get(
            field, "changed"
        )
        record = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        connection.execute("UPDATE ledger SET record = ? WHERE seq = ?", (record, seq))
        return f"{field} of entry {seq}"

    return _changed(path, act)


def a_row_removed(path: Path, dice: random.Random) -> str:
    def act(connection: sqlite3.Connection) -> str:
        seq = dice.randint(1, _last(connection))
        connection.execute("DELETE FROM ledger WHERE seq = ?", (seq,))
        return f"entry {seq} removed"

    return _changed(path, act)


def a_row_removed_and_renumbered(path: Path, dice: random.Random) -> str:
    def act(connection: sqlite3.Connection) -> str:
        seq, last = dice.randint(2, _last(connection) - 1), _last(connection)
        connection.execute("DELETE FROM ledger WHERE seq = ?", (seq,))
        for later in range(seq + 1, last + 1):
            connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (later - 1, later))
        return f"entry {seq} removed, the later ones moved up"

    return _changed(path, act)


def rows_swapped(path: Path, dice: random.Random) -> str:
    def act(connection: sqlite3.Connection) -> str:
        one, other = dice.sample(range(1, _last(connection) + 1), 2)
        for source, target in ((one, 0), (other, one), (0, other)):
            connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (target, source))
        return f"entries {one} and {other} swapped"

    return _changed(path, act)


def a_row_doubled(path: Path, dice: random.Random) -> str:
    def act(connection: sqlite3.Connection) -> str:
        seq = dice.randint(1, _last(connection))
        connection.execute(
            "INSERT INTO ledger (seq, record, hash) SELECT ?, record, hash FROM ledger WHERE seq = ?",
            (_last(connection) + 1, seq),
        )
        return f"entry {seq} added again at the end"

    return _changed(path, act)


def the_tail_cut_off(path: Path, dice: random.Random) -> str:
    def act(connection: sqlite3.Connection) -> str:
        seq = dice.randint(1, _last(connection))
        connection.execute("DELETE FROM ledger WHERE seq >= ?", (seq,))
        connection.execute("DELETE FROM checkpoint WHERE seq >= ?", (seq,))
        return f"entries from {seq} cut off, with their checkpoints"

    return _changed(path, act)


def a_trigger_dropped(path: Path, dice: random.Random) -> str:
    connection = sqlite3.connect(path, isolation_level=None)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
    name = dice.choice(names)
    connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    return f"trigger {name} dropped"


TAMPERINGS: dict[str, Callable[[Path, random.Random], str]] = {
    "byte": a_byte,
    "field": a_field,
    "removed": a_row_removed,
    "renumbered": a_row_removed_and_renumbered,
    "swapped": rows_swapped,
    "doubled": a_row_doubled,
    "tail": the_tail_cut_off,
    "trigger": a_trigger_dropped,
}


def tamper(path: Path, kind: str, dice: random.Random) -> str:
    """Change the file in one way of this kind, and say what was changed."""
    return TAMPERINGS[kind](path, dice)
