"""Room for names in the folders of a FAT or exFAT carrier, made before anything in them is acknowledged.

Such a folder is a chain of clusters and has no journal. While it grows by one, a power cut can leave a chain that
ends in nothing, and then none of its files can be read until the carrier is repaired, however long ago they were
written. A folder never shrinks: names that are made and removed again leave their room to those that come.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from exam_kit.archive.medium import file_system, fsync_folder

__all__ = ["SPARE", "grows_unsafely", "make_room", "slots"]

SPARE = 1024
"""Entries kept free in every folder of a bag, for what is written when it is sealed: 32 KiB."""

_UNSAFE = {"vfat", "msdos", "exfat", "fuseblk"}
_ENTRY_BYTES = 32
_LONGEST = 255
_LONGEST_ENTRIES = 19
"""Entries of a name of 255 characters: 19 on exFAT, 21 on FAT."""
_FILLER = re.compile(r"[0-9a-f]{6}\.exam-kit-room\.x*")


def grows_unsafely(device: int) -> bool:
    """Whether the file system of this ``st_dev`` is one of those. Never on Windows, where nobody tells."""
    return file_system(device) in _UNSAFE


def slots(name: str) -> int:
    """Entries of 32 bytes that a name takes at most.

    On FAT one and one for 13 UTF-16 units, on exFAT two and one for 15 (Microsoft's specifications of both).
    """
    return 2 + -(-len(name.encode("utf-16-le")) // 26)


def make_room(folder: Path, names: Iterable[str], spare: int = SPARE) -> None:
    """Let `folder` grow until names can come without its growing: each as it is and with another spelling.

    On FAT and exFAT the size of a folder is that of its clusters. Where it cannot grow so far (a full carrier, the most
    entries of a folder on FAT), it grows as far as it can: whether the files have room, their own writing tells.
    """
    taken = 2
    for path in list(folder.iterdir()):
        if _FILLER.fullmatch(path.name):
            path.unlink()  # the power went while room was made
        else:
            taken += slots(path.name)
    wanted = spare + sum(2 * slots(name) for name in names)
    if (taken + wanted) * _ENTRY_BYTES <= folder.stat().st_size:
        return
    made = [folder / _filler(number) for number in range(-(-wanted // _LONGEST_ENTRIES))]
    try:
        for path in made:
            # Opened for reading: some mounts wait a tenth of a second at the end of whatever was open for writing.
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
    finally:
        for path in made:
            with suppress(FileNotFoundError):
                path.unlink()
    fsync_folder(folder)


def _filler(number: int) -> str:
    # The number comes first: FAT makes a short name of the first six characters, and looks for one that is free.
    return f"{number:06x}.exam-kit-room.".ljust(_LONGEST, "x")
