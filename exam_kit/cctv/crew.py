"""The recording workers: which camera is with whom, who has died, who has fallen silent."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from exam_kit.cctv.process import Events, WorkerProcess
from exam_kit.cctv.wire import CameraOrder, WorkerConfig

__all__ = ["Crew"]

log = logging.getLogger("exam_kit.cctv")

CAMERAS_PER_WORKER = 8
SILENT_S = 10.0
COUNTED_AT_ONCE_S = 1.0
"""A pause of the whole machine counts as no more than this: after it, everybody was silent, and nobody is at fault."""
SHORT_LIFE_S = 10.0
"""Who dies younger is waited for before it is started again, each time longer."""
SETTLED_S = 60.0
"""Who lives so long carries no camera that kills it."""
WAITS_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Crew:
    """Starts workers when cameras need them and ends those without cameras."""

    def __init__(
        self,
        config: WorkerConfig,
        events: Events,
        clean: Callable[[str], str],
        cameras_per_worker: int = CAMERAS_PER_WORKER,
    ) -> None:
        self._config = config
        self._events = events
        self._clean = clean
        self._places = cameras_per_worker
        self._workers: dict[WorkerProcess, float] = {}
        self._free_from = 0.0
        self._watched_at: float | None = None
        self._deaths: dict[str, int] = {}
        """of every camera: how many workers in a row died with it"""

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    def start(self, order: CameraOrder) -> None:
        """Have a camera recorded; cameras begin a little apart, so that a switch with many of them is not flooded."""
        now = time.monotonic()
        begins = max(now, self._free_from)
        self._free_from = begins + self._config.timings.between_starts_s
        worker = self._with_place(order.source.camera)
        worker.cameras.add(order.source.camera)
        worker.send({"do": "start", "camera": replace(order, delay_s=begins - now).to_json()})

    def stop(self, camera: str, reason: str) -> None:
        """Have a camera recorded no more; a worker left without cameras ends."""
        for worker in self._workers:
            if camera in worker.cameras:
                worker.cameras.discard(camera)
                worker.send({"do": "stop", "camera": camera, "reason": reason})
                if not worker.cameras:
                    worker.quit(reason)

    def died(self, worker: WorkerProcess) -> dict[str, float]:
        """Take a worker off the list: its cameras, and how long to wait before starting each again, seconds.

        One camera's stream may be what kills a worker. Its cameras are therefore shared out among smaller and smaller
        workers, until the one that does it is alone and harms no other.
        """
        lived_s = time.monotonic() - self._workers.pop(worker, time.monotonic())
        waits = {}
        for camera in worker.cameras:
            deaths = self._deaths[camera] = 1 if lived_s >= SETTLED_S else self._deaths.get(camera, 0) + 1
            waits[camera] = WAITS_S[min(deaths - 1, len(WAITS_S) - 1)] if lived_s < SHORT_LIFE_S else 0.0
        return waits

    def watch(self) -> None:
        """Kill workers that have said nothing for long although the machine ran."""
        now = time.monotonic()
        passed = min(now - self._watched_at, COUNTED_AT_ONCE_S) if self._watched_at is not None else 0.0
        self._watched_at = now
        for worker in self._workers:
            worker.silent_s += passed
            if worker.silent_s > SILENT_S:
                log.error("worker %s has been silent for %.0f s and is killed", worker.pid, worker.silent_s)
                worker.silent_s = 0.0
                worker.kill()

    def end(self, reason: str, wait_s: float) -> None:
        """Have every worker close its files and end; whoever does not in time is killed."""
        for worker in self._workers:
            worker.quit(reason)
        deadline = time.monotonic() + wait_s
        for worker in self._workers:
            if worker.wait(max(0.1, deadline - time.monotonic())) is None:
                log.error("worker %s did not end in time and is killed", worker.pid)
                worker.kill()
                worker.wait(5.0)

    def _with_place(self, camera: str) -> WorkerProcess:
        deaths = self._deaths.get(camera, 0)
        places = max(1, self._places >> max(0, deaths - 1))
        for worker in self._workers:
            # One without cameras has been asked to end.
            if 0 < len(worker.cameras) < places and all(self._deaths.get(c, 0) == deaths for c in worker.cameras):
                return worker
        made = WorkerProcess(self._config, self._events, self._clean)
        self._workers[made] = time.monotonic()
        return made
