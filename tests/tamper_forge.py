"""Forgeries: the chain recomputed, with no key, with a later key, with the signing key; journald's three holes.

The holes are those of systemd's forward-secure sealing (CVE-2023-31437 to -31439; pull requests 28885 and 28886):
entries hidden from a view though sealed (also "index out of step with the table"), a cut log continued, and old
entries sealed with a key of a later time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import sqlite3
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.tamper import ATTACKS, Loot, Told, unprotected
from tests.tamper_rows import canonical, hashed, last_of, ledger_of, record_of

Sealer = Callable[[int, str, bytes | None], bytes | None]
"""Number, new hash, old seal → new seal."""


def seal(key: bytes, digest: str) -> bytes:
    return hmac.new(key, b"exam-kit seal v1\n" + digest.encode(), "sha256").digest()


def following(key: bytes) -> bytes:
    return hashlib.sha256(b"exam-kit seal next v1\n" + key).digest()


def committed(key: bytes) -> str:
    return hashlib.sha256(b"exam-kit seal commitment v1\n" + key).hexdigest()


def private(pem: bytes) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def named(key: Ed25519PrivateKey) -> tuple[str, str]:
    """PEM and fingerprint of the public half."""
    public = key.public_key()
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), hashlib.sha256(raw).hexdigest()[:16]


def signed(key: Ed25519PrivateKey, ledger: str, seq: int, digest: str, at: str) -> str:
    lines = ["exam-kit checkpoint v1", f"ledger {ledger}", f"seq {seq}", f"hash {digest}", f"at {at}"]
    message = "\n".join([*lines, f"key {named(key)[1]}"]) + "\n"
    return message + "sig " + base64.b64encode(key.sign(message.encode())).decode() + "\n"


def chain_from(connection: sqlite3.Connection, first: int, sealer: Sealer) -> None:
    """Recompute `prev`, hash and seal of every entry from number `first` on."""
    ledger = ledger_of(connection)
    before = connection.execute("SELECT hash FROM ledger WHERE seq = ?", (first - 1,)).fetchone()
    prev = before[0] if before else ""
    rows = connection.execute("SELECT seq, record, seal FROM ledger WHERE seq >= ? ORDER BY seq", (first,)).fetchall()
    for seq, text, old in rows:
        record = canonical(json.loads(text) | {"prev": prev, "seq": seq})
        prev = hashed(ledger, record)
        connection.execute(
            "UPDATE ledger SET record = ?, hash = ?, seal = ? WHERE seq = ?",
            (record, prev, sealer(seq, prev, old), seq),
        )


def resign(
    connection: sqlite3.Connection,
    key: Ed25519PrivateKey,
    later: Ed25519PrivateKey | None = None,
    since: int = 0,
) -> None:
    """Sign every checkpoint anew for the hashes that now stand there; those of missing entries go.

    From entry `since` on with `later`, where one is given.
    """
    ledger = ledger_of(connection)
    for seq, text in connection.execute("SELECT seq, text FROM checkpoint").fetchall():
        row = connection.execute("SELECT hash FROM ledger WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            connection.execute("DELETE FROM checkpoint WHERE seq = ?", (seq,))
            continue
        at = next(line for line in text.splitlines() if line.startswith("at "))[3:]
        by = later if later is not None and seq >= since else key
        connection.execute("UPDATE checkpoint SET text = ? WHERE seq = ?", (signed(by, ledger, seq, row[0], at), seq))


def edit(connection: sqlite3.Connection, seq: int) -> None:
    data = record_of(connection, seq) | {"actor": "somebody"}
    connection.execute("UPDATE ledger SET record = ? WHERE seq = ?", (canonical(data), seq))


def forgery(name: str) -> Callable[[Callable[[sqlite3.Connection, Loot, random.Random], Told]], None]:
    def add(act: Callable[[sqlite3.Connection, Loot, random.Random], Told]) -> None:
        ATTACKS[name] = lambda loot, dice: unprotected(loot.path, lambda connection: act(connection, loot, dice))

    return add


def _kept(_seq: int, _digest: str, old: bytes | None) -> bytes | None:
    return old


@forgery("chain recomputed, seals left")
def _no_key(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    edit(connection, seq)
    chain_from(connection, seq, _kept)
    return Told(f"chain recomputed from entry {seq}", seq)


@forgery("chain recomputed, checkpoints removed")
def _no_key_no_checkpoints(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    edit(connection, seq)
    chain_from(connection, seq, _kept)
    connection.execute("DELETE FROM checkpoint WHERE seq >= ?", (seq,))
    return Told(f"chain recomputed from entry {seq}, later checkpoints removed", seq)


@forgery("chain recomputed, seals taken off")
def _unsealed(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """Journald's file without sealing, which passed with the key given (systemd 15425)."""
    data = record_of(connection, 1)
    for name in ("seal", "seal_from"):
        data["body"].pop(name, None)
    connection.execute("UPDATE ledger SET record = ? WHERE seq = 1", (canonical(data),))
    chain_from(connection, 1, lambda _seq, _digest, _old: None)
    resign(connection, private(loot.signing_pem))
    return Told("a chain that never had seals, with the stolen signing key", 1)


