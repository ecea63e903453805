"""The bag inside an encrypted one, read through the encryption.

Whoever looks at a bag, verifies or copies it finds here the inner bag's own paths, sizes and bytes; nothing of it is
written anywhere in the clear. Sizes are reckoned from those of the ciphertext and the length of each file's header.
"""

from __future__ import annotations

import errno
import hashlib
import io
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyrage
from pyrage import x25519

from exam_kit.archive.age_open import BoundedIndex, names_inside
from exam_kit.archive.bag import MANIFEST
from exam_kit.archive.bag_lists import read_list
from exam_kit.archive.bag_tree import BagTree, FolderTree, walk
from exam_kit.archive.channel import Channel, Stop, Stopped
from exam_kit.archive.encrypted import INDEX
from exam_kit.archive.medium import ALIGNMENT, BLOCK, aligned, read_medium
from exam_kit.errors import ArchiveError, m

__all__ = ["Locked", "Opened", "OpenedTree", "Unopened", "opened_tree"]

MOST_HEADER_BYTES = 1 << 14
CHUNK, TAG, NONCE = 64 << 10, 16, 16
"""Of the age v1 format: plain bytes in a chunk, the tag behind each chunk, the nonce before the first."""
GATHERED = 1 << 20
"""Plain bytes that are handed on together; the library gives them in pieces of 8 KiB."""
AHEAD = 2


class Locked(ArchiveError):
    """The bag is as it was sealed, and none of the identities opens it."""


class Unopened(OSError):
    """A file that is no ciphertext for this key, or not any more: its bytes were changed."""

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(errno.EBADMSG, str(reason), path)


def opened_tree(outer: BagTree, identities: Sequence[x25519.Identity]) -> OpenedTree:
    """The bag inside `outer`, by its index.

    Raises:
        Locked: none of the identities is the one that it was encrypted to.
        Unopened: the index was changed.
        ArchiveError: what is inside is no index, or does not fit the files.
        Refused: something lies in the encrypted bag that no honest one holds.
        OSError: the carrier cannot be read.
    """
    files = walk(outer)
    if INDEX not in files:
        raise ArchiveError(m("{path}: its index names other files than lie in it.", path=outer.place))
    index = BoundedIndex()
    try:
        _decrypt(outer, files[INDEX], index, identities, lambda _size: None)
    except Unopened as problem:
        if _as_listed(outer, files):
            raise Locked(
                m("{bag}: does not open with the key given ({reason}).", bag=outer.place, reason=problem.strerror)
            ) from None
        raise
    name, names = names_inside(index.getvalue(), files, outer.place)
    return OpenedTree(outer, name, {path: files[sealed] for sealed, path in names.items()}, identities)


