"""The recorder: keeps what is recorded equal to what is wanted, and every second accounted for.

It lives in the agent's process and does nothing that can hang: cameras are touched only by worker processes, finished
files are hashed by them or by a thread here. `tick` takes in what they report and writes it down; a report that the
database refuses is kept and written later.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from exam_kit.cctv.absence import JUST_RECORDED, missed
from exam_kit.cctv.coverage import rested, subtract
from exam_kit.cctv.crew import CAMERAS_PER_WORKER, Crew
from exam_kit.cctv.desk import CameraDesk
from exam_kit.cctv.intake import Intake
from exam_kit.cctv.names import Label
from exam_kit.cctv.picture_thresholds import SHIPPED
from exam_kit.cctv.process import Events, WorkerProcess, end_orphans
from exam_kit.cctv.recovery import find_for, inspect
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.segments import segments
from exam_kit.cctv.source import Scrubber, Source
from exam_kit.cctv.status import CameraStatus, Desired, camera_statuses
from exam_kit.cctv.wire import CameraOrder, Timings, WorkerConfig
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.errors import AccessDenied, StoreError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.point.plan import camera_windows
from exam_kit.store import Ledger, Store

__all__ = ["Recorder"]

log = logging.getLogger("exam_kit.cctv")

RESERVE_BYTES = 64 << 20
START_GRACE_S = 4.0
"""From the order to the first frame; longer is a gap, and it counts from the order."""
STATE_EVERY_S = 2.0
PASSWORD_EVERY_S = 5.0
END_WAIT_S = 15.0
BY_AGENT = Desired("agent", "agent", "plan")


class Recorder:
    """Records the cameras of a point. One per home, used by one thread."""

    def __init__(
        self,
        point: Point,
        home: Home,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        secrets: Secrets,
        segment_s: float = 60.0,
        *,
        timings: Timings | None = None,
        reserve_bytes: int = RESERVE_BYTES,
        picture: Mapping[str, float] = SHIPPED,
        picture_cameras: Mapping[str, Mapping[str, float]] | None = None,
        cameras_per_worker: int = CAMERAS_PER_WORKER,
    ) -> None:
        """`segment_s`: length of a file, seconds. `reserve_bytes`: space on the disk that recording leaves free, so
        that files can be closed and journals written. `picture`: thresholds of picture health, by name;
        `picture_cameras`: those that are a camera's own. Without `timings`, a camera counts as stalled after the
        threshold `stalled_s`."""
        self._point = point
        self._home = home
        self._store = store
        self._clock = clock
        self._secrets = secrets
        self._picture_cameras = picture_cameras or {}
        self._rows = Rows(store, ledger, point)
        self._scrubber = Scrubber()
        self._events: Events = Events()
        self._held: deque[tuple[WorkerProcess | None, dict[str, Any]]] = deque()
        config = WorkerConfig(
            footage=str(home.footage),
            live=str(home.live),
            run=str(home.run),
            segment_s=segment_s,
            reserve_bytes=reserve_bytes,
            timings=timings or Timings(read_s=picture["stalled_s"]),
            picture=dict(picture),
        )
        self._crew = Crew(config, self._events, self._scrubber.clean, cameras_per_worker)
        self._intake = Intake(home.footage, point, self._events)
        self._cameras = {
            camera.id: CameraDesk(camera.id, self._rows, clock, self._scrubber.clean) for camera in point.cameras
        }
        self._states_at = float("-inf")
        self._states_seen: Sequence[tuple[object, ...]] = ()
        self._closing = False

    # -- what the agent calls ------------------------------------------------------------------------------------

    @property
    def worker_pids(self) -> list[int]:
        """Processes that record."""
        return self._crew.pids

    def recover(self) -> list[str]:
        """Finish what an earlier agent left behind; call once, before anything else. What was done, in sentences.

        Files are closed, hashed and entered; time that was missed becomes gaps with cause "agent_stopped" or
        "machine_off". Files the index does not know are taken in by a thread and entered by later ticks.
        """
        now = self._clock.now()
        before = camera_statuses(self._store)
        end_orphans(self._home)
        said = []
        for row in self._rows.unfinished():
            said.append(self._recover_row(row))
        unknown = self._intake.take_unknown(self._rows.known_paths())
        if unknown:
            said.append(m("Recordings not in the index: {count}. They are being taken in.", count=unknown).text())
        for camera_id, gap in self._rows.open_gaps().items():
            if camera_id not in self._cameras:
                # It left the point: nobody would ever close this gap.
                last = before.get(camera_id)
                self._rows.gap_closed(gap["id"], last.seen_at if last and last.seen_at else now)
        for camera in self._cameras.values():
            said += self._recover_time(camera, before, now)
        self._write_states(force=True)
        return said

    def set_desired(self, desired: Mapping[str, Desired], stopped: Mapping[str, Desired] | None = None) -> None:
        """Record exactly these cameras from now on. `stopped` says on whose order others are stopped.

        Raises:
            UsageError: a camera the point does not have; nothing is changed.
        """
        for camera_id in desired:
            if camera_id not in self._cameras:
                raise UsageError(
                    m("Camera {camera}: this point has no such camera. Check its name in point.toml.", camera=camera_id)
                )
        for camera_id, camera in self._cameras.items():
            wanted, had = desired.get(camera_id), camera.status.desired
            if wanted is None:
                by = (stopped or {}).get(camera_id)
                if had is not None or camera.gap is not None:
                    # An order given while no agent ran ends a gap: that the rest was not wanted must be written too.
                    self._end(camera, by or BY_AGENT, noted=had is not None or by is not None)
            elif camera.wanted_at is None:
                self._begin(camera, wanted)
            elif had != wanted:
                camera.status.desired = wanted
                if camera.status.asks:
                    self.retry(camera_id)

    def retry(self, camera_id: str) -> None:
        """Try a camera again that waits for a person; also after its password was corrected."""
        camera = self._cameras[camera_id]
        if camera.wanted_at is not None:
            camera.status.asks = False
            self._crew.stop(camera_id, "restarted")
            self._send_start(camera)

    def tick(self) -> None:
        """Take in reports, restart what died, write down. Call a few times a second."""
        self._drain()
        self._crew.watch()
        mono = self._clock.monotonic()
        for camera in self._cameras.values():
            if camera.wanted_at is None:
                continue
            if camera.restart_at is not None and mono >= camera.restart_at:
                self._send_start(camera)
            if camera.status.asks and mono - camera.password_looked_at >= PASSWORD_EVERY_S:
                camera.password_looked_at = mono
                if self._password(camera) != camera.password:
                    self.retry(camera.status.camera)
            late_s = (self._clock.now() - camera.wanted_at).total_seconds()
            if camera.status.state != "recording" and camera.gap is None and late_s > START_GRACE_S:
                try:
                    camera.open_gap(camera.wanted_at, camera.status.fault or "camera_unreachable")
                except StoreError as problem:
                    log.error("a gap waits to be written down: %s", problem)
        self._write_states()

    def status(self) -> dict[str, CameraStatus]:
        """Every camera of the point as it is now."""
        return {camera_id: camera.status for camera_id, camera in self._cameras.items()}

    def close(self, reason: str) -> None:
        """Stop everything; all files are closed, hashed and entered on return.

        What was wanted stays noted: after the next start, the time between is a gap.
        """
        self._closing = True
        for camera in self._cameras.values():
            if camera.wanted_at is not None and camera.status.desired is not None:
                self._rows.recording("recording.stopped", camera.status.camera, Desired("agent", "agent", reason))
                camera.set_state("off")
                camera.wanted_at = None
        self._crew.end(reason, END_WAIT_S)
        self._intake.close()
        self._drain()
        for row in self._rows.unfinished():
            self._recover_row(row)
        self._write_states(force=True)

    # -- starting and stopping one camera ------------------------------------------------------------------------

    def _begin(self, camera: CameraDesk, wanted: Desired) -> None:
        status = camera.status
        self._rows.recording("recording.started", status.camera, wanted)
        status.desired = wanted
        camera.wanted_at = self._clock.now()
        camera.set_state("connecting")
        self._send_start(camera)

    def _end(self, camera: CameraDesk, by: Desired, *, noted: bool) -> None:
        status = camera.status
        if noted:
            self._rows.recording("recording.stopped", status.camera, by)
        camera.close_gap(self._clock.now())
        status.desired = status.fault = status.retry_at = None
        status.detail, status.asks = "", False
        camera.wanted_at = camera.restart_at = None
        self._crew.stop(status.camera, "stopped")
        camera.set_state("off")

    def _send_start(self, camera: CameraDesk) -> None:
        camera_id = camera.status.camera
        configured = self._point.camera(camera_id)
        source = Source.of(configured)
        camera.restart_at = None
        camera.password = self._password(camera)
        self._scrubber.learn(camera.password, source.user)
        recorded_to = camera.status.recorded_to
        self._crew.start(
            CameraOrder(
                source=source,
                label=Label(self._point.region, self._point.code, configured.room, camera_id, self._point.timezone),
                password=camera.password,
                not_before=iso(recorded_to) if recorded_to else None,
                reference=str(self._home.references / f"{camera_id}.jpg"),
                picture=dict(self._picture_cameras.get(camera_id, {})),
            )
        )

    def _password(self, camera: CameraDesk) -> str | None:
        """None also when passwords cannot be read now: cameras without one record, the others ask for theirs."""
        try:
            return self._secrets.get(f"camera:{camera.status.camera}")
        except AccessDenied as problem:
            log.error("%s", problem)
            return None

    # -- reports -------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
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
        elif what == "closed":
            self._rows.segment_closed(event)
            if worker is not None:
                worker.files.discard(event["opened_path"])
        if event.get("camera") in self._cameras:
            self._cameras[event["camera"]].take(event)

    def _worker_died(self, worker: WorkerProcess, code: int) -> None:
        cameras, wait_s = self._crew.died(worker)
        if (cameras or code != 0) and not self._closing:
            log.error("recording worker %s ended with %s; its cameras are started again", worker.pid, code)
        ends: dict[str, datetime] = {}
        for row in self._rows.unfinished():
            end = self._leave_to_intake(row) if row["path"] in worker.files else None
            if end is not None:
                ends[row["camera"]] = max(end, ends.get(row["camera"], end))
        for camera_id in sorted(cameras):
            camera = self._cameras[camera_id]
            if camera.wanted_at is None or self._closing:
                continue
            # Where the footage really ends; what was reported last may never have reached the file.
            camera.status.recorded_to = ends.get(camera_id, camera.status.recorded_to)
            since = max(camera.status.recorded_to or camera.wanted_at, camera.wanted_at)
            if camera.gap is None:
                camera.open_gap(since, "worker_killed", f"exit code {code}")
            camera.set_state("connecting")
            camera.restart_at = self._clock.monotonic() + wait_s

    def _leave_to_intake(self, row: dict[str, Any]) -> datetime | None:
        """A file that its writer did not finish: where it ends is read now, hashing is left to the thread.

        None when the file has gone, which is entered.
        """
        path = find_for(self._home.footage, row)
        if path is None:
            self._rows.segment_missing(row)
            return None
        # Read before the thread renames it.
        end = from_iso(row["from_at"]) + timedelta(seconds=inspect(self._home.footage / path).duration_s)
        self._intake.take(row, path)
        return end

    # -- states, and what an earlier agent left ----------------------------------------------------------------

    def _write_states(self, *, force: bool = False) -> None:
        now, mono = self._clock.now(), self._clock.monotonic()
        statuses = [camera.status for camera in self._cameras.values()]
        seen = [(status.state, status.fault, status.picture, status.asks) for status in statuses]
        if not force and seen == self._states_seen and mono - self._states_at < STATE_EVERY_S:
            return
        for status in statuses:
            status.seen_at, status.boot_id = now, self._clock.boot_id()
            status.since = status.since or now
        try:
            self._rows.states(statuses, now)
        except StoreError as problem:
            log.error("the cameras' states could not be written: %s", problem)
            return
        self._states_at, self._states_seen = mono, seen

    def _recover_row(self, row: dict[str, Any]) -> str:
        path = find_for(self._home.footage, row)
        if path is None:
            self._rows.segment_missing(row)
            return m("Recording {path}: its file is gone. Look for it on other media.", path=row["path"]).text()
        event = self._intake.finished(row, path)
        if event is None:
            if not self._closing:
                self._intake.take(row, path)  # tries again
            return m(
                "Recording {path}: cannot be read. It was left as it is; copy it to another medium.", path=path
            ).text()
        self._rows.segment_closed(event)
        return m("Recording {path}: finished after an interruption.", path=event["path"]).text()

    def _recover_time(self, camera: CameraDesk, before: Mapping[str, CameraStatus], now: datetime) -> list[str]:
        """Turn the time since the agent's last sign of life into gaps; go on with a gap that still lasts."""
        camera_id = camera.status.camera
        camera.status.recorded_to = self._rows.last_end(camera_id)
        last = before.get(camera_id)
        if last is None or last.seen_at is None:
            return []
        alive_until = max((status.seen_at for status in before.values() if status.seen_at), default=last.seen_at)
        cause = "agent_stopped" if last.boot_id == self._clock.boot_id() else "machine_off"
        lasting = self._rows.open_gaps().get(camera_id)
        if lasting is not None:
            self._rows.gap_closed(lasting["id"], alive_until)
        whole = [(w.start, w.end) for w in camera_windows(self._point, self._point.camera(camera_id))]
        windows = subtract(whole, rested(self._store, camera_id, whole))
        since = alive_until - JUST_RECORDED
        recorded = [(s.start, s.end) for s in segments(self._store, camera_id, start=since) if s.end and s.frames]
        found = missed(
            wanted=last.desired is not None,
            alive_until=alive_until,
            recorded_to=camera.status.recorded_to if lasting is None else None,
            windows=windows,
            recorded=recorded,
            now=now,
        )
        said = []
        for gap in found:
            number = self._rows.gap_opened(camera_id, gap.start, cause, "")
            if gap.end is None:
                camera.gap, camera.status.gap_since = number, gap.start
            else:
                self._rows.gap_closed(number, gap.end)
            since = gap.start.astimezone(self._point.tz)
            said.append(m("Camera {camera}: not recorded from {since:%H:%M:%S}.", camera=camera_id, since=since).text())
        return said
