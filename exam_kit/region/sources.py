"""Where bags are looked for: a bag's own folder, a drive with bags somewhere on it, or an object store."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from exam_kit.archive.bag import DECLARATION, MANIFEST, TAGMANIFEST
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_tree import BagTree, FolderTree
from exam_kit.archive.s3 import OF_ONE_OBJECT, StoreTree, Wire, bags_there, keys_of
from exam_kit.errors import Message, UsageError, m
from exam_kit.home import Home
from exam_kit.point import ObjectStore, Secrets
from exam_kit.region.settings import Region

__all__ = ["bags_at", "bags_in", "is_bag", "lost", "store_named"]

DEEP = 6
"""So many folders deep a drive is searched: the region's own `bags/POINT/DAY/BAG` and a few around it."""

MARKS = {DECLARATION, MANIFEST, TAGMANIFEST}


def bags_at(home: Home, region: Region, place: str) -> Iterator[BagTree]:
    """The bags in a folder, at ``s3://STORE`` or at ``s3://STORE/PATH``, which is one bag or a folder of them.

    What the store says of hashes is not believed: a bag from somebody else is read to its last byte. When the store or
    the line to it fails at one bag, those that would follow are not begun: each would wait as long again.

    Raises:
        UsageError: there is no such folder or store, or nothing lies at PATH.
        ArchiveError: the store or the line to it failed.
        OSError: the carrier cannot be read.
    """
    if not place.startswith("s3://"):
        yield from bags_in(Path(place))
        return
    name, _slash, below = place.removeprefix("s3://").strip("/").partition("/")
    store = store_named(region, name)
    wire = Wire(store, keys_of(store, Secrets(home), region=True), home)
    found = bags_there(wire, below)
    if below and not found:
        raise UsageError(
            m(
                "{place}: no bag lies there. Name a bag or a folder of bags, or all: s3://{store}",
                place=place,
                store=name,
            )
        )
    for bag in found:
        tree = StoreTree(wire, bag)
        yield tree
        if tree.fault is not None and tree.fault.kind not in OF_ONE_OBJECT:
            return


def lost(tree: BagTree) -> Message | None:
    """Why the carrier gave something of this bag not at all; None when it gave everything that was asked for.

    A verification takes that for a fault of the bag's, and it is none.
    """
    if isinstance(tree, StoreTree):
        return tree.fault.message if tree.fault else None
    if tree.there():
        return None
    return m(
        "{path}: cannot be read ({reason}). See that the carrier is plugged in and readable.",
        path=shown(tree.place),
        reason=os.strerror(errno.ENOENT),
    )


def store_named(region: Region, name: str) -> ObjectStore:
    """A store of region.toml; raises UsageError, which lists those there are."""
    for store in region.store:
        if store.name == name:
            return store
    known = ", ".join(store.name for store in region.store) or "—"
    raise UsageError(
        m("{store}: there is no such store. region.toml has: {known}. Add it as [[store]].", store=name, known=known)
    )


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
