"""What went wrong, said so that the specialist knows what to do next."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from exam_kit.archive.sink import CopyTask
from exam_kit.errors import ArchiveError, Message, m

__all__ = [
    "cannot_name",
    "changed_source",
    "destination_error",
    "differs_from_birth",
    "no_room",
    "same_but_case",
    "too_large",
    "unplugged",
    "unreadable_source",
    "unreliable",
]

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_GONE = {
    errno.ENODEV,
    errno.ENXIO,
    errno.ENOENT,
    errno.ENOTCONN,
    getattr(errno, "ESTALE", errno.ENODEV),
    getattr(errno, "ENOMEDIUM", errno.ENODEV),
    getattr(errno, "ESHUTDOWN", errno.ENODEV),
}
_BROKEN = {errno.EIO, errno.EROFS}
"""What a file system says of a drive that was pulled while it was mounted; also of one that fails."""

BLOCK_DEVICES = Path("/sys/dev/block")


def destination_error(problem: OSError, destination: Path, kept: int) -> ArchiveError:
    """The one message for a destination that fails; `kept` files were verified before and stay so."""
    stays = m("Files verified so far: {files}. They stay and are not copied again.", files=kept)
    if problem.errno in _FULL:
        message = m(
            "{destination}: the carrier is full. Free space on it, then start the archive again; or choose another "
            "carrier.",
            destination=destination,
        )
    elif problem.errno in _GONE or (problem.errno in _BROKEN and unplugged(destination)):
        message = m(
            "{destination}: the carrier is gone. Plug it in again, then start the archive again; it goes on where it "
            "stopped.",
            destination=destination,
        )
    elif problem.errno in _READ_ONLY:
        message = m(
            "{destination}: the carrier cannot be written ({reason}). Take its write protection off or choose another "
            "carrier, then start the archive again.",
            destination=destination,
            reason=_words(problem),
        )
    elif problem.errno == errno.ETIMEDOUT:
        message = m(
            "{destination}: the carrier does not answer any more. Unplug it and plug it in again, then start the "
            "archive again; it goes on where it stopped.",
            destination=destination,
        )
    else:
        message = m(
            "{destination}: the carrier failed ({reason}). See that it is plugged in firmly, then start the archive "
            "again; if it fails once more, use another carrier.",
            destination=destination,
            reason=_words(problem),
        )
    return ArchiveError(message, (stays,))


def unplugged(place: Path) -> bool:
    """Whether the drive below a mounted folder is not there any more (Linux); False where that cannot be told."""
    try:
        number = place.stat().st_dev
    except OSError:
        return False
    if not hasattr(os, "major") or os.major(number) == 0 or not BLOCK_DEVICES.is_dir():
        return False  # a network drive, or a file system of several devices
    return not (BLOCK_DEVICES / f"{os.major(number)}:{os.minor(number)}").exists()


def no_room(destination: Path, need: int, free: int) -> ArchiveError:
    """Known before anything is copied; sizes in bytes."""
    return ArchiveError(
        m(
            "{destination}: not enough space: {need_mb} MB are needed, {free_mb} MB are free. Free space or choose "
            "another carrier.",
            destination=destination,
            need_mb=-(-need // 10**6),
            free_mb=free // 10**6,
        )
    )


def unreadable_source(task: CopyTask, problem: OSError, offset: int = 0) -> Message:
    """`offset` is how many bytes could be read before it failed."""
    if offset:
        return m(
            "{file}: the recording cannot be read after its first {offset} bytes ({reason}). The disk is probably "
            "failing: copy what it still gives with a rescue tool, and open an incident.",
            file=task.source.name,
            offset=offset,
            reason=_words(problem),
        )
    return m(
        "{file}: the recording cannot be read ({reason}). Look for it on the recorder's disk; if the disk is failing, "
        "open an incident.",
        file=task.source.name,
        reason=_words(problem),
    )


def changed_source(task: CopyTask) -> Message:
    return m(
        "{file}: the recording has another size than when it was closed, or changed while it was copied. It is not in "
        "the copy; open an incident.",
        file=task.source.name,
    )


def differs_from_birth(task: CopyTask) -> Message:
    return m(
        "{file}: the recording is not the one whose hash was logged when it was closed. It is not in the copy; open an "
        "incident.",
        file=task.source.name,
    )


def unreliable(task: CopyTask) -> Message:
    return m(
        "{file}: twice the carrier gave back other bytes than were written to it. Do not trust this carrier; archive "
        "to another one.",
        file=task.source.name,
    )


def same_but_case(task: CopyTask, other: str) -> Message:
    return m(
        "{file}: its name differs only by case from {other}; on many carriers the two are one file. It is not in the "
        "copy; copy it by hand and open an incident.",
        file=task.source.name,
        other=other,
    )


def cannot_name(task: CopyTask, filesystem: str) -> Message:
    return m(
        "{file}: the carrier's file system ({filesystem}) cannot hold this name. It is not in the copy; archive to a "
        "carrier with ext4, or copy the file by hand under another name and open an incident.",
        file=task.source.name,
        filesystem=filesystem,
    )


def too_large(task: CopyTask) -> Message:
    return m(
        "{file}: larger than 4 GiB, which this carrier's FAT file system cannot hold. Archive to a carrier with "
        "another file system (exFAT, NTFS, ext4).",
        file=task.source.name,
    )


def _words(problem: OSError) -> str:
    return problem.strerror or str(problem)
