"""Attacks on what protects the rows: triggers, indexes, types, views, the marks in the file's head."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

from tests.tamper import ATTACKS, Loot, Told, opened


def _trigger_names(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]


def _on_schema(name: str) -> Callable[[Callable[[sqlite3.Connection, random.Random], str]], None]:
    def add(act: Callable[[sqlite3.Connection, random.Random], str]) -> None:
        def done(loot: Loot, dice: random.Random) -> Told:
            connection = opened(loot.path)
            said = act(connection, dice)
            connection.close()
            return Told(said)

        ATTACKS[name] = done

    return add


def _rewritten(connection: sqlite3.Connection, name: str, old: str, new: str) -> None:
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?", (old, new, name))
    connection.execute("PRAGMA writable_schema=RESET")


@_on_schema("trigger dropped")
def _trigger_dropped(connection: sqlite3.Connection, dice: random.Random) -> str:
    name = dice.choice(_trigger_names(connection))
    connection.execute(f"DROP TRIGGER {name}")
    return f"trigger {name} dropped"


@_on_schema("trigger made toothless")
def _trigger_changed(connection: sqlite3.Connection, dice: random.Random) -> str:
    name = dice.choice(_trigger_names(connection))
    _rewritten(connection, name, "RAISE(ABORT", dice.choice(["RAISE(IGNORE", "coalesce(NULL"]))
    return f"trigger {name} changed"


@_on_schema("trigger entered under another table")
def _trigger_moved(connection: sqlite3.Connection, dice: random.Random) -> str:
    """Its words stay; only the column that says whose it is reads otherwise, in one letter's case or as another's."""
    name = dice.choice(_trigger_names(connection))
    table = dice.choice([name.partition("_")[0].title(), "orders", "ledgeR"])
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("UPDATE sqlite_schema SET tbl_name = ? WHERE name = ?", (table, name))
    connection.execute("PRAGMA writable_schema=RESET")
    return f"trigger {name} entered as one of {table}"


@_on_schema("trigger added")
def _trigger_added(connection: sqlite3.Connection, dice: random.Random) -> str:
    table = dice.choice(["ledger", "orders"])
    connection.execute(
        f"CREATE TRIGGER quiet AFTER INSERT ON {table} BEGIN DELETE FROM {dice.choice(['ledger', 'checkpoint'])}; END"
    )
    return f"a trigger on {table} that deletes"


@_on_schema("index dropped")
def _index_dropped(connection: sqlite3.Connection, dice: random.Random) -> str:
    connection.execute("DROP INDEX ledger_kind")
    return "index ledger_kind dropped"


@_on_schema("index that leaves rows out")
def _index_partial(connection: sqlite3.Connection, dice: random.Random) -> str:
    connection.execute("DROP INDEX ledger_kind")
    connection.execute(f"CREATE INDEX ledger_kind ON ledger (kind, seq) WHERE seq <> {dice.randint(2, 40)}")
    return "a partial index in place of ledger_kind"


@_on_schema("view added")
def _view(connection: sqlite3.Connection, dice: random.Random) -> str:
    connection.execute("CREATE VIEW journal AS SELECT * FROM ledger WHERE seq <> 7")
    return "a view that hides an entry"


@_on_schema("column type changed")
def _type(connection: sqlite3.Connection, dice: random.Random) -> str:
    old, new = dice.choice([(") STRICT", ")"), ("record TEXT", "record ANY"), ("hash TEXT NOT NULL", "hash TEXT")])
    _rewritten(connection, "ledger", old, new)
    return f"{old} became {new}"


@_on_schema("generated column changed")
def _generated(connection: sqlite3.Connection, dice: random.Random) -> str:
    _rewritten(connection, "ledger", "json_extract(record, '$.at')", "'2020-01-01T00:00:00.000000Z'")
    return "column at says something else than the record"


@_on_schema("collation changed")
def _collation(connection: sqlite3.Connection, dice: random.Random) -> str:
    _rewritten(connection, "ledger", "hash TEXT NOT NULL", "hash TEXT NOT NULL COLLATE NOCASE")
    return "hashes compared without case"


@_on_schema("record stored as a blob")
def _blob(connection: sqlite3.Connection, dice: random.Random) -> str:
    for name in _trigger_names(connection):
        connection.execute(f"DROP TRIGGER {name}")
    _rewritten(connection, "ledger", ") STRICT", ")")
    connection.execute("UPDATE ledger SET record = CAST(record AS BLOB) WHERE seq = ?", (dice.randint(1, 40),))
    _rewritten(connection, "ledger", ", seal BLOB)", ", seal BLOB) STRICT")
    return "a record as bytes, the table strict again"


@_on_schema("table replaced by a view")
def _table_view(connection: sqlite3.Connection, dice: random.Random) -> str:
    connection.execute("PRAGMA legacy_alter_table=ON")
    connection.execute("ALTER TABLE ledger RENAME TO kept")
    connection.execute("CREATE VIEW ledger AS SELECT * FROM kept WHERE kind NOT LIKE 'incident%'")
    return "a view in the table's place"


@_on_schema("application id changed")
def _application(connection: sqlite3.Connection, dice: random.Random) -> str:
    connection.execute(f"PRAGMA application_id = {dice.choice([0, dice.randint(1, 2**31 - 1)])}")
    return "application_id"


@_on_schema("schema version changed")
def _version(connection: sqlite3.Connection, dice: random.Random) -> str:
    connection.execute(f"PRAGMA user_version = {dice.choice([0, 1, 6, 99])}")
    return "user_version"


@_on_schema("index out of step with the table")
def _out_of_step(connection: sqlite3.Connection, dice: random.Random) -> str:
    """Journald's first hole, for us: the entry stays sealed in its table, and a reader by kind is not shown it."""
    (row,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'ledger_kind'").fetchone()
    connection.execute("DROP INDEX ledger_kind")
    hidden = dice.randint(2, 40)
    connection.execute(f"CREATE INDEX ledger_kind ON ledger (kind, seq) WHERE seq <> {hidden}")
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'ledger_kind'", (row,))
    connection.execute("PRAGMA writable_schema=RESET")
    return f"entry {hidden} missing from the index by kind"
