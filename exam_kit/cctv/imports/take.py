"""Taking files in: who confirmed the clock is written down first, then each file is copied unchanged, read back and
entered. What is in is not taken twice, so an import that was cut off is simply begun again.

A copy grows under a name that no recovery takes for footage (``….part``); its row and its ledger entry stand before it
gets its own name, so a cut between the two leaves a row whose copy is found beside it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from exam_kit.cctv.imports.asked import CONFIRMED, Chosen, ImportAsked, Taken
from exam_kit.cctv.names import Label, closed_path
from exam_kit.cctv.sealer import sync_folder
from exam_kit.clock import iso
from exam_kit.errors import UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger

__all__ = ["ImportCancelled", "take_import"]

BLOCK_BYTES = 1 << 20
TOLD_EVERY_BYTES = 64 << 20
REASON = "imported"
FULL = (errno.ENOSPC, errno.EDQUOT)


class ImportCancelled(Exception):
    """It was told to end; what is in stays in."""


def take_import(
    ledger: Ledger,
    home: Home,
    point: Point,
    asked: ImportAsked,
    *,
    keep_free_bytes: int,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _path: None,
    cancelled: Callable[[], bool] = lambda: False,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Taken:
    """Take the files in; a file that cannot be taken is named in the result and the rest goes on.

    `progress` is given bytes done, bytes in all (each file is read twice from the source) and the file at work.
    `keep_free_bytes` is left free on the footage's disk.

    Raises:
        UsageError: nobody confirmed the offset, or it is no camera of the point.
        ImportCancelled: `cancelled` said so.
    """
    if not asked.offset_by.strip():
        raise UsageError(m("Import: nobody has confirmed the recorder's clock. Compare it with the picture first."))
    work = _Work(ledger, home, point, asked, keep_free_bytes, progress, cancelled, free_bytes)
    for one in asked.files:
        work.read(one)
    work.confirm()
    for one in asked.files:
        if one.path in work.digests:
            work.take(one)
    return work.result


@dataclass
class _Work:
    ledger: Ledger
    home: Home
    point: Point
    asked: ImportAsked
    keep_free_bytes: int
    progress: Callable[[int, int, str], None]
    cancelled: Callable[[], bool]
    free_bytes: Callable[[Path], int]
    result: Taken = field(default_factory=Taken)
    digests: dict[str, str] = field(default_factory=dict)
    done: int = 0

    def __post_init__(self) -> None:
        known = {one.id: one for one in self.point.cameras}
        if self.asked.camera not in known:
            raise UsageError(
                m("{camera}: there is no such camera. The point has: {known}.", camera=self.asked.camera,
                  known=", ".join(known))
            )  # fmt: skip
        room = known[self.asked.camera].room
        self.label = Label(self.point.region, self.point.code, room, self.asked.camera, self.point.timezone)
        self.total = 2 * sum(one.bytes for one in self.asked.files)

    # -- before: what they are

    def read(self, one: Chosen) -> None:
        """Hash the file where it lies."""
        self.progress(self.done, self.total, one.path)
        source = self.asked.folder / one.path
        try:
            if not source.resolve().is_relative_to(self.asked.folder.resolve()) or not source.is_file():
                self.result.faults[one.path] = "gone"
                return
            digest, length = self._hash(source, None, one.path)
        except OSError:
            self.result.faults[one.path] = "not_read"
            return
        if length != one.bytes:
            self.result.faults[one.path] = "changed"
            return
        self.digests[one.path] = digest

    def confirm(self) -> None:
        """Who confirmed which offset for which files, before any of them is taken."""
        asked = self.asked
        files = [{"path": path, "sha256": digest} for path, digest in self.digests.items()]
        body = {"camera": asked.camera, "folder": str(asked.folder), "offset_s": asked.offset_s, "why": asked.why}
        body |= {"offset_by": asked.offset_by, "order": asked.order, "files": files}
        if files:
            self.ledger.append(CONFIRMED, body, asked.actor)

    # -- one file

    def take(self, one: Chosen) -> None:
        self.progress(self.done, self.total, one.path)
        digest = self.digests[one.path]
        rows = self.ledger.store.query("SELECT * FROM segment WHERE sha256 = ? ORDER BY id", (digest,))
        if rows:
            self._there(one, rows, digest)
            return
        start, end = (at + timedelta(seconds=self.asked.offset_s) for at in (one.start, one.end))
        final = self._free_name(start, end, PurePosixPath(one.path).suffix.lower())
        fault = self._copy(one, final, digest)
        if fault:
            self.result.faults[one.path] = fault
            return
        self._enter(one, final, start, end, digest)
        self._name(final)
        self.result.taken[one.path] = final.as_posix()
        self.result.bytes += one.bytes

    def _there(self, one: Chosen, rows: Sequence[dict[str, Any]], digest: str) -> None:
        """The ledger has these bytes; a copy that was cut off before it got its name, or has gone since, is mended."""
        mine = next((row for row in rows if row["camera"] == self.asked.camera), None)
        if mine is None:
            self.result.faults[one.path] = "known_elsewhere"
            return
        final = PurePosixPath(mine["path"])
        if mine["closed_reason"] == REASON and not (self.home.footage / final).exists():
            fault = self._copy(one, final, digest)
            if fault:
                self.result.faults[one.path] = fault
                return
            self._name(final)
        self.result.already[one.path] = mine["path"]

    def _copy(self, one: Chosen, final: PurePosixPath, digest: str) -> str:
        """Bytes into the part file, synced and read back; why it did not work, or empty."""
        part = _part(self.home.footage / final)
        source = self.asked.folder / one.path
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            if self.free_bytes(self.home.footage) - one.bytes < self.keep_free_bytes:
                return "no_room"
        except OSError:
            return "not_written"
        try:
            read = source.open("rb")
        except OSError:
            return "gone" if not source.exists() else "not_read"
        try:
            with read, part.open("wb") as written:
                said, _length = self._hash(read, written, one.path)
                written.flush()
                os.fsync(written.fileno())
                if hasattr(os, "posix_fadvise"):
                    # Read back from the disk, not from memory.
                    os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if said != digest:
                return self._drop(part, "changed")
            back, _length = self._hash(part, None)
            return "" if back == digest else self._drop(part, "copy_differs")
        except ImportCancelled:
            self._drop(part, "")
            raise
        except _SourceError:
            return self._drop(part, "gone" if not source.exists() else "not_read")
        except OSError as problem:
            return self._drop(part, "no_room" if problem.errno in FULL else "not_written")

    def _hash(self, source: Any, into: Any, told: str = "") -> tuple[str, int]:
        """SHA-256 and length of a path or open file; copied into `into` on the way. `told` is the file whose progress
        this is, empty for reading back."""
        digest, length = hashlib.sha256(), 0
        opened = source.open("rb") if isinstance(source, Path) else source
        try:
            while True:
                if self.cancelled():
                    raise ImportCancelled
                try:
                    block = opened.read(BLOCK_BYTES)
                except OSError as problem:
                    raise _SourceError(problem.errno, problem.strerror) from problem
                if not block:
                    return digest.hexdigest(), length
                digest.update(block)
                length += len(block)
                if told:
                    self._count(len(block), told)
                if into is not None:
                    into.write(block)
        finally:
            if isinstance(source, Path):
                opened.close()

    def _count(self, length: int, path: str) -> None:
        before, self.done = self.done, self.done + length
        if before // TOLD_EVERY_BYTES != self.done // TOLD_EVERY_BYTES:
            self.progress(self.done, self.total, path)

    def _enter(self, one: Chosen, final: PurePosixPath, start: datetime, end: datetime, digest: str) -> None:
        asked = self.asked
        day = start.astimezone(self.point.tz).date().isoformat()
        body = {
            "camera": asked.camera,
            "path": final.as_posix(),
            "from": iso(start),
            "to": iso(end),
            "frames": one.frames,
            "bytes": one.bytes,
            "sha256": digest,
            "origin": {"folder": str(asked.folder), "file": one.path, "time_from": one.time_from},
            "offset_s": asked.offset_s,
            "offset_by": asked.offset_by,
            "order": asked.order,
        }
        values = (asked.camera, day, body["path"], body["from"], body["to"], one.frames, one.bytes, digest, REASON)
        self.ledger.append(
            "segment.imported",
            body,
            asked.actor,
            also=lambda connection, entry: connection.execute(
                "INSERT INTO segment (camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason, seq) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, entry.seq),
            ),
        )

    def _name(self, final: PurePosixPath) -> None:
        target = self.home.footage / final
        _part(target).rename(target)
        sync_folder(target.parent)

    def _free_name(self, start: datetime, end: datetime, suffix: str) -> PurePosixPath:
        """The field guide's name with the original's suffix; taken also where only a row bears it."""
        number = 1
        while True:
            final = closed_path(self.label, start, end, number).with_suffix(suffix)
            rows = self.ledger.store.query("SELECT 1 FROM segment WHERE path = ?", (final.as_posix(),))
            if not rows and not (self.home.footage / final).exists():
                return final
            number += 1

    @staticmethod
    def _drop(part: Path, why: str) -> str:
        part.unlink(missing_ok=True)  # a copy, made a moment ago
        return why


class _SourceError(OSError):
    """The source would not be read, as against the copy not written."""


def _part(final: Path) -> Path:
    return final.with_name(f".{final.name}.part")
