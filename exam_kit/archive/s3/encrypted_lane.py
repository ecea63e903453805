"""Recordings encrypted one after another on this computer, on their way into a store.

age makes other bytes each time, so what was begun to be sent must still be there after a kill: each recording is copied
by the engine into the staged folder as onto any carrier (proved by reading back, its ciphertext's hash in the journal),
sent from there, and cleared away when the store has it. Only what is on its way takes room.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.bag import sweep
from exam_kit.archive.copy_journal import JOURNAL, CopyJournal
from exam_kit.archive.engine import copy_files
from exam_kit.archive.lane import Failed
from exam_kit.archive.result import Progress
from exam_kit.archive.s3.course import Course, File
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.clock import Clock
from exam_kit.errors import Message, m

__all__ = ["EncryptedLane"]


class EncryptedLane:
    """`sealed` is each recording's name in the store (under the bag), which tells nothing."""

    def __init__(self, sink: EncryptingSink, journal: CopyJournal, tasks: Sequence[CopyTask], clock: Clock) -> None:
        self._sink, self._journal, self._clock = sink, journal, clock
        sink.expect(tasks)
        self.sealed = {sink.name(task.path): task for task in tasks}

    def unknown(self, there: Collection[str], prefix: str) -> list[Message]:
        """Recordings that lie in the store, and what was sent is not known here any more: nobody can prove them."""
        return [
            m("{path}: it is not known here any more how it was proved.", path=task.path)
            for name, task in self.sealed.items()
            if prefix + name in there and name not in self._journal.proved
        ]

    def coming(self, course: Course, there: Collection[str], prefix: str) -> Iterator[tuple[CopyTask, str]]:
        """Each recording as it is to be sent, and its key. One that cannot be read is told to the course.

        Raises:
            ArchiveError: this computer's disk failed.
        """
        for name, task in self.sealed.items():
            if course.stopped():
                return
            key = prefix + name
            if key not in there and not self._encrypted(task, course, key):
                continue
            self._sink.claim(task.path)
            lies = self._sink.lies(task.path)
            yield CopyTask(name, self._sink.root / name, lies.bytes, lies.sha256), key

    def sent(self, name: str) -> CopyTask:
        """The recording that the store has now; its ciphertext here is cleared away."""
        self._sink.folder.discard(name)
        return self.sealed[name]

    def failed(self, name: str) -> CopyTask:
        """The recording that did not arrive; it is not in the bag."""
        self._sink.discard(self.sealed[name].path)
        return self.sealed[name]

    def clear(self) -> EncryptingSink:
        """Nothing more is sent: the ciphertext that is left here is cleared away, folders and all; where the bag's own
        files go then."""
        sweep(self._sink.root, {JOURNAL})
        self._sink.folder = FolderSink(self._sink.root)
        return self._sink

    def _encrypted(self, task: CopyTask, course: Course, key: str) -> bool:
        def failed(failure: Failed) -> None:
            course.fail(File(replace(task, path=self._sink.name(task.path)), key), failure.message)

        done = copy_files(
            [task], self._sink, self._journal, before=Progress("sending", 1, 0, task.bytes, 0), clock=self._clock,
            acknowledged=lambda _task: None, failed=failed, progress=lambda _now: None, cancelled=course.stopped,
        )  # fmt: skip
        return done.verified == 1
