"""The copy's own journal, beside the copy: one line per file that was proved to lie on the medium.

A line is JSON, a TAB and the first 32 hex digits of its SHA-256; it counts only when they agree, so a line torn by a
power cut is no acknowledgement. The file goes into the sealed bag as evidence.

Room for lines is prepared ahead, filled with line feeds, and lines are written into it: a file that grows line by line
can be left by a power cut on FAT with a size that its clusters do not reach, and then its last page, with lines that
had been acknowledged, cannot be read.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.medium import fsync_folder
from exam_kit.archive.sink import CopyTask

__all__ = ["JOURNAL", "CopyJournal", "Proved", "readable"]

JOURNAL = "copy-journal.txt"
STEP = 1 << 16
"""Bytes prepared at a time; whole pages and, on all but huge carriers, whole clusters."""
PAGE = 4096


@dataclass(frozen=True)
class Proved:
    """One acknowledged file."""

    bytes: int
    sha256: str


class CopyJournal:
    """Opened for a folder; reads what is there, then only appends. One thread writes at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self.proved: dict[str, Proved] = {}
        self._together = False
        old = readable(self._path)
        for line in old.split(b"\n"):
            self._take(line)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        self._end, self._room = len(old.rstrip(b"\n")), len(old)
        if self._end:
            self._put(b"\n")  # a torn line stays one of its own
        self._prepare(1)
        os.fsync(self._fd)
        fsync_folder(folder)

    def _take(self, line: bytes) -> None:
        text, tab, mark = line.rpartition(b"\t")
        if not tab or _mark(text) != mark:
            return
        match json.loads(text):
            case {"do": "verified", "path": str(path), "bytes": int(size), "sha256": str(sha256)}:
                self.proved[path] = Proved(size, sha256)
            case {"do": "discarded", "path": str(path)}:
                self.proved.pop(path, None)

    def acknowledges(self, task: CopyTask) -> bool:
        """Whether this very file is acknowledged."""
        return self.proved.get(task.path) == Proved(task.bytes, task.sha256)

    def verified(self, path: str, size: int, sha256: str, device_bytes: int | None) -> None:
        """Acknowledge a file; durable on return."""
        self._add({"do": "verified", "path": path, "bytes": size, "sha256": sha256, "from_device": device_bytes})
        self.proved[path] = Proved(size, sha256)

    def discarded(self, path: str, why: str) -> None:
        """Take an acknowledgement back; durable on return."""
        self._add({"do": "discarded", "path": path, "why": why})
        self.proved.pop(path, None)

    def note(self, do: str, **facts: Any) -> None:
        """A line that says what happened and acknowledges nothing."""
        self._add({"do": do, **facts})

    def _add(self, entry: dict[str, Any]) -> None:
        text = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()
        line = text + b"\t" + _mark(text) + b"\n"
        self._prepare(len(line))
        self._put(line)
        if not self._together:
            os.fsync(self._fd)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One sync for all lines added in the block; they are durable when it has ended."""
        self._together = True
        try:
            yield
        finally:
            self._together = False
        os.fsync(self._fd)

    def sealed(self) -> bytes:
        """Take the room that is left away; what the file then holds, durable on return."""
        os.ftruncate(self._fd, self._end)
        os.fsync(self._fd)
        self._room = self._end
        return self._path.read_bytes()

    def _prepare(self, size: int) -> None:
        """Room for `size` bytes more; durable with the next sync."""
        if self._end + size > self._room:
            end, room = self._end, -(-(self._end + size) // STEP) * STEP
            self._end = self._room
            self._put(b"\n" * (room - self._room))
            self._end, self._room = end, room

    def _put(self, data: bytes) -> None:
        os.lseek(self._fd, self._end, os.SEEK_SET)
        while data:
            written = os.write(self._fd, data)
            self._end += written
            data = data[written:]

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def readable(path: Path) -> bytes:
    """What the file gives, up to the first page that cannot be read; nothing when there is none."""
    pages: list[bytes] = []
    try:
        with path.open("rb", buffering=0) as file:
            while page := file.read(PAGE):
                pages.append(page)
    except FileNotFoundError:
        return b""
    except OSError as problem:
        if problem.errno != errno.EIO:
            raise
    return b"".join(pages)


def _mark(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:32].encode()
