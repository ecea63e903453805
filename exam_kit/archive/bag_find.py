"""Which bags a person means who names a folder: that one, or those in it."""

from __future__ import annotations

from pathlib import Path

from exam_kit.archive.bag import DECLARATION, MANIFEST, TAGMANIFEST
from exam_kit.archive.copy_journal import JOURNAL
from exam_kit.archive.sink import PART

__all__ = ["bags_at", "looks_like_bag"]


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
