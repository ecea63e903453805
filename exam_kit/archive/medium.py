"""Bytes to a medium and back from it, past the operating system's page cache where it allows that.

A read-back that is served from memory proves nothing: O_DIRECT reads the device itself; where a file system refuses
it, the written pages are dropped first. What the kernel counted as read from the device is kept as evidence.
Windows offers neither through Python's `os`; there the read-back may come from memory and `device_reads` says None.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = [
    "BLOCK",
    "MediumReader",
    "MediumWriter",
    "aligned",
    "device_pulse",
    "device_reads",
    "file_system",
    "fsync_file",
    "fsync_folder",
    "read_medium",
    "sha256_of",
]

BLOCK = 4 << 20
"""Bytes per read and write. One at a time is under way, so that its size is what keeps the device busy: on a drive of
100 MB/s 1 MiB cost 7 % of the time, 4 MiB 1 %."""

ALIGNMENT = 4096
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_DIRECT = getattr(os, "O_DIRECT", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def aligned(size: int = BLOCK) -> memoryview:
    """`size` bytes that begin at a page, as O_DIRECT wants them."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(mmap.mmap(-1, size))
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        room.madvise(mmap.MADV_HUGEPAGE)  # the kernel pins every page of a direct transfer: a few are quicker
    return memoryview(room)


class MediumWriter:
    """A new file being written. Whole aligned blocks go straight to the device where the file system allows it."""

    def __init__(self, path: Path, *, direct: bool = True) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NOFOLLOW
        self._direct = direct and bool(_DIRECT)
        try:
            self._fd = os.open(path, flags | (_DIRECT if self._direct else 0), 0o644)
        except OSError as problem:
            if not (self._direct and problem.errno == errno.EINVAL):
                raise
            self._direct = False  # this file system knows no O_DIRECT; the name may have been made already
            path.unlink(missing_ok=True)
            self._fd = os.open(path, flags, 0o644)

    def write(self, data: memoryview) -> None:
        """Write all of `data`."""
        done = 0
        while done < len(data):
            if self._direct and (len(data) - done) % ALIGNMENT:
                whole = (len(data) - done) // ALIGNMENT * ALIGNMENT
                if whole == 0:
                    self._buffered()
                piece = data[done : done + whole] if whole else data[done:]
            else:
                piece = data[done:]
            try:
                done += os.write(self._fd, piece)
            except OSError as problem:
                if not (self._direct and problem.errno == errno.EINVAL):
                    raise
                self._buffered()

    def _buffered(self) -> None:
        """Go on through the page cache: the tail of a file, or a file system that refuses direct writes."""
        _clear_direct(self._fd)
        self._direct = False

    def close(self) -> None:
        fd, self._fd = self._fd, -1  # closed also when closing fails (a network drive): its number is given anew
        if fd >= 0:
            os.close(fd)


