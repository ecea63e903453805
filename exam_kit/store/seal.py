"""The seal: a secret key that moves on with every entry and cannot be turned back.

Entry *n* is sealed with key *n*: ``HMAC-SHA256(key n, its hash)``. Key *n*+1 is the SHA-256 of key *n*, which is then
overwritten. Whoever takes the machine over at entry *t* holds key *t*+1 and can seal what comes after; nothing before
it can be changed, left out or put in again, because the keys for it are no longer anywhere but with the region, which
keeps the first one. There is one key for each number and no number without a key, so a cut tail cannot be grown
again either. (Journald's sealing, whose epochs may be empty or sealed late, was broken there: systemd 28885, 28886.)

The key is moved on after the entry is committed and before the append returns. A crash between the two leaves a key
that is some entries behind: the next append brings it up by hashing on. It is never ahead of the entries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
import struct
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from exam_kit.errors import StoreError, m
from exam_kit.store.durable import locked, sync_folder

__all__ = ["Enrolment", "SealKey", "SealState", "commitment", "evolved", "seal_of"]

log = logging.getLogger(__name__)

_SEAL, _NEXT, _COMMIT = b"exam-kit seal v1\n", b"exam-kit seal next v1\n", b"exam-kit seal commitment v1\n"
_TITLE = "exam-kit enrolment v1"
_RECORD = struct.Struct(">4s8sQ32s")
_MAGIC, _CHECK_BYTES = b"EKS1", 8
_SLOT_BYTES = 4096
"""A slot to each disk block, so that a torn write of one leaves the other."""


def seal_of(key: bytes, entry_hash: str) -> bytes:
    """The seal of the entry with that hash: 32 bytes."""
    return hmac.digest(key, _SEAL + entry_hash.encode(), "sha256")


def evolved(key: bytes, steps: int = 1) -> bytes:
    """The key `steps` entries later."""
    for _step in range(steps):
        key = hashlib.sha256(_NEXT + key).digest()
    return key


def commitment(first_key: bytes) -> str:
    """What the ledger says of the first key without telling it."""
    return hashlib.sha256(_COMMIT + first_key).hexdigest()


@dataclass(frozen=True)
class SealState:
    """The present key: it seals entry `position`. `epoch` begins the commitment of the first key it came from."""

    epoch: bytes
    position: int
    key: bytes = field(repr=False)

    @classmethod
    def first(cls, key: bytes, position: int) -> SealState:
        return cls(bytes.fromhex(commitment(key))[:8], position, key)

    def at(self, position: int) -> SealState:
        """The key for a later entry."""
        return SealState(self.epoch, position, evolved(self.key, position - self.position))


@dataclass(frozen=True)
class Enrolment:
    """The first key, as the region keeps it: with it everything sealed since `start` can be proved."""

    ledger: str
    start: int
    key: bytes = field(repr=False)

    @classmethod
    def new(cls, ledger: str, start: int) -> Enrolment:
        return cls(ledger, start, os.urandom(32))

    def text(self) -> str:
        """The file, and the content of the QR code."""
        return f"{_TITLE}\nledger {self.ledger}\nfrom {self.start}\nfirst {base64.b64encode(self.key).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Enrolment:
        """The inverse of `text`; ValueError when it is not an enrolment."""
        title, *lines = text.strip().splitlines() or [""]
        pairs = dict(line.strip().split(" ", 1) for line in lines if " " in line.strip())
        if title.strip() != _TITLE or set(pairs) != {"ledger", "from", "first"}:
            raise ValueError("not an exam-kit enrolment")
        found = cls(
            str(uuid.UUID(pairs["ledger"])), int(pairs["from"]), base64.b64decode(pairs["first"], validate=True)
        )
        if len(found.key) != 32 or found.start < 1:
            raise ValueError("not an exam-kit enrolment")
        return found

    @classmethod
    def load(cls, path: Path) -> Enrolment:
        """Raises StoreError when the file is not one."""
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise StoreError(
                m("{path}: is not an enrolment of a ledger. Name the file 'log enrol' wrote.", path=path)
            ) from problem


class SealKey:
    """The file of the present key, and the first keys for as long as they wait to be handed over, each in its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "seal.key"

    def read(self) -> SealState | None:
        """The present key; None where there is none, or nothing whole of it.

        Raises:
            StoreError: what lies there cannot be read just now. That is no loss: nothing may begin anew because of it.
        """
        try:
            if not self._path.exists():
                return None
            with locked(self._path.with_suffix(".lock")):
                return self._read()
        except OSError as problem:
            raise _unreadable(self._path, problem) from problem

    def _read(self) -> SealState | None:
        if not self._path.exists():
            return None
        content = self._path.read_bytes()
        slots = [_unpacked(content[at : at + _SLOT_BYTES]) for at in (0, _SLOT_BYTES)]
        newest = slots[1] or slots[0]  # the second is written first
        if slots[0] and slots[1] and slots[0].epoch == slots[1].epoch:
            newest = max(slots[0], slots[1], key=lambda state: state.position)
        return newest

    def move(self, state: SealState) -> None:
        """Overwrite the present key in place, durably; a later key that stands there already is left.

        Raises:
            OSError: it could not be written.
        """
        with locked(self._path.with_suffix(".lock")):
            present = self._read()
            if present is not None and present.epoch == state.epoch and present.position >= state.position:
                return
            new = not self._path.exists()
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(handle, "rb+", buffering=0) as target:
                packed = _packed(state)
                # The second slot made durable first: torn or not, one of the two can be read after a power cut. The
                # first is durable with the next append, so a disk pulled out may hold the key of one entry more.
                for slot in (1, 0):
                    target.seek(slot * _SLOT_BYTES)
                    target.write(packed)
                    if slot == 1:
                        os.fsync(target.fileno())
            if new:
                sync_folder(self._path.parent)

    def wait(self, enrolment: Enrolment) -> None:
        """Keep the first key until it is handed over, durably, beside others that wait.

        Called where no other process writes the ledger. One of the same ledger and start is of an attempt that failed.
        """
        for left in self._folder.glob("enrolment*.part"):
            left.unlink()
        path = self._folder / f"enrolment-{enrolment.ledger[:8]}-{enrolment.start}.txt"
        temporary = path.with_suffix(".part")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(enrolment.text())
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(path)
        sync_folder(self._folder)

    @property
    def waiting(self) -> list[Enrolment]:
        """The first keys that were not handed over yet, the oldest first.

        Raises:
            StoreError: one cannot be read just now.
        """
        found = []
        for path in self._files():
            try:
                found.append(Enrolment.parse(path.read_text(encoding="utf-8")))
            except OSError as problem:
                raise _unreadable(path, problem) from problem
            except ValueError:
                log.error("%s: is not the first key it was", path)
        return sorted(found, key=lambda enrolment: enrolment.start)

    def hand_over(self, enrolment: Enrolment) -> None:
        """Forget a first key: overwrite it where it lies, as far as the medium does that, and remove it."""
        for path in self._files():
            if path.read_text(encoding="utf-8", errors="replace") != enrolment.text():
                continue
            with path.open("rb+") as target:
                target.write(b"0" * path.stat().st_size)
                target.flush()
                os.fsync(target.fileno())
            path.unlink()
        sync_folder(self._folder)

    def put_aside(self, enrolment: Enrolment, folder: Path) -> None:
        """Keep a first key in another folder, beside the ledger that it belongs to."""
        for path in self._files():
            if path.read_text(encoding="utf-8", errors="replace") == enrolment.text():
                path.replace(folder / path.name)
        sync_folder(folder)
        sync_folder(self._folder)

    def _files(self) -> list[Path]:
        # "enrolment.txt" is where older versions kept the only one.
        return sorted(self._folder.glob("enrolment*.txt"))


def _packed(state: SealState) -> bytes:
    record = _RECORD.pack(_MAGIC, state.epoch, state.position, state.key)
    return record + hashlib.sha256(record).digest()[:_CHECK_BYTES]


def _unpacked(slot: bytes) -> SealState | None:
    record, check = slot[: _RECORD.size], slot[_RECORD.size : _RECORD.size + _CHECK_BYTES]
    if len(record) < _RECORD.size or hashlib.sha256(record).digest()[:_CHECK_BYTES] != check:
        return None
    magic, epoch, position, key = _RECORD.unpack(record)
    return SealState(epoch, position, key) if magic == _MAGIC else None


def _unreadable(path: Path, problem: OSError) -> StoreError:
    return StoreError(
        m(
            "{path}: the key of the ledger's seal cannot be read ({reason}). Nothing was written. See that the disk "
            "works and that this user may read the file, then try again.",
            path=path,
            reason=problem.strerror or problem,
        )
    )
