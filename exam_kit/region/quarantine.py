"""What cannot be taken is set aside with the reason: a copy and a note. The source is never touched."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_tree import BagTree, FolderTree, Refused
from exam_kit.clock import iso
from exam_kit.errors import Message, m
from exam_kit.i18n import N_
from exam_kit.region.applied import QUARANTINED
from exam_kit.region.desk import RegionDesk
from exam_kit.region.looked import Looked, kept, place_of
from exam_kit.store.durable import sync_folder

__all__ = ["REASON_LABELS", "Set", "is_aside", "not_registered", "set_aside"]

REASON_LABELS = {
    "not_a_bag": N_("no bag that can be judged"),
    "foreign": N_("of a point that is not registered"),
    "no_key": N_("the point's key is not registered"),
    "key_changed": N_("the point's key was changed past the register"),
    "unsigned": N_("not signed"),
    "wrong_key": N_("signed with another key"),
    "altered": N_("altered"),
    "mislabelled": N_("its labels contradict each other"),
}
MOST_FILES = 150_000
RESERVE_BYTES = 1 << 30
SAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Set:
    """What became of it: the note's folder, and whether the very same had been set aside before."""

    def __init__(self, folder: Path, known: bool) -> None:
        self.folder, self.known = folder, known


def set_aside(
    desk: RegionDesk,
    tree: BagTree,
    looked: Looked | None,
    code: str,
    message: Message,
    findings: Sequence[Message],
    *,
    actor: str,
    copy: bool,
) -> Set:
    """Quarantine a bag: note it in the ledger, and `copy` its plain files aside where it lies in a folder.

    The same content for the same reason is set aside once, however often its carrier is plugged in.
    """
    mark = _mark(tree, code)
    if found := _found(desk, mark):
        return Set(desk.home.root / found[0]["folder"], True)
    now = desk.clock.now()
    name = SAFE.sub("_", tree.name)[:80] or "bag"
    folder = desk.quarantine / f"{now:%Y%m%d-%H%M%S}_{name}_{mark[:8]}"
    part = folder.with_name(folder.name + ".part")
    if part.exists():
        shutil.rmtree(part)  # ours, left by an interrupted attempt
    part.mkdir(parents=True)
    left_out = _copied(tree.root, part / "bag") if copy and isinstance(tree, FolderTree) else [place_of(tree)]
    _note(part / "note.json", looked, tree, code, message, findings, left_out, now)
    (part / "note.txt").write_text(
        "\n".join([message.text(desk.region.language), *(one.text(desk.region.language) for one in findings)]) + "\n",
        encoding="utf-8",
        errors="backslashreplace",
    )
    part.rename(folder)
    sync_folder(folder.parent)
    body = {
        "mark": mark,
        "bag": shown(tree.name),
        "bag_hash": looked.bag_hash if looked else "",
        "point": looked.point if looked else "",
        "day": str(looked.day) if looked and looked.day else "",
        "code": code,
        "message": kept(message),
        "findings": len(findings),
        "source": place_of(tree),
        "folder": folder.relative_to(desk.home.root).as_posix(),
    }
    desk.ledger.append(QUARANTINED, body, actor)
    desk.catch_up()
    return Set(folder, False)


def is_aside(desk: RegionDesk, tree: BagTree, code: str) -> bool:
    """Whether the very same was set aside for this reason before."""
    return bool(_found(desk, _mark(tree, code)))


def _found(desk: RegionDesk, mark: str) -> list[dict[str, Any]]:
    return desk.catalogue.query("SELECT folder FROM quarantine WHERE mark = ?", (mark,))


def _mark(tree: BagTree, code: str) -> str:
    """The same for the same names, sizes and small files, wherever they are plugged in."""
    digest = hashlib.sha256(f"{code}\n{tree.name}\n".encode("utf-8", "surrogatepass"))
    try:
        for path, size in sorted(tree.files()):
            digest.update(f"{size} {path}\n".encode("utf-8", "surrogatepass"))
            if "/" not in path and size < 1 << 22:
                with tree.open(path) as source:
                    digest.update(source.read(1 << 22))
    except (OSError, Refused) as problem:
        digest.update(type(problem).__name__.encode())
    return digest.hexdigest()


def _copied(root: Path, target: Path) -> list[str]:
    """Copy the plain files under `root`; what is no plain file, or does not fit, is left out and named."""
    left_out: list[str] = []
    copied = 0
    for folder, folders, names in os.walk(root):  # links to folders are not followed
        folders[:] = [name for name in folders if not (Path(folder) / name).is_symlink()]
        for name in names:
            source = Path(folder) / name
            relative = source.relative_to(root)
            copied += 1
            try:
                if copied > MOST_FILES or source.is_symlink() or not source.is_file() or not _fits(source, target):
                    left_out.append(relative.as_posix())
                    continue
                place = target / relative
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place, follow_symlinks=False)
            except OSError:
                left_out.append(relative.as_posix())
    return left_out


def _fits(source: Path, target: Path) -> bool:
    """Hollow files claim terabytes; a quarantine must not fill the region's disk."""
    return source.stat().st_size + RESERVE_BYTES < shutil.disk_usage(target.parent).free


def _note(
    path: Path,
    looked: Looked | None,
    tree: BagTree,
    code: str,
    message: Message,
    findings: Sequence[Message],
    left_out: Sequence[str],
    now: dt.datetime,
) -> None:
    note: dict[str, Any] = {
        "title": "exam-kit quarantine v1",
        "at": iso(now),
        "bag": shown(tree.name),
        "source": place_of(tree),
        "bag_hash": looked.bag_hash if looked else "",
        "point": looked.point if looked else "",
        "reason": code,
        "text": str(message),
        "findings": [str(finding) for finding in findings],
        "left_out": list(left_out),
    }
    path.write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", errors="backslashreplace")


def not_registered(point: str) -> Message:
    return m("{point}: is not in the register. Register the point, then take the bag in again.", point=point or "—")
