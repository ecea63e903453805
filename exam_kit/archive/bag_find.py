"""Which bags a person means who names a folder: that one, or those in it; and whether a folder is one at all."""

from __future__ import annotations

from pathlib import Path

from exam_kit.archive.bag import DECLARATION, MANIFEST, TAGMANIFEST
from exam_kit.archive.bag_tree import BagTree, Refused, walk
from exam_kit.archive.copy_journal import JOURNAL
from exam_kit.archive.sink import PART
from exam_kit.errors import m

__all__ = ["bag_files", "bags_at", "looks_like_bag"]


def bag_files(tree: BagTree, *, unfinished: bool) -> dict[str, tuple[str, int]]:
    """The files of a bag, as `walk` gives them; with `unfinished` its folder may still be named ``.part``.

    Raises:
        Refused: it is no bag.
        OSError: it cannot be read.
    """
    place = tree.place
    if not tree.there():
        raise Refused(place, m("{path}: there is no such folder. Name a bag's folder.", path=place))
    if tree.name.endswith(PART) and not unfinished:
        raise Refused(
            place, m("{path}: a copy that was not finished. Start the same archive again to finish it.", path=place)
        )
    files = walk(tree)
    if not {DECLARATION, MANIFEST, TAGMANIFEST} & files.keys():
        names = f"{DECLARATION}, {MANIFEST}"
        raise Refused(place, m("{path}: is not a bag: none of {names} is in it.", path=place, names=names))
    return files


def looks_like_bag(folder: Path) -> bool:
    """By its lists, or as an unfinished copy; what it is worth is for verification to say."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    if any((folder / name).is_file() for name in (DECLARATION, MANIFEST, TAGMANIFEST)):
        return True
    return folder.name.endswith(PART) and (folder / JOURNAL).is_file()


def bags_at(path: Path) -> list[Path]:
    """`path` itself when it is a bag or holds none; else the bags that lie directly in it, by name."""
    if not path.is_dir() or any((path / name).is_file() for name in (DECLARATION, MANIFEST, TAGMANIFEST)):
        return [path]
    return sorted((folder for folder in path.iterdir() if looks_like_bag(folder)), key=lambda one: one.name) or [path]
