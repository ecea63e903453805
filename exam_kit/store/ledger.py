"""The ledger: an append-only chain of everything that was done.

Entry *n* is the RFC 8785 canonical JSON of ``{seq, at, boot, mono, actor, kind, body, prev}``; its hash is SHA-256
over a domain tag, the ledger's id and that text. `prev` is the hash before it, so a changed entry breaks every one
after it. A checkpoint is a short signed text naming the head; kept outside the machine (in a bag, on paper, on a
stick), it makes a rewritten chain, a cut tail or an older copy visible.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785

from exam_kit.clock import Clock, SystemClock, from_iso, iso
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store.db import Store
from exam_kit.store.durable import sync_folder
from exam_kit.store.keys import SigningKey, VerifyKey

__all__ = ["Checkpoint", "Entry", "Head", "Ledger", "entry_hash"]

DOMAIN = b"exam-kit ledger v1\n"
GENESIS = "ledger.opened"
CHECKPOINT_TITLE = "exam-kit checkpoint v1"


@dataclass(frozen=True)
class Entry:
    """One entry as it stands in the chain."""

    seq: int
    at: datetime
    actor: str
    kind: str
    body: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class Head:
    """The last entry's number and hash; seq 0 and the empty hash for an empty ledger."""

    seq: int
    hash: str


def entry_hash(ledger_id: str, record: str) -> str:
    """The hash of an entry whose canonical JSON is `record`."""
    return hashlib.sha256(DOMAIN + ledger_id.encode() + b"\n" + record.encode()).hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement: at this moment the chain ended with this entry."""

    ledger: str
    seq: int
    hash: str
    at: str
    key: str
    signature: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        lines = (
            CHECKPOINT_TITLE,
            f"ledger {self.ledger}",
            f"seq {self.seq}",
            f"hash {self.hash}",
            f"at {self.at}",
            f"key {self.key}",
        )
        return ("\n".join(lines) + "\n").encode()

    def text(self) -> str:
        """The form that is kept and printed."""
        return self.message.decode() + f"sig {base64.b64encode(self.signature).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The inverse of `text`; ValueError when it is not a checkpoint."""
        title, *lines = text.strip().splitlines()
        pairs = dict(line.split(" ", 1) for line in lines if " " in line)
        if title != CHECKPOINT_TITLE or set(pairs) != {"ledger", "seq", "hash", "at", "key", "sig"}:
            raise ValueError("not an exam-kit checkpoint")
        return cls(
            pairs["ledger"],
            int(pairs["seq"]),
            pairs["hash"],
            pairs["at"],
            pairs["key"],
            base64.b64decode(pairs["sig"], validate=True),
        )

    def signed_by(self, key: VerifyKey) -> bool:
        return key.holds(self.message, self.signature)


