"""A bag in a store, for whoever verifies it: as a folder would be, only that the store may know the hashes already."""

from __future__ import annotations

import binascii
import errno
import hashlib
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from exam_kit.archive.bag import TAGMANIFEST
from exam_kit.archive.bag_tree import MOST_FILES, Refused
from exam_kit.archive.s3.faults import StoreFault
from exam_kit.archive.s3.proof import Trust, look
from exam_kit.archive.s3.uploads import Arrived
from exam_kit.archive.s3.wire import Wire
from exam_kit.archive.sink import PART
from exam_kit.errors import m

__all__ = ["StoreTree", "bags_there", "names_there"]

BLOCK = 1 << 20


class StoreTree:
    """The bag `bag` in a store; `place` is its ``s3://STORE/BAG``.

    With `trust`, what the probe has shown, the SHA-256 that the store keeps is taken for an object's; `known` tells of
    objects sent in parts from here, for which the store keeps the SHA-256 over the parts. All others are read.
    """

    def __init__(
        self,
        wire: Wire,
        bag: str,
        trust: Trust | None = None,
        known: Callable[[str], Arrived | None] = lambda _key: None,
    ) -> None:
        self.proofs = {"server_sha256": 0, "downloaded": 0}
        self._wire, self._bag = wire, bag
        self._trust = trust or Trust()
        self._known = known
        self._prefix = wire.store.key_of(bag) + "/"
        self._listed: dict[str, tuple[int, str]] = {}
        self._asked = False

    @property
    def name(self) -> str:
        """Without its tag manifest, which is sent last, the bag is one whose copy was not finished."""
        return self._bag if TAGMANIFEST in self._listing() else self._bag + PART

    @property
    def place(self) -> str:
        return f"s3://{self._wire.store.name}/{self._bag}"

    def there(self) -> bool:
        return bool(self._listing())

    def files(self) -> Iterator[tuple[str, int]]:
        for path, (size, _etag) in self._listing().items():
            yield path, size

    def room_bytes(self) -> int | None:
        return None

    def open(self, path: str) -> BinaryIO:
        size, etag = self._listing()[path]
        return io.BufferedReader(_Reading(self._wire, self._prefix + path, size, etag), BLOCK)

    def sha256(self, path: str, seen: Callable[[int], None]) -> str:
        kept = self._kept_sha256(path)
        if kept:
            self.proofs["server_sha256"] += 1
            return kept
        digest = hashlib.sha256()
        with self.open(path) as source:
            while block := source.read(BLOCK):
                digest.update(block)
                seen(len(block))
        self.proofs["downloaded"] += 1
        return digest.hexdigest()

    def _kept_sha256(self, path: str) -> str:
        """The hash (hex) that the store vouches for; empty when it does not, or is not to be believed."""
        if not (self._trust.sha256 or self._trust.parts_sha256):
            return ""
        key = self._prefix + path
        try:
            lying = look(self._wire, key)
        except StoreFault as fault:
            raise _unreadable(key, fault) from None
        size, etag = self._listing()[path]
        if lying is None or (lying.bytes, lying.etag) != (size, etag) or not lying.sha256:
            return ""
        if "-" not in lying.sha256:
            return _from_base64(lying.sha256) if self._trust.sha256 else ""
        known = self._known(key)
        same = known is not None and (known.parts_sha256, known.bytes) == (lying.sha256, lying.bytes)
        return known.sha256 if known is not None and same and self._trust.parts_sha256 else ""

    def _listing(self) -> dict[str, tuple[int, str]]:
        """Path → (bytes, ETag), asked once."""
        if not self._asked:
            try:
                for key, size, etag in self._wire.listing(self._prefix):
                    self._listed[key.removeprefix(self._prefix)] = (size, etag)
                    if len(self._listed) > MOST_FILES:
                        raise Refused(self.place, m("The bag holds more than {count} files.", count=MOST_FILES))
            except StoreFault as fault:
                raise _unreadable(self.place, fault) from None
            self._asked = True
        return self._listed


def bags_there(wire: Wire) -> dict[str, bool]:
    """Every bag under the store's prefix, by name; False for one that is not finished (its tag manifest comes last).

    Raises:
        StoreFault: the store or the line failed.
    """
    prefix = wire.store.key_of("")
    found: dict[str, bool] = {}
    for key, _size, _etag in wire.listing(prefix):
        bag, slash, path = key.removeprefix(prefix).partition("/")
        if slash and not bag.startswith("."):
            found[bag] = found.get(bag, False) or path == TAGMANIFEST
    return found


def names_there(wire: Wire, stopped: Callable[[], bool] = lambda: False) -> set[str]:
    """Names of folders under the store's prefix, whatever they are; not what lies in them.

    Raises:
        StoreFault: the store or the line failed.
        Cancelled: `stopped` said so while waiting for it.
    """
    prefix, found = wire.store.key_of(""), set()
    more: dict[str, str] = {}
    while True:
        answer = wire.call("list_objects_v2", stopped=stopped, Prefix=prefix, Delimiter="/", **more)
        found |= {str(one["Prefix"]).removeprefix(prefix).rstrip("/") for one in answer.get("CommonPrefixes", ())}
        following = answer.get("NextContinuationToken")
        if not answer.get("IsTruncated") or not following:
            return found
        more = {"ContinuationToken": str(following)}


class _Reading(io.RawIOBase):
    """An object read from its beginning on."""

    def __init__(self, wire: Wire, key: str, size: int, etag: str) -> None:
        super().__init__()
        self._key = key
        self._blocks = wire.read(key, size, etag)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            self._left = self._left or next(self._blocks, b"")
        except StoreFault as fault:
            raise _unreadable(self._key, fault) from None
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _unreadable(key: str, fault: StoreFault) -> OSError:
    """As a carrier's fault: whoever verifies a bag knows those."""
    return OSError(errno.EIO, fault.text(), key)


def _from_base64(digest: str) -> str:
    try:
        raw = binascii.a2b_base64(digest)
    except ValueError:
        return ""
    return raw.hex() if len(raw) == 32 else ""
