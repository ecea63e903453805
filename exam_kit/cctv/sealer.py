"""What must not hold up a recording thread: bringing data to the medium, hashing, giving a file its final name."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from exam_kit.cctv.disk import Disk, SegmentFile
from exam_kit.cctv.names import Label, closed_path

__all__ = ["Finished", "Sealer", "finish", "hash_file", "sync_folder"]

BLOCK = 1 << 17
"""Small enough to stay in the processor's cache between being read and being hashed."""
SYNC_EVERY_S = 1.0


@dataclass(frozen=True)
class Finished:
    """A file under its final name; `path` is relative to the footage folder."""

    path: str
    bytes: int
    sha256: str


def hash_file(path: Path) -> tuple[int, str]:
    """Length and SHA-256 of a file."""
    digest, length, room = hashlib.sha256(), 0, memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as source:
        while got := source.readinto(room):
            digest.update(room[:got])
            length += got
    return length, digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def finish(footage: Path, opened: PurePosixPath, label: Label, start: datetime, end: datetime) -> Finished:
    """Hash an ended file and give it its final name; never onto a name that is taken.

    Raises:
        OSError: it cannot be read or renamed; it stays where it is.
    """
    source = footage / opened
    length, digest = hash_file(source)
    with source.open("rb+") as handle:
        os.fsync(handle.fileno())
    number = 1
    while (footage / (target := closed_path(label, start, end, number))).exists():
        number += 1
    final = footage / target
    # The name keeps its start, so the folder is the same one unless the clock's zone was changed in between.
    final.parent.mkdir(parents=True, exist_ok=True)
    source.rename(final)
    sync_folder(final.parent)
    return Finished(target.as_posix(), length, digest)


class Sealer:
    """Two threads for one worker: one syncs every file that is not finished, and the name of a new one, about once a
    second; one finishes ended files in turn.

    What they seal is written by `disk`, a third.
    """

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._open: set[SegmentFile] = set()
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._sync, name="sync", daemon=True),
            threading.Thread(target=self._work, name="seal", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def watch(self, file: SegmentFile) -> None:
        """Keep syncing this file until it is released."""
        with self._lock:
            self._open.add(file)

    def release(self, file: SegmentFile) -> None:
        with self._lock:
            self._open.discard(file)

    def later(self, job: Callable[[], None]) -> None:
        """Run `job` on the sealing thread, after those given before. It handles its own errors."""
        self._jobs.put(job)

    def close(self) -> None:
        """Wait until everything given is done; files that were ended are finished."""
        self.disk.close()
        self._jobs.put(None)
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _sync(self) -> None:
        named: set[SegmentFile] = set()
        while not self._ended.wait(SYNC_EVERY_S):
            self.disk.look()
            with self._lock:
                files = list(self._open)
            named.intersection_update(files)
            for file in files:
                try:
                    file.sync()
                    if file not in named and file.path is not None:
                        sync_folder(file.path.parent)
                        named.add(file)
                except OSError as problem:
                    # The medium said no: the recording thread learns it at its next packet and ends the segment.
                    file.fault = file.fault or problem

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