class MediumReader:
    """A file being read from the device where possible; a symbolic link is refused (OSError ELOOP).

    What memory holds of the file is not asked for: on a medium that would prove nothing, and of a source it would push
    out what others need.
    """

    def __init__(self, path: Path) -> None:
        self._direct = bool(_DIRECT)
        try:
            self._fd = os.open(path, os.O_RDONLY | _BINARY | _NOFOLLOW | _DIRECT)
        except OSError as problem:
            if problem.errno != errno.EINVAL:
                raise
            self._direct = False
            self._fd = os.open(path, os.O_RDONLY | _BINARY | _NOFOLLOW)
        self._file = os.fdopen(self._fd, "rb", buffering=0)
        self._size, self._read = os.fstat(self._fd).st_size, 0
        if not self._direct:
            _drop(self._fd)

    def __enter__(self) -> MediumReader:
        return self

    def __exit__(self, *_problem: object) -> None:
        if not self._direct:
            _drop(self._fd)
        self._file.close()

    def stat(self) -> os.stat_result:
        return os.fstat(self._fd)

    def fill(self, room: memoryview) -> int:
        """Bytes read; less than `room` holds only at the end of the file, for what follows must stay aligned.

        No more is asked for than the file had when it was opened, and a block when that was read: the kernel would fill
        what lies past the end with zeros, 4 % of the time of a copy. A file that grew meanwhile is read to its new end.
        """
        filled = 0
        while filled < len(room):
            left = self._size - self._read
            most = max(ALIGNMENT, -(-left // ALIGNMENT) * ALIGNMENT)
            try:
                got = self._file.readinto(room[filled : filled + most]) or 0
            except OSError as problem:
                if not (self._direct and problem.errno == errno.EINVAL):
                    raise
                self._plain()
                continue
            filled += got
            self._read += got
            if not got or got == left:
                break
            if self._direct and got % ALIGNMENT:
                self._plain()  # past an unaligned end a direct read is refused; the rest, if any, is read plainly
        return filled

    def _plain(self) -> None:
        _clear_direct(self._fd)
        self._direct = False


def read_medium(path: Path, buffer: memoryview | None = None) -> Iterator[memoryview]:
    """The file's bytes, block by block, from the device where possible. Each block is valid until the next.

    A symbolic link is refused (OSError ELOOP), so nothing outside the folder being read is followed.
    """
    room = aligned() if buffer is None else buffer
    with MediumReader(path) as source:
        while got := source.fill(room):
            yield room[:got]


def sha256_of(path: Path, seen: Callable[[int], None] | None = None) -> tuple[str, int]:
    """The file's SHA-256 and its size as read from the medium; `seen` is told the size of each block."""
    digest, size = hashlib.sha256(), 0
    for block in read_medium(path):
        digest.update(block)
        size += len(block)
        if seen is not None:
            seen(len(block))
    return digest.hexdigest(), size


def fsync_file(path: Path) -> None:
    """Sync a file by its name, then drop its pages from memory.

    After a rename FAT needs this, else the name may be lost with the power.
    """
    fd = os.open(path, os.O_WRONLY | _BINARY | _NOFOLLOW)  # Windows syncs only what is open for writing
    try:
        os.fsync(fd)
        _drop(fd)
    finally:
        os.close(fd)


def fsync_folder(folder: Path) -> None:
    """Sync a folder's list of names. Windows has no such call; its file systems journal names."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(fd)
    except OSError as problem:
        # Some network file systems refuse to sync a folder; they send names to the server at once.
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def device_pulse(device: int) -> int | None:
    """A number that grows with everything the block device has done (Linux); None where the kernel does not tell.

    `device` is a file's ``st_dev``. Fields of ``stat`` in sysfs (Documentation/block/stat): requests and sectors read,
    then written; later ones are times and what is under way.
    """
    if not hasattr(os, "major"):
        return None
    try:
        said = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text().split()
        return sum(int(said[field]) for field in (0, 2, 4, 6))
    except (OSError, ValueError, IndexError):
        return None


def file_system(device: int) -> str:
    """The kind of file system of a file's ``st_dev`` (Linux); "" where the kernel does not tell.

    Fields of ``mountinfo``: Documentation/filesystems/proc.rst.
    """
    if not hasattr(os, "major"):
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        mount, _dash, kind = line.partition(" - ")
        if mount.split()[2] == number:
            return kind.split()[0]
    return ""


def device_reads() -> int | None:
    """Bytes that this thread made the kernel fetch from devices so far; None where the kernel does not count."""
    try:
        text = Path("/proc/thread-self/io").read_text()
    except OSError:
        return None
    found = [line for line in text.splitlines() if line.startswith("read_bytes:")]
    return int(found[0].split()[1]) if found else None


def _drop(fd: int) -> None:
    advise = getattr(os, "posix_fadvise", None)
    if advise is not None:
        advise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _clear_direct(fd: int) -> None:
    import fcntl  # Linux only, as is everything that leads here

    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) & ~_DIRECT)
