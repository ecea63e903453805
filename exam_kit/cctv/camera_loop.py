"""One camera's thread inside a worker: connect, write segments, and after every fault try again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import av.error

from exam_kit.cctv.connection import Connection, StreamChanged
from exam_kit.cctv.opening import read_lightly
from exam_kit.cctv.reach import reach
from exam_kit.cctv.sealer import Sealer
from exam_kit.cctv.source import Scrubber, SourceFault
from exam_kit.cctv.tape import Tape
from exam_kit.cctv.wire import CameraOrder, WorkerConfig
from exam_kit.cctv.writer import DiskRefused

__all__ = ["CameraLoop", "Shared"]

Emit = Callable[[dict[str, Any]], None]

_OPENING = {
    "refused": "camera_refused",
    "unauthorised": "sign_in_refused",
    "timeout": "camera_unreachable",
    "no_video": "no_video",
    # Hung up on before anything came: that is a refusal too.
    "ended": "camera_refused",
    "unreadable": "stream_unreadable",
}
_READING = {**_OPENING, "timeout": "stream_stalled", "refused": "stream_ended", "ended": "stream_ended"}


@dataclass(frozen=True)
class Shared:
    """What the cameras of one worker have in common."""

    config: WorkerConfig
    sealer: Sealer
    scrubber: Scrubber
    emit: Emit


class _LowSpace(Exception):
    """Less space is left than is kept for closing files and for the journals."""


class CameraLoop(threading.Thread):
    """Records until told to stop."""

    def __init__(self, order: CameraOrder, shared: Shared) -> None:
        super().__init__(name=f"camera {order.source.camera}", daemon=True)
        self._order = order
        self._shared = shared
        self._stop_asked = threading.Event()
        self._reason = "stopped"
        self._tries = 0
        self._refusals = 0
        self._away = False
        """nobody was at its address at the last look"""
        self._connection: Connection | None = None
        own = replace(shared.config, picture={**shared.config.picture, **order.picture})
        self._tape = Tape(order, own, shared.sealer, shared.emit)

    @property
    def camera(self) -> str:
        return self._order.source.camera

    @property
    def heard(self) -> int | None:
        """Packets so far of an open connection that only FFmpeg watches; None when there is no such one."""
        connection = self._connection
        if connection is None or self._order.closely or not read_lightly(self._order.source):
            return None
        return connection.packets

    def stop(self, reason: str) -> None:
        """Ask the thread to close its segment for this reason and end."""
        self._reason = reason
        self._stop_asked.set()

    def run(self) -> None:
        shared, camera = self._shared, self._order.source.camera
        shared.scrubber.learn(self._order.password, self._order.source.user)
        self._stop_asked.wait(self._order.delay_s)
        while not self._stop_asked.is_set():
            cause, detail = self._attempt()
            if cause is None:
                break
            wait_s = self._wait_after(cause)
            recorded_to = self._tape.recorded_to
            shared.emit(
                {
                    "event": "fault",
                    "camera": camera,
                    "cause": cause,
                    "detail": shared.scrubber.clean(detail),
                    "retry_s": wait_s,
                    "recorded_to": recorded_to,
                }
            )
            self._stop_asked.wait(wait_s)
        shared.emit({"event": "stopped", "camera": camera})

    def _attempt(self) -> tuple[str | None, str]:
        """Connect and record until something ends it: (cause, detail), or (None, "") when asked to stop."""
        camera, causes = self._order.source.camera, _OPENING
        frames = self._tape.frames
        cause: str | None = None
        detail = ""
        if self._away:
            missing = self._who_is_there("camera_unreachable")
            if self._away:
                return missing, "nobody is at its address"
        try:
            self._mind_space()
            self._shared.sealer.disk.mind(camera)
            self._shared.emit({"event": "connecting", "camera": camera})
            with Connection(self._order, self._shared.config, self._stop_asked, self._shared.scrubber) as connection:
                causes = _READING
                self._connection = connection
                self._shared.emit({"event": "connected", "camera": camera, **connection.facts()})
                self._tape.record(connection, self._mind_space)
        except SourceFault as fault:
            cause, detail = self._who_is_there(causes[fault.cause]), fault.detail
        except StreamChanged:
            cause, detail = "stream_changed", "the camera changed its picture"
        except _LowSpace as problem:
            cause, detail = "disk_full", str(problem)
        except TimeoutError as problem:
            cause, detail = "disk_failed", problem.strerror or ""
        except DiskRefused as problem:
            cause, detail = ("disk_full" if problem.full else "disk_failed"), str(problem)
        except av.error.FFmpegError as problem:
            cause, detail = "stream_unreadable", problem.strerror or type(problem).__name__
        finally:
            self._connection = None
            self._tape.end(cause or self._reason)
        if self._tape.frames > frames:
            self._tries = self._refusals = 0
        return cause, detail

    def _who_is_there(self, cause: str) -> str:
        """The cause of silence, told more exactly: does the camera hang, or is nobody there?"""
        if cause not in ("stream_stalled", "camera_unreachable", "camera_refused"):
            self._away = False
            return cause
        found = reach(self._order.source.url)
        self._away = found in ("silent", "refuses")
        return {"silent": "camera_unreachable", "refuses": "camera_refused"}.get(found or "", cause)

    def _mind_space(self) -> None:
        """Stop while a clean close is still possible."""
        free = self._shared.sealer.disk.free
        if isinstance(free, OSError):
            raise DiskRefused(free)
        if free < self._shared.config.reserve_bytes:
            raise _LowSpace(f"{free} bytes free, {self._shared.config.reserve_bytes} are kept")

    def _wait_after(self, cause: str) -> float | None:
        """Seconds to wait before the next try; None: only a person can help."""
        timings = self._shared.config.timings
        if cause == "stream_changed":
            return 0.0
        if cause in ("disk_full", "disk_failed"):
            return timings.disk_wait_s
        if cause == "sign_in_refused":
            self._refusals += 1
            return timings.sign_in_wait_s if self._refusals < timings.sign_in_tries else None
        if self._away or cause in ("camera_unreachable", "stream_stalled"):
            # Asking whether somebody is there costs nothing; and who hangs was waited for long enough already.
            return timings.away_s
        table = timings.retry_s
        wait_s = table[min(self._tries, len(table) - 1)]
        self._tries += 1
        return wait_s * random.uniform(1 - timings.retry_jitter, 1 + timings.retry_jitter)  # noqa: S311 - no secret
