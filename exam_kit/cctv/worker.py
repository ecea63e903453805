"""The process that records: ``python -m exam_kit.cctv.worker``, up to eight cameras, one thread each.

It is told everything on stdin (`exam_kit.cctv.wire`), passwords too, so that they stand in no process list and no
environment. When stdin ends, the agent is gone: segments are closed properly and the process ends.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import av.logging
import psutil

from exam_kit.cctv.camera_loop import CameraLoop, Shared
from exam_kit.cctv.disk import Disk
from exam_kit.cctv.outbox import Outbox
from exam_kit.cctv.sealer import Sealer
from exam_kit.cctv.source import Scrubber
from exam_kit.cctv.wire import CameraOrder, WorkerConfig

__all__ = ["main"]

ALIVE_S = 1.0
EXIT_PROGRAM_FAULT = 70
EXIT_STUCK = 71
"""A connection on which nothing comes is given up by FFmpeg; from one that brings bytes and no picture nothing but the
end of the process gets a thread out."""
TELL_S = 60.0
"""For the last reports, when everything is closed; an agent that does not read for so long recovers the files later."""
LAST_WORD_S = 2.0


class Worker:
    """Starts and stops camera threads as told."""

    def __init__(self, config: WorkerConfig, output: IO[str]) -> None:
        self._outbox = Outbox(output)
        self._scrubber = Scrubber()
        self._sealer = Sealer(Disk(Path(config.footage)))
        self._shared = Shared(config, self._sealer, self._scrubber, self.emit)
        self._cameras: dict[str, CameraLoop] = {}
        self._ending: list[CameraLoop] = []
        self._ended = threading.Event()

    def emit(self, event: dict[str, Any]) -> None:
        """Have the agent told; never waits."""
        self._outbox.put(event)

    def run(self, commands: IO[str]) -> None:
        """Follow commands until "quit" or the end of the input."""
        threading.Thread(target=self._beat, name="alive", daemon=True).start()
        self.emit({"event": "ready", "pid": os.getpid()})
        reason = "agent_stopped"
        for line in commands:
            command = json.loads(line)
            if command["do"] == "quit":
                reason = command["reason"]
                break
            self._follow(command)
        self.close(reason)

    def _follow(self, command: dict[str, Any]) -> None:
        if command["do"] == "start":
            order = CameraOrder.from_json(command["camera"])
            self._stop(order.source.camera, "restarted")
            for ending in [loop for loop in self._ending if loop.camera == order.source.camera]:
                ending.join()  # one writer per camera
            self._ending = [loop for loop in self._ending if loop.is_alive()]
            loop = self._cameras[order.source.camera] = CameraLoop(order, self._shared)
            loop.start()
        elif command["do"] == "stop":
            self._stop(command["camera"], command["reason"])

    def _stop(self, camera: str, reason: str) -> None:
        loop = self._cameras.pop(camera, None)
        if loop is not None:
            loop.stop(reason)
            self._ending.append(loop)

    def close(self, reason: str) -> None:
        """Close every segment for this reason; returns when all are hashed and have their names."""
        self._ended.set()
        for loop in self._cameras.values():
            loop.stop(reason)
        for loop in [*self._cameras.values(), *self._ending]:
            loop.join()
        self._sealer.close()
        self._outbox.close(TELL_S)

    def crash(self, kind: type[BaseException], problem: BaseException | None, trace: TracebackType | None) -> None:
        """A fault of the program ends the process at once: the agent starts a fresh one and recovers the files."""
        text = "".join(traceback.format_exception(kind, problem, trace))
        self.emit({"event": "failed", "detail": self._scrubber.clean(text)})
        self._outbox.close(LAST_WORD_S)
        os._exit(EXIT_PROGRAM_FAULT)

    def _beat(self) -> None:
        silent: dict[CameraLoop, tuple[int, int]] = {}
        while not self._ended.wait(ALIVE_S):
            self.emit({"event": "alive"})
            before, silent = silent, {}
            for loop in list(self._cameras.values()):
                heard = loop.heard
                if heard is None:
                    continue
                had, beats = before.get(loop, (-1, 0))
                silent[loop] = (heard, beats + 1 if had == heard else 0)
                if silent[loop][1] * ALIVE_S >= self._shared.config.timings.stuck_s:
                    self._leave_stuck(loop.camera)

    def _leave_stuck(self, camera: str) -> None:
        """The others' files are whole to the last fragment; the agent has them recorded again and watches this one."""
        self.emit({"event": "stuck", "camera": camera})
        self._outbox.close(LAST_WORD_S)
        os._exit(EXIT_STUCK)


def main() -> int:
    """Entry of the process."""
    av.logging.set_level(None)
    _spare_collector()
    # The terminal's Ctrl-C is for the agent, which then closes the workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    commands = sys.stdin
    first = commands.readline()
    if not first:
        return 0
    config = WorkerConfig.from_json(json.loads(first))
    mark = Path(config.run) / f"cctv-worker-{os.getpid()}.json"
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps({"pid": os.getpid(), "created": psutil.Process().create_time()}), encoding="utf-8")
    worker = Worker(config, sys.stdout)
    threading.excepthook = lambda hook: worker.crash(hook.exc_type, hook.exc_value, hook.exc_traceback)
    sys.excepthook = worker.crash
    # A service manager's SIGTERM is answered as the end of stdin is.
    signal.signal(signal.SIGTERM, _end_of_service)
    try:
        worker.run(commands)
    except _EndOfService:
        worker.close("agent_stopped")
    mark.unlink(missing_ok=True)
    return 0


def _spare_collector() -> None:
    """What is loaded now stays: looking through all of it for every few hundred packets took most of the CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


class _EndOfService(Exception):
    """SIGTERM."""


def _end_of_service(_signal: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _EndOfService


if __name__ == "__main__":
    sys.exit(main())
