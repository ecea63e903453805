"""The copy: what is there already, what is to be copied, what came of it, at every destination."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence

from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.aside import Aside
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.pipeline import Event, Failed, Lane, Pipeline, Verified
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.archive.target import Tally, Target, Work
from exam_kit.clock import Clock

__all__ = ["Tally", "Target", "copy_all", "copy_files"]

EVENT_WAIT_S = 0.2


def copy_all(
    targets: Sequence[Target],
    *,
    clock: Clock,
    cancelled: Callable[[], bool],
    paused: Callable[[], bool] = lambda: False,
    aside: Aside | None = None,
) -> None:
    """Bring every target its tasks, proved. Safe to call again after a crash at any point.

    Each source is read once for all who lack it. A file that lies there whole, under its name or as ``.part``, is read
    back instead of copied; anything else left of it is removed and copied anew. A destination that fails ends with its
    `problem`, and the others go on. What is read is offered to `aside`. All callbacks are called in this thread.
    """
    pipeline = Pipeline(aside)
    works = [Work(target, pipeline, clock) for target in targets]
    try:
        _feed(works, pipeline)
        while any(work.outstanding for work in works):
            if cancelled():
                for work in works:
                    work.target.tally.cancelled = work.outstanding > 0
                break
            pipeline.pause(paused())
            _act(works, _waiting(pipeline.events))
            for work in works:
                if work.target.problem is None:
                    work.tell_progress()
                    work.look()
    finally:
        pipeline.stop()
    # What was proved in the moment of cancelling is journaled; its rows follow.
    _act(works, [(lane, event) for lane, event in _left(pipeline.events) if isinstance(event, Verified)])


def copy_files(
    tasks: Sequence[CopyTask],
    sink: FolderSink | EncryptingSink,
    journal: CopyJournal,
    *,
    before: Progress,
    clock: Clock,
    acknowledged: Callable[[CopyTask], None],
    failed: Callable[[Failed], None],
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> Tally:
    """`copy_all` to one folder.

    Raises:
        ArchiveError: the destination failed; everything acknowledged stays.
    """

    def each(durable: Sequence[CopyTask]) -> None:
        for task in durable:
            acknowledged(task)

    target = Target(tasks, sink, journal, sink.root.parent, before, each, failed, progress)
    copy_all([target], clock=clock, cancelled=cancelled)
    if target.problem is not None:
        raise target.problem
    return target.tally


def _feed(works: Sequence[Work], pipeline: Pipeline) -> None:
    """The files in the order of the first list that has them, each to all who lack it."""
    wanted: dict[str, tuple[CopyTask, list[Lane]]] = {}
    for work in works:
        for task in work.fresh:
            if work.lane is not None:
                wanted.setdefault(task.path, (task, []))[1].append(work.lane)
    for task, lanes in wanted.values():
        pipeline.copy(task, lanes)


def _act(works: Sequence[Work], told: Sequence[tuple[Lane | None, Event]]) -> None:
    for work in works:
        durable: list[CopyTask] = []
        for lane, event in told:
            if lane is None or lane is work.lane:
                durable += work.act(event)
        work.acknowledge(durable)


def _waiting(events: queue.Queue[tuple[Lane | None, Event]]) -> list[tuple[Lane | None, Event]]:
    """What happened meanwhile; waits a little for something to happen."""
    try:
        return [events.get(timeout=EVENT_WAIT_S), *_left(events)]
    except queue.Empty:
        return []


def _left(events: queue.Queue[tuple[Lane | None, Event]]) -> list[tuple[Lane | None, Event]]:
    left = []
    while not events.empty():
        left.append(events.get_nowait())
    return left