class Ledger:
    """The one way to write and read the chain. Safe from several processes at once."""

    def __init__(self, store: Store, home: Home, clock: Clock | None = None) -> None:
        self.store = store
        self._home = home
        self.clock = clock or SystemClock()
        self._key = None if store.read_only else SigningKey.load_or_create(home.keys)

    def append(
        self,
        kind: str,
        body: Mapping[str, Any],
        actor: str,
        also: Callable[[sqlite3.Connection, Entry], object] | None = None,
    ) -> Entry:
        """Add an entry; it is on the disk when this returns.

        `body` is JSON: text, numbers, booleans, None, lists and objects. `actor` is a login, or "agent". `also` runs in
        the same transaction, for a table row that must stand or fall with the entry.

        Raises:
            StoreError: the database refused; nothing was added.
        """
        with self.store.transaction() as connection:
            head = self.head()
            prev = head.hash
            if head.seq == 0:
                prev = self._open(connection).hash
            entry = self._insert(connection, max(head.seq, 1) + 1, prev, kind, body, actor)
            if also is not None:
                also(connection, entry)
            return entry

    def _open(self, connection: sqlite3.Connection) -> Entry:
        """The first entry names the ledger and the key its checkpoints are signed with."""
        key = self._key
        if key is None:
            raise StoreError(m("The ledger was opened for reading only."))
        body = {"ledger": str(uuid.uuid4()), "key": key.public.pem().decode(), "fingerprint": key.public.fingerprint}
        return self._insert(connection, 1, "", GENESIS, body, "agent")

    def _insert(
        self, connection: sqlite3.Connection, seq: int, prev: str, kind: str, body: Mapping[str, Any], actor: str
    ) -> Entry:
        at = self.clock.now()
        record = rfc8785.dumps(
            {
                "seq": seq,
                "at": iso(at),
                "boot": self.clock.boot_id(),
                "mono": round(self.clock.monotonic(), 3),
                "actor": actor,
                "kind": kind,
                "body": dict(body),
                "prev": prev,
            }
        ).decode()
        ledger_id = str(body["ledger"]) if seq == 1 else self.id
        digest = entry_hash(ledger_id, record)
        connection.execute("INSERT INTO ledger (seq, record, hash) VALUES (?, ?, ?)", (seq, record, digest))
        return Entry(seq, at, actor, kind, dict(body), digest)

    @property
    def id(self) -> str:
        """The ledger's own id; empty while it has no entries."""
        row = self.store.connection.execute("SELECT record FROM ledger WHERE seq = 1").fetchone()
        return str(json.loads(row[0])["body"]["ledger"]) if row else ""

    def head(self) -> Head:
        row = self.store.connection.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(row[0], row[1]) if row else Head(0, "")

    def entries(self, kinds: Sequence[str] = (), *, after: int = 0, prefix: str = "") -> Iterator[Entry]:
        """Entries in order, after number `after`; only those of `kinds`, or whose kind begins with `prefix`."""
        sql, values = "SELECT seq, record, hash FROM ledger WHERE seq > ?", [after]
        parameters: list[Any] = list(values)
        if kinds:
            sql += f" AND kind IN ({','.join('?' * len(kinds))})"
            parameters += kinds
        if prefix:
            sql += " AND kind >= ? AND kind < ?"
            parameters += [prefix, prefix + "\uffff"]
        for seq, record, digest in self.store.connection.execute(sql + " ORDER BY seq", parameters):
            data = json.loads(record)
            yield Entry(seq, from_iso(data["at"]), data["actor"], data["kind"], data["body"], digest)

    def checkpoint(self) -> Checkpoint | None:
        """Sign the head and keep the statement in the store and in `anchors/`; None while the ledger is empty.

        The head that already has one is not signed twice.
        """
        if self._key is None:
            raise StoreError(m("The ledger was opened for reading only."))
        with self.store.transaction() as connection:
            head = self.head()
            if head.seq == 0:
                return None
            kept = connection.execute("SELECT text FROM checkpoint WHERE seq = ?", (head.seq,)).fetchone()
            if kept:
                made = Checkpoint.parse(kept[0])
            else:
                key = self._key
                unsigned = Checkpoint(self.id, head.seq, head.hash, iso(self.clock.now()), key.public.fingerprint, b"")
                made = Checkpoint(
                    unsigned.ledger, unsigned.seq, unsigned.hash, unsigned.at, unsigned.key, key.sign(unsigned.message)
                )
                connection.execute("INSERT INTO checkpoint (seq, text) VALUES (?, ?)", (made.seq, made.text()))
        _write_anchor(self._home.anchors / f"checkpoint-{made.seq:08d}.txt", made.text())
        return made

    @property
    def public_key(self) -> VerifyKey:
        """The key that checks this ledger's checkpoints."""
        return self._key.public if self._key else VerifyKey.load(self._home.keys / "ledger.pub")


def _write_anchor(path: Path, text: str) -> None:
    # The archive's thread and the agent's may sign one head at the same moment.
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    with temporary.open("w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
