"""Attacks on the file itself: bytes, its length, a log left beside it, another file in its place."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from tests.tamper import Loot, Told, attack, opened

PAGE_BYTES = 4096


def _flip(path: Path, at: int, dice: random.Random) -> None:
    with path.open("rb+") as file:
        file.seek(at)
        (old,) = file.read(1)
        file.seek(at)
        file.write(bytes([old ^ (1 << dice.randrange(8))]))


@attack("byte anywhere")
def byte_anywhere(loot: Loot, dice: random.Random) -> Told:
    at = dice.randrange(loot.path.stat().st_size)
    _flip(loot.path, at, dice)
    return Told(f"byte {at}")


@attack("byte of the file's head")
def byte_of_head(loot: Loot, dice: random.Random) -> Told:
    at = dice.randrange(100)
    _flip(loot.path, at, dice)
    return Told(f"byte {at} of the head")


def _byte_of(name: str, column: str) -> None:
    @attack(name)
    def changed(loot: Loot, dice: random.Random) -> Told:
        connection = opened(loot.path)
        rows = connection.execute(f"SELECT seq, {column} FROM ledger").fetchall()
        connection.close()
        seq, value = dice.choice(rows)
        needle = value if isinstance(value, bytes) else value.encode()
        # A long record may continue on an overflow page, so its first part is looked for. A hash stands in the next
        # entry's record as well: that is found by what stands behind it there.
        part = needle[: min(len(needle), 60)]
        whole = loot.path.read_bytes()
        at = whole.find(part)
        if column == "hash":
            while at >= 0 and whole[at + len(needle) : at + len(needle) + 2] == b'",':
                at = whole.find(part, at + 1)
        if at < 0:
            return Told("not found in one piece")
        _flip(loot.path, at + dice.randrange(len(part)), dice)
        return Told(f"a byte of the {column} of entry {seq}", seq)


_byte_of("byte of a record", "record")
_byte_of("byte of a hash", "hash")
_byte_of("byte of a seal", "seal")


@attack("page overwritten")
def page_overwritten(loot: Loot, dice: random.Random) -> Told:
    pages = loot.path.stat().st_size // PAGE_BYTES
    page = dice.randrange(1, pages)
    with loot.path.open("rb+") as file:
        file.seek(page * PAGE_BYTES)
        file.write(dice.choice([bytes(PAGE_BYTES), dice.randbytes(PAGE_BYTES)]))
    return Told(f"page {page}")


@attack("pages exchanged")
def pages_exchanged(loot: Loot, dice: random.Random) -> Told:
    whole = bytearray(loot.path.read_bytes())
    one, other = dice.sample(range(1, len(whole) // PAGE_BYTES), 2)
    a, b = slice(one * PAGE_BYTES, (one + 1) * PAGE_BYTES), slice(other * PAGE_BYTES, (other + 1) * PAGE_BYTES)
    whole[a], whole[b] = whole[b], whole[a]
    loot.path.write_bytes(whole)
    return Told(f"pages {one} and {other} exchanged")


@attack("file cut short")
def file_cut(loot: Loot, dice: random.Random) -> Told:
    size = loot.path.stat().st_size
    keep = dice.choice([0, 100, PAGE_BYTES, dice.randrange(size // PAGE_BYTES) * PAGE_BYTES, dice.randrange(size)])
    with loot.path.open("rb+") as file:
        file.truncate(keep)
    return Told(f"{keep} of {size} bytes kept")


@attack("change left in the write-ahead log")
def in_the_log(loot: Loot, dice: random.Random) -> Told:
    connection = opened(loot.path)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("BEGIN")
    triggers = list(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    for name, _sql in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    seq = dice.randint(2, 40)
    connection.execute(
        'UPDATE ledger SET record = replace(record, \'"actor":"\', \'"actor":"x\') WHERE seq = ?', (seq,)
    )
    for _name, sql in triggers:
        connection.execute(sql)
    connection.execute("COMMIT")
    # Taken as the files lie while the connection is open, as a crash would leave them.
    log = loot.path.with_name(loot.path.name + "-wal")
    kept = loot.path.with_suffix(".kept")
    shutil.copy(log, kept)
    main = loot.path.read_bytes()
    connection.close()
    loot.path.write_bytes(main)
    kept.replace(log)
    return Told(f"entry {seq} changed in the log beside the file", seq)


@attack("rubbish as write-ahead log")
def rubbish_log(loot: Loot, dice: random.Random) -> Told:
    loot.path.with_name(loot.path.name + "-wal").write_bytes(dice.randbytes(8192))
    return Told("a log of rubbish beside the file")


@attack("older copy put back")
def older_copy(loot: Loot, dice: random.Random) -> Told:
    loot.path.write_bytes(loot.older)
    return Told("an older copy of the whole file")


@attack("another point's ledger put in")
def foreign(loot: Loot, dice: random.Random) -> Told:
    loot.path.write_bytes(loot.foreign)
    return Told("another point's file", 1)
