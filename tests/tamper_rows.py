"""Attacks on rows and on the schema: SQL by somebody who has the file and no key."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import unicodedata
from collections.abc import Callable
from typing import Any

from tests.tamper import ATTACKS, Loot, Told, attack, unprotected

NEW = {
    "at": "2020-01-01T00:00:00.000000Z",
    "actor": "somebody",
    "kind": "access.withdrawn",
    "body": {"number": 999},
    "boot": "boot-99",
    "mono": 1.5,
    "prev": "0" * 64,
}


def last_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(seq) FROM ledger").fetchone()[0])


def record_of(connection: sqlite3.Connection, seq: int) -> dict[str, Any]:
    text = connection.execute("SELECT record FROM ledger WHERE seq = ?", (seq,)).fetchone()[0]
    return dict(json.loads(text))


def canonical(data: dict[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hashed(ledger: str, record: str) -> str:
    return hashlib.sha256(b"exam-kit ledger v1\n" + ledger.encode() + b"\n" + record.encode()).hexdigest()


def ledger_of(connection: sqlite3.Connection) -> str:
    return str(record_of(connection, 1)["body"]["ledger"])


def _put(connection: sqlite3.Connection, seq: int, record: str) -> None:
    connection.execute("UPDATE ledger SET record = ? WHERE seq = ?", (record, seq))


def _field(name: str, *, rehashed: bool) -> None:
    @attack(f"field {name}{', rehashed' if rehashed else ''}")
    def changed(loot: Loot, dice: random.Random) -> Told:
        def act(connection: sqlite3.Connection) -> Told:
            seq = dice.randint(2, last_of(connection))
            data = record_of(connection, seq)
            data[name] = NEW[name] if name != "seq" else seq + 1
            record = canonical(data)
            _put(connection, seq, record)
            if rehashed:
                digest = hashed(ledger_of(connection), record)
                connection.execute("UPDATE ledger SET hash = ? WHERE seq = ?", (digest, seq))
            return Told(f"{name} of entry {seq}", seq)

        return unprotected(loot.path, act)


for _name in (*NEW, "seq"):
    _field(_name, rehashed=False)
for _name in ("at", "actor", "body"):
    _field(_name, rehashed=True)


def _rows(name: str) -> Callable[[Callable[[sqlite3.Connection, random.Random], Told]], None]:
    """Register an act that needs nothing but the rows."""

    def add(act: Callable[[sqlite3.Connection, random.Random], Told]) -> None:
        ATTACKS[name] = lambda loot, dice: unprotected(loot.path, lambda connection: act(connection, dice))

    return add


@_rows("row removed")
def _removed(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(1, last_of(connection))
    connection.execute("DELETE FROM ledger WHERE seq = ?", (seq,))
    return Told(f"entry {seq} removed", seq)


@_rows("rows removed, renumbered")
def _removed_and_renumbered(connection: sqlite3.Connection, dice: random.Random) -> Told:
    last = last_of(connection)
    seq, count = dice.randint(2, last - 4), dice.randint(1, 3)
    connection.execute("DELETE FROM ledger WHERE seq BETWEEN ? AND ?", (seq, seq + count - 1))
    for later in range(seq + count, last + 1):
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (later - count, later))
    return Told(f"entries from {seq} removed ({count}), later ones moved up", seq)


@_rows("row inserted between")
def _inserted(connection: sqlite3.Connection, dice: random.Random) -> Told:
    last = last_of(connection)
    seq = dice.randint(2, last)
    for later in range(last, seq - 1, -1):
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (later + 1, later))
    data = record_of(connection, seq - 1) | {"seq": seq, "actor": "somebody"}
    record = canonical(data)
    values = (seq, record, hashed(ledger_of(connection), record), dice.randbytes(32))
    connection.execute("INSERT INTO ledger (seq, record, hash, seal) VALUES (?, ?, ?, ?)", values)
    return Told(f"an entry {seq} put in, later ones moved down", seq)


@_rows("row added at the end")
def _added(connection: sqlite3.Connection, dice: random.Random) -> Told:
    last = last_of(connection)
    prev = connection.execute("SELECT hash FROM ledger WHERE seq = ?", (last,)).fetchone()[0]
    record = canonical(record_of(connection, last) | {"seq": last + 1, "prev": prev, "body": {"number": -1}})
    seal = dice.choice([None, dice.randbytes(32), b""])
    values = (last + 1, record, hashed(ledger_of(connection), record), seal)
    connection.execute("INSERT INTO ledger (seq, record, hash, seal) VALUES (?, ?, ?, ?)", values)
    return Told(f"an entry {last + 1} that fits the chain", last + 1)


@_rows("row doubled at the end")
def _doubled(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq, last = dice.randint(1, last_of(connection)), last_of(connection)
    connection.execute(
        "INSERT INTO ledger (seq, record, hash, seal) SELECT ?, record, hash, seal FROM ledger WHERE seq = ?",
        (last + 1, seq),
    )
    return Told(f"entry {seq} added again at the end", last + 1)


@_rows("row doubled in its place")
def _doubled_here(connection: sqlite3.Connection, dice: random.Random) -> Told:
    last = last_of(connection)
    seq, again = dice.randint(1, last), dice.randint(1, 3)
    for later in range(last, seq, -1):
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (later + again, later))
    for copy in range(seq + 1, seq + 1 + again):
        connection.execute(
            "INSERT INTO ledger (seq, record, hash, seal) SELECT ?, record, hash, seal FROM ledger WHERE seq = ?",
            (copy, seq),
        )
    return Told(f"entry {seq} stands {again + 1} times, later ones moved down", seq + 1)


@_rows("row replaced by another")
def _replaced(connection: sqlite3.Connection, dice: random.Random) -> Told:
    one, other = dice.sample(range(1, last_of(connection) + 1), 2)
    connection.execute(
        "UPDATE ledger SET (record, hash, seal) = (SELECT record, hash, seal FROM ledger WHERE seq = ?) WHERE seq = ?",
        (other, one),
    )
    return Told(f"entry {one} replaced by {other}", one)


@_rows("rows swapped")
def _swapped(connection: sqlite3.Connection, dice: random.Random) -> Told:
    one, other = sorted(dice.sample(range(1, last_of(connection) + 1), 2))
    for source, target in ((one, 0), (other, one), (0, other)):
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (target, source))
    return Told(f"entries {one} and {other} swapped", one)


@_rows("all renumbered by one")
def _renumbered(connection: sqlite3.Connection, dice: random.Random) -> Told:
    by = dice.choice([-1, 1])
    order = "DESC" if by > 0 else ""
    for (seq,) in connection.execute(f"SELECT seq FROM ledger ORDER BY seq {order}").fetchall():
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (seq + by, seq))
    return Told("all numbers moved by one", 1)


@_rows("row before the first")
def _before_first(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.choice([0, -1, -(2**63)])
    connection.execute(
        "INSERT INTO ledger (seq, record, hash, seal) SELECT ?, record, hash, seal FROM ledger WHERE seq = 2", (seq,)
    )
    return Told(f"an entry numbered {seq}", 1)


@_rows("row far behind the last")
def _far_behind(connection: sqlite3.Connection, dice: random.Random) -> Told:
    last = last_of(connection)
    seq = last + dice.choice([2, 10, 10_000])
    connection.execute(
        "INSERT INTO ledger (seq, record, hash, seal) SELECT ?, record, hash, seal FROM ledger WHERE seq = ?",
        (seq, last),
    )
    return Told(f"an entry numbered {seq} behind {last}", last + 1)


@_rows("tail cut, with its checkpoints")
def _tail(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(1, last_of(connection))
    connection.execute("DELETE FROM ledger WHERE seq >= ?", (seq,))
    connection.execute("DELETE FROM checkpoint WHERE seq >= ?", (seq,))
    return Told(f"entries from {seq} cut off, with their checkpoints", seq)


@_rows("tail cut, checkpoints left")
def _tail_alone(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(1, last_of(connection))
    connection.execute("DELETE FROM ledger WHERE seq >= ?", (seq,))
    return Told(f"entries from {seq} cut off", seq)


@_rows("all rows removed")
def _emptied(connection: sqlite3.Connection, dice: random.Random) -> Told:
    connection.execute("DELETE FROM ledger")
    if dice.random() < 0.5:
        connection.execute("DELETE FROM checkpoint")
    return Told("the ledger emptied", 1)


@_rows("hash changed")
def _hash(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(1, last_of(connection))
    (old,) = connection.execute("SELECT hash FROM ledger WHERE seq = ?", (seq,)).fetchone()
    new = dice.choice([old.upper(), old[:-1] + ("0" if old[-1] != "0" else "1"), old + " ", "", old[:63]])
    connection.execute("UPDATE ledger SET hash = ? WHERE seq = ?", (new, seq))
    return Told(f"hash of entry {seq}", seq)


@_rows("seal changed")
def _seal(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(1, last_of(connection))
    new = dice.choice([dice.randbytes(32), dice.randbytes(31), b"", bytes(32)])
    connection.execute("UPDATE ledger SET seal = ? WHERE seq = ?", (new, seq))
    return Told(f"seal of entry {seq}", seq)


@_rows("seals taken off")
def _seals_off(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.choice([1, dice.randint(1, last_of(connection))])
    connection.execute("UPDATE ledger SET seal = NULL WHERE seq >= ?", (seq,))
    return Told(f"seals from entry {seq} on", seq)


@_rows("seals exchanged")
def _seals_exchanged(connection: sqlite3.Connection, dice: random.Random) -> Told:
    one, other = sorted(dice.sample(range(1, last_of(connection) + 1), 2))
    seals = [connection.execute("SELECT seal FROM ledger WHERE seq = ?", (seq,)).fetchone()[0] for seq in (one, other)]
    for seq, seal in zip((other, one), seals, strict=True):
        connection.execute("UPDATE ledger SET seal = ? WHERE seq = ?", (seal, seq))
    return Told(f"seals of {one} and {other} exchanged", one)


@_rows("same meaning, other spelling")
def _respelled(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    data = record_of(connection, seq)
    record = dice.choice(
        [
            json.dumps(data, ensure_ascii=False),
            json.dumps(data, sort_keys=True, separators=(",", ":")) + " ",
            canonical(data).replace('"actor"', '"\\u0061ctor"'),
            json.dumps(dict(reversed(list(data.items()))), separators=(",", ":"), ensure_ascii=False),
            canonical(data).replace(f'"seq":{seq}', f'"seq":{seq}.0'),
            canonical(data).replace('"body":{', '"body":{"z":0,'),
        ]
    )
    _put(connection, seq, record)
    connection.execute("UPDATE ledger SET hash = ? WHERE seq = ?", (hashed(ledger_of(connection), record), seq))
    return Told(f"entry {seq} spelled otherwise", seq)


@_rows("a field twice")
def _twice(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    record = canonical(record_of(connection, seq))
    name = dice.choice(["kind", "at", "actor"])
    doubled = record.replace(f'"{name}":', f'"{name}":"hidden","{name}":', 1)
    _put(connection, seq, doubled)
    return Told(f"{name} twice in entry {seq}", seq)


@_rows("letters that look alike")
def _alike(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(3, last_of(connection))
    text = connection.execute("SELECT record FROM ledger WHERE seq = ?", (seq,)).fetchone()[0]
    changed = unicodedata.normalize("NFD", text)
    if changed == text or dice.random() < 0.5:
        changed = text.replace("а", "a", 1) if "а" in text else text.replace("a", "а", 1)
    _put(connection, seq, changed)
    return Told(f"letters of entry {seq}", seq)


@_rows("a NUL in the text")
def _nul(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq = dice.randint(1, last_of(connection))
    connection.execute("UPDATE ledger SET record = record || char(0) || '{}' WHERE seq = ?", (seq,))
    return Told(f"a NUL behind entry {seq}", seq)


@_rows("checkpoint removed")
def _checkpoint_removed(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seqs = [row[0] for row in connection.execute("SELECT seq FROM checkpoint")]
    seq = dice.choice(seqs)
    connection.execute("DELETE FROM checkpoint WHERE seq = ?", (seq,))
    return Told(f"checkpoint {seq} removed", seq)


@_rows("checkpoint changed")
def _checkpoint_changed(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seq, text = dice.choice(connection.execute("SELECT seq, text FROM checkpoint").fetchall())
    at = dice.randrange(len(text))
    changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
    connection.execute("UPDATE checkpoint SET text = ? WHERE seq = ?", (changed, seq))
    return Told(f"character {at} of checkpoint {seq}")


@_rows("checkpoint moved")
def _checkpoint_moved(connection: sqlite3.Connection, dice: random.Random) -> Told:
    seqs = [row[0] for row in connection.execute("SELECT seq FROM checkpoint")]
    seq = dice.choice(seqs)
    connection.execute("UPDATE checkpoint SET seq = ? WHERE seq = ?", (max(seqs) + 1, seq))
    return Told(f"checkpoint {seq} filed under another number", seq)
