"""One camera as the recorder knows it: its state, its gap, and what its worker reports."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from exam_kit.cctv.rows import Rows
from exam_kit.cctv.status import CameraStatus, RecordingState
from exam_kit.clock import Clock, from_iso
from exam_kit.errors import StoreError

__all__ = ["CameraDesk"]

log = logging.getLogger("exam_kit.cctv")


SET = timedelta(seconds=1)
"""A wall clock that is so far from the recording's time was set."""


class CameraDesk:
    """Turns reports into a status, and time without a recording into a gap. While `wanted_at` is set, either it records
    or, after a short start, a gap is open."""

    def __init__(self, camera: str, rows: Rows, clock: Clock, clean: Callable[[str], str]) -> None:
        self.status = CameraStatus(camera)
        self.wanted_at: datetime | None = None
        self.gap: int | None = None
        self.gap_start: datetime | None = None
        self.settled = True
        """False while it is not known yet up to when an earlier agent recorded: no gap is opened before"""
        self.resumed_at: datetime | None = None
        """when footage began again, while that is not known"""
        self.offset_s: float | None = None
        self.restart_at: float | None = None
        self.closely = False
        """It once sent bytes and no picture: its reads are watched one by one from then on."""
        """monotonic time at which a camera whose worker died is started again"""
        self.password: str | None = None
        self.password_looked_at = 0.0
        self._rows = rows
        self._clock = clock
        self._clean = clean

    def now(self) -> datetime:
        """The time by this camera's line: the wall clock when recording was ordered, carried on by a clock that never
        steps. While nothing is ordered, the wall clock."""
        if self.offset_s is None:
            return self._clock.now()
        return datetime.fromtimestamp(self._clock.boot() + self.offset_s, UTC)

    def begin(self) -> None:
        """It is to be recorded from now on; an earlier agent's line of time goes on."""
        if self.offset_s is None:
            # Never before what is recorded: a clock that was set back since then would make files overlap.
            wall = max(self._clock.now(), self.status.recorded_to or self._clock.now())
            self.offset_s = wall.timestamp() - self._clock.boot()
        self.wanted_at = self.now()
        self.set_state("connecting")

    def mind_start(self, grace_s: float) -> None:
        """A start that takes longer than this is a gap, and it counts from the order."""
        if self.wanted_at is None or self.status.state == "recording" or self.gap is not None or not self.settled:
            return
        if (self.now() - self.wanted_at).total_seconds() > grace_s:
            since = max(self.wanted_at, self.status.recorded_to or self.wanted_at)
            try:
                self.open_gap(since, self.status.fault or "camera_unreachable")
            except StoreError as problem:
                log.error("a gap waits to be written down: %s", problem)

    def end(self) -> None:
        """It is to be recorded no more."""
        self.close_gap(self.now())
        status = self.status
        status.desired = status.fault = status.retry_at = self.offset_s = None
        status.detail, status.asks = "", False
        self.wanted_at = self.restart_at = None
        self.set_state("off")

    def take(self, event: dict[str, Any]) -> None:
        """A report about this camera (`exam_kit.cctv.wire`).

        Raises:
            StoreError: it could not be written down; give it again later.
        """
        status = self.status
        match event["event"]:
            case "opened":
                start = from_iso(event["from"])
                self._rows.segment_opened(status.camera, event["path"], start)
                if event.get("damaged"):
                    log.warning("camera %s: %s begins with a damaged picture", status.camera, event["path"])
                self.close_gap(start)
                if not self.settled and self.resumed_at is None:
                    self.resumed_at = start
                status.fault, status.detail, status.retry_at, status.asks = None, "", None, False
                self.note_recorded(start)
                if self.wanted_at is not None:
                    self.set_state("recording")
            case "closed":
                status.segments += 1
                self.note_recorded(from_iso(event["to"]))
            case "connected":
                status.width, status.height = event["width"], event["height"]
                status.codec, status.sound, status.fps = event["codec"], event["sound"], event["fps"]
            case "progress":
                status.fps, status.bitrate, status.picture = event["fps"], event["bitrate"], event["picture"]
                if event["moving"]:
                    status.motion_at = self._clock.now()
                status.width, status.height = event["width"], event["height"]
                self.note_recorded(from_iso(event["recorded_to"]))
            case "stuck" if self.wanted_at is not None:
                log.warning("camera %s: sends bytes and no picture; its worker is started anew", status.camera)
                self.closely = True
                if self.gap is None and self.settled:
                    self.open_gap(max(status.recorded_to or self.wanted_at, self.wanted_at), "stream_stalled")
            case "fault" if self.wanted_at is not None:
                self._fault(event, self.wanted_at)

    def worker_died(self, code: int, wait_s: float) -> None:
        """The process that recorded it has ended and is started again after `wait_s` seconds."""
        status, wanted_at = self.status, self.wanted_at or self.now()
        if self.gap is None:
            self.open_gap(max(status.recorded_to or wanted_at, wanted_at), "worker_killed", f"exit code {code}")
        self.restart_at = self._clock.monotonic() + wait_s
        if wait_s > 0:
            # It dies again and again: that is a loss like any other, and the screens say so.
            self.set_state("lost")
            status.fault, status.detail = "worker_killed", f"exit code {code}"
            status.retry_at = self._clock.now() + timedelta(seconds=wait_s)
        else:
            self.set_state("connecting")

    def _fault(self, event: dict[str, Any], wanted_at: datetime) -> None:
        status = self.status
        if event["recorded_to"]:
            self.note_recorded(from_iso(event["recorded_to"]))
        cause, detail = event["cause"], self._clean(event["detail"])
        if (status.state, status.fault) != ("lost", cause):
            # A camera that is away is asked every second; the log needs it once.
            log.warning("camera %s: %s (%s)", status.camera, cause, detail)
        stalled = cause == "stream_stalled" or (status.picture == "stalled" and cause == "camera_unreachable")
        self.set_state("lost")
        if stalled:
            status.picture = "stalled"
        status.fault, status.detail = cause, detail
        status.asks = event["retry_s"] is None
        status.retry_at = None if event["retry_s"] is None else self._clock.now() + timedelta(seconds=event["retry_s"])
        if self.gap is None:
            if self.settled:
                self.open_gap(max(status.recorded_to or wanted_at, wanted_at), cause, detail)
        else:
            row = self._rows.open_gaps().get(status.camera)
            # "It ended" says little; what the camera answers afterwards says more.
            if row and row["cause"] == "stream_ended" and cause != "stream_ended":
                self._rows.gap_explained(self.gap, cause, detail)

    def open_gap(self, since: datetime, cause: str, detail: str = "") -> None:
        """From `since` on it should record and does not."""
        self.go_on_with_gap(self._rows.gap_opened(self.status.camera, since, cause, detail), since)

    def go_on_with_gap(self, gap: int, since: datetime) -> None:
        """A gap that is written down lasts."""
        self.gap, self.gap_start = gap, since
        self.show_gap()

    def show_gap(self) -> None:
        """Its beginning as the wall clock reads now: whoever counts how long it lasts counts by that, also after
        somebody set it."""
        since, ahead = self.gap_start, self.now() - self._clock.now()
        self.status.gap_since = since - ahead if since is not None and abs(ahead) > SET else since

    def close_gap(self, end: datetime) -> None:
        """The gap, if there is one, ends."""
        if self.gap is not None:
            self._rows.gap_closed(self.gap, end)
            self.gap = self.gap_start = self.status.gap_since = None

    def note_recorded(self, moment: datetime) -> None:
        """It is recorded up to this moment, or later."""
        had = self.status.recorded_to
        self.status.recorded_to = moment if had is None else max(moment, had)

    def set_state(self, state: RecordingState) -> None:
        status = self.status
        if state != "recording":
            status.picture, status.fps, status.bitrate = "unknown", 0.0, 0.0
        if status.state != state or status.since is None:
            status.state, status.since = state, self._clock.now()
