"""The log that the kernel's dm-log-writes keeps, and disks as a power cut would leave them.

Format: Documentation/admin-guide/device-mapper/log-writes.rst and drivers/md/dm-log-writes.c. A write enters the log
only when a flush that followed it has completed (or when it was written through), so a disk replayed up to any entry
is one whose cache was lost: the harshest that an honest disk may do. A mark is logged at once.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cut", "Entry", "Image", "WriteLog", "chosen", "cuts", "torn"]

MAGIC = 0x6A736677736872
SUPER = struct.Struct("<QQQI")
HEAD = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


@dataclass(frozen=True)
class Entry:
    """One logged act. `offset` and `length` are bytes on the disk, `at` is where the data stands in the log."""

    flags: int
    offset: int
    length: int
    at: int
    mark: str

    @property
    def writes(self) -> bool:
        return bool(self.length) and not self.flags & MARK


@dataclass(frozen=True)
class Cut:
    """Power fails: the first `entries` are on the disk, of the writes `torn` only a part; `promised` are the marks that
    were made before."""

    entries: int
    promised: int
    torn: tuple[int, ...] = ()


class WriteLog:
    """A log file, read."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ValueError: it is not a log.
        """
        self._file = path.open("rb")
        magic, version, count, size = SUPER.unpack(self._file.read(SUPER.size))
        if magic != MAGIC or version != 1:
            raise ValueError(f"{path}: not a log of dm-log-writes")
        self.entries: list[Entry] = []
        at = size
        for _number in range(count):
            self._file.seek(at)
            sector, sectors, flags, length = HEAD.unpack(self._file.read(HEAD.size))
            mark = self._file.read(length).decode() if flags & MARK else ""
            at += size
            self.entries.append(Entry(flags, sector * size, sectors * size, at, mark))
            if sectors and not flags & DISCARD:
                at += sectors * size

    def data(self, entry: Entry) -> bytes:
        """What was written."""
        if entry.flags & DISCARD:
            return bytes(entry.length)
        self._file.seek(entry.at)
        return self._file.read(entry.length)

    def marks(self, count: int) -> list[str]:
        """The marks among the first `count` entries; the kernel's own, "dm-log-writes-end", is none of ours."""
        return [entry.mark for entry in self.entries[:count] if entry.flags & MARK and ":" in entry.mark]

    def close(self) -> None:
        self._file.close()


def cuts(log: WriteLog) -> list[Cut]:
    """A cut after every write, first of all one before any; the marks that follow a write at once are promised."""
    found, entries = [], log.entries
    for number in range(len(entries) + 1):
        if number and not entries[number - 1].writes:
            continue
        promised = number
        while promised < len(entries) and not entries[promised].writes:
            promised += 1
        found.append(Cut(number, promised))
    return found


def torn(log: WriteLog, chance: random.Random) -> list[Cut]:
    """For every flush a cut just before it was done: of the writes it was to secure any part reached the disk."""
    found, entries = [], log.entries
    start = 0
    for number, entry in enumerate(entries):
        if entry.flags & MARK:
            start = number + 1
        elif entry.flags & (FLUSH | FUA):
            waiting = [place for place in range(start, number) if entries[place].writes]
            if waiting:
                kept = tuple(place for place in waiting if chance.random() < 0.5)
                found.append(Cut(start, start, kept))
            start = number + 1
    return found


class Image:
    """A disk brought forward from cut to cut. `path` is rewritten in place; nobody else may change it."""

    def __init__(self, base: Path, path: Path, log: WriteLog) -> None:
        self.path = path
        self._log = log
        self._done = 0
        self._file = path.open("wb+", buffering=0)
        with base.open("rb") as source:
            while block := source.read(1 << 20):
                self._file.write(block)

    def forward(self, cut: Cut) -> None:
        """Apply what came since the last cut; cuts must not go back."""
        for entry in self._log.entries[self._done : cut.entries]:
            if entry.writes:
                self._put(entry)
        self._done = max(self._done, cut.entries)
        # What is torn is written again, whole, when time has passed over it.
        for place in cut.torn:
            self._put(self._log.entries[place])

    def _put(self, entry: Entry) -> None:
        self._file.seek(entry.offset)
        self._file.write(self._log.data(entry))

    def close(self) -> None:
        self._file.close()


def chosen(every: Sequence[Cut], points: int, chance: random.Random) -> list[Cut]:
    """`points` cuts at random, in order; all of them when there are not more, or `points` is 0."""
    if not points or points >= len(every):
        return list(every)
    return sorted(chance.sample(every, points), key=lambda cut: cut.entries)
