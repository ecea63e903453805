"""The copy's front: one thread reads the sources, one hashes, and every destination's lane takes the same buffers.

A source is read once, however many destinations there are. The buffers are few: a slow destination holds the reader
back once it has not written what they hold; one that breaks lets go of them, and the others go on.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

import xxhash

from exam_kit.archive.aside import Aside
from exam_kit.archive.channel import Buffer, Channel, Pool, Stop, Stopped
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.faults import changed_source, differs_from_birth, unreadable_source
from exam_kit.archive.lane import Begin, Broken, Differs, End, Event, Failed, Lane, Passage, Step, Verified
from exam_kit.archive.medium import MediumReader
from exam_kit.archive.sink import CopyTask, Sink

__all__ = ["Broken", "Differs", "Event", "Failed", "Lane", "Pipeline", "Verified"]

BUFFERS = 8
"""Blocks between the reader and the slowest destination: what bounds the copy's memory."""

HASHED = 256 << 10
"""Bytes that go through both hashes together: XXH3 brings them into the processor's cache, where SHA-256 is quicker
(both over a fresh block of 4 MiB: 0.72 s of processor per GB instead of 1.02, on a busy machine)."""

_LOOK_S = 0.2


class Pipeline:
    """Give it its `lane`s, then files with `copy`; take `events`; `stop` ends it.

    An event comes with its lane, or with None when it is about them all. What is read is also offered to `aside`, which
    never holds the copy back.
    """

    def __init__(self, aside: Aside | None = None) -> None:
        self._aside = aside
        self.events: queue.Queue[tuple[Lane | None, Event]] = queue.Queue()
        self._stop, self._going = Stop(), threading.Event()
        self._going.set()
        self._lanes: list[Lane] = []
        self._tasks: Channel[tuple[CopyTask, list[Lane]]] = Channel(self._stop)
        self._to_hash: Channel[Step] = Channel(self._stop)
        self._pool = Pool(self._stop, BUFFERS)
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"archive-{name}", daemon=True)
            for name, work in (("read", self._read), ("hash", self._hash))
        ]
        for thread in self._threads:
            thread.start()

    def lane(self, sink: Sink, journal: CopyJournal, lying: Sequence[CopyTask] = ()) -> Lane:
        """Add a destination."""
        made = Lane(sink, journal, lying, stop=self._stop.child(), going=self._going, tell=self._told)
        self._lanes.append(made)
        return made

    def copy(self, task: CopyTask, lanes: Sequence[Lane]) -> None:
        """Read the file once and write it to these lanes."""
        self._tasks.put((task, list(lanes)))

    def pause(self, paused: bool) -> None:
        """Hold the reading and the reading back; what is in the buffers is still written."""
        if paused:
            self._going.clear()
        elif not self._going.is_set():
            for lane in self._lanes:
                lane.went_on()
            self._going.set()

    def stop(self) -> None:
        """End now; a file being written is given up."""
        self._stop.set()
        self._going.set()
        for thread in self._threads:
            thread.join()
        for lane in self._lanes:
            lane.stop()
        self._pool.empty()

    def _told(self, lane: Lane | None, event: Event) -> None:
        self.events.put((lane, event))

    def _run(self, work: Callable[[], NoReturn]) -> None:
        try:
            work()
        except Stopped:
            return
        except Exception as problem:  # noqa: BLE001 - handed to the thread that runs the copy, which raises it
            self._told(None, Broken(problem))

    def _read(self) -> NoReturn:
        while True:
            task, lanes = self._tasks.get()
            try:
                with MediumReader(task.source) as source:
                    self._read_one(task, source, lanes)
            except OSError as problem:
                _fail(Failed(task, unreadable_source(task, problem)), lanes)

    def _read_one(self, task: CopyTask, source: MediumReader, lanes: list[Lane]) -> None:
        before = source.stat()
        if before.st_size != task.bytes:
            _fail(Failed(task, changed_source(task)), lanes)
            return
        passage, read = Passage(task), 0
        self._hand(Begin(passage), lanes)
        aside = self._aside if self._aside is not None and self._aside.begin(task) else None
        try:
            while read < task.bytes and lanes:
                buffer = self._fill(source)
                if buffer is None:
                    break
                read += buffer.length
                if aside is not None:
                    aside.take(buffer.data)
                buffer.hold(1 + len(lanes))
                self._hand(buffer, lanes)
            after = source.stat()
            if (before.st_size, before.st_mtime_ns, read) != (after.st_size, after.st_mtime_ns, task.bytes):
                passage.fault = changed_source(task)
        except OSError as problem:
            passage.fault = unreadable_source(task, problem, read)
        finally:
            if aside is not None:
                aside.end()
        self._hand(End(passage), lanes)

    def _fill(self, source: MediumReader) -> Buffer | None:
        """The next block of the file; None at its end."""
        while not self._going.wait(_LOOK_S):
            if self._stop.is_set():
                raise Stopped
        buffer = self._pool.take()
        try:
            buffer.length = source.fill(buffer.room)
        except OSError:
            self._pool.give_back(buffer)
            raise
        if buffer.length:
            return buffer
        self._pool.give_back(buffer)
        return None

    def _hand(self, step: Step, lanes: list[Lane]) -> None:
        """To the hashing thread and to each lane; lanes that broke meanwhile are taken off the list."""
        self._to_hash.put(step)
        for lane in lanes[:]:
            try:
                lane.steps.put(step)
            except Stopped:
                lanes.remove(lane)
                if isinstance(step, Buffer):
                    step.release()

    def _hash(self) -> NoReturn:
        birth, passed = hashlib.sha256(), xxhash.xxh3_128()
        while True:
            step = self._to_hash.get()
            if isinstance(step, Buffer):
                for begin in range(0, step.length, HASHED):
                    piece = step.data[begin : begin + HASHED]
                    passed.update(piece)
                    birth.update(piece)
                step.release()
            elif isinstance(step, Begin):
                birth, passed = hashlib.sha256(), xxhash.xxh3_128()
            else:
                passage = step.passage
                if passage.fault is None and birth.hexdigest() != passage.task.sha256:
                    passage.fault = differs_from_birth(passage.task)
                passage.xxh3 = passed.hexdigest()
                passage.ready.set()


def _fail(failed: Failed, lanes: Sequence[Lane]) -> None:
    for lane in lanes:
        lane.tell(failed)
