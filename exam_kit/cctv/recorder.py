"""The recorder: keeps what is recorded equal to what is wanted, and every second accounted for.

It lives in the agent's process and does nothing that can hang: cameras are touched only by worker processes, finished
files are hashed by them or by a thread here. `tick` takes in what they report (`exam_kit.cctv.reports`); what an
earlier agent left behind is taken up beside the recording (`exam_kit.cctv.aftermath`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from exam_kit.cctv.aftermath import Aftermath
from exam_kit.cctv.crew import CAMERAS_PER_WORKER, Crew
from exam_kit.cctv.desk import CameraDesk
from exam_kit.cctv.intake import Intake
from exam_kit.cctv.names import Label
from exam_kit.cctv.picture_thresholds import SHIPPED
from exam_kit.cctv.process import Events, end_orphans
from exam_kit.cctv.reports import Reports
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.source import Scrubber, Source
from exam_kit.cctv.status import CameraStatus, Desired
from exam_kit.cctv.wire import CameraOrder, Timings, WorkerConfig
from exam_kit.clock import Clock, iso
from exam_kit.errors import AccessDenied, StoreError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Ledger, Store

__all__ = ["Recorder"]

log = logging.getLogger("exam_kit.cctv")

RESERVE_BYTES = 64 << 20
START_GRACE_S = 4.0
"""From the order to the first frame; longer is a gap, and it counts from the order."""
STATE_EVERY_S = 2.0
PASSWORD_EVERY_S = 5.0
END_WAIT_S = 15.0
ORPHANS_WAIT_S = 3.0
"""For workers of an agent that died to close their files. They stop writing at once; one that still waits for a camera
to answer, or hashes, must not keep the others from being recorded. What it leaves is recovered."""
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
        config = WorkerConfig(
            footage=str(home.footage),
            live=str(home.live),
            run=str(home.run),
            segment_s=segment_s,
            reserve_bytes=reserve_bytes,
            timings=timings or Timings.for_cameras(len(point.cameras), read_s=picture["stalled_s"]),
            picture=dict(picture),
        )
        self._crew = Crew(config, self._events, self._scrubber.clean, cameras_per_worker)
        self._intake = Intake(home.footage, point, self._events)
        self._cameras = {
            camera.id: CameraDesk(camera.id, self._rows, clock, self._scrubber.clean) for camera in point.cameras
        }
        self._aftermath = Aftermath(point, store, self._rows, self._intake, clock, self._cameras)
        self._reports = Reports(
            self._events, self._rows, self._cameras, self._crew, self._intake, self._aftermath, self._scrubber, clock
        )
        self._states_at = float("-inf")
        self._states_seen: Sequence[tuple[object, ...]] = ()

    # -- what the agent calls ------------------------------------------------------------------------------------

    @property
    def worker_pids(self) -> list[int]:
        """Processes that record."""
        return self._crew.pids

    def recover(self) -> list[str]:
        """Take up what an earlier agent left behind; call once, before anything else. What was found, in sentences.

        No file is read here, so that recording goes on at once. A thread finishes and hashes files, also such as the
        index does not know; later ticks enter them, and the time that was missed as gaps with cause "agent_stopped" or
        "machine_off".
        """
        end_orphans(self._home, ORPHANS_WAIT_S)
        said = self._aftermath.begin(self._home.footage)
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
        for camera_id, wanted in desired.items():
            camera = self._cameras[camera_id]
            if camera.wanted_at is None:
                self._begin(camera, wanted)
            elif camera.status.desired != wanted:
                camera.status.desired = wanted
                if camera.status.asks:
                    self.retry(camera_id)
        for camera_id, camera in self._cameras.items():
            if camera_id not in desired:
                self._rest(camera, (stopped or {}).get(camera_id))

    def retry(self, camera_id: str) -> None:
        """Try a camera again that waits for a person; also after its password was corrected."""
        camera = self._cameras[camera_id]
        if camera.wanted_at is not None:
            camera.status.asks = False
            self._crew.stop(camera_id, "restarted")
            self._send_start(camera)

    def tick(self) -> None:
        """Take in reports, restart what died, write down. Call a few times a second."""
        self._reports.drain()
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
            camera.mind_start(START_GRACE_S)
            camera.show_gap()
        self._write_states()

    def status(self) -> dict[str, CameraStatus]:
        """Every camera of the point as it is now."""
        return {camera_id: camera.status for camera_id, camera in self._cameras.items()}

    def close(self, reason: str) -> None:
        """Stop everything; all files are closed, hashed and entered on return.

        What was wanted stays noted: after the next start, the time between is a gap.
        """
        self._reports.closing = True
        for camera in self._cameras.values():
            if not camera.settled:
                self._aftermath.settle(camera)
            if camera.wanted_at is not None and camera.status.desired is not None:
                self._rows.recording("recording.stopped", camera.status.camera, Desired("agent", "agent", reason))
                camera.set_state("off")
                camera.wanted_at = None
        self._crew.end(reason, END_WAIT_S)
        self._reports.drain()
        self._aftermath.finish()
        self._intake.close()
        self._reports.drain()
        self._write_states(force=True)

    # -- starting and stopping one camera ------------------------------------------------------------------------

    def _begin(self, camera: CameraDesk, wanted: Desired) -> None:
        self._rows.recording("recording.started", camera.status.camera, wanted)
        camera.status.desired = wanted
        camera.begin()
        self._send_start(camera)

    def _rest(self, camera: CameraDesk, by: Desired | None) -> None:
        """Not to be recorded; what an earlier agent had to record until now comes to its end."""
        if not camera.settled:
            self._aftermath.settle(camera)
        had = camera.status.desired
        if had is None and camera.gap is None:
            camera.offset_s = None
            return
        if had is not None or by is not None:
            # Also when the order was given while no agent ran: that the rest was not wanted must be written.
            self._rows.recording("recording.stopped", camera.status.camera, by or BY_AGENT)
        camera.end()
        self._crew.stop(camera.status.camera, "stopped")

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
                offset_s=camera.offset_s,
                reference=str(self._home.references / f"{camera_id}.jpg"),
                picture=dict(self._picture_cameras.get(camera_id, {})),
                closely=camera.closely,
            )
        )

    def _password(self, camera: CameraDesk) -> str | None:
        """None also when passwords cannot be read now: cameras without one record, the others ask for theirs."""
        try:
            return self._secrets.get(f"camera:{camera.status.camera}")
        except AccessDenied as problem:
            log.error("%s", problem)
            return None

    def _write_states(self, *, force: bool = False) -> None:
        now, mono = self._clock.now(), self._clock.monotonic()
        statuses = [camera.status for camera in self._cameras.values()]
        seen = [(status.state, status.fault, status.picture, status.asks) for status in statuses]
        if not force and seen == self._states_seen and mono - self._states_at < STATE_EVERY_S:
            return
        for status in statuses:
            status.seen_at, status.boot_id, status.boot_s = now, self._clock.boot_id(), self._clock.boot()
            status.offset_s = self._cameras[status.camera].offset_s
            status.since = status.since or now
        try:
            self._rows.states(statuses, now)
        except StoreError as problem:
            log.error("the cameras' states could not be written: %s", problem)
            return
        self._states_at, self._states_seen = mono, seen
