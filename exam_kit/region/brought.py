"""Bringing a bag home: copied and proved by the copy engine, complete before it has its name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from exam_kit.archive.age_tree import Unopened
from exam_kit.archive.bag import COVERAGE, INFO, SIGNATURE, TAGMANIFEST, sweep
from exam_kit.archive.bag_tree import BagTree, FolderTree
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.engine import copy_files
from exam_kit.archive.medium import fsync_folder
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import PART, FolderSink
from exam_kit.archive.target import Tally
from exam_kit.archive.verify import verify_bag
from exam_kit.errors import Message, m
from exam_kit.region.desk import RegionDesk
from exam_kit.region.fetched import fetch_files
from exam_kit.region.looked import Looked, place_of
from exam_kit.store.keys import VerifyKey

__all__ = ["Brought", "bring", "note_elsewhere"]

RESERVE_BYTES = 64 << 20
ELSEWHERE = ".elsewhere"


@dataclass
class Brought:
    """`folder` is None when the bag was not taken: `problem` says why, or it was cancelled."""

    folder: Path | None = None
    cancelled: bool = False
    problem: Message | None = None
    leftovers: list[Path] = field(default_factory=list)

    def forget(self) -> None:
        """Remove what was copied of a bag that will never be taken."""
        for path in self.leftovers:
            shutil.rmtree(path, ignore_errors=True)


def bring(
    desk: RegionDesk,
    tree: BagTree,
    looked: Looked,
    key: VerifyKey,
    progress: Callable[[str, Progress], None],
    cancelled: Callable[[], bool],
) -> Brought:
    """Copy the bag to its place; an encrypted one is opened on its way there, so that it is written once.

    What an interrupted attempt left there is read back, not copied again.

    Raises:
        OSError: the bag lies in no folder, and what it lies in does not give it.
        ArchiveError: the region's own disk failed.
        UsageError: there is not enough room.
    """
    final = _place(desk, looked)
    part = final.with_name(final.name + PART)
    notes = desk.home.run / "intake" / looked.bag_hash[:32]
    if final.exists():
        shutil.rmtree(part, ignore_errors=True)
        final.rename(part)  # named, and the power went before the ledger knew: prove it again
    tasks = looked.tasks(tree.root if isinstance(tree, FolderTree) else Path())
    whole = sum(task.bytes for task in tasks)
    if not part.exists():
        desk.room_for(whole + RESERVE_BYTES)
    part.mkdir(parents=True, exist_ok=True)
    notes.mkdir(parents=True, exist_ok=True)
    fsync_folder(part.parent)
    named = {task.path for task in tasks}
    sweep(part, named | {path + PART for path in named})
    failed: list[Message] = []
    tally: Tally | None = None
    journal = CopyJournal(notes)
    try:
        if isinstance(tree, FolderTree):
            tally = copy_files(
                tasks,
                FolderSink(part),
                journal,
                before=Progress("copying", len(tasks), 0, whole, 0),
                clock=desk.clock,
                acknowledged=lambda _task: None,
                failed=lambda failure: failed.append(failure.message),
                progress=lambda now: progress(looked.name, now),
                cancelled=cancelled,
            )
        else:
            tally = fetch_files(
                tree,
                [(task, looked.spelled[task.path]) for task in tasks],
                FolderSink(part),
                journal,
                clock=desk.clock,
                failed=failed.append,
                progress=lambda now: progress(looked.name, now),
                cancelled=cancelled,
            )
    except Unopened as unopened:
        failed.append(m("{path}: its content was changed.", path=str(unopened.filename)))
    finally:
        journal.close()
    if tally is not None and tally.cancelled:
        return Brought(cancelled=True)
    if failed:
        return Brought(problem=failed[0], leftovers=[part, notes])
    # Every byte was read back just now; what is left to prove are the lists, the signature and the ledger inside.
    report = verify_bag(part, quick=True, key=key, unfinished=True)
    if not report.whole or report.bag_hash != looked.bag_hash:
        problem = report.findings[0].message if report.findings else m("{bag}: changed while it was read.", bag=final)
        return Brought(problem=problem, leftovers=[part, notes])
    part.rename(final)
    fsync_folder(final.parent)
    shutil.rmtree(notes, ignore_errors=True)
    return Brought(final)


def note_elsewhere(desk: RegionDesk, tree: BagTree, looked: Looked) -> Path:
    """Keep a bag's tags and where it lies, for a bag that stays where it is."""
    place = _place(desk, looked)
    folder = place.with_name(place.name + ELSEWHERE)
    part = folder.with_name(folder.name + PART)
    for old in (part, folder):
        if old.exists():
            shutil.rmtree(old)  # ours, of an attempt that the ledger never knew
    part.mkdir(parents=True)
    for path in (TAGMANIFEST, COVERAGE, INFO, SIGNATURE):
        target = part / path
        target.parent.mkdir(exist_ok=True)
        with tree.open(looked.spelled[path]) as source, target.open("wb") as kept:
            shutil.copyfileobj(source, kept)
            kept.flush()
            os.fsync(kept.fileno())
    said = {"title": "exam-kit bag elsewhere v1", "place": place_of(tree), "bag_hash": looked.bag_hash}
    (part / "place.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.rename(folder)
    fsync_folder(folder.parent)
    return folder


def _place(desk: RegionDesk, looked: Looked) -> Path:
    """Its folder by point and day. The hash keeps apart two bags that a point, set up anew, gave one name; there is
    so much of it that nobody can make a bag that takes the place of another."""
    return desk.bags / looked.point / f"{looked.day:%Y%m%d}" / f"{looked.name}_{looked.bag_hash[:16]}"
