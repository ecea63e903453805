"""One destination of a copy while it is made: what it lacks, what was done, how it ended."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.faults import destination_error, unreliable
from exam_kit.archive.pipeline import Broken, Differs, Event, Failed, Lane, Pipeline, Verified
from exam_kit.archive.rate import Rate
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, Proof, Sink
from exam_kit.clock import Clock
from exam_kit.errors import ArchiveError

__all__ = ["Tally", "Target", "Work"]


@dataclass
class Tally:
    """What one call did at one destination. `device_bytes` is None once the kernel did not tell."""

    verified: int = 0
    failed: int = 0
    copied_bytes: int = 0
    read_back_bytes: int = 0
    device_bytes: int | None = 0
    cancelled: bool = False

    def count(self, proof: Proof) -> None:
        self.read_back_bytes += proof.read_bytes
        if self.device_bytes is not None:
            self.device_bytes = None if proof.device_bytes is None else self.device_bytes + proof.device_bytes


@dataclass
class Target:
    """One destination: the files it lacks, where they go, who is told, and afterwards what came of it.

    `place` is what messages call it. `before` says what was verified earlier. `acknowledged` is told the files that are
    durable and journaled since it was last called, `failed` each that cannot be copied. `problem` is set when the
    destination broke; what was acknowledged before stays.
    """

    tasks: Sequence[CopyTask]
    sink: Sink
    journal: CopyJournal
    place: Path
    before: Progress
    acknowledged: Callable[[Sequence[CopyTask]], None]
    failed: Callable[[Failed], None]
    progress: Callable[[Progress], None] = lambda _progress: None
    tally: Tally = field(default_factory=Tally)
    problem: ArchiveError | None = None


class Work:
    """Where one target stands. `lane` is None when it broke before it began."""

    def __init__(self, target: Target, pipeline: Pipeline, clock: Clock) -> None:
        self.target, self._pipeline = target, pipeline
        self.lane: Lane | None = None
        self.outstanding = 0
        self.fresh: list[CopyTask] = []
        self._done_files, self._done_bytes = target.before.done_files, target.before.done_bytes
        self._lying: set[str] = set()
        self._retried: set[str] = set()
        self._rate = Rate(clock)
        try:
            target.sink.prepare(target.tasks)
            lying = [task for task in target.tasks if target.sink.size(task.path) == task.bytes]
        except OSError as problem:
            self._broke(problem)
            return
        self._lying = {task.path for task in lying}
        self.fresh = [task for task in target.tasks if task.path not in self._lying]
        self.outstanding = len(target.tasks)
        self.lane = pipeline.lane(target.sink, target.journal, lying)

    def act(self, event: Event) -> list[CopyTask]:
        """Take an event in; the file that it acknowledges, if it does."""
        target = self.target
        match event:
            case Verified(task, proof):
                target.tally.count(proof)
                target.tally.verified += 1
                self._one_less()
                return [task]
            case Differs(task, proof):
                target.tally.count(proof)
                self._again(task)
            case Failed():
                self._fail(event)
            case Broken(OSError() as problem):
                self._broke(problem)
            case Broken(problem):
                raise problem
        return []

    def _again(self, task: CopyTask) -> None:
        """Copy a file anew, once. What an interrupted copy left does not count as a try."""
        if self.lane is None or self.target.problem is not None:
            return
        if task.path in self._lying:
            self._lying.discard(task.path)
        elif task.path in self._retried:
            self._fail(Failed(task, unreliable(task)))
            return
        else:
            self._retried.add(task.path)
        self._pipeline.copy(task, [self.lane])

    def _fail(self, failed: Failed) -> None:
        self._one_less()
        self.target.tally.failed += 1
        self.target.failed(failed)

    def _one_less(self) -> None:
        self.outstanding = max(self.outstanding - 1, 0)  # after it broke, what was under way may still be told

    def _broke(self, problem: OSError) -> None:
        if self.target.problem is None:
            self.target.problem = destination_error(problem, self.target.place, self._done_files)
            self.target.problem.__cause__ = problem
        self.outstanding = 0

    def look(self) -> None:
        """A destination that hangs would hold the others for ever: it ends as if it had failed."""
        if self.lane is not None and self.target.problem is None and self.lane.hangs():
            self.lane.stop()
            self._broke(TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

    def acknowledge(self, tasks: Sequence[CopyTask]) -> None:
        if tasks:
            self.target.acknowledged(tasks)
        for task in tasks:
            self._done_files, self._done_bytes = self._done_files + 1, self._done_bytes + task.bytes
            self.tell_progress(task.path)

    def tell_progress(self, name: str = "") -> None:
        before, written = self.target.before, self.lane.written_bytes if self.lane else 0
        done = self._done_bytes
        self.target.tally.copied_bytes = written
        rate = self._rate.of(max(written, done - before.done_bytes))
        left = max(before.bytes - done, 0) / rate if rate > 0 else None
        self.target.progress(
            Progress(before.phase, before.files, self._done_files, before.bytes, self._done_bytes, name, rate, left)
        )
