"""The ledger: an append-only chain of everything that was done.

Entry *n* is the RFC 8785 canonical JSON of ``{seq, at, boot, mono, actor, kind, body, prev}``; its hash is SHA-256
over a domain tag, the ledger's id and that text. `prev` is the hash before it, so a changed entry breaks every one
after it. A checkpoint is a short signed text naming the head; kept outside the machine (in a bag, on paper, on a
stick), it makes a rewritten chain, a cut tail or an older copy visible. Each entry also carries a seal under a key
that moves on with it (see `seal`), so that what was written before a theft cannot be forged after it.
"""

from __future__ import annotations

import hashlib
import json
import logging
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
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.db import Store
from exam_kit.store.durable import sync_folder
from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.seal import Enrolment, SealKey, SealState, commitment, seal_of

__all__ = ["Checkpoint", "Entry", "Head", "Ledger", "entry_hash"]

log = logging.getLogger(__name__)

DOMAIN = b"exam-kit ledger v1\n"
GENESIS = "ledger.opened"
SEALED, KEY_CHANGED, KEY_LOST, ENROLLED = "ledger.sealed", "ledger.key_changed", "ledger.key_lost", "ledger.enrolled"
KEY_KINDS = (GENESIS, SEALED, KEY_CHANGED, KEY_LOST)
"""Entries that name a key: the one that opens the ledger, the start of sealing in an older one, a change, a loss."""

PRESENT_SEAL = """SELECT json_extract(record, '$.body.seal') FROM ledger
WHERE kind IN (SELECT value FROM json_each(?)) AND json_extract(record, '$.body.seal') IS NOT NULL
ORDER BY seq DESC LIMIT 1"""


PRESENT_KEY = """SELECT json_extract(record, '$.body.fingerprint') FROM ledger
WHERE kind IN (SELECT value FROM json_each(?)) AND json_extract(record, '$.body.key') IS NOT NULL
ORDER BY seq DESC LIMIT 1"""


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


