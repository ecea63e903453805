"""A thread that takes in files nobody closed, one after another, so that hashing holds up nothing."""

from __future__ import annotations

import logging
import queue
import threading
from pathlib import Path
from typing import Any, Literal

from exam_kit.cctv.process import Events
from exam_kit.cctv.recovery import reaches, take_in, unknown_files
from exam_kit.point import Point

__all__ = ["Intake"]

log = logging.getLogger("exam_kit.cctv")

AGAIN_S = 10.0
"""After so long without other work, files that could not be finished are tried once more."""


Job = tuple[Literal["look", "take"], dict[str, Any] | None, str]


class Intake:
    """Reports every file it has taken in as a "closed" event, and how far one reaches as a "looked" event."""

    def __init__(self, footage: Path, point: Point, events: Events) -> None:
        self.footage = footage
        self._point = point
        self._events = events
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._again: list[Job] = []
        self._taken: set[str] = set()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()

    def take(self, row: dict[str, Any] | None, path: str) -> None:
        """Take in the file at `path` soon; `row` is its unfinished row. Told twice, it is done once."""
        if row is not None:
            if row["path"] in self._taken:
                return
            self._taken.add(row["path"])
        self._jobs.put(("take", row, path))

    def look(self, row: dict[str, Any], path: str) -> None:
        """Read soon how far the file of an unfinished row reaches. Asked before anything is taken in, it comes first:
        hashing may last, and gaps should not wait for it."""
        self._jobs.put(("look", row, path))

    def take_unknown(self, known: set[str]) -> int:
        """Take in every recorded file that is not among `known`; how many."""
        paths = unknown_files(self.footage, known)
        for path in paths:
            self.take(None, path)
        return len(paths)

    def finished(self, row: dict[str, Any] | None, path: str) -> dict[str, Any] | None:
        """Take in one file at once; None when that cannot be done, which is logged, and the file left as it is."""
        try:
            return take_in(self.footage, self._point, row, path)
        except OSError as problem:
            log.error("%s: cannot be taken in: %s", path, problem.strerror)
        except LookupError:
            log.error("%s: neither the file nor its name says which camera recorded it and when", path)
        return None

    def close(self) -> None:
        """Finish the file at hand and the ones of known rows; what is left is found again at the next start."""
        self._leave.set()
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            what, row, path = job
            if self._leave.is_set() and (row is None or what == "look"):
                continue
            if what == "look" and row is not None:
                self._events.put((None, {"event": "looked", "camera": row["camera"], "opened_path": row["path"],
                                         "to": reaches(self.footage / path, row)}))  # fmt: skip
                continue
            event = self.finished(row, path)
            if event is not None:
                self._events.put((None, event))
            elif row is not None and not self._leave.is_set():
                # The medium refused, or another program holds the file: without another try it would be missing from
                # every archive until the agent is started anew.
                self._again.append(job)

    def _next(self) -> Job | None:
        """The next job; those that failed come again after a while."""
        while True:
            try:
                return self._jobs.get(timeout=AGAIN_S if self._again else None)
            except queue.Empty:
                again, self._again = self._again, []
                for job in again:
                    self._jobs.put(job)
