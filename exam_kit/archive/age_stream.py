"""Bytes pushed in, age ciphertext out: one thread encrypts, one writes, so that neither waits for the other.

The ciphertext is the age v1 format (https://age-encryption.org/v1): authenticated in chunks of 64 KiB, opened by any
age tool with the identity (secret key) of the recipient. The kit itself never has that key.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import pyrage
import xxhash
from pyrage import x25519

from exam_kit.archive.channel import Buffer, Channel, Pool, Stop, Stopped
from exam_kit.archive.medium import BLOCK
from exam_kit.errors import ArchiveError, m
from exam_kit.point import Point

__all__ = ["AgeStream", "recipient_in", "recipient_of"]

AHEAD = 4
"""Blocks on their way into the encryption, and as many out of it."""


def recipient_of(text: str) -> x25519.Recipient:
    """The public key in ``age1…``.

    Raises:
        ArchiveError: it is none.
    """
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError as problem:
        raise ArchiveError(
            m("The region's age recipient in point.toml is not one ({reason}). Ask the region for it.", reason=problem)
        ) from problem


def recipient_in(point: Point) -> x25519.Recipient:
    """For whom copies of this point are encrypted.

    Raises:
        ArchiveError: point.toml does not say, or says nothing that can be used.
    """
    if not point.region_centre.age:
        raise ArchiveError(
            m("Encryption: point.toml has no age recipient of the region. Write it under [region_centre], age.")
        )
    return recipient_of(point.region_centre.age)


class AgeStream:
    """One file being encrypted. `bytes`, `sha256` and `xxh3` are the ciphertext's, once `finish` has returned."""

    def __init__(self, recipient: x25519.Recipient, write: Callable[[memoryview], None]) -> None:
        self.bytes = 0
        self._write = write
        self._stop = Stop()
        self._plain: Channel[bytes] = Channel(self._stop, AHEAD)
        self._pool = Pool(self._stop, AHEAD)
        self._sealed: Channel[Buffer | None] = Channel(self._stop)
        self._sha256, self._xxh3 = hashlib.sha256(), xxhash.xxh3_128()
        self._rest, self._block = memoryview(b""), self._pool.take()
        self._problem: Exception | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"archive-age-{name}", daemon=True)
            for name, work in (("encrypt", lambda: self._encrypt(recipient)), ("write", self._drain))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def xxh3(self) -> str:
        return self._xxh3.hexdigest()

    def push(self, data: memoryview) -> None:
        """Take plain bytes. Raises what the writing of ciphertext raised."""
        for at in range(0, len(data), BLOCK):
            self._put(bytes(data[at : at + BLOCK]))

    def finish(self) -> None:
        """All plain bytes were pushed; on return all ciphertext was given to `write`."""
        self._put(b"")
        self._join()
        self._pool.empty()

    def abandon(self) -> None:
        """Stop at once."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._pool.empty()

    def _put(self, data: bytes) -> None:
        try:
            self._plain.put(data)
        except Stopped:
            self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
        if self._problem is not None:
            raise self._problem

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Stopped:
            return
        except Exception as problem:  # noqa: BLE001 - raised again in the thread that pushes
            self._problem = self._problem or problem
            self._stop.set()

    def _encrypt(self, recipient: x25519.Recipient) -> None:
        pyrage.encrypt_io(_Reader(self), _Writer(self), [recipient])
        if self._block.length:
            self._out()
        self._sealed.put(None)

    def read(self, size: int) -> bytes:
        """Up to `size` plain bytes for the encryption; none at the end."""
        if not self._rest:
            self._rest = memoryview(self._plain.get())
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)

    def take(self, data: bytes) -> None:
        """Ciphertext from the encryption, gathered into whole aligned blocks."""
        left = memoryview(data)
        while left:
            block = self._block
            fits = min(len(left), BLOCK - block.length)
            block.room[block.length : block.length + fits] = left[:fits]
            block.length += fits
            left = left[fits:]
            if block.length == BLOCK:
                self._out()
                self._block = self._pool.take()
                self._block.length = 0

    def _out(self) -> None:
        self._sha256.update(self._block.data)
        self._xxh3.update(self._block.data)
        self.bytes += self._block.length
        self._block.hold(1)
        self._sealed.put(self._block)

    def _drain(self) -> None:
        while (block := self._sealed.get()) is not None:
            self._write(block.data)
            block.release()


class _Reader:
    def __init__(self, stream: AgeStream) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        return self._stream.read(size)


class _Writer:
    def __init__(self, stream: AgeStream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        self._stream.take(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here that could be flushed before the end."""
