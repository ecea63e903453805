"""Where bags are looked for: a bag's own folder, or a drive with bags somewhere on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from exam_kit.archive.bag import DECLARATION, MANIFEST, TAGMANIFEST
from exam_kit.archive.bag_tree import BagTree, FolderTree
from exam_kit.errors import UsageError, m

__all__ = ["bags_in", "is_bag"]

DEEP = 6
"""So many folders deep a drive is searched: the region's own `bags/POINT/DAY/BAG` and a few around it."""

MARKS = {DECLARATION, MANIFEST, TAGMANIFEST}


def is_bag(folder: Path) -> bool:
    """Whether anything in `folder` says that it is a bag; one that lost a list is still brought here to be judged."""
    return any((folder / name).is_file() for name in MARKS)


def bags_in(place: Path) -> Iterator[BagTree]:
    """The bags in `place`, itself or below it, by name; links are not followed.

    Raises:
        UsageError: there is no such folder.
        OSError: the carrier cannot be read.
    """
    if not place.is_dir():
        raise UsageError(m("{path}: there is no such folder. Plug the carrier in, or name a bag's folder.", path=place))
    yield from _below(place.resolve(), DEEP)


def _below(folder: Path, deep: int) -> Iterator[BagTree]:
    if is_bag(folder):
        yield FolderTree(folder)
        return
    if deep == 0:
        return
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    for name in names:
        yield from _below(folder / name, deep - 1)
