"""One destination's threads: one writes, one reads back, one gives the proved files their names.

While a file is read back the next is being written, and while files are named and journaled others are read back. What
happened is told as events; whoever runs the copy acts on them, so rows and counters are touched by one thread only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn

from exam_kit.archive.channel import Buffer, Channel, Stop, Stopped
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.sink import CopyTask, Proof, Sink
from exam_kit.errors import Message

__all__ = ["Begin", "Broken", "Differs", "End", "Event", "Failed", "Lane", "Passage", "Step", "Verified"]

UNPROVED = 8
"""Files that may be written and not yet read back: the writer waits, so that a crash leaves little to be proved."""

STALLED_S = 120.0
"""A destination that does not answer for so long, and at which nothing moves meanwhile, has failed; the kernel itself
gives a drive up after half of that. One sync of a slow stick can take longer, and then its device is seen to work."""
MOST_STALLED_S = 1800.0
"""Longer than this nothing is waited for, for other programs may keep a device busy that does not answer us."""

_LOOK_S = 0.2


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
class Passage:
    """One file on its way. `fault` and `xxh3`, the hash of the bytes that passed, are known once `ready` is set."""

    task: CopyTask
    fault: Message | None = None
    xxh3: str = ""
    ready: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Begin:
    passage: Passage


@dataclass(frozen=True)
class End:
    passage: Passage


Step = Begin | Buffer | End


class Lane:
    """Feed `steps`; `tell` is called from the lane's threads. A lane that broke takes nothing more.

    `lying` are files that may lie at the destination whole already: they are read back, and accepted or removed.
    `going` is clear while the copy is paused.
    """

    def __init__(
        self,
        sink: Sink,
        journal: CopyJournal,
        lying: Sequence[CopyTask],
        *,
        stop: Stop,
        going: threading.Event,
        tell: Callable[[Lane, Event], None],
    ) -> None:
        self.written_bytes = 0
        self._sink, self._journal, self._lying, self._tell = sink, journal, lying, tell
        self._stop, self._going = stop, going
        self._awake = 0.0
        self._pulse: int | None = None
        self._worked = 0.0
        self._since: dict[str, float | None] = dict.fromkeys(("write", "prove", "accept"))
        self.steps: Channel[Step] = Channel(stop)
        self._to_prove: Channel[Passage] = Channel(stop, UNPROVED)
        self._to_accept: Channel[tuple[CopyTask, Proof]] = Channel(stop)
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"archive-{name}", daemon=True)
            for name, work in (("write", self._write), ("prove", self._prove), ("accept", self._accept))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End now; a file being written is given up, and the buffers on their way here are given back.

        A thread that the destination does not let go is not waited for: once it is, it finds that it is over.
        """
        self._stop.set()
        self._give_back()
        for thread in self._threads:
            while thread.is_alive() and not self.hangs():
                thread.join(_LOOK_S)

    def hangs(self) -> bool:
        """Whether the destination was asked for something, and has neither answered nor worked for too long."""
        asked = [since for since in self._since.values() if since is not None]
        if not asked or not self._going.is_set():
            return False
        now, since = time.monotonic(), max(min(asked), self._awake)
        if now - since <= STALLED_S / 4:
            return False
        pulse = self._sink.pulse()
        if pulse != self._pulse:
            self._pulse, self._worked = pulse, now
        return now - max(since, self._worked) > STALLED_S or now - since > MOST_STALLED_S

    def went_on(self) -> None:
        """The copy was paused until now: who waited for that did not hang."""
        self._awake = time.monotonic()

    def tell(self, event: Event) -> None:
        self._tell(self, event)

    def _run(self, work: Callable[[], NoReturn]) -> None:
        try:
            work()
        except Stopped:
            return
        except Exception as problem:  # noqa: BLE001 - handed to the thread that runs the copy, which raises it
            self._stop.set()
            self._give_back()  # the writing thread may hang meanwhile, and the other destinations need the buffers
            self.tell(Broken(problem))

    def _write(self) -> NoReturn:
        try:
            while True:
                step = self.steps.get()
                if isinstance(step, Buffer):
                    try:
                        with self._at("write"):
                            self._sink.write(step.data)
                        self.written_bytes += step.length
                    finally:
                        step.release()
                elif isinstance(step, Begin):
                    with self._at("write"):
                        self._sink.discard(step.passage.task.path)
                        self._sink.begin(step.passage.task.path)
                elif step.passage.fault is not None:
                    with self._at("write"):
                        self._sink.abandon()
                    self.tell(Failed(step.passage.task, step.passage.fault))
                else:
                    with self._at("write"):
                        self._sink.finish()
                    self._to_prove.put(step.passage)
        finally:
            self._give_up()

    def _give_back(self) -> None:
        for step in self.steps.drain():
            if isinstance(step, Buffer):
                step.release()

    def _give_up(self) -> None:
        self._stop.set()
        self._give_back()
        # When the destination is gone, the error that ended the copy says so. What is left is a .part, never accepted.
        with self._at("write"), suppress(OSError):
            self._sink.abandon()

    def _prove(self) -> NoReturn:
        for task in self._lying:
            self._settle(task)
            self._prove_one(task, "")
        while True:
            passage = self._to_prove.get()
            self._settle(passage.task)
            while not passage.ready.wait(_LOOK_S):
                if self._stop.is_set():
                    raise Stopped
            if passage.fault is None:
                self._prove_one(passage.task, passage.xxh3)
            else:
                with self._at("prove"):
                    self._sink.discard(passage.task.path)
                self.tell(Failed(passage.task, passage.fault))

    def _settle(self, task: CopyTask) -> None:
        with self._at("prove"):
            self._sink.settle(task.path)

    def _prove_one(self, task: CopyTask, xxh3: str) -> None:
        with self._at("prove"):
            proof = self._sink.prove(task, self._stopped_or_held, xxh3)
        if self._stop.is_set():
            raise Stopped
        self._to_accept.put((task, proof))

    def _stopped_or_held(self) -> bool:
        """Whether to stop; while the copy is paused this waits."""
        while not self._stop.is_set():
            if self._going.wait(_LOOK_S):
                self._since["prove"] = time.monotonic()
                return False
        return True

    def _accept(self) -> NoReturn:
        while True:
            # All that were proved meanwhile share one sync of the journal, and wait for it.
            batch = [self._to_accept.get(), *self._to_accept.drain()]
            for task, proof in batch:
                with self._at("accept"):
                    if proof.same:
                        self._sink.accept(task.path)
                    else:
                        self._sink.discard(task.path)
            with self._at("accept"), self._journal.together():
                for task, proof in batch:
                    if proof.same:
                        self._journal.verified(task.path, task.bytes, task.sha256, proof.device_bytes)
                    else:
                        self._journal.discarded(task.path, "read back differs")
            for task, proof in batch:
                self.tell(Verified(task, proof) if proof.same else Differs(task, proof))

    @contextmanager
    def _at(self, work: str) -> Iterator[None]:
        """The destination is asked for something: since when, `hangs` wants to know."""
        self._since[work] = time.monotonic()
        try:
            yield
        finally:
            self._since[work] = None