@forgery("chain recomputed, time moved")
def _time(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    data = record_of(connection, seq)
    data["at"] = dice.choice(["2026-05-28T04:59:59.999999Z", record_of(connection, seq - 1)["at"]])
    connection.execute("UPDATE ledger SET record = ? WHERE seq = ?", (canonical(data), seq))
    chain_from(connection, seq, _kept)
    resign(connection, private(loot.signing_pem))
    return Told(f"time of entry {seq}, chain and checkpoints made anew", seq)


@forgery("old entries sealed with the stolen later key")
def _too_recent(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """CVE-2023-31439: old seals removed, new ones made with the key of now."""
    seq = dice.randint(2, last_of(connection))
    edit(connection, seq)
    chain_from(connection, seq, lambda _seq, digest, _old: seal(loot.seal_key, digest))
    resign(connection, private(loot.signing_pem))
    return Told(f"entries from {seq} sealed with the key of entry {loot.seal_position}", seq)


@forgery("old entries sealed with the stolen key evolving")
def _evolving(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    edit(connection, seq)
    key = loot.seal_key

    def evolving(_seq: int, digest: str, _old: bytes | None) -> bytes:
        nonlocal key
        made, key = seal(key, digest), following(key)
        return made

    chain_from(connection, seq, evolving)
    resign(connection, private(loot.signing_pem))
    return Told(f"entries from {seq} sealed with keys from {loot.seal_position} on", seq)


def _grow(connection: sqlite3.Connection, key: bytes, count: int) -> None:
    ledger = ledger_of(connection)
    for _step in range(count):
        last = last_of(connection)
        (prev,) = connection.execute("SELECT hash FROM ledger WHERE seq = ?", (last,)).fetchone()
        record = canonical(record_of(connection, last) | {"seq": last + 1, "prev": prev, "actor": "somebody"})
        digest = hashed(ledger, record)
        values = (last + 1, record, digest, seal(key, digest))
        connection.execute("INSERT INTO ledger (seq, record, hash, seal) VALUES (?, ?, ?, ?)", values)
        key = following(key)


@forgery("tail cut and grown again")
def _continued(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """CVE-2023-31438: the log is cut and sealing goes on with the key of now."""
    last = last_of(connection)
    seq = dice.randint(3, last)
    connection.execute("DELETE FROM ledger WHERE seq >= ?", (seq,))
    _grow(connection, loot.seal_key, dice.choice([1, last - seq + 1, last - seq + 4]))
    resign(connection, private(loot.signing_pem))
    return Told(f"entries from {seq} cut, others sealed with the stolen key", seq)


@forgery("entries cut out of the middle, chain closed")
def _closed(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    last = last_of(connection)
    seq = dice.randint(2, last - 3)
    connection.execute("DELETE FROM ledger WHERE seq = ?", (seq,))
    for later in range(seq + 1, last + 1):
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (later - 1, later))
    chain_from(connection, seq, _kept)
    resign(connection, private(loot.signing_pem))
    return Told(f"entry {seq} cut out, the rest moved up and chained", seq)


@forgery("checkpoints signed with another key")
def _other_signature(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    resign(connection, Ed25519PrivateKey.from_private_bytes(dice.randbytes(32)))
    return Told("every checkpoint signed with another key")


@forgery("chain and checkpoints made anew with another key")
def _other_all(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    seq = dice.randint(2, last_of(connection))
    edit(connection, seq)
    chain_from(connection, seq, _kept)
    resign(connection, Ed25519PrivateKey.from_private_bytes(dice.randbytes(32)))
    return Told(f"chain from {seq}, checkpoints with another key", seq)


@forgery("checkpoint signed for another entry")
def _other_entry(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    seq, text = dice.choice(connection.execute("SELECT seq, text FROM checkpoint").fetchall())
    at = next(line for line in text.splitlines() if line.startswith("at "))[3:]
    forged = signed(private(loot.signing_pem), ledger_of(connection), seq, dice.randbytes(32).hex(), at)
    connection.execute("UPDATE checkpoint SET text = ? WHERE seq = ?", (forged, seq))
    return Told(f"checkpoint {seq} signed for a hash that never was")


def older_and_grown(loot: Loot, dice: random.Random) -> Told:
    """An older copy put back and continued with the stolen key."""
    loot.path.write_bytes(loot.older)

    def act(connection: sqlite3.Connection) -> Told:
        last = last_of(connection)
        _grow(connection, loot.seal_key, dice.randint(1, 40))
        return Told("an older copy grown with the stolen key", last + 1)

    return unprotected(loot.path, act)


ATTACKS["older copy put back and grown"] = older_and_grown
