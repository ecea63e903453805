"""The copy: what is there already, what is to be copied, what came of it."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.faults import destination_error, unreliable
from exam_kit.archive.pipeline import Broken, Differs, Event, Failed, Pipeline, Verified
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.clock import Clock

__all__ = ["Tally", "copy_files"]

RATE_WINDOW_S = 10.0
EVENT_WAIT_S = 0.2


@dataclass
class Tally:
    """What one call of `copy_files` did. `device_bytes` is None once the kernel did not tell."""

    verified: int = 0
    failed: int = 0
    copied_bytes: int = 0
    read_back_bytes: int = 0
    device_bytes: int | None = 0
    cancelled: bool = False


def copy_files(
    tasks: Sequence[CopyTask],
    sink: FolderSink,
    journal: CopyJournal,
    *,
    before: Progress,
    clock: Clock,
    acknowledged: Callable[[CopyTask], None],
    failed: Callable[[Failed], None],
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> Tally:
    """Bring every task to the sink, proved. Safe to call again after a crash at any point.

    A file that lies there whole, under its name or as ``.part``, is read back instead of copied; anything else left
    of it is removed and copied anew. `before` says what was verified earlier; `acknowledged` is called in this thread
    for each file once it is durable and journaled, `failed` for each that cannot be copied.

    Raises:
        ArchiveError: the destination failed; everything acknowledged stays.
    """
    tally = Tally()
    speed = _Speed(clock)
    done_files, done_bytes = before.done_files, before.done_bytes
    retried: set[str] = set()
    outstanding = len(tasks)
    lying = [task for task in tasks if sink.size(task.path) == task.bytes]
    adopted = {task.path for task in lying}
    pipeline = Pipeline(sink, journal, lying)
    try:
        for task in tasks:
            if task.path not in adopted:
                sink.discard(task.path)
                pipeline.copy(task)
        while outstanding:
            if cancelled():
                tally.cancelled = True
                break
            event = _next(pipeline.events)
            name = ""
            match event:
                case Verified(task, proof):
                    outstanding -= 1
                    tally.verified += 1
                    _count(tally, proof.read_bytes, proof.device_bytes)
                    done_files, done_bytes, name = done_files + 1, done_bytes + task.bytes, task.path
                    acknowledged(task)
                case Differs(task, proof) if task.path in adopted or task.path not in retried:
                    # What an interrupted copy left does not count as a try.
                    _count(tally, proof.read_bytes, proof.device_bytes)
                    if task.path not in adopted:
                        retried.add(task.path)
                    adopted.discard(task.path)
                    pipeline.copy(task)
                case Differs(task, proof):
                    _count(tally, proof.read_bytes, proof.device_bytes)
                    outstanding -= 1
                    tally.failed += 1
                    failed(Failed(task, unreliable(task)))
                case Failed():
                    outstanding -= 1
                    tally.failed += 1
                    failed(event)
                case Broken(problem):
                    if isinstance(problem, OSError):
                        raise destination_error(problem, sink.root.parent, done_files) from problem
                    raise problem
            tally.copied_bytes = pipeline.written_bytes
            progress(speed.progress(before, done_files, done_bytes, pipeline.written_bytes, name))
    except OSError as problem:
        raise destination_error(problem, sink.root.parent, done_files) from problem
    finally:
        pipeline.stop()
        journal_left = _drain(pipeline.events)
    # What was proved in the moment of cancelling is journaled; its rows follow.
    for event in journal_left:
        if isinstance(event, Verified):
            tally.verified += 1
            acknowledged(event.task)
    return tally


def _next(events: queue.Queue[Event]) -> Event | None:
    try:
        return events.get(timeout=EVENT_WAIT_S)
    except queue.Empty:
        return None


def _drain(events: queue.Queue[Event]) -> list[Event]:
    left = []
    while not events.empty():
        left.append(events.get_nowait())
    return left


def _count(tally: Tally, read_bytes: int, device_bytes: int | None) -> None:
    tally.read_back_bytes += read_bytes
    if tally.device_bytes is not None:
        tally.device_bytes = None if device_bytes is None else tally.device_bytes + device_bytes


class _Speed:
    """Bytes per second over the last seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock.monotonic(), 0)])

    def progress(self, before: Progress, done_files: int, done_bytes: int, written: int, name: str) -> Progress:
        now = self._clock.monotonic()
        moved = max(written, done_bytes - before.done_bytes)
        self._seen.append((now, moved))
        while len(self._seen) > 2 and self._seen[0][0] < now - RATE_WINDOW_S:
            self._seen.popleft()
        since, had = self._seen[0]
        rate = (moved - had) / (now - since) if now > since else 0.0
        left = max(before.bytes - done_bytes, 0) / rate if rate > 0 else None
        return Progress(before.phase, before.files, done_files, before.bytes, done_bytes, name, rate, left)
