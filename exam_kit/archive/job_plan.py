"""What a destination lacks, what it has from an earlier run, and what it cannot hold."""

from __future__ import annotations

import shutil

from exam_kit.archive.act import Carrier
from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.bag_paths import folded
from exam_kit.archive.carrier_limits import cannot_hold
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.destinations import carrier_at
from exam_kit.archive.faults import no_room, same_but_case
from exam_kit.archive.job_rows import Job, JobRows
from exam_kit.archive.result import FailedFile
from exam_kit.archive.selection import Choice
from exam_kit.archive.sink import CopyTask, FolderSink

__all__ = ["plan_copy", "possible"]

RESERVE_BYTES = 16 << 20
"""Room kept on the carrier for documents, lists and the ledger's export."""


def plan_copy(
    choice: Choice, job: Job, rows: JobRows, sink: FolderSink | EncryptingSink, journal: CopyJournal
) -> tuple[list[CopyTask], list[CopyTask], list[FailedFile]]:
    """Files to copy, files proved by an earlier run, and files the carrier cannot hold; the job's rows say so too.

    Raises:
        ArchiveError: the carrier has not enough room.
        OSError: it failed.
    """
    tasks, failed = possible(choice, carrier_at(sink.root))
    if isinstance(sink, EncryptingSink):
        sink.expect(tasks)
    sizes = {task.path: sink.size(task.path) for task in tasks}
    acknowledged = rows.verified(job)
    carried = {
        task.path
        for task in tasks
        if acknowledged.get(task.path) == (task.bytes, task.sha256)
        and journal.acknowledges(task)
        and sizes[task.path] == task.bytes
    }
    rows.plan(job, tasks, carried)
    for failure in failed:
        rows.fail(job, failure.path, failure.message)
    there = sum(min(sizes[task.path] or 0, task.bytes) for task in tasks)
    need = sum(task.bytes for task in tasks) - there + RESERVE_BYTES
    free = shutil.disk_usage(sink.root).free
    if free < need:
        raise no_room(job.bag.parent, need, free)
    fresh = [task for task in tasks if task.path not in carried]
    return fresh, [task for task in tasks if task.path in carried], failed


def possible(choice: Choice, carrier: Carrier) -> tuple[list[CopyTask], list[FailedFile]]:
    """What this carrier can hold, and what it cannot."""
    seen: dict[str, str] = {}
    tasks, failed = [], []
    for piece in choice.pieces:
        task = CopyTask(piece.file.path, piece.source, piece.file.bytes, piece.file.sha256)
        name = folded(task.path)
        if name in seen:
            failed.append(FailedFile(str(piece.source), same_but_case(task, seen[name])))
        elif (why := cannot_hold(task, carrier)) is not None:
            failed.append(FailedFile(task.path, why))
        else:
            tasks.append(task)
        seen.setdefault(name, piece.source.name)
    return tasks, failed
