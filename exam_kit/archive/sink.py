"""Where a copy goes. A folder today; whatever can take, prove and accept a file can stand in its place."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import xxhash

from exam_kit.archive.folder_room import grows_unsafely, make_room
from exam_kit.archive.medium import (
    MediumWriter,
    aligned,
    device_pulse,
    device_reads,
    fsync_file,
    fsync_folder,
    read_medium,
)

__all__ = ["PART", "CopyTask", "FolderSink", "Proof", "Sink"]

PART = ".part"


@dataclass(frozen=True)
class CopyTask:
    """One file to copy: `path` in the copy (with ``/``), where it lies, and what it was at birth."""

    path: str
    source: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Proof:
    """What was read back: all bytes, and those the kernel fetched from the device (None: it does not tell)."""

    same: bool
    read_bytes: int
    device_bytes: int | None


class Sink(Protocol):
    """Takes one file at a time; proves and accepts others meanwhile, in another thread.

    `prepare` is told the files to come. A file's way: `begin`, `write`…, `finish` (or `abandon`), `settle` (durable,
    out of memory), `prove` (read back and compared), `accept` (its name, durably) or `discard`. What an earlier run
    left enters at `settle`.

    `prove` compares with the task's SHA-256; when `xxh3` is given, which is the XXH3-128 of the bytes that `write` was
    given in this very run and whose SHA-256 was found right, comparing with that is enough. It calls `stopped` between
    blocks, and gives up when that says so; `stopped` waits while the copy is paused.

    `pulse` is a number that changes while the medium works, whatever it works at; None where nobody can tell.
    """

    def prepare(self, tasks: Iterable[CopyTask]) -> None: ...
    def begin(self, path: str) -> None: ...
    def write(self, data: memoryview) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...
    def settle(self, path: str) -> None: ...
    def prove(self, task: CopyTask, stopped: Callable[[], bool], xxh3: str = "") -> Proof: ...
    def accept(self, path: str) -> None: ...
    def discard(self, path: str) -> None: ...
    def size(self, path: str) -> int | None: ...
    def pulse(self) -> int | None: ...


class FolderSink:
    """A folder on any mounted file system.

    A file has its own name only after its bytes were read back and found equal; until then it ends in ``.part``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._device = root.stat().st_dev
        self._rooms = grows_unsafely(self._device)
        self._made: set[Path] = {root}
        self._writer: MediumWriter | None = None
        self._open_path = ""
        self._room = aligned()

    def prepare(self, tasks: Iterable[CopyTask]) -> None:
        """Make the folders, and in them room for the names, where a folder that grows later would be a danger."""
        self.expect_names(task.path for task in tasks)

    def expect_names(self, paths: Iterable[str]) -> None:
        """As `prepare`, by the paths in the copy."""
        if not self._rooms:
            return
        make_room(self.root.parent, [self.root.name], spare=0)
        names: dict[Path, list[str]] = {self.root: []}
        for path in paths:
            part = self.part(path)
            names.setdefault(part.parent, []).append(part.name)
        for folder, coming in names.items():
            self._folder(folder)
            make_room(folder, coming)

    def begin(self, path: str, *, direct: bool = True) -> None:
        self._same_drive()
        part = self.part(path)
        self._folder(part.parent)
        part.unlink(missing_ok=True)
        self._writer, self._open_path = MediumWriter(part, direct=direct), path

    def write(self, data: memoryview) -> None:
        self._open().write(data)

    def finish(self) -> None:
        """All bytes were handed over; they are on the medium once `settle` has returned."""
        self._open().close()
        self._writer = None

    def abandon(self) -> None:
        """Give the open file up, if there is one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self.part(self._open_path).unlink(missing_ok=True)

    def settle(self, path: str) -> None:
        """Sync a written file; until then it may lie in memory only, and would be read back from there."""
        fsync_file(self._lies(path))

    def prove(self, task: CopyTask, stopped: Callable[[], bool] = lambda: False, xxh3: str = "") -> Proof:
        """Read the file back and compare; looks at the ``.part``, else at the final name."""
        found = self._lies(task.path)
        before, size = device_reads(), 0
        digest = xxhash.xxh3_128() if xxh3 else hashlib.sha256()
        for block in read_medium(found, self._room):
            if stopped():
                return Proof(False, size, None)
            digest.update(block)
            size += len(block)
        after = device_reads()
        same = size == task.bytes and digest.hexdigest() == (xxh3 or task.sha256)
        return Proof(same, size, None if before is None or after is None else after - before)

    def accept(self, path: str) -> None:
        """Give the proved file its name, durably. The second fsync of the file is for FAT."""
        final, part = self.root / path, self.part(path)
        if part.exists():
            part.replace(final)
        fsync_file(final)
        fsync_folder(final.parent)

    def discard(self, path: str) -> None:
        """Remove the file, whatever its state."""
        self.part(path).unlink(missing_ok=True)
        (self.root / path).unlink(missing_ok=True)

    def part(self, path: str) -> Path:
        return self.root / (path + PART)

    def size(self, path: str) -> int | None:
        """The size under the final name, else under the ``.part`` name; None when neither is there."""
        for candidate in (self.root / path, self.part(path)):
            if candidate.is_file() and not candidate.is_symlink():
                return candidate.stat().st_size
        return None

    def pulse(self) -> int | None:
        """Requests and sectors that the drive has done since the system started (Linux)."""
        return device_pulse(self._device)

    def _lies(self, path: str) -> Path:
        part = self.part(path)
        return part if part.exists() else self.root / path

    def _open(self) -> MediumWriter:
        if self._writer is None:
            raise ValueError("no file is being written")
        return self._writer

    def _same_drive(self) -> None:
        """A drive that was pulled leaves an empty folder behind; writing into it would fill the system's own disk."""
        if self.root.stat().st_dev != self._device:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), str(self.root))

    def _folder(self, folder: Path) -> None:
        if folder in self._made:
            return
        self._folder(folder.parent)
        folder.mkdir(exist_ok=True)
        fsync_folder(folder.parent)
        if self._rooms:
            make_room(folder, ())
        self._made.add(folder)
