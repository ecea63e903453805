"""The file that carries a station's result: lines for people, one line of canonical JSON, a digest, a signature.

::

    EXAM-KIT STATION RESULT v1
    … what a person reads …
    {"checks":[…],"ended_at":…}          RFC 8785, one line
    sha256 <64 hex digits>               over everything above
    ed25519 <128 hex digits>             over everything above the digest, by the stick's key

The digest is there to tell a file that was changed from one that another stick signed. The layout has no freedom: no
byte of it can be different without the file being refused. This module runs on the station, with the standard library
and the pure-Python rfc8785 only.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

__all__ = ["MAX_BYTES", "SUFFIX", "TITLE", "Sealed", "plain", "seal", "split"]

TITLE = b"EXAM-KIT STATION RESULT v1\n"
SUFFIX = ".exam-station.txt"
MAX_BYTES = 2_000_000
"""More than ten times what a whole profile's facts take; a bound for what is read from a stick or the network."""
_MAX_TEXT = 4000
_MAX_LIST = 200
_MAX_INT = 2**53 - 1

_TAIL = re.compile(rb"\nsha256 ([0-9a-f]{64})\ned25519 ([0-9a-f]{128})\n\Z")


@dataclass(frozen=True)
class Sealed:
    """A file taken apart. `whole` tells that nothing was changed by accident; the signature is not yet examined."""

    message: bytes
    signature: bytes
    whole: bool

    def record(self) -> dict[str, Any]:
        """The JSON line; ValueError when it is not one, or not in canonical form."""
        line = self.message.rsplit(b"\n", 2)[-2]
        found = json.loads(line)
        if not isinstance(found, dict) or rfc8785.dumps(found) != line:
            raise ValueError("not canonical JSON")
        return found


def seal(head: str, record: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> bytes:
    """The file's bytes. `head` is text for people; `record` has text keys and plain values (see `plain`)."""
    lines = "".join(f"{line}\n" for line in head.splitlines())
    message = TITLE + lines.encode() + rfc8785.dumps(dict(record)) + b"\n"
    digest = hashlib.sha256(message).hexdigest()
    return message + f"sha256 {digest}\ned25519 {sign(message).hex()}\n".encode()


def split(data: bytes) -> Sealed | None:
    """Take a file apart; None when it does not even look like one."""
    tail = _TAIL.search(data)
    if tail is None:
        return Sealed(data, b"", False) if data.startswith(TITLE) else None
    message = data[: tail.start() + 1]
    digest, signature = tail[1].decode(), bytes.fromhex(tail[2].decode())
    whole = data.startswith(TITLE) and hashlib.sha256(message).hexdigest() == digest
    return Sealed(message, signature, whole)


def plain(value: object) -> Any:
    """`value` as JSON that has a canonical form: long texts and lists cut short, what JSON cannot carry as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MAX_INT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        # Lone surrogates come from file names and have no place in UTF-8.
        return value[:_MAX_TEXT].encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(entry) for key, entry in list(value.items())[:_MAX_LIST]}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value[:_MAX_LIST]]
    return plain(str(value))
