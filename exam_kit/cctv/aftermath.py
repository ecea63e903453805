"""What an earlier agent left behind: files nobody finished, time nobody recorded.

Recording does not wait for any of it. How far the unfinished files reach is read by the intake's thread, which also
hashes them afterwards; once it is known for a camera, the time it missed becomes gaps, closed at once when it records
again by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exam_kit.cctv.absence import JUST_RECORDED, missed
from exam_kit.cctv.coverage import Interval, rested, subtract
from exam_kit.cctv.desk import CameraDesk
from exam_kit.cctv.intake import Intake
from exam_kit.cctv.recovery import find_for, reaches
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.segments import segments
from exam_kit.cctv.status import CameraStatus, camera_statuses
from exam_kit.clock import Clock, from_iso
from exam_kit.errors import m
from exam_kit.point import Point
from exam_kit.point.plan import camera_windows
from exam_kit.store import Store

__all__ = ["Aftermath"]

UNREPORTED = timedelta(seconds=5)
"""Footage may reach so much further than what was last reported of it."""


class Aftermath:
    """Takes up where an earlier agent ended, camera by camera."""

    def __init__(
        self, point: Point, store: Store, rows: Rows, intake: Intake, clock: Clock, cameras: Mapping[str, CameraDesk]
    ) -> None:
        self._point = point
        self._store = store
        self._rows = rows
        self._intake = intake
        self._clock = clock
        self._cameras = cameras
        self._before: dict[str, CameraStatus] = {}
        self._unread: dict[str, dict[str, tuple[dict[str, Any], str]]] = {}
        """per camera: unfinished rows by their path, with where the file is now"""
        self._ends: dict[str, list[Interval]] = {}
        self._lasting: dict[str, dict[str, Any]] = {}

    def begin(self, footage: Path) -> list[str]:
        """Look at what is there, without reading a file; what was found, in sentences."""
        self._before = camera_statuses(self._store)
        self._lasting = self._rows.open_gaps()
        said, found = [], set[str]()
        for row in self._rows.unfinished():
            path = find_for(footage, row)
            if path is None:
                self._rows.segment_missing(row)
                said.append(
                    m("Recording {path}: its file is gone. Look for it on other media.", path=row["path"]).text()
                )
                continue
            found.add(path)
            self._unread.setdefault(row["camera"], {})[row["path"]] = (row, path)
            self._intake.look(row, path)
        if found:
            said.append(m("Recordings left unfinished: {count}. They are being finished.", count=len(found)).text())
        unknown = self._intake.take_unknown(self._rows.known_paths() | found)
        if unknown:
            said.append(m("Recordings not in the index: {count}. They are being taken in.", count=unknown).text())
        for camera_id, gap in self._lasting.items():
            if camera_id not in self._cameras:
                # It left the point: nobody would ever close this gap.
                last = self._before.get(camera_id)
                self._rows.gap_closed(gap["id"], last.seen_at if last and last.seen_at else self._clock.now())
        for camera in self._cameras.values():
            self._take_up(camera)
            if camera.status.camera not in self._unread:
                said += self._settle(camera)
        return said

    def _take_up(self, camera: CameraDesk) -> None:
        """Its line of time, and until when it is recorded at the latest."""
        camera.settled = False
        last, known = self._before.get(camera.status.camera), self._rows.last_end(camera.status.camera)
        if last is not None and last.desired is not None and last.boot_id == self._clock.boot_id():
            camera.offset_s = last.offset_s
        if last is not None and last.recorded_to is not None and camera.status.camera in self._unread:
            # Not later than now, so that new footage is not dated late; unless the clock was set back.
            reported, now = last.recorded_to, camera.now()
            floor = reported + UNREPORTED if now < reported else min(now, reported + UNREPORTED)
            known = max(floor, known or floor)
        camera.status.recorded_to = known

    def looked(self, event: dict[str, Any]) -> list[str]:
        """The intake has read how far an unfinished file reaches; hashing it is left to the intake, too."""
        camera_id, opened = event["camera"], event["opened_path"]
        row, path = self._unread.get(camera_id, {}).pop(opened, (None, ""))
        if row is None:
            return []  # settled meanwhile
        self._ends.setdefault(camera_id, []).append((from_iso(row["from_at"]), from_iso(event["to"])))
        self._intake.take(row, path)
        if self._unread[camera_id]:
            return []
        del self._unread[camera_id]
        return self._settle(self._cameras[camera_id]) if camera_id in self._cameras else []

    def settle(self, camera: CameraDesk) -> None:
        """Do it now: whoever asks cannot wait for the thread."""
        camera_id = camera.status.camera
        for opened, (row, _path) in list(self._unread.get(camera_id, {}).items()):
            path = find_for(self._intake.footage, row)
            end = reaches(self._intake.footage / path, row) if path else row["from_at"]
            self.looked({"camera": camera_id, "opened_path": opened, "to": end})

    def finish(self) -> None:
        """At the end: leave to the intake what workers did not finish."""
        for row in self._rows.unfinished():
            path = find_for(self._intake.footage, row)
            if path is None:
                self._rows.segment_missing(row)
            else:
                self._intake.take(row, path)

    def _settle(self, camera: CameraDesk) -> list[str]:
        """Turn the time since the agent's last sign of life into gaps; go on with a gap that still lasts."""
        camera_id = camera.status.camera
        camera.settled = True
        last, lasting = self._before.get(camera_id), self._lasting.get(camera_id)
        ends = self._ends.pop(camera_id, [])
        recorded_to = max([end for _start, end in ends], default=self._rows.last_end(camera_id))
        if camera.resumed_at is None:
            camera.status.recorded_to = recorded_to
        if last is None or last.seen_at is None:
            return []
        same_boot = last.boot_id == self._clock.boot_id()
        alive_until = max((s.seen_at for s in self._before.values() if s.seen_at), default=last.seen_at)
        if same_boot and camera.offset_s is not None:
            boot_s = max(s.boot_s for s in self._before.values())
            alive_until = datetime.fromtimestamp(boot_s + camera.offset_s, UTC)
        if lasting is not None:
            self._rows.gap_closed(lasting["id"], alive_until)
        whole = [(w.start, w.end) for w in camera_windows(self._point, self._point.camera(camera_id))]
        since = alive_until - JUST_RECORDED
        pieces = segments(self._store, camera_id, start=since)
        found = missed(
            wanted=last.desired is not None,
            alive_until=alive_until,
            recorded_to=recorded_to if lasting is None else None,
            windows=subtract(whole, rested(self._store, camera_id, whole)),
            recorded=[*ends, *((piece.start, piece.end) for piece in pieces if piece.end and piece.frames)],
            now=camera.resumed_at or camera.now(),
        )
        said = []
        for gap in found:
            cause = "agent_stopped" if same_boot else "machine_off"
            number, end = self._rows.gap_opened(camera_id, gap.start, cause, ""), gap.end or camera.resumed_at
            if end is None:
                camera.go_on_with_gap(number, gap.start)
            else:
                self._rows.gap_closed(number, end)
            at = gap.start.astimezone(self._point.tz)
            said.append(m("Camera {camera}: not recorded from {since:%H:%M:%S}.", camera=camera_id, since=at).text())
        return said
