"""Is the object in the store the file it was at birth? By the checksum the store itself took, or by reading it back."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from exam_kit.archive.s3.faults import StoreFault
from exam_kit.archive.s3.wire import Wire

__all__ = ["DOWNLOADED", "SERVER_SHA256", "Lying", "Shown", "Trust", "composite", "in_base64", "look", "prove"]

SERVER_SHA256 = "server_sha256"
"""The store took the SHA-256 of what it received, keeps it, and gave it back."""
DOWNLOADED = "downloaded"
"""Every byte was read back and hashed here."""


@dataclass(frozen=True)
class Trust:
    """What `exam-kit store probe` has shown that this store does; what is not shown is not relied on.

    `sha256`: refuses a body with another SHA-256 than was announced, keeps it and returns it, for whole objects;
    `parts_sha256` likewise for objects sent in parts. `lock`: objects under retention cannot be removed.
    """

    sha256: bool = False
    parts_sha256: bool = False
    lock: bool = False


@dataclass(frozen=True)
class Lying:
    """An object as the store describes it; `sha256` is the checksum it keeps (base64, ``-N`` behind for N parts)."""

    key: str
    bytes: int
    etag: str
    sha256: str
    lock_mode: str = ""
    retained_until: datetime | None = None


@dataclass(frozen=True)
class Shown:
    """`how` is `SERVER_SHA256` or `DOWNLOADED`; `read_bytes` came over the line for it."""

    same: bool
    how: str
    read_bytes: int


def look(wire: Wire, key: str, stopped: Callable[[], bool] = lambda: False) -> Lying | None:
    """What lies under `key`; None when nothing does. Raises StoreFault."""
    try:
        head = wire.call("head_object", Key=key, ChecksumMode="ENABLED", stopped=stopped)
    except StoreFault as fault:
        if fault.kind == "missing":
            return None
        raise
    return Lying(
        key,
        int(head["ContentLength"]),
        str(head.get("ETag", "")),
        str(head.get("ChecksumSHA256", "")),
        str(head.get("ObjectLockMode", "")).lower(),
        head.get("ObjectLockRetainUntilDate"),
    )


def prove(
    wire: Wire,
    lying: Lying,
    size: int,
    sha256: str,
    parts_sha256: str,
    trust: Trust,
    stopped: Callable[[], bool] = lambda: False,
) -> Shown:
    """Compare the object with the file's size and SHA-256 (hex); `parts_sha256` is its composite, where it is known.

    Raises:
        StoreFault: the object cannot be read.
        Cancelled: `stopped` said so.
    """
    if lying.bytes != size:
        return Shown(False, DOWNLOADED, 0)
    if lying.sha256 and "-" not in lying.sha256 and trust.sha256:
        return Shown(lying.sha256 == in_base64(sha256), SERVER_SHA256, 0)
    if lying.sha256 and parts_sha256 and trust.parts_sha256:
        return Shown(lying.sha256 == parts_sha256, SERVER_SHA256, 0)
    same, read = _read_back(wire, lying, sha256, stopped), size
    if not same:  # a line that flips a bit on the way back is no reason to condemn the object
        same, read = _read_back(wire, lying, sha256, stopped), 2 * size
    return Shown(same, DOWNLOADED, read)


def _read_back(wire: Wire, lying: Lying, sha256: str, stopped: Callable[[], bool]) -> bool:
    digest = hashlib.sha256()
    for block in wire.read(lying.key, lying.bytes, lying.etag, stopped):
        digest.update(block)
    return digest.hexdigest() == sha256


def in_base64(sha256: str) -> str:
    """A hexadecimal digest as S3 writes it."""
    return b64encode(bytes.fromhex(sha256)).decode()


def composite(parts: Sequence[str]) -> str:
    """The SHA-256 that S3 keeps of an object sent in parts: of the parts' digests (hex) one after another, ``-N``."""
    joined = hashlib.sha256(b"".join(bytes.fromhex(part) for part in parts))
    return f"{b64encode(joined.digest()).decode()}-{len(parts)}"
