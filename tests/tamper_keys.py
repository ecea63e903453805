"""Forged entries that name a key: the seal begun anew, a loss, a change or a beginning that never was.

From such an entry on the forger's own key seals everything rightly. What gives it away is that it is not sealed with
the key of its moment, or that it begins a seal which the region was never told of.
"""

from __future__ import annotations

import base64
import random
import sqlite3
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.tamper import Loot, Told
from tests.tamper_forge import (
    Sealer,
    chain_from,
    committed,
    edit,
    following,
    forgery,
    named,
    private,
    resign,
    seal,
)
from tests.tamper_rows import canonical, last_of, ledger_of, record_of

BEGINNINGS = ("ledger.key_lost", "ledger.sealed", "ledger.opened")
"""Entries that are themselves the first under the seal they begin."""


def _from(start: int, key: bytes) -> Sealer:
    """Old seals up to entry `start`, then rightly evolving ones under the forger's own first key."""

    def sealer(number: int, digest: str, old: bytes | None) -> bytes | None:
        nonlocal key
        if number < start:
            return old
        made, key = seal(key, digest), following(key)
        return made

    return sealer


def _forged(connection: sqlite3.Connection, seq: int, kind: str, body: dict[str, Any]) -> None:
    data = record_of(connection, seq) | {"kind": kind, "body": body, "actor": "agent"}
    connection.execute("UPDATE ledger SET record = ? WHERE seq = ?", (canonical(data), seq))


@forgery("seal begun anew by a forged loss")
def _reset(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """The evolution of the key reset: a loss is pretended, everything after sealed rightly under the forger's key."""
    seq, first = dice.randint(2, last_of(connection)), dice.randbytes(32)
    kind = dice.choice(["ledger.key_lost", "ledger.key_changed", "ledger.sealed"])
    start = seq + 1 if kind == "ledger.key_changed" else seq
    body: dict[str, Any] = {"why": "power", "seal": committed(first), "seal_from": start}
    _forged(connection, seq, kind, body)
    chain_from(connection, seq, _from(start, first))
    resign(connection, private(loot.signing_pem))
    return Told(f"a forged {kind} at entry {seq}", seq)


@forgery("first entry forged with own keys")
def _own(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    mine, first = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32)), dice.randbytes(32)
    data = record_of(connection, 1)
    pem, fingerprint = named(mine)
    data["body"] |= {"key": pem, "fingerprint": fingerprint, "seal": committed(first)}
    connection.execute("UPDATE ledger SET record = ? WHERE seq = 1", (canonical(data),))
    edit(connection, dice.randint(2, last_of(connection)))
    chain_from(connection, 1, _from(1, first))
    resign(connection, mine)
    return Told("the whole ledger made anew under its old name", 1)


@forgery("forged beginning that repeats the true one")
def _repeated(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """It names the enrolled seal as its own: what follows would pass as begun anew, and be proved by nobody."""
    seq, kind = dice.randint(2, last_of(connection)), dice.choice([*BEGINNINGS, "ledger.key_changed"])
    true = record_of(connection, 1)["body"]
    start = dice.choice([1, seq, seq + 1])
    body = true if dice.random() < 0.3 else {"why": "power", "seal": true["seal"], "seal_from": start}
    _forged(connection, seq, kind, body)
    edit(connection, dice.randint(seq, last_of(connection)))
    chain_from(connection, seq, _from(seq, dice.randbytes(32)))
    resign(connection, private(loot.signing_pem))
    return Told(f"a forged {kind} at entry {seq} that names the enrolled seal", seq)


@forgery("forged loss that names no seal")
def _nameless(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """A beginning without a commitment, or with one of another shape; the seals after it are left out."""
    seq, kind = dice.randint(2, last_of(connection)), dice.choice(BEGINNINGS)
    said: list[dict[str, Any]] = [{"why": "power"}, {"seal": None}, {"seal": 1, "seal_from": seq}, {"seal": ""}]
    body = dice.choice(said)
    _forged(connection, seq, kind, body)
    chain_from(connection, seq, lambda _number, _digest, _old: None)
    resign(connection, private(loot.signing_pem))
    return Told(f"a forged {kind} at entry {seq} that names no seal", seq)


@forgery("forged loss of the signing key")
def _signing_lost(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """Both keys are pretended to be lost: the forger's own sign and seal from there on, as after a true loss."""
    seq, mine, first = dice.randint(2, last_of(connection)), dice.randbytes(32), dice.randbytes(32)
    key = Ed25519PrivateKey.from_private_bytes(mine)
    _renamed(connection, loot, seq, "ledger.key_lost", key, first, by_old=False)
    return Told(f"a forged loss of both keys at entry {seq}", seq)


@forgery("forged change of the keys, signed with the stolen one")
def _changed(connection: sqlite3.Connection, loot: Loot, dice: random.Random) -> Told:
    """The stolen signing key vouches for the forger's, as in a planned change; only the seal can tell."""
    seq, mine, first = dice.randint(2, last_of(connection)), dice.randbytes(32), dice.randbytes(32)
    key = Ed25519PrivateKey.from_private_bytes(mine)
    _renamed(connection, loot, seq, "ledger.key_changed", key, first, by_old=True)
    return Told(f"a forged change of both keys at entry {seq}", seq)


def _renamed(
    connection: sqlite3.Connection,
    loot: Loot,
    seq: int,
    kind: str,
    mine: Ed25519PrivateKey,
    first: bytes,
    *,
    by_old: bool,
) -> None:
    stolen, ledger = private(loot.signing_pem), ledger_of(connection)
    (prev,) = connection.execute("SELECT hash FROM ledger WHERE seq = ?", (seq - 1,)).fetchone()
    (pem, fingerprint), old = named(mine), named(stolen)[1]
    said = f"exam-kit key change v1\nledger {ledger}\nafter {prev}\nold {old}\nnew {fingerprint}\n".encode()
    start = seq + 1 if kind == "ledger.key_changed" else seq
    body: dict[str, Any] = {"why": "power", "seal": committed(first), "seal_from": start, "old": old}
    body |= {"key": pem, "fingerprint": fingerprint, "signed_new": base64.b64encode(mine.sign(said)).decode()}
    if by_old:
        body["signed_old"] = base64.b64encode(stolen.sign(said)).decode()
    _forged(connection, seq, kind, body)
    chain_from(connection, seq, _from(start, first))
    resign(connection, stolen, mine, seq)
