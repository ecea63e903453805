"""A bag in a store, for whoever verifies it: as a folder would be, only that the store may know the hashes already."""

from __future__ import annotations

import binascii
import errno
import hashlib
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from exam_kit.archive.bag import DECLARATION, MANIFEST, TAGMANIFEST
from exam_kit.archive.bag_tree import MOST_FILES, Refused
from exam_kit.archive.s3.faults import OF_ONE_OBJECT, StoreFault
from exam_kit.archive.s3.proof import Trust, look
from exam_kit.archive.s3.uploads import Arrived
from exam_kit.archive.s3.wire import Wire
from exam_kit.archive.sink import PART
from exam_kit.errors import m

__all__ = ["StoreTree", "bags_there", "names_there"]

BLOCK = 1 << 20
DEEP = 6
"""So many folders deep bags are looked for: points may send under prefixes of their own, as ``77/0001``."""

MARKS = {DECLARATION, MANIFEST, TAGMANIFEST}


class StoreTree:
    """The bag `bag` in a store, by its path under the store's prefix; `place` is its ``s3://STORE/BAG``.

    `fault` is what the store or the line failed with first; whoever verifies a bag takes that for a fault of the bag's.
    Unless it was one object's, nothing is asked for any more, or each file would wait as long again: another try takes
    another tree.

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
        self.fault: StoreFault | None = None
        self._wire, self._bag = wire, bag
        self._trust = trust or Trust()
        self._known = known
        self._prefix = wire.store.key_of(bag) + "/"
        self._listed: dict[str, tuple[int, str]] = {}
        self._asked = False

    @property
    def name(self) -> str:
        """Without its tag manifest, which is sent last, the bag is one whose copy was not finished."""
        name = self._bag.rpartition("/")[2]
        try:
            return name if TAGMANIFEST in self._listing() else name + PART
        except (OSError, Refused):
            return name  # whoever lists its files is told why

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

    def open(self, path: str, most_bytes: int | None = None) -> BinaryIO:
        size, etag = self._listing()[path]
        size = size if most_bytes is None else min(size, most_bytes)
        return io.BufferedReader(_Reading(self._wire, self._prefix + path, size, etag, self._unreadable), BLOCK)

    def sha256(self, path: str, seen: Callable[[int], None]) -> str:
        self._answering(path)
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
            raise self._unreadable(key, fault) from None
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
            self._answering("")
            try:
                for key, size, etag in self._wire.listing(self._prefix):
                    self._listed[key.removeprefix(self._prefix)] = (size, etag)
                    if len(self._listed) > MOST_FILES:
                        raise Refused(self.place, m("The bag holds more than {count} files.", count=MOST_FILES))
            except StoreFault as fault:
                raise self._unreadable(self.place, fault) from None
            self._asked = True
        return self._listed

    def _answering(self, path: str) -> None:
        if self.fault is not None and self.fault.kind not in OF_ONE_OBJECT:
            raise self._unreadable(self._prefix + path, self.fault)

    def _unreadable(self, key: str, fault: StoreFault) -> OSError:
        """As a carrier's fault: whoever verifies a bag knows those."""
        self.fault = self.fault or fault
        return OSError(errno.EIO, fault.text(), key)


def bags_there(wire: Wire, below: str = "") -> dict[str, bool]:
    """The bags in the store, or in the folder `below` of it: paths under the store's prefix, by name, and whether each
    is finished (its tag manifest comes last). What lies in a bag is not listed for it.

    Raises:
        StoreFault: the store or the line failed.
    """
    return dict(_bags(wire, below, DEEP))


def names_there(wire: Wire, stopped: Callable[[], bool] = lambda: False) -> set[str]:
    """Names of folders under the store's prefix, whatever they are; not what lies in them.

    Raises:
        StoreFault: the store or the line failed.
        Cancelled: `stopped` said so while waiting for it.
    """
    return _level(wire, wire.store.key_of(""), stopped)[1]


def _bags(wire: Wire, folder: str, deep: int) -> Iterator[tuple[str, bool]]:
    files, folders = _level(wire, wire.store.key_of(folder + "/" if folder else ""))
    if folder and MARKS & files:
        yield folder, TAGMANIFEST in files
        return
    above = True
    for name in sorted(folders) if deep else ():
        if name and not name.startswith("."):
            for found in _bags(wire, f"{folder}/{name}" if folder else name, deep - 1):
                above = False
                yield found
    if above and folder and "data" in folders:
        yield folder, False  # recordings are sent first: of this bag nothing else has arrived


def _level(wire: Wire, prefix: str, stopped: Callable[[], bool] = lambda: False) -> tuple[set[str], set[str]]:
    """Names of objects and of folders directly under `prefix`."""
    files: set[str] = set()
    folders: set[str] = set()
    more: dict[str, str] = {}
    while True:
        answer = wire.call("list_objects_v2", stopped=stopped, Prefix=prefix, Delimiter="/", **more)
        files |= {str(one["Key"]).removeprefix(prefix) for one in answer.get("Contents", ())}
        folders |= {str(one["Prefix"]).removeprefix(prefix).rstrip("/") for one in answer.get("CommonPrefixes", ())}
        following = answer.get("NextContinuationToken")
        if not answer.get("IsTruncated") or not following:
            return files, folders
        more = {"ContinuationToken": str(following)}


class _Reading(io.RawIOBase):
    """An object read from its beginning on."""

    def __init__(
        self, wire: Wire, key: str, size: int, etag: str, unreadable: Callable[[str, StoreFault], OSError]
    ) -> None:
        super().__init__()
        self._key, self._unreadable = key, unreadable
        self._blocks = wire.read(key, size, etag)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            self._left = self._left or next(self._blocks, b"")
        except StoreFault as fault:
            raise self._unreadable(self._key, fault) from None
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _from_base64(digest: str) -> str:
    try:
        raw = binascii.a2b_base64(digest)
    except ValueError:
        return ""
    return raw.hex() if len(raw) == 32 else ""
