"""The disk as a camera's thread may use it: nothing it does waits for the medium.

A disk may stand still for seconds (a stick that tidies up, a drive that wakes, a file system that is frozen for a
snapshot). Whoever writes to it stands still as well, and a camera that is not read soon gives up. So one thread of a
worker does all writing; what it has not written yet waits in memory, at most `HELD_BYTES` for each camera. More is
refused: that is a gap, and it is said.
"""

from __future__ import annotations

import errno
import os
import queue
import shutil
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path

__all__ = ["HELD_BYTES", "Disk", "SegmentFile"]

HELD_BYTES = 16 << 20
"""Of one camera's video, waiting for the disk: half a minute at 4 Mbit/s."""


class Disk:
    """One thread that writes for all cameras of a worker, in the order given."""

    def __init__(self, footage: Path, held_bytes: int = HELD_BYTES) -> None:
        self.held_bytes = held_bytes
        self._footage = footage
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}
        self.free: int | OSError = 0
        """bytes free where the footage goes, or why that is not known; renewed by `look`"""
        self.look()
        self._thread = threading.Thread(target=self._work, name="disk", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """How much space is there? May take long."""
        try:
            self._footage.mkdir(parents=True, exist_ok=True)
            self.free = shutil.disk_usage(self._footage).free
        except OSError as problem:
            self.free = problem

    def mind(self, camera: str) -> None:
        """Is it worth to begin another file for this camera?

        Raises:
            TimeoutError: much of it still waits: the disk stands still.
        """
        if self._waiting.get(camera, 0) > self.held_bytes // 2:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    def take(self, camera: str, size: int) -> bool:
        """Book `size` more bytes for a camera; False when it has too many waiting already."""
        with self._lock:
            waiting = self._waiting.get(camera, 0)
            if waiting and waiting + size > self.held_bytes:
                return False
            self._waiting[camera] = waiting + size
            return True

    def give_back(self, camera: str, size: int) -> None:
        with self._lock:
            self._waiting[camera] -= size

    def later(self, job: Callable[[], None]) -> None:
        """Run `job` after all that was given before; it handles its own errors."""
        self._jobs.put(job)

    def close(self) -> None:
        """Wait until everything is written."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


class SegmentFile:
    """The file under the muxer. After the first failed write it takes nothing more and says so in `fault`.

    The muxer is told that all is well: it would otherwise try to repair the head of a file whose new index did not
    fit, and so destroy what is there. The file comes into being with its first bytes; `opened` is told then, by the
    disk's thread. `name` gives its path; the number counts from 1, for names that are taken.
    """

    def __init__(self, disk: Disk, camera: str, name: Callable[[int], Path], opened: Callable[[Path], None]) -> None:
        self.path: Path | None = None
        """where it is, once it is"""
        self.fault: OSError | None = None
        self.overflowed = False
        """It ended because too much was waiting; what was taken before is still written."""
        self._disk = disk
        self._camera = camera
        self._name = name
        self._opened = opened
        self._file: FileIO | None = None
        self.pending: list[bytes] = []
        """what the muxer has written and the disk was not given yet"""
        self._begin = 0
        self._position = 0
        self._refused = False
        self._late: list[tuple[int, bytes]] = []
        """where and what the muxer wrote after it went back to the head of the ended file"""
        self._handle = threading.Lock()

    # -- what the muxer calls, on the camera's thread --------------------------------------------------------------

    def write(self, data: bytes) -> int:
        if self.pending and self._position != self._begin + sum(map(len, self.pending)):
            self.hand_over()
        if not self.pending:
            self._begin = self._position
        self.pending.append(bytes(data))
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET:
            # The muxer knows where it is; it never asks for the end of a file it writes.
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def hand_over(self) -> bool:
        """Give the disk what the muxer has written since; was there anything?"""
        if not self.pending:
            return False
        data, begin = b"".join(self.pending), self._begin
        self.pending = []
        if self.fault is None and not self._disk.take(self._camera, len(data)):
            self.overflowed = True
            self.fault = OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if self.fault is not None:
            return True
        self._disk.later(lambda: self._put(data, begin))
        return True

    def end(self, then: Callable[[], None]) -> None:
        """Run `then` when all is written but what `settle` writes; on the disk's thread, so it must not wait."""
        self._disk.later(then)

    # -- on other threads ------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Bring what is written to the medium."""
        with self._handle:
            if self._file is not None and not self._file.closed:
                _sync(self._file)

    def settle(self) -> None:
        """Turn the ended file into an ordinary mp4 and close it; waits for the medium.

        The index that the new head relies on must be on the medium before it, or a power cut in between leaves nothing
        that plays. The disk's thread does not wait for that: other cameras' video would lie in memory meanwhile.
        """
        with self._handle:
            if self._file is None:
                return
            try:
                if self._late and not self._refused:
                    _sync(self._file)
                    for begin, data in self._late:
                        self._file.seek(begin)
                        _write(self._file, data)
            except OSError as problem:
                self._refused = True
                self.fault = problem
            finally:
                self._late = []
                self._file.close()

    def _put(self, data: bytes, begin: int) -> None:
        try:
            if not (self._refused or (self.fault is not None and not self.overflowed)):
                file = self._file or self._create()
                if self._late or file.tell() != begin:
                    self._late.append((begin, data))
                else:
                    _write(file, data)
        except OSError as problem:
            self._refused = True
            self.fault = problem
        finally:
            self._disk.give_back(self._camera, len(data))

    def _create(self) -> FileIO:
        number = 1
        while True:
            path = self._name(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                made = path.open("xb", buffering=0)
            except FileExistsError:
                number += 1
                continue
            self._file, self.path = made, path
            self._opened(path)
            return made


def _write(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _sync(file: FileIO) -> None:
    getattr(os, "fdatasync", os.fsync)(file.fileno())
