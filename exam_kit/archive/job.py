"""One archive job from the order to the sealed bag.

Choose → copy, each file proved by reading back → prove again what an earlier, interrupted run had copied → act and
documents → seal and sign → verify → give the folder its name → ledger. A run that ends anywhere in between is taken
up by the next one of the same day, zones and destination.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from exam_kit.archive.act import Document, HandoverAct, KeepRule
from exam_kit.archive.act_make import make_act, papers
from exam_kit.archive.bag import LEDGER, Listed, coverage_json, seal, sweep, write_proved
from exam_kit.archive.bag_paths import folded
from exam_kit.archive.copy_journal import JOURNAL, CopyJournal
from exam_kit.archive.destinations import FAT_FILE_LIMIT, carrier_at, is_fat, ready_destination
from exam_kit.archive.engine import Tally, copy_files
from exam_kit.archive.faults import destination_error, no_room, same_but_case, too_large
from exam_kit.archive.job_lock import job_lock
from exam_kit.archive.job_rows import Job, JobRows
from exam_kit.archive.medium import fsync_folder
from exam_kit.archive.pipeline import Failed
from exam_kit.archive.result import ArchiveResult, FailedFile, Progress
from exam_kit.archive.selection import Choice, choose
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import Clock
from exam_kit.errors import ArchiveError, ExamKitError, Message, StoreError, m
from exam_kit.home import Home
from exam_kit.point import Point, Zone
from exam_kit.store import Head, Ledger, Store
from exam_kit.store.export import export_lines
from exam_kit.store.keys import SigningKey

__all__ = ["run_archive"]

RESERVE_BYTES = 16 << 20
"""Room kept on the carrier for documents, lists and the ledger's export."""


def run_archive(
    *,
    store: Store,
    ledger: Ledger,
    home: Home,
    point: Point,
    day: dt.date,
    zones: Sequence[Zone],
    destination: Path,
    actor: str,
    ordered_by: str,
    documents: Callable[[HandoverAct], Sequence[Document]],
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    clock: Clock,
    keep: KeepRule | None = None,
    seal_number: str = "",
) -> ArchiveResult:
    """Copy the closed pieces of `zones` on local date `day` into a sealed bag under `destination`.

    A job of the same day, zones and destination that did not end well is taken up where it stopped; after a finished
    one the next copy is made. `documents` is called once, when every file is proved, with the act; what it returns
    goes to `data/documents/`. `actor` and `ordered_by` are logins; `seal_number` is the carrier's paper seal. Files
    that cannot be copied are in the result's `failed` and in the act's deficiencies; the others are in the bag.

    Raises:
        ArchiveError: nothing to archive, or the destination failed; what was verified stays so.
        AlreadyRunning: another process works on this very job.
        StoreError: the database refused.
    """
    place = ready_destination(destination, home)
    choice = choose(store, point, home, day, zones, clock.now())
    if not choice.pieces:
        raise ArchiveError(
            m("{day}: there is no closed recording of the chosen places; nothing was archived.", day=day),
            choice.deficiencies,
        )
    rows = JobRows(store, clock)
    job = rows.open(point, day, zones, place)
    with job_lock(home.run, job.id):
        run = _Run(store, ledger, home, point, day, tuple(zones), actor, ordered_by, clock, rows, job, choice)
        run.keep, run.seal_number = keep, seal_number
        run.documents, run.progress, run.cancelled = documents, progress, cancelled
        return run.go()


