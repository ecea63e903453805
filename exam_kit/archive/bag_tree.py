"""Where a bag's files lie, read without following anything out of it: a folder here, an object store elsewhere."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from exam_kit.archive.bag_paths import folded, normal, shown
from exam_kit.archive.medium import sha256_of
from exam_kit.errors import Message, m

__all__ = ["MOST_FILES", "BagTree", "FolderTree", "Refused", "twice", "walk"]

MOST_FILES = 150_000
"""Files in one bag at most: a hundred cameras, a whole day and night of one-minute pieces are 144,000. It bounds what
a hostile list or folder can make us remember."""


class Refused(Exception):
    """This is no bag that can be judged; `message` says why, `path` where."""

    def __init__(self, path: str, message: Message) -> None:
        super().__init__(str(message))
        self.path = path
        self.message = message


class BagTree(Protocol):
    """The files of one bag. Paths are relative, with ``/``, and as the carrier spells them."""

    @property
    def name(self) -> str:
        """The bag's own name: its folder's, or the last part of its prefix."""

    @property
    def place(self) -> str:
        """Where it lies, for people."""

    def there(self) -> bool:
        """Whether there is such a folder at all."""

    def files(self) -> Iterator[tuple[str, int]]:
        """Path and size of every file; Refused at the first thing that is neither file nor folder."""

    def room_bytes(self) -> int | None:
        """What the whole carrier can hold; None where that is not known."""

    def open(self, path: str, most_bytes: int | None = None) -> BinaryIO:
        """The file for reading from its beginning; whoever opens it closes it.

        With `most_bytes` no more than these will be read, so that a line need not bring more.
        """

    def sha256(self, path: str, seen: Callable[[int], None]) -> str:
        """The file's SHA-256 in lower case; `seen` is told the size of each block that was really read."""


class FolderTree:
    """A bag in a folder of a mounted file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def place(self) -> str:
        return str(self.root)

    def there(self) -> bool:
        return self.root.is_dir()

    def files(self) -> Iterator[tuple[str, int]]:
        waiting = [(self.root, "")]
        met = 0
        while waiting:
            place, prefix = waiting.pop()
            with os.scandir(place) as entries:
                for entry in entries:
                    met += 1
                    if met > 2 * MOST_FILES:  # folders without files in them are counted too
                        raise _too_many()
                    path = prefix + entry.name
                    if entry.is_symlink() or getattr(entry, "is_junction", lambda: False)():
                        text = m("{path}: a symbolic link inside the bag; it could lead anywhere.", path=shown(path))
                        raise Refused(path, text)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), path + "/"))
                        continue
                    facts = entry.stat(follow_symlinks=False)
                    if not stat.S_ISREG(facts.st_mode):
                        raise Refused(path, m("{path}: is neither a file nor a folder.", path=shown(path)))
                    yield path, facts.st_size

    def room_bytes(self) -> int | None:
        return shutil.disk_usage(self.root).total

    def open(self, path: str, most_bytes: int | None = None) -> BinaryIO:  # noqa: ARG002 - a disk gives what is read
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        return os.fdopen(os.open(self.root / path, flags), "rb")

    def sha256(self, path: str, seen: Callable[[int], None]) -> str:
        return sha256_of(self.root / path, seen)[0]


def walk(tree: BagTree) -> dict[str, tuple[str, int]]:
    """Every file of the bag: normal path → (path as the carrier spells it, size in bytes).

    Raises:
        Refused: something lies in it that no honest bag holds; nothing was opened.
        OSError: a folder cannot be read.
    """
    found: dict[str, tuple[str, int]] = {}
    seen: dict[str, str] = {}
    whole, room = 0, tree.room_bytes()
    for path, size in tree.files():
        if (other := seen.setdefault(folded(path), path)) != path:
            raise Refused(path, twice(path, other))
        found[normal(path)] = (path, size)
        if len(found) > MOST_FILES:
            raise _too_many()
        whole += size
        if room is not None and whole > room:
            raise Refused(
                path,
                m("{path}: the files claim more bytes than the carrier can hold; they are hollow.", path=shown(path)),
            )
    return found


def twice(path: str, other: str) -> Message:
    return m(
        "{path}: stands twice (also as {other}); on many carriers the two are one file.",
        path=shown(path),
        other=shown(other),
    )


def _too_many() -> Refused:
    return Refused("", m("The bag holds more than {count} files.", count=MOST_FILES))
