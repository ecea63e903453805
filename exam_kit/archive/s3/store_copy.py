"""A copy straight into a store: a bag of its own, whose recordings are sent from where they lie.

Recordings first, each proved; then everything else of the bag is made and sealed in a folder on this computer, and sent
as any sealed bag, the tag manifest last. What was sealed is sent as it is, however often the run is taken up: the lists
that a store has from an earlier run and those that follow must be of one seal.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from exam_kit.archive.act import Carrier
from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.aside import Aside
from exam_kit.archive.bag import MANIFEST, SIGNATURE, TAGMANIFEST
from exam_kit.archive.bag_lists import read_list
from exam_kit.archive.faults import destination_error
from exam_kit.archive.job_end import JobCopy
from exam_kit.archive.job_lock import job_lock
from exam_kit.archive.job_plan import possible
from exam_kit.archive.job_rows import Job, JobRows
from exam_kit.archive.job_seal import Evidence, NotWhole, Order, inner_hash, open_sink, seal_staged
from exam_kit.archive.medium import sha256_of
from exam_kit.archive.result import FailedFile, Progress
from exam_kit.archive.s3.bag_send import SendResult, keep_evidence
from exam_kit.archive.s3.course import Course, last_moment
from exam_kit.archive.s3.encrypted_lane import EncryptedLane
from exam_kit.archive.s3.faults import no_lock
from exam_kit.archive.s3.probe_record import trust_in
from exam_kit.archive.s3.proof import DOWNLOADED
from exam_kit.archive.s3.sending import send_files
from exam_kit.archive.s3.sweeping import sweep_uploads
from exam_kit.archive.s3.told import Told
from exam_kit.archive.s3.uploads import Uploads, state_file
from exam_kit.archive.s3.verify_there import verify_in_store
from exam_kit.archive.s3.wire import Cancelled, Wire
from exam_kit.archive.sink import CopyTask
from exam_kit.archive.stores import store_of
from exam_kit.clock import iso
from exam_kit.errors import ArchiveError, Message, m

__all__ = ["StoreCopy", "locked_until"]

ASIDE_PARTS = 2
"""Of the size of a part: so much may be put aside for the line while the drives are being written."""


def locked_until(order: Order, wire: Wire) -> dt.datetime | None:
    """Until when the store is to lock this copy; None where no lock is asked for.

    Raises:
        ArchiveError: there is to be a lock, and no rule says until when, or no probe has shown that the store holds it.
    """
    name = wire.store.name
    if wire.store.retention == "none":
        return None
    if order.keep is None:
        raise ArchiveError(
            m(
                "{store}: is to lock what it gets until the keep-until date, and no rule says which that is. Put the "
                "rule into the profile, or take 'retention' out of point.toml.",
                store=name,
            )
        )
    if not trust_in(order.home, wire.store).lock:
        raise no_lock(name)
    return last_moment(order.keep.until(order.day))


class StoreCopy(JobCopy):
    """`make` does all of it, in the thread that calls it."""

    def __init__(
        self,
        order: Order,
        number: int,
        job: Job,
        rows: JobRows,
        wire: Wire,
        until: dt.datetime | None,
        tell: Callable[[Progress], None],
    ) -> None:
        super().__init__(order, number, job, rows, tell)
        self._wire, self._until = wire, until
        self._prefix = wire.store.key_of(job.bag.name) + "/"
        self._shown: dict[str, str] = {}
        self.proofs: dict[str, int] = {}

    def make(self, cancelled: Callable[[], bool], paused: Callable[[], bool], aside: Aside) -> None:
        """Send, seal, verify. What arrived stays, and the next run goes on from there."""
        order, store = self._order, self._wire.store
        with self._step(), job_lock(order.home.run, f"{store.name}-{self.job.bag.name}"):
            uploads = Uploads(state_file(order.home), f"{store.endpoint}/{store.bucket}")
            try:
                course = Course(self._wire, uploads, trust_in(order.home, store), self._until, cancelled)
                there = {key: (size, etag) for key, size, etag in self._wire.listing(self._prefix, course.stopped)}
                sweep_uploads(course, self._prefix)
                if self.job.bag.exists():
                    self._still_there(course, there)
                    self._rest(course, there, paused)
                elif self._recordings(course, there, paused, aside):
                    self._rest(course, there, paused)
            except Cancelled:
                pass  # while the store was waited for
            finally:
                aside.drop()
                uploads.close()
            if self._state == "running":
                self._stopped("cancelled", None)
        if isinstance(self.error, NotWhole):
            for folder in (self.job.bag, self.job.part):
                shutil.rmtree(folder, ignore_errors=True)

    def _recordings(
        self, course: Course, there: dict[str, tuple[int, str]], paused: Callable[[], bool], aside: Aside
    ) -> bool:
        """Send the recordings and seal what was sent; False when the run was ended before."""
        job, rows = self.job, self._rows
        job.part.mkdir(parents=True, exist_ok=True)
        sink, journal = open_sink(self._order, job)
        try:
            journal.note("begin", job=job.id, resumed=job.resumed)
            tasks, self._failed = possible(self._order.choice, self._carrier())
            rows.plan(job, tasks, set())
            for failure in self._failed:
                rows.fail(job, failure.path, failure.message)
            sealing = None
            if isinstance(sink, EncryptingSink):
                aside.drop()  # what comes past is not what is sent
                sealing = EncryptedLane(sink, journal, tasks, self._order.clock)
                if lost := sealing.unknown(there, self._prefix):
                    raise self._not_whole(lost)
            else:
                self._want(aside, tasks, there)
            by_name = sealing.sealed if sealing else {task.path: task for task in tasks}
            told = Told(course, tasks, self._progress)
            noted: set[str] = set()

            def beat(_tally: object) -> None:
                """Rows and journal follow what was proved."""
                with course.lock:
                    shown = course.tally.shown
                names = [name for name in shown if name not in noted]
                if names:
                    fresh = [by_name[name] for name in names]
                    with journal.together():
                        for task in fresh:
                            journal.verified(task.path, task.bytes, task.sha256, None)
                    rows.acknowledge(job, fresh)
                    noted.update(names)
                    if sealing:
                        for name in names:
                            sealing.sent(name)
                told.beat(course.tally)

            coming = sealing.coming(course, there, self._prefix) if sealing else self._coming(course, aside, beat)
            send_files(course, coming, there, paused, beat, aside.data_of)
            beat(course.tally)
            for sent, message in course.tally.failed:
                task = sealing.failed(sent.path) if sealing else sent
                self._failed.append(FailedFile(task.path, message))
                rows.fail(job, task.path, message)
            if len(noted) + len(course.tally.failed) < len(tasks) or course.stopped():
                return False
            self._note_proofs(course, noted)
            rows.mark(job, "sealing")
            copied = {by_name[name].path for name in noted}
            files = [piece.file for piece in self._order.choice.pieces if piece.file.path in copied]
            size = sum(file.bytes for file in files)
            self._progress(Progress("sealing", len(files), len(files), size, size))
            self._act = seal_staged(
                self._order,
                job,
                sealing.clear() if sealing else sink,
                journal,
                files,
                self._failed,
                self._evidence,
                self._carrier(),
            )
            course.tally.failed.clear()  # they are named in the act
            return True
        finally:
            journal.close()

    def _want(self, aside: Aside, tasks: Sequence[CopyTask], there: Collection[str]) -> None:
        part_bytes = self._wire.store.part_mb << 20
        aside.want(
            tasks,
            lambda task: task.bytes <= part_bytes and self._prefix + task.path not in there,
            ASIDE_PARTS * part_bytes,
        )

    def _still_there(self, course: Course, there: dict[str, tuple[int, str]]) -> None:
        """The recordings of a bag that was sealed lie as they were proved.

        Raises:
            NotWhole: one does not, or it is not known any more how it was proved.
        """
        lost = []
        for path, sha256 in self._elsewhere().items():
            known, lying = course.uploads.arrived(self._prefix + path), there.get(self._prefix + path)
            if lying is None:
                lost.append(m("{path}: is missing.", path=path))
            elif known is None:
                lost.append(m("{path}: it is not known here any more how it was proved.", path=path))
            elif known.sha256 != sha256 or not known.lies(*lying):
                lost.append(m("{path}: its content was changed.", path=path))
        if lost:
            raise self._not_whole(lost)

    def _elsewhere(self) -> dict[str, str]:
        """The recordings as the sealed bag lists them: what of it is not here."""
        payload = self._listed(MANIFEST, payload=True)
        return {path: sha256 for path, sha256 in payload.items() if not (self.job.bag / path).is_file()}

    def _not_whole(self, details: Sequence[Message]) -> NotWhole:
        return NotWhole(
            m(
                "{bag}: does not verify in {store}; start the archive again, it makes another copy.",
                bag=self.job.name,
                store=self._wire.store.name,
            ),
            details,
        )

    def _coming(self, course: Course, aside: Aside, beat: Callable[[object], None]) -> Iterator[tuple[CopyTask, str]]:
        for task in aside.coming():
            if task is not None:
                yield task, self._prefix + task.path
            elif course.stopped():
                return
            else:
                beat(course.tally)

    def _rest(self, course: Course, there: dict[str, tuple[int, str]], paused: Callable[[], bool]) -> None:
        """Send what was sealed, look at the whole bag where it lies, and end."""
        job, order = self.job, self._order
        waves = self._waves()
        small = [task for wave in waves for task in wave]
        done = [
            CopyTask(path, Path(), known.bytes, sha256)
            for path, sha256 in self._elsewhere().items()
            if (known := course.uploads.arrived(self._prefix + path)) is not None
        ]
        told = Told(course, [*done, *small], self._progress)
        for wave in waves:
            send_files(course, [(task, self._prefix + task.path) for task in wave], there, paused, told.beat)
            if course.tally.failed:
                raise NotWhole(
                    m("{bag}: cannot be finished in {store}; start the archive again, it makes another copy.",
                      bag=job.name, store=self._wire.store.name),
                    [message for _task, message in course.tally.failed],
                )  # fmt: skip
            if course.stopped():
                return
        lies = sha256_of(job.bag / TAGMANIFEST)[0]
        report = verify_in_store(self._wire, job.bag.name, order.home, quick=True, key=order.ledger.public_key)
        if not report.whole or report.bag_hash != lies:
            raise self._not_whole([finding.message for finding in report.findings])
        encrypted = order.asked.encrypted
        self._bag_hash, self._sealed_hash = (inner_hash(order, job, lies), lies) if encrypted else (lies, "")
        if self._act is None:
            self._failed = list(self._rows.failed(job.id))
        self._note_proofs(course, [task.path for task in (*done, *small)])
        self._keep(course, [*done, *small], lies)
        until = {"locked_until": course.until_text} if course.until else {}
        copied = self._rows.verified(job).values()
        self._finished(
            len(copied), sum(size for size, _sha256 in copied), store=self._wire.store.name, proofs=self.proofs, **until
        )
        shutil.rmtree(job.bag, ignore_errors=True)  # a run cut off here leaves it for the next one: sweep_staging

    def _waves(self) -> list[list[CopyTask]]:
        """What lies in the staged bag: papers and ledger; the lists and tags; the tag manifest."""
        folder = self.job.bag
        payload, tags = (self._listed(name, payload=name == MANIFEST) for name in (MANIFEST, TAGMANIFEST))
        first = [self._task(path, sha256) for path, sha256 in payload.items() if (folder / path).is_file()]
        second = [self._task(path, sha256) for path, sha256 in tags.items()]
        ends = [self._task(path, sha256_of(folder / path)[0]) for path in (SIGNATURE, TAGMANIFEST)]
        return [first, [*second, ends[0]], [ends[1]]]

    def _listed(self, name: str, *, payload: bool) -> dict[str, str]:
        with (self.job.bag / name).open("rb") as source:
            return read_list(source, name, payload=payload)

    def _task(self, path: str, sha256: str) -> CopyTask:
        source = self.job.bag / path
        return CopyTask(path, source, source.stat().st_size, sha256)

    def _keep(self, course: Course, tasks: list[CopyTask], lies: str) -> None:
        """How each object was proved stays here."""
        job, home, tally = self.job, self._order.home, course.tally
        size = sum(task.bytes for task in tasks)
        result = SendResult(
            "finished", job.bag.name, lies, store_of(job.address), job.address, len(tasks), size,
            tally.sent_bytes, len(tally.carried), self.proofs, self._evidence.read_bytes, course.until_text, (), 0.0,
        )  # fmt: skip
        keep_evidence(home, result, tasks, self._shown, iso(self._order.clock.now()))

    def _note_proofs(self, course: Course, paths: Iterable[str]) -> None:
        """How each object was proved when it arrived, in this run or an earlier one."""
        found = {path: course.uploads.arrived(self._prefix + path) for path in paths}
        arrived = {path: one for path, one in found.items() if one is not None}
        self._shown = {path: one.how for path, one in arrived.items()}
        self.proofs = dict(Counter(self._shown.values()))
        self._evidence = Evidence(sum(one.bytes for one in arrived.values() if one.how == DOWNLOADED), None)

    def _carrier(self) -> Carrier:
        store = self._wire.store
        place = f"{store.endpoint}/{store.bucket}/{self._prefix}"
        until = f"{self._until:%Y-%m-%d}" if self._until else ""
        return Carrier("store", self.job.address, label=place, locked_until=until)

    def _fault(self, problem: OSError) -> ArchiveError:
        return destination_error(problem, Path(problem.filename or self.job.bag), len(self._rows.verified(self.job)))