@dataclass
class _Run:
    store: Store
    ledger: Ledger
    home: Home
    point: Point
    day: dt.date
    zones: tuple[Zone, ...]
    actor: str
    ordered_by: str
    clock: Clock
    rows: JobRows
    job: Job
    choice: Choice
    keep: KeepRule | None = None
    seal_number: str = ""
    documents: Callable[[HandoverAct], Sequence[Document]] = lambda _act: ()
    progress: Callable[[Progress], None] = lambda _progress: None
    cancelled: Callable[[], bool] = lambda: False
    failed: list[FailedFile] = field(default_factory=list)
    ends_as: str = "failed"
    read_back: int = 0
    device: int | None = 0

    def go(self) -> ArchiveResult:
        started = self.clock.monotonic()
        job = self.job
        self.ledger.append(
            "archive.resumed" if job.resumed else "archive.started",
            {
                "job": job.id,
                "bag": job.bag.name,
                "day": str(self.day),
                "zones": [zone.value for zone in self.zones],
                "ordered_by": self.ordered_by,
            },
            self.actor,
        )
        try:
            act, bag_hash = self._bag()
        except StoreError:
            raise  # the database refuses: neither row nor entry can be written; the next run takes the job up
        except OSError as problem:
            failure = destination_error(problem, job.bag.parent, len(self.rows.verified(job)))
            self._stopped(self.ends_as, failure.message)
            raise failure from problem
        except ExamKitError as problem:
            self._stopped(self.ends_as, problem.message)
            raise
        except Exception as problem:
            self._stopped(self.ends_as, m("A mistake of the program: {reason}.", reason=type(problem).__name__))
            raise
        if not bag_hash:
            self._stopped("cancelled", None)
        copied = self.rows.verified(job).values() if bag_hash else ()
        return ArchiveResult(
            state="finished" if bag_hash else "cancelled",
            job=job.id,
            bag=job.bag if bag_hash else None,
            bag_hash=bag_hash,
            copy=job.copy,
            files=len(copied),
            bytes=sum(size for size, _sha256 in copied),
            failed=tuple(self.failed),
            deficiencies=act.deficiencies if act else self.choice.deficiencies,
            read_back_bytes=self.read_back,
            device_bytes=self.device,
            elapsed_s=self.clock.monotonic() - started,
            act=act,
        )

    def _bag(self) -> tuple[HandoverAct | None, str]:
        """The act and the bag's hash; neither when the run was cancelled, no act when the bag was sealed before."""
        job = self.job
        if job.resumed and job.bag.exists():
            bag_hash = self._already_sealed()
            done = self.rows.verified(job).values()
            self._finished(len(done), sum(size for size, _sha256 in done), bag_hash)
            return None, bag_hash
        job.part.mkdir(exist_ok=True)
        fsync_folder(job.part.parent)
        sink, journal = FolderSink(job.part), CopyJournal(job.part)
        try:
            journal.note("begin", job=job.id, resumed=job.resumed)
            if not self._copy(sink, journal):
                return None, ""
            self.rows.mark(job, "sealing")
            act, bag_hash = self._seal(sink, journal)
        finally:
            journal.close()
        report = verify_bag(job.part, quick=True, key=self.ledger.public_key, unfinished=True)
        if not report.whole or report.bag_hash != bag_hash:
            raise ArchiveError(
                m("{bag}: the sealed copy does not verify. Archive to another carrier.", bag=job.bag),
                [finding.message for finding in report.findings],
            )
        job.part.rename(job.bag)
        fsync_folder(job.bag.parent)
        self._finished(len(act.files), act.total_bytes, bag_hash)
        return act, bag_hash

    def _copy(self, sink: FolderSink, journal: CopyJournal) -> bool:
        """Every file proved or failed; False when cancelled."""
        tasks = self._possible(sink)
        acknowledged = self.rows.verified(self.job)
        carried = {
            task.path
            for task in tasks
            if acknowledged.get(task.path) == (task.bytes, task.sha256)
            and (proved := journal.proved.get(task.path)) is not None
            and (proved.bytes, proved.sha256) == (task.bytes, task.sha256)
            and sink.size(task.path) == task.bytes
        }
        self.rows.plan(self.job, tasks, carried)
        for failure in self.failed:
            self.rows.fail(self.job, failure.path, failure.message)
        self._room(sink, tasks)
        fresh = [task for task in tasks if task.path not in carried]
        had = [task for task in tasks if task.path in carried]
        done = sum(task.bytes for task in had)
        total = sum(task.bytes for task in tasks)
        before = Progress("copying", len(tasks), len(had), total, done)
        if not self._engine(fresh, sink, journal, before):
            return False
        # The carrier was out of our hands since these were proved: prove them once more before signing for them.
        return self._engine(had, sink, journal, Progress("proving", len(had), 0, done, 0))

    def _engine(self, tasks: Sequence[CopyTask], sink: FolderSink, journal: CopyJournal, before: Progress) -> bool:
        if not tasks:
            return True
        tally: Tally = copy_files(
            tasks,
            sink,
            journal,
            before=before,
            clock=self.clock,
            acknowledged=lambda task: self.rows.acknowledge(self.job, task),
            failed=self._fail,
            progress=self.progress,
            cancelled=self.cancelled,
        )
        self.read_back += tally.read_back_bytes
        self.device = None if self.device is None or tally.device_bytes is None else self.device + tally.device_bytes
        return not tally.cancelled

    def _fail(self, failure: Failed) -> None:
        self.failed.append(FailedFile(failure.task.path, failure.message))
        self.rows.fail(self.job, failure.task.path, failure.message)

    def _possible(self, sink: FolderSink) -> list[CopyTask]:
        """The files to copy; those a carrier cannot hold are failed at once."""
        fat = is_fat(carrier_at(sink.root))
        seen: dict[str, str] = {}
        tasks = []
        for piece in self.choice.pieces:
            task = CopyTask(piece.file.path, piece.source, piece.file.bytes, piece.file.sha256)
            name = folded(task.path)
            if name in seen:
                self.failed.append(FailedFile(str(piece.source), same_but_case(task, seen[name])))
            elif fat and task.bytes > FAT_FILE_LIMIT:
                self.failed.append(FailedFile(task.path, too_large(task)))
            else:
                tasks.append(task)
            seen.setdefault(name, piece.source.name)
        return tasks

    def _room(self, sink: FolderSink, tasks: Sequence[CopyTask]) -> None:
        there = sum(min(sink.size(task.path) or 0, task.bytes) for task in tasks)
        need = sum(task.bytes for task in tasks) - there + RESERVE_BYTES
        free = shutil.disk_usage(sink.root).free
        if free < need:
            raise no_room(self.job.bag.parent, need, free)

    def _seal(self, sink: FolderSink, journal: CopyJournal) -> tuple[HandoverAct, str]:
        lost = {failure.path for failure in self.failed}
        verified = self.rows.verified(self.job).keys() - lost
        files = tuple(piece.file for piece in self.choice.pieces if piece.file.path in verified)
        if not files:
            raise ArchiveError(
                m("{day}: not one recording could be copied; there is no archive.", day=self.day),
                [failure.message for failure in self.failed],
            )
        size = sum(file.bytes for file in files)
        self.progress(Progress("sealing", len(files), len(files), size, size))
        sweep(sink.root, {JOURNAL, *(file.path for file in files)})
        lacking: list[Message] = [*self.choice.deficiencies, *(failure.message for failure in self.failed)]
        carrier = carrier_at(self.job.part, self.seal_number)
        checkpoint = self.ledger.checkpoint()
        act = make_act(
            self.point,
            self.day,
            self.zones,
            job=self.job,
            carrier=replace(carrier, path=str(self.job.bag.parent)),
            files=files,
            gaps=self.choice.gaps,
            deficiencies=lacking,
            made_at=self.clock.now(),
            handed_by=self.actor,
            witness=self.ordered_by,
            keep=self.keep,
            head=Head(checkpoint.seq, checkpoint.hash) if checkpoint else Head(0, ""),
        )
        payload = [Listed(file.path, file.sha256, file.bytes) for file in files]
        payload += [write_proved(sink, path, [content]) for path, content in papers(self.documents, act)]
        export = (line.encode() + b"\n" for line in export_lines(self.ledger, act.ledger_head.seq))
        payload.append(write_proved(sink, LEDGER, export))
        journal.note("sealing", files=len(files), read_back=self.read_back, from_device=self.device)
        failed = [{"path": failure.path, "why": str(failure.message)} for failure in self.failed]
        coverage = coverage_json(act, self.choice.cameras, failed)
        key = SigningKey.load_or_create(self.home.keys)
        return act, seal(sink, act, payload, coverage, key, (sink.root / JOURNAL).read_bytes())

    def _already_sealed(self) -> str:
        """The bag got its name, and the machine stopped before the ledger knew: verify all of it, then say so."""
        report = verify_bag(self.job.bag)
        if not report.whole:
            self.ends_as = "given_up"
            raise ArchiveError(
                m(
                    "{bag}: was sealed and is not whole any more. Put it aside and start the archive again; a new copy "
                    "is made.",
                    bag=self.job.bag,
                ),
                [finding.message for finding in report.findings],
            )
        self.read_back, self.device = report.read_bytes, report.device_bytes
        return report.bag_hash

    def _finished(self, files: int, size: int, bag_hash: str) -> None:
        self.ledger.append(
            "archive.finished",
            {
                "job": self.job.id,
                "bag": self.job.bag.name,
                "copy": self.job.copy,
                "files": files,
                "bytes": size,
                "failed": len(self.failed),
                "bag_hash": bag_hash,
            },
            self.actor,
            also=lambda connection, entry: self.rows.state(connection, self.job, "finished", entry.seq, None),
        )

    def _stopped(self, state: str, message: Message | None) -> None:
        self.ledger.append(
            "archive.stopped",
            {"job": self.job.id, "state": state, "why": str(message) if message else ""},
            self.actor,
            also=lambda connection, entry: self.rows.state(connection, self.job, state, entry.seq, message),
        )