class OpenedTree:
    """A `BagTree`. `name` is the inner bag's; `place` is the encrypted one's, for nothing lies anywhere else."""

    def __init__(
        self,
        outer: BagTree,
        name: str,
        files: Mapping[str, tuple[str, int]],
        identities: Sequence[x25519.Identity],
    ) -> None:
        self.outer, self.name = outer, name
        self._files, self._identities = files, identities
        self._sizes: dict[str, int] = {}

    @property
    def place(self) -> str:
        return self.outer.place

    def there(self) -> bool:
        return self.outer.there()

    def files(self) -> Iterator[tuple[str, int]]:
        for path, sealed in self._files.items():
            if path not in self._sizes:
                self._sizes[path] = self._plain_size(*sealed)
            yield path, self._sizes[path]

    def room_bytes(self) -> int | None:
        return self.outer.room_bytes()

    def open(self, path: str, most_bytes: int | None = None) -> BinaryIO:  # noqa: ARG002 - it opens as it is read
        """Its reads raise Unopened where the ciphertext was changed."""
        return io.BufferedReader(self.opened(path), GATHERED)

    def opened(self, path: str) -> Opened:
        """The plain bytes of one file, unbuffered."""
        return Opened(self.outer, self._files[path], self._identities)

    def sealed_name(self, path: str) -> str:
        """What the file is called on the carrier."""
        return self._files[path][0]

    def sha256(self, path: str, seen: Callable[[int], None]) -> str:
        """The plain file's; empty, which no file's is, where the ciphertext does not open: it was changed."""
        hashing = _Hashing()
        try:
            _decrypt(self.outer, self._files[path], hashing, self._identities, seen)
        except Unopened:
            return ""
        return hashing.digest.hexdigest()

    def _plain_size(self, path: str, size: int) -> int:
        """Where the header is none, the ciphertext's: its content is not what was sealed either."""
        with self.outer.open(path, MOST_HEADER_BYTES) as source:
            head = source.read(MOST_HEADER_BYTES)
        mac = head.find(b"\n--- ")
        end = head.find(b"\n", mac + 1) + 1 if mac >= 0 else 0
        sealed = size - end - NONCE
        if not end or sealed < TAG:
            return size
        return sealed - TAG * -(-sealed // (CHUNK + TAG))


class Opened(io.RawIOBase):
    """One file being decrypted, in a thread of its own, a little ahead of whoever reads. Close it."""

    def __init__(self, outer: BagTree, sealed: tuple[str, int], identities: Sequence[x25519.Identity]) -> None:
        super().__init__()
        self._stop = Stop()
        self._pieces: Channel[bytes | Exception] = Channel(self._stop, AHEAD)
        self._gathered, self._left = bytearray(), memoryview(b"")
        self._ended = False
        self._problem: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, args=(outer, sealed, identities), name="archive-age-open", daemon=True
        )
        self._thread.start()

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview) -> int:  # type: ignore[override]
        while not self._left and not self._ended:
            piece = self._problem or self._pieces.get()
            if isinstance(piece, Exception):
                self._problem = piece  # whoever asks again is told again
                raise piece
            self._left, self._ended = memoryview(piece), not piece
        size = min(len(room), len(self._left))
        room[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def fill(self, room: memoryview) -> int:
        """Bytes read; less than `room` holds only at the end of the file."""
        filled = 0
        while filled < len(room) and (got := self.readinto(room[filled:])):
            filled += got
        return filled

    def close(self) -> None:
        if not self.closed:
            self._stop.set()
            self._thread.join()
        super().close()

    def _run(self, outer: BagTree, sealed: tuple[str, int], identities: Sequence[x25519.Identity]) -> None:
        try:
            _decrypt(outer, sealed, _Gathering(self._take), identities, lambda _size: None)
            if self._gathered:
                self._pieces.put(bytes(self._gathered))
            self._pieces.put(b"")
        except Stopped:
            return
        except Exception as problem:  # noqa: BLE001 - raised again in the thread that reads
            self._told(problem)

    def _take(self, data: bytes) -> None:
        self._gathered += data
        if len(self._gathered) >= GATHERED:
            self._pieces.put(bytes(self._gathered))
            self._gathered.clear()

    def _told(self, problem: Exception) -> None:
        try:
            self._pieces.put(problem)
        except Stopped:
            return


@dataclass
class _Gathering:
    take: Callable[[bytes], None]

    def write(self, data: bytes) -> int:
        self.take(data)
        return len(data)

    def flush(self) -> None:
        """What is gathered is handed on when there is enough of it, and at the end."""


class _Hashing:
    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """A hash holds nothing back."""


class _Blocks:
    """Ciphertext in the small pieces that the library asks for, read in blocks; `seen` is told the size of each."""

    def __init__(self, blocks: Iterator[memoryview], seen: Callable[[int], None]) -> None:
        self._blocks, self._seen = blocks, seen
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = next(self._blocks, memoryview(b""))
            self._seen(len(self._rest))
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)


def _decrypt(
    outer: BagTree,
    sealed: tuple[str, int],
    plain: object,
    identities: Sequence[x25519.Identity],
    seen: Callable[[int], None],
) -> None:
    """Raises Unopened where the ciphertext is not for these keys or was changed, OSError where it cannot be read."""
    blocks = _blocks(outer, *sealed)
    try:
        pyrage.decrypt_io(_Blocks(blocks, seen), plain, list(identities))
    except pyrage.DecryptError as problem:
        raise Unopened(sealed[0], problem) from None
    except OSError as problem:
        if problem.errno is not None:
            raise  # the carrier's; a chunk that was changed is told without a number
        raise Unopened(sealed[0], problem) from None
    finally:
        blocks.close()


def _blocks(outer: BagTree, path: str, size: int) -> Generator[memoryview, None, None]:
    """The ciphertext; of a folder from the device itself, as everything is read that is to prove something."""
    if isinstance(outer, FolderTree):
        room = aligned(min(BLOCK, max(ALIGNMENT, -(-size // ALIGNMENT) * ALIGNMENT)))
        yield from read_medium(outer.root / path, room)
        return
    with outer.open(path) as source:
        while block := source.read(BLOCK):
            yield memoryview(block)


def _as_listed(outer: BagTree, files: Mapping[str, tuple[str, int]]) -> bool:
    """Whether the index's ciphertext is what the encrypted bag's own list says."""
    with outer.open(files[MANIFEST][0]) as source:
        listed = read_list(source, MANIFEST, payload=True)
    return outer.sha256(files[INDEX][0], lambda _size: None) == listed.get(INDEX)
