"""Recordings put aside as they come past on their way to the drives, for a destination that keeps its own pace.

A slow line must not hold the drives back, and a recording that the drives are given need not be read twice: what there
is room for is taken along, the rest the slow one reads by itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from exam_kit.archive.sink import CopyTask

__all__ = ["Aside"]

WAIT_S = 0.1
IDLE_WAITS = 10
"""So often nothing came past: the slow one reads for itself."""


class Aside:
    """Between one reader (`begin`, `take`, `end`, at last `close`) and one taker (`want`, `coming`, `data_of`)."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted: dict[str, CopyTask] = {}
        self._fits: Callable[[CopyTask], bool] = lambda _task: False
        self._room = 0
        self._open: CopyTask | None = None
        self._filling = bytearray()
        self._held: dict[str, bytearray] = {}
        self._ready: deque[CopyTask] = deque()
        self._closed = False

    def want(self, tasks: Sequence[CopyTask], fits: Callable[[CopyTask], bool], room_bytes: int) -> None:
        """These are still to be had; those that `fits` allows may be put aside, up to `room_bytes` together."""
        with self._changed:
            self._wanted = {task.path: task for task in tasks}
            self._fits, self._room = fits, room_bytes

    def begin(self, task: CopyTask) -> bool:
        """A file comes past; whether it is to be put aside."""
        with self._changed:
            if self._wanted.get(task.path) != task or not self._fits(task) or task.bytes > self._room:
                return False
            self._room -= task.bytes
            self._open, self._filling = self._wanted.pop(task.path), bytearray()
            return True

    def take(self, data: memoryview) -> None:
        self._filling += data

    def end(self) -> None:
        """The file has passed; when it did not pass whole, it is to be read again."""
        with self._changed:
            assert self._open is not None
            task, self._open = self._open, None
            if len(self._filling) == task.bytes:
                self._held[task.path] = self._filling
                self._ready.append(task)
            else:
                self._room += task.bytes
                self._wanted[task.path] = task
            self._filling = bytearray()
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing comes past any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        with self._changed:
            self._wanted, self._held, self._fits = {}, {}, lambda _task: False
            self._ready.clear()
            self._changed.notify_all()

    def coming(self) -> Iterator[CopyTask | None]:
        """Each wanted file once: those put aside as they come, the others when nothing comes; None every now and then
        while there is nothing to do."""
        idle = 0
        while True:
            with self._changed:
                if self._ready:
                    task: CopyTask | None = self._ready.popleft()
                elif self._wanted and (self._closed or idle >= IDLE_WAITS):
                    task = self._wanted.pop(next(iter(self._wanted)))
                elif not self._wanted and self._open is None:
                    return
                else:
                    self._changed.wait(WAIT_S)
                    task = None
            idle = idle + 1 if task is None else 0
            yield task

    def data_of(self, task: CopyTask) -> bytes | None:
        """What was put aside of this file, once; its room is free again."""
        with self._changed:
            held = self._held.pop(task.path, None)
            if held is None:
                return None
            self._room += task.bytes
        return bytes(held)
