"""The end of a recording that reached the disk in the middle of what describes its frames.

A file is written as fragments: a box that describes some frames, then the frames. A power cut leaves it cut off
anywhere. In the middle of frames players stop there; in the middle of a description, the fragment's or the index's at
the very end, they take the whole file for one that cannot be read. Without that piece it plays to its last whole frame.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["drop_torn_end", "torn_end"]

SHORT, LONG = 8, 16
"""Bytes of a box's head: its length and kind, and for a very long one its length once more."""


def torn_end(path: Path) -> int | None:
    """Where a description begins of which the end is missing, bytes from the beginning; None where there is none.

    Raises:
        OSError: the file cannot be read.
    """
    size, at, fragments = path.stat().st_size, 0, False
    with path.open("rb") as source:
        while at + SHORT <= size:
            source.seek(at)
            head = source.read(LONG)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1 and len(head) == LONG:
                length = int.from_bytes(head[8:], "big")
            if at + length > size and (kind == b"moof" or (kind == b"moov" and fragments)):
                return at
            if length < SHORT:  # to the end of the file, or no box at all
                return None
            fragments |= kind == b"moof"
            at += length
    return None


def drop_torn_end(path: Path) -> bool:
    """Cut such a piece off; no frame is in it. True when there was one.

    Raises:
        OSError: the file cannot be read or changed.
    """
    begins = torn_end(path)
    if begins is None:
        return False
    with path.open("rb+") as target:
        target.truncate(begins)
        os.fsync(target.fileno())
    return True
