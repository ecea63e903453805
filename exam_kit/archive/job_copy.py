"""One bag at one destination: its job, what it lacks, what the copying brought, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.destinations import carrier_at, ready_destination
from exam_kit.archive.engine import Target
from exam_kit.archive.faults import destination_error
from exam_kit.archive.job_end import JobCopy, note_begin
from exam_kit.archive.job_lock import job_lock
from exam_kit.archive.job_plan import plan_copy
from exam_kit.archive.job_rows import Job, JobRows
from exam_kit.archive.job_seal import Order, already_sealed, open_sink, seal_copy
from exam_kit.archive.lane import Failed
from exam_kit.archive.medium import fsync_folder
from exam_kit.archive.result import FailedFile, Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.errors import ArchiveError

__all__ = ["BagCopy", "open_copy"]


def open_copy(
    order: Order, number: int, destination: Path, seal_number: str, tell: Callable[[Progress], None], held: ExitStack
) -> BagCopy:
    """Begin the bag of the order's destination `number` (from 1 on), or take it up; `held` keeps its lock and files.

    Raises:
        ArchiveError: the destination is none.
        AlreadyRunning: another process works on this very bag.
    """
    place = ready_destination(destination, order.home)
    rows = JobRows(order.store, order.clock)
    serial = carrier_at(place).serial
    begun_on = {
        str(entry.body["job"]): str(entry.body.get("serial", ""))
        for entry in order.ledger.entries(["archive.started", "archive.resumed"])
    }
    job = rows.open(order.point, order.day, order.asked, place, serial, begun_on)
    held.enter_context(job_lock(order.home.run, job.id))
    note_begin(order, number, job, serial=serial)
    return BagCopy(order, number, job, rows, seal_number, tell, held)


class BagCopy(JobCopy):
    """In a folder. Called in turn: `prepare`, `target` and `took` for copying and for proving, `conclude`, `result`.

    After a step that failed those that follow do nothing.
    """

    def __init__(
        self,
        order: Order,
        number: int,
        job: Job,
        rows: JobRows,
        seal_number: str,
        tell: Callable[[Progress], None],
        held: ExitStack,
    ) -> None:
        super().__init__(order, number, job, rows, tell)
        self._seal_number, self._held = seal_number, held
        self._sink: FolderSink | EncryptingSink | None = None
        self._journal: CopyJournal | None = None
        self._fresh: list[CopyTask] = []
        self._had: list[CopyTask] = []

    def prepare(self) -> None:
        """Find out what lies there already, what is lacking, and whether it has room."""
        with self._step():
            job = self.job
            if job.resumed and job.bag.exists():
                self._bag_hash, self._sealed_hash = already_sealed(self._order, job, self._evidence)
                self._failed = list(self._rows.failed(job.id))
                done = self._rows.verified(job).values()
                self._finished(len(done), sum(size for size, _sha256 in done))
                return
            job.part.mkdir(exist_ok=True)
            fsync_folder(job.part.parent)
            self._sink, self._journal = open_sink(self._order, job)
            self._held.callback(self._journal.close)
            self._journal.note("begin", job=job.id, resumed=job.resumed)
            self._fresh, self._had, self._failed = plan_copy(
                self._order.choice, job, self._rows, self._sink, self._journal
            )

    def target(self, *, proving: bool) -> Target | None:
        """What is to be copied here, or (`proving`) what an earlier run had; None when that is nothing."""
        tasks = self._had if proving else self._fresh
        if self._state != "running" or not tasks or self._sink is None or self._journal is None:
            return None
        had = sum(task.bytes for task in self._had)
        total = had + sum(task.bytes for task in self._fresh)
        # The carrier was out of our hands since those were proved: they are proved once more before signing for them.
        before = (
            Progress("proving", len(self._had), 0, had, 0)
            if proving
            else Progress("copying", len(self._had) + len(self._fresh), len(self._had), total, had)
        )
        return Target(
            tasks,
            self._sink,
            self._journal,
            self.job.bag.parent,
            before,
            acknowledged=lambda tasks: self._rows.acknowledge(self.job, tasks),
            failed=self._file_failed,
            progress=self._progress,
        )

    def took(self, target: Target) -> None:
        """What the copying or proving brought."""
        tally = target.tally
        self._evidence.add(tally.read_back_bytes, tally.device_bytes)
        with self._step():
            if target.problem is not None:
                raise target.problem
            if tally.cancelled:
                self._stopped("cancelled", None)

    def conclude(self) -> None:
        """Seal, verify, and give the folder its name."""
        if self._state != "running" or self._sink is None or self._journal is None:
            return
        with self._step():
            self._rows.mark(self.job, "sealing")
            verified = self._rows.verified(self.job).keys() - {failure.path for failure in self._failed}
            self._act, self._bag_hash, self._sealed_hash = seal_copy(
                self._order,
                self.job,
                self._sink,
                self._journal,
                [piece.file for piece in self._order.choice.pieces if piece.file.path in verified],
                self._failed,
                self._evidence,
                self._seal_number,
                self._progress,
            )
            self._finished(len(self._act.files), self._act.total_bytes)

    def _file_failed(self, failure: Failed) -> None:
        self._failed.append(FailedFile(failure.task.path, failure.message))
        self._rows.fail(self.job, failure.task.path, failure.message)

    def _fault(self, problem: OSError) -> ArchiveError:
        return destination_error(problem, self.job.bag.parent, len(self._rows.verified(self.job)))
