"""What a carrier's file system cannot hold: files too large, names it refuses or quietly changes.

FAT and exFAT as Microsoft's specifications have them; NTFS holds more, but Windows, where such a drive is read, does
not. Names that differ only by case are kept apart for every carrier, for a bag is copied on.
"""

from __future__ import annotations

from exam_kit.archive.act import Carrier
from exam_kit.archive.faults import cannot_name, too_large
from exam_kit.archive.sink import PART, CopyTask
from exam_kit.errors import Message

__all__ = ["cannot_hold"]

FAT_FILE_LIMIT = 2**32 - 1
"""Largest file on FAT32, bytes."""

MOST_UNITS, MOST_BYTES = 255, 255
"""Longest name: UTF-16 units on FAT, exFAT and NTFS, bytes elsewhere."""

_FAT = {"vfat", "msdos", "fat", "fat32"}
_WINDOWS = {*_FAT, "exfat", "ntfs", "ntfs3", "fuseblk"}
_FORBIDDEN = set('"*/:<>?\\|')


def cannot_hold(task: CopyTask, carrier: Carrier) -> Message | None:
    """Why this file cannot lie there; None when it can."""
    if carrier.filesystem in _FAT and task.bytes > FAT_FILE_LIMIT:
        return too_large(task)
    windows = carrier.filesystem in _WINDOWS
    if any(_refused(part, windows) for part in task.path.split("/")):
        return cannot_name(task, carrier.filesystem)
    return None


def _refused(name: str, windows: bool) -> bool:
    if not windows:
        return len((name + PART).encode()) > MOST_BYTES
    return (
        name.endswith((".", " "))
        or any(ord(sign) < 32 or sign in _FORBIDDEN for sign in name)
        or len((name + PART).encode("utf-16-le")) // 2 > MOST_UNITS
    )