class Ledger:
    """The one way to write and read the chain. Safe from several processes at once."""

    def __init__(self, store: Store, home: Home, clock: Clock | None = None) -> None:
        self.store = store
        self.home = home
        self.clock = clock or SystemClock()
        self._key = None if store.read_only else SigningKey.load_or_create(home.keys)
        self._key_at = self._key_made()
        self._seal = SealKey(home.keys)

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
            entry = self._next(connection, kind, body, actor)
            if also is not None:
                also(connection, entry)
            return entry

    def _next(
        self,
        connection: sqlite3.Connection,
        kind: str,
        body: Mapping[str, Any],
        actor: str,
        by: SealState | None = None,
    ) -> Entry:
        """Append inside the transaction; `by` where the entry itself begins a key."""
        row = connection.execute("SELECT seq, hash, seal FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            self._open(connection)
            return self._next(connection, kind, body, actor, by)
        seq, prev, seal = row
        state = by or self._seal_state(connection, seq + 1, sealed=seal is not None)
        if state is None:  # the seal had to begin anew, with an entry of its own
            return self._next(connection, kind, body, actor)
        return self._insert(connection, seq + 1, prev, kind, body, actor, state)

    def _open(self, connection: sqlite3.Connection) -> None:
        """The first entry names the ledger, the key its checkpoints are signed with, and commits to the first seal."""
        key = self._signing()
        first = Enrolment.new(str(uuid.uuid4()), 1)
        self._seal.wait(first)
        body = {
            "ledger": first.ledger,
            "key": key.public.pem().decode(),
            "fingerprint": key.public.fingerprint,
            "seal": commitment(first.key),
            "seal_from": 1,
        }
        self._insert(connection, 1, "", GENESIS, body, "agent", SealState.first(first.key, 1))

    def _signing(self) -> SigningKey:
        if self._key is None:
            raise StoreError(m("The ledger was opened for reading only."))
        if self._key_made() != self._key_at:  # another process changed the keys
            self._key, self._key_at = SigningKey.load_or_create(self.home.keys), self._key_made()
        return self._key

    def _key_made(self) -> int:
        path = self.home.keys / "ledger.key"
        return path.stat().st_mtime_ns if path.exists() else 0

    def _seal_state(self, connection: sqlite3.Connection, seq: int, *, sealed: bool) -> SealState | None:
        """The key for entry `seq`; None when it had to begin anew and the numbers have moved on by that entry."""
        moved = self.store.after_commit.get("seal")
        state = moved.state if isinstance(moved, _Move) else self._seal.read()
        if not sealed:
            self.begin_seal(SEALED, {"why": "the ledger was kept without a seal before"}, "agent")
            return None
        state, why = self._fitting(connection, state, seq)
        if state is None:
            log.error("the ledger's seal begins anew at entry %d: %s", seq, why)
            self.begin_seal(KEY_LOST, {"why": why}, "agent")
            return None
        return state.at(seq)

    def _fitting(
        self, connection: sqlite3.Connection, state: SealState | None, seq: int
    ) -> tuple[SealState | None, str]:
        epoch = self._present_epoch(connection)
        if state is None or state.epoch != epoch:
            # A power cut between the entry that began a key and the key's file: its first key still waits.
            waiting = [SealState.first(one.key, one.start) for one in self._seal.waiting]
            first = next((one for one in waiting if one.epoch == epoch), None)
            if first is None:
                return None, "there is no key" if state is None else "the key belongs to another ledger"
            state = first
        if state.position > seq:
            return None, f"the key has moved on to entry {state.position}: an older ledger was put back"
        return state, ""

    def _present_epoch(self, connection: sqlite3.Connection) -> bytes:
        row = connection.execute(PRESENT_SEAL, (json.dumps(KEY_KINDS),)).fetchone()
        return bytes.fromhex(row[0])[:8] if row else b""

    def begin_seal(self, kind: str, body: Mapping[str, Any], actor: str) -> Entry:
        """Begin a new first key with an entry of `kind`, which waits to be handed over.

        A change of the key is sealed with the old one and takes effect after it; otherwise the entry itself is the
        first under the new key.
        """
        with self.store.transaction() as connection:
            start = self.head().seq + (2 if kind == KEY_CHANGED else 1)
            first = Enrolment.new(self.id, start)
            self._seal.wait(first)
            state = SealState.first(first.key, start)
            whole = {**body, "seal": commitment(first.key), "seal_from": start}
            entry = self._next(connection, kind, whole, actor, None if kind == KEY_CHANGED else state)
            if kind == KEY_CHANGED:
                if entry.seq != start - 1:
                    raise StoreError(m("The seal had to begin anew just now. Give the command again."))
                self.store.after_commit["seal"] = _Move(self._seal, state)
            return entry

    def _insert(
        self,
        connection: sqlite3.Connection,
        seq: int,
        prev: str,
        kind: str,
        body: Mapping[str, Any],
        actor: str,
        state: SealState,
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
        digest = entry_hash(str(body["ledger"]) if seq == 1 else self.id, record)
        connection.execute(
            "INSERT INTO ledger (seq, record, hash, seal) VALUES (?, ?, ?, ?)",
            (seq, record, digest, seal_of(state.key, digest)),
        )
        # Not before the commit: a key ahead of the entries could not seal the next one.
        self.store.after_commit["seal"] = _Move(self._seal, state.at(seq + 1))
        return Entry(seq, at, actor, kind, dict(body), digest)

    @property
    def id(self) -> str:
        """The ledger's own id; empty while it has no entries."""
        row = self.store.connection.execute("SELECT record FROM ledger WHERE seq = 1").fetchone()
        return str(json.loads(row[0])["body"]["ledger"]) if row else ""

    def head(self) -> Head:
        row = self.store.connection.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(row[0], row[1]) if row else Head(0, "")

    def hash_at(self, seq: int) -> str:
        """The hash of entry `seq`; empty where there is none."""
        row = self.store.connection.execute("SELECT hash FROM ledger WHERE seq = ?", (seq,)).fetchone()
        return str(row[0]) if row else ""

    def entries(
        self, kinds: Sequence[str] = (), *, after: int = 0, up_to: int | None = None, prefix: str = ""
    ) -> Iterator[Entry]:
        """Entries in order, after number `after`; only those of `kinds`, or whose kind begins with `prefix`."""
        sql, values = "SELECT seq, record, hash FROM ledger WHERE seq > ?", [after]
        parameters: list[Any] = list(values)
        if up_to is not None:
            sql += " AND seq <= ?"
            parameters.append(up_to)
        if kinds:
            sql += f" AND kind IN ({','.join('?' * len(kinds))})"
            parameters += kinds
        if prefix:
            sql += " AND kind >= ? AND kind < ?"
            parameters += [prefix, prefix + "\uffff"]
        with self.store.told():
            for seq, record, digest in self.store.connection.execute(sql + " ORDER BY seq", parameters):
                data = json.loads(record)
                yield Entry(seq, from_iso(data["at"]), data["actor"], data["kind"], data["body"], digest)

    def checkpoint(self) -> Checkpoint | None:
        """Sign the head and keep the statement in the store and in `anchors/`; None while the ledger is empty.

        The head that already has one is not signed twice. None also where the ledger does not name the key that lies
        here: it was lost, and what another one signs would stand there as forged for ever. See `log rekey`.
        """
        with self.store.transaction() as connection:
            key, head = self._signing(), self.head()
            if head.seq == 0:
                return None
            named = connection.execute(PRESENT_KEY, (json.dumps(KEY_KINDS),)).fetchone()
            if named and named[0] != key.public.fingerprint:
                log.error("not signed: the ledger does not name the key %s; see 'log rekey'", key.public.fingerprint)
                return None
            kept = connection.execute("SELECT text FROM checkpoint WHERE seq = ?", (head.seq,)).fetchone()
            if kept:
                made = Checkpoint.parse(kept[0])
            else:
                unsigned = Checkpoint(self.id, head.seq, head.hash, iso(self.clock.now()), key.public.fingerprint, b"")
                made = Checkpoint(
                    unsigned.ledger, unsigned.seq, unsigned.hash, unsigned.at, unsigned.key, key.sign(unsigned.message)
                )
                connection.execute("INSERT INTO checkpoint (seq, text) VALUES (?, ?)", (made.seq, made.text()))
        _write_anchor(self.home.anchors / f"checkpoint-{made.seq:08d}.txt", made.text())
        return made

    def signed_head(self) -> Head | Checkpoint:
        """What a form prints: the head, signed where this process can sign or the head has been signed already."""
        return self.signed(self.head()) if self.store.read_only else self.checkpoint() or self.head()

    def signed(self, head: Head) -> Head | Checkpoint:
        """The checkpoint that was made of `head`; `head` itself where there is none."""
        kept = self.store.connection.execute("SELECT text FROM checkpoint WHERE seq = ?", (head.seq,)).fetchone()
        made = Checkpoint.parse(kept[0]) if kept else None
        return made if made and made.hash == head.hash else head

    @property
    def public_key(self) -> VerifyKey:
        """The key that checks this ledger's checkpoints."""
        return self._key.public if self._key else VerifyKey.load(self.home.keys / "ledger.pub")


class _Move:
    """Moves the seal's key on once the entries are committed."""

    def __init__(self, key: SealKey, state: SealState) -> None:
        self._key = key
        self.state = state

    def __call__(self) -> None:
        try:
            self._key.move(self.state)
        except OSError as problem:
            # The entry is on the disk and must count as written; the next append brings the key up.
            log.error("the seal's key could not be moved on: %s", problem)


def _write_anchor(path: Path, text: str) -> None:
    # The archive's thread and the agent's may sign one head at the same moment.
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    with temporary.open("w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
