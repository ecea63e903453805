"""What workers and the intake report, written down in the order it came; what the database refuses waits."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exam_kit.cctv.aftermath import Aftermath
from exam_kit.cctv.crew import Crew
from exam_kit.cctv.desk import CameraDesk
from exam_kit.cctv.intake import Intake
from exam_kit.cctv.process import Events, WorkerProcess
from exam_kit.cctv.recovery import find_for, reaches
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.source import Scrubber
from exam_kit.clock import Clock, from_iso
from exam_kit.errors import StoreError

__all__ = ["Reports"]

log = logging.getLogger("exam_kit.cctv")


class Reports:
    """Takes events and hands them to whom they concern."""

    def __init__(
        self,
        events: Events,
        rows: Rows,
        cameras: Mapping[str, CameraDesk],
        crew: Crew,
        intake: Intake,
        aftermath: Aftermath,
        scrubber: Scrubber,
        clock: Clock,
    ) -> None:
        self._events = events
        self._rows = rows
        self._cameras = cameras
        self._crew = crew
        self._intake = intake
        self._aftermath = aftermath
        self._scrubber = scrubber
        self._clock = clock
        self._held: deque[tuple[WorkerProcess | None, dict[str, Any]]] = deque()
        self.closing = False
        """nobody who ends now is started again"""

    def drain(self) -> None:
        """Take what has come."""
        while not self._events.empty():
            self._held.append(self._events.get())
        while self._held:
            worker, event = self._held[0]
            try:
                self._take(worker, event)
            except StoreError as problem:
                # Nothing is lost: the same report is taken again at the next tick.
                log.error("a report of the recorder waits: %s", problem)
                return
            except Exception:
                # One report that makes no sense must not hold up every later one; recovery finds its file.
                log.exception("a report of the recorder is left out: %s", self._scrubber.clean(str(event)))
            self._held.popleft()

    def _take(self, worker: WorkerProcess | None, event: dict[str, Any]) -> None:
        what = event["event"]
        if worker is not None:
            worker.heard(event)
        if what == "exit" and worker is not None:
            self._worker_died(worker, event["code"])
        elif what == "failed":
            log.error("a recording worker failed: %s", self._scrubber.clean(event["detail"]))
        elif what == "unfinished":
            log.error("%s: could not be finished: %s", event["opened_path"], self._scrubber.clean(event["detail"]))
            for row in self._rows.unfinished(event["camera"]):
                if row["path"] == event["opened_path"]:
                    self._leave_to_intake(row)
        elif what == "looked":
            for said in self._aftermath.looked(event):
                log.warning("%s", said)
        elif what == "closed":
            self._rows.segment_closed(event)
            if worker is not None:
                worker.files.discard(event["opened_path"])
        if event.get("camera") in self._cameras:
            self._cameras[event["camera"]].take(event)

    def _worker_died(self, worker: WorkerProcess, code: int) -> None:
        waits = self._crew.died(worker)
        if (waits or code != 0) and not self.closing:
            log.error("recording worker %s ended with %s; its cameras are started again", worker.pid, code)
        ends: dict[str, datetime] = {}
        for row in self._rows.unfinished():
            end = self._leave_to_intake(row) if row["path"] in worker.files else None
            if end is not None:
                ends[row["camera"]] = max(end, ends.get(row["camera"], end))
        for camera_id, wait_s in sorted(waits.items()):
            camera = self._cameras[camera_id]
            if camera.wanted_at is None or self.closing:
                continue
            if not camera.settled:
                self._aftermath.settle(camera)
            # Where the footage really ends; what was reported last may never have reached the file.
            camera.status.recorded_to = ends.get(camera_id, camera.status.recorded_to)
            camera.worker_died(code, wait_s)

    def _leave_to_intake(self, row: dict[str, Any]) -> datetime | None:
        """A file that its writer did not finish: where it ends is read now, hashing is left to the thread.

        None when the file has gone, which is entered.
        """
        path = find_for(self._intake.footage, row)
        if path is None:
            self._rows.segment_missing(row)
            return None
        # Read before the thread renames it.
        end = reaches(self._intake.footage / path, row)
        self._intake.take(row, path)
        return from_iso(end)
