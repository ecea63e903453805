"""Ways to change a ledger behind the kit's back, written apart from its verifier: plain SQL, bytes and hashing.

Nothing of `exam_kit.store` is used here: what the attacker knows of the format stands in these modules once more.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ATTACKS", "Attack", "Loot", "Told", "attack", "opened", "snapshot", "unprotected"]


@dataclass(frozen=True)
class Loot:
    """What the attacker holds: the file, an older copy of it, another point's, and the keys found on the machine."""

    path: Path
    older: bytes
    foreign: bytes
    seal_position: int
    seal_key: bytes
    signing_pem: bytes


@dataclass(frozen=True)
class Told:
    """What was done, and the first entry it touched where there is one."""

    what: str
    first: int | None = None


Attack = Callable[[Loot, random.Random], Told]
ATTACKS: dict[str, Attack] = {}


def attack(name: str) -> Callable[[Attack], Attack]:
    """Register a class of attack."""

    def add(act: Attack) -> Attack:
        if name in ATTACKS:
            raise ValueError(name)
        ATTACKS[name] = act
        return act

    return add


def opened(path: Path) -> sqlite3.Connection:
    """A connection of the attacker's, who does not wait for the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def unprotected(path: Path, act: Callable[[sqlite3.Connection], Told]) -> Told:
    """Act with the triggers off, and put them back as they were, as a careful attacker would."""
    connection = opened(path)
    connection.execute("BEGIN")
    triggers = list(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    for name, _sql in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    told = act(connection)
    for _name, sql in triggers:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.close()
    return told


def snapshot(path: Path) -> object:
    """All that the ledger says, by its table and by its index, and what protects it; None where it cannot be read."""
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    asked = (
        "SELECT seq, record, hash, seal, typeof(seq), typeof(record), typeof(hash), typeof(seal) FROM ledger"
        " ORDER BY seq",
        "SELECT kind, seq FROM ledger INDEXED BY ledger_kind ORDER BY kind, seq",
        "SELECT kind, at FROM ledger NOT INDEXED ORDER BY seq",
        "SELECT seq, text FROM checkpoint ORDER BY seq",
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name IN ('ledger', 'checkpoint')"
        " OR type IN ('trigger', 'view') ORDER BY name",
        "PRAGMA application_id",
        "PRAGMA user_version",
        "PRAGMA encoding",
    )
    try:
        return [connection.execute(sql).fetchall() for sql in asked]
    except (sqlite3.Error, OverflowError, ValueError):
        return None
    finally:
        connection.close()


# Imported for what they register.
from tests import tamper_file, tamper_forge, tamper_keys, tamper_rows, tamper_schema  # noqa: E402, F401
