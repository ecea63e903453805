"""Walking a stretch of the chain: every entry recomputed from its text, every field looked at.

The hashes are stored, so a chain can be cut anywhere, its stretches walked side by side, and joined at the seams: the
hash that the first entry of one names must be the head of the one before. Texts stay bytes on the way; that a text
has one meaning only (no field twice, none out of order, no other spelling) is proved by writing down what was read and
comparing. orjson does it for most, in a third of the time anything else here takes; RFC 8785 itself decides the rest.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import rfc8785

from exam_kit.clock import from_iso
from exam_kit.errors import Message, m
from exam_kit.store.ledger import DOMAIN, GENESIS, KEY_CHANGED, KEY_KINDS
from exam_kit.store.report import Finding
from exam_kit.store.seal import Enrolment, evolved, seal_of

__all__ = ["KeyEntry", "Row", "Stretch", "walk"]

Row = tuple[int, bytes, bytes, bytes | None]
"""Number, canonical JSON, hash in hex, seal."""

FIELDS = ("actor", "at", "body", "boot", "kind", "mono", "prev", "seq")
"""In the order of the canonical text."""

_MOMENT = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{6}Z")
_HASH_BYTES = 32

_QUICK = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_WHOLE_AS_FRACTION = re.compile(rb"\.0[,}\]]")
"""5.0, which RFC 8785 spells 5 and orjson does not; where it stands in a text, RFC 8785 says that it may."""


@dataclass(frozen=True)
class KeyEntry:
    """An entry that names a key."""

    seq: int
    kind: str
    prev: str
    body: dict[str, Any]

    @property
    def seal_from(self) -> int | None:
        """The first entry under the seal that this one begins; what it says of that itself proves nothing."""
        if not isinstance(self.body.get("seal"), str):
            return None
        return self.seq + 1 if self.kind == KEY_CHANGED else self.seq


@dataclass
class Stretch:
    """What a walk saw, up to the first fault. `prev` is the hash its first entry names; `hashes` are 32 bytes each."""

    first: int
    last: int
    ledger: str = ""
    prev: str = ""
    head: str = ""
    head_at: str = ""
    fault: Finding | None = None
    seal_fault: Finding | None = None
    sealed: int = 0
    unsealed: int | None = None
    keys: list[KeyEntry] = field(default_factory=list)
    hashes: bytearray = field(default_factory=bytearray)

    def hash_of(self, seq: int) -> str | None:
        at = (seq - self.first) * _HASH_BYTES
        return self.hashes[at : at + _HASH_BYTES].hex() if self.first <= seq <= self.last else None


def walk(
    rows: Iterable[Row], *, first: int = 1, ledger: str = "", begun: bool = False, seals: Sequence[Enrolment] = ()
) -> Stretch:
    """Walk entries from number `first` on. `ledger` is its id where the opening entry is not in this stretch.

    `begun` says that sealing began before it. `seals` are the enrolled first keys; they prove what they cover.
    """
    seen = Stretch(first, first - 1, ledger=ledger)
    hashes = seen.hashes
    prev, expected, domain = "", first - 1, DOMAIN + ledger.encode() + b"\n"
    starts = {enrolment.start: enrolment.key for enrolment in seals}
    key = _key_at(seals, first)
    unknown_from, at = 0, ""
    for seq, record, digest, seal in rows:
        expected += 1
        data = _read(record)
        if data is None:
            seen.fault = _fault("entry unreadable", expected, m("Entry {seq}: its text was changed.", seq=expected))
            break
        at = data["at"]
        if seq != expected or data["seq"] != expected:
            text = m("Entry {seq}: entries were removed, added or swapped here.", seq=expected)
            seen.fault = _fault("entry out of place", expected, text, at)
            break
        if expected == 1:
            seen.ledger = ledger = str(data["body"].get("ledger", "")) if isinstance(data["body"], dict) else ""
            domain = DOMAIN + ledger.encode() + b"\n"
            if data["kind"] != GENESIS or not ledger or data["prev"] != "":
                text = m("Entry {seq}: the first entry does not open a ledger.", seq=1)
                seen.fault = _fault("entry changed", 1, text, at)
                break
        elif expected == first:
            seen.prev = prev = str(data["prev"])
        if data["prev"] != prev:
            text = m("Entry {seq}: it does not follow the entry before it.", seq=seq)
            seen.fault = _fault("chain broken", seq, text, at)
            break
        found = hashlib.sha256(domain + record).digest()
        prev = found.hex()
        if prev.encode() != digest:
            text = m("Entry {seq}: its content does not match its hash.", seq=seq)
            seen.fault = _fault("entry changed", seq, text, at)
            break
        if data["kind"] in KEY_KINDS and isinstance(data["body"], dict):
            named = KeyEntry(seq, data["kind"], data["prev"], data["body"])
            seen.keys.append(named)
            if named.seal_from is not None:
                begun = True
                unknown_from = named.seal_from
        if seq in starts:
            key = starts[seq]
        elif seq == unknown_from:
            key = None  # begun anew with a key nobody enrolled; `verify` says so
        if key is not None:
            if seal is None or not hmac.compare_digest(seal_of(key, prev), seal):
                text = m("Entry {seq}: its seal does not hold. It was written without the key of its moment.", seq=seq)
                seen.seal_fault = seen.seal_fault or _fault("seal broken", seq, text, at)
                key, starts = None, {}
            else:
                key = evolved(key)
                seen.sealed += 1
        if seal is None and seen.unsealed is None and begun:
            seen.unsealed = seq
        hashes += found
        seen.last = seq
    seen.head, seen.head_at = (prev, at) if seen.fault is None else (seen.hash_of(seen.last) or "", "")
    return seen


def _key_at(seals: Sequence[Enrolment], first: int) -> bytes | None:
    """The key for entry `first`, where an enrolment began before it."""
    before = [enrolment for enrolment in seals if enrolment.start < first]
    latest = max(before, key=lambda enrolment: enrolment.start, default=None)
    return evolved(latest.key, first - latest.start) if latest else None


def _fault(kind: str, seq: int, message: Message, at: str = "") -> Finding:
    return Finding(kind, seq, message, at)


def _read(record: object) -> dict[str, Any] | None:
    """The entry when the text has one meaning and the right shape."""
    try:
        if not isinstance(record, bytes):
            return None
        data = orjson.loads(record)
        if not isinstance(data, dict) or tuple(data) != FIELDS:
            return None
        if not _quickly(data, record) and rfc8785.dumps(json.loads(record)) != record:
            return None
        if type(data["kind"]) is not str or type(data["actor"]) is not str or type(data["seq"]) is not int:
            return None
        if not _MOMENT.fullmatch(data["at"]):
            from_iso(data["at"])
    except (ValueError, TypeError, RecursionError, rfc8785.CanonicalizationError):
        return None
    return data


def _quickly(data: object, record: bytes) -> bool:
    """True when the text is canonical; False when that is for RFC 8785 to say, which spells some numbers otherwise.

    Let through beside, with one meaning all the same: 1e21 for 1e+21, and names sorted as UTF-8 where UTF-16 differs.
    """
    try:
        return orjson.dumps(data, option=_QUICK) == record and not _WHOLE_AS_FRACTION.search(record)
    except orjson.JSONEncodeError:
        return False
