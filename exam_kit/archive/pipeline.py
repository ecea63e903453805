"""The copy's threads: one reads, one hashes, and each destination has one that writes and one that proves.

A source is read once. While one file is read back and compared, the next is already being copied. Threads tell what
happened through `events`; whoever runs the copy acts on them, so rows and counters are touched by one thread only.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from exam_kit.archive.channel import Buffer, Channel, Pool, Stop, Stopped
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.faults import changed_source, differs_from_birth, unreadable_source
from exam_kit.archive.sink import CopyTask, Proof, Sink
from exam_kit.errors import Message

__all__ = ["Broken", "Differs", "Event", "Failed", "Pipeline", "Verified"]


UNPROVED = 2
"""Files that may be written and not yet read back: the writer waits, so that a crash leaves little to be proved."""


@dataclass(frozen=True)
class Verified:
    """Proved on the medium, named, journaled."""

    task: CopyTask
    proof: Proof


@dataclass(frozen=True)
class Differs:
    """The medium gave back other bytes than were written; the file was removed again."""

    task: CopyTask
    proof: Proof


@dataclass(frozen=True)
class Failed:
    """This file cannot be copied; the others can."""

    task: CopyTask
    message: Message


@dataclass(frozen=True)
class Broken:
    """A thread cannot go on: the destination's OSError, or a mistake of ours."""

    problem: Exception


Event = Verified | Differs | Failed | Broken


@dataclass
class _Passage:
    """One file on its way. `fault` is known once `ready` is set."""

    task: CopyTask
    fault: Message | None = None
    ready: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _Begin:
    passage: _Passage


@dataclass(frozen=True)
class _End:
    passage: _Passage


_Step = _Begin | Buffer | _End


class Pipeline:
    """Feed it with `copy`, take `events`; `stop` ends it.

    `lying` are files that may lie at the destination whole already: they are read back, and accepted or removed.
    """

    def __init__(self, sink: Sink, journal: CopyJournal, lying: Sequence[CopyTask] = ()) -> None:
        self.events: queue.Queue[Event] = queue.Queue()
        self.written_bytes = 0
        self._sink, self._journal, self._stop = sink, journal, Stop()
        self._tasks: Channel[CopyTask] = Channel(self._stop)
        self._to_hash: Channel[_Step] = Channel(self._stop)
        self._to_write: Channel[_Step] = Channel(self._stop)
        self._lying = lying
        self._to_prove: Channel[CopyTask] = Channel(self._stop, UNPROVED)
        self._pool = Pool(self._stop)
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"archive-{name}", daemon=True)
            for name, work in (
                ("read", self._read),
                ("hash", self._hash),
                ("write", self._write),
                ("prove", self._prove),
            )
        ]
        for thread in self._threads:
            thread.start()

    def copy(self, task: CopyTask) -> None:
        self._tasks.put(task)

    def stop(self) -> None:
        """End now; a file being written is given up."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], NoReturn]) -> None:
        try:
            work()
        except Stopped:
            return
        except Exception as problem:  # noqa: BLE001 - handed to the thread that runs the copy, which raises it
            self.events.put(Broken(problem))

    def _read(self) -> NoReturn:
        while True:
            task = self._tasks.get()
            passage = _Passage(task)
            try:
                fd = os.open(task.source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            except OSError as problem:
                self.events.put(Failed(task, unreadable_source(task, problem)))
                continue
            with os.fdopen(fd, "rb", buffering=0) as source:
                before = os.fstat(fd)
                if before.st_size != task.bytes:
                    self.events.put(Failed(task, changed_source(task)))
                    continue
                self._both(_Begin(passage))
                read = 0
                try:
                    while read <= task.bytes:
                        buffer = self._pool.take()
                        buffer.length = source.readinto(buffer.room) or 0
                        if not buffer.length:
                            self._pool.give_back(buffer)
                            break
                        read += buffer.length
                        buffer.hold(2)
                        self._both(buffer)
                except OSError as problem:
                    passage.fault = unreadable_source(task, problem)
                after = os.fstat(fd)
                same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
                if passage.fault is None and not (same and read == task.bytes):
                    passage.fault = changed_source(task)
                _forget(fd)
            self._both(_End(passage))

    def _both(self, step: _Step) -> None:
        self._to_hash.put(step)
        self._to_write.put(step)

    def _hash(self) -> NoReturn:
        digest = hashlib.sha256()
        while True:
            step = self._to_hash.get()
            if isinstance(step, Buffer):
                digest.update(step.data)
                step.release()
            elif isinstance(step, _Begin):
                digest = hashlib.sha256()
            else:
                passage = step.passage
                if passage.fault is None and digest.hexdigest() != passage.task.sha256:
                    passage.fault = differs_from_birth(passage.task)
                passage.ready.set()

    def _write(self) -> NoReturn:
        try:
            while True:
                step = self._to_write.get()
                if isinstance(step, Buffer):
                    self._sink.write(step.data)
                    self.written_bytes += step.length
                    step.release()
                elif isinstance(step, _Begin):
                    self._sink.begin(step.passage.task.path)
                else:
                    self._finish(step.passage)
        finally:
            self._give_up()

    def _finish(self, passage: _Passage) -> None:
        while not passage.ready.wait(0.2):
            if self._stop.is_set():
                raise Stopped
        if passage.fault is not None:
            self._sink.abandon()
            self.events.put(Failed(passage.task, passage.fault))
            return
        self._sink.finish()
        self._to_prove.put(passage.task)

    def _give_up(self) -> None:
        try:
            self._sink.abandon()
        except OSError as problem:
            # The destination is gone; the error that ended the copy says so. What is left is a .part, never accepted.
            if problem.errno not in (errno.ENOENT, errno.EIO, errno.ENODEV, errno.EROFS, errno.ENXIO, errno.ESTALE):
                raise

    def _prove(self) -> NoReturn:
        for task in self._lying:
            self._sink.settle(task.path)
            self._prove_one(task)
        while True:
            self._prove_one(self._to_prove.get())

    def _prove_one(self, task: CopyTask) -> None:
        proof = self._sink.prove(task, self._stop.is_set)
        if self._stop.is_set():
            raise Stopped
        if not proof.same:
            self._sink.discard(task.path)
            self._journal.discarded(task.path, "read back differs")
            self.events.put(Differs(task, proof))
            return
        self._sink.accept(task.path)
        self._journal.verified(task.path, task.bytes, task.sha256, proof.device_bytes)
        self.events.put(Verified(task, proof))


def _forget(fd: int) -> None:
    """The source will not be read again soon: keep it out of the page cache."""
    advise = getattr(os, "posix_fadvise", None)
    if advise is not None:
        advise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
