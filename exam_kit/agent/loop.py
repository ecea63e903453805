"""The agent's loop: a few times a second it reconciles what should be with what is."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC

import schedule

from exam_kit import __version__
from exam_kit.agent import orders, planner
from exam_kit.agent.backups import BackupDuty
from exam_kit.agent.camera_words import CameraWords
from exam_kit.agent.clock_watch import ClockStep, ClockWatch
from exam_kit.agent.disk_watch import DiskWatch
from exam_kit.agent.duties import Duties
from exam_kit.agent.orders import Order
from exam_kit.agent.status import AgentLock, beat
from exam_kit.agent.underway import Underway
from exam_kit.agent.watch import Watch
from exam_kit.cctv.picture_thresholds import SHIPPED
from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.walk import settle_walk
from exam_kit.checks import load_profile
from exam_kit.checks.model import Run, State
from exam_kit.clock import Clock, SystemClock
from exam_kit.errors import ExamKitError, PointInvalid
from exam_kit.home import Home
from exam_kit.point import Secrets, load_point
from exam_kit.store import Ledger, open_store
from exam_kit.store.rekey import settle_keys

__all__ = ["Agent"]

log = logging.getLogger(__name__)

LOOP_S = 0.2
PLAN_BEAT_S = 15
SET_S = 1.0
"""A local clock that moved by this much from one turn to the next was set, or daylight saving began or ended."""
ORDER_OF_SERVICE = (
    *("cancel", "pause", "stop", "record", "check", "archive", "verify_bag"),
    *("export_span", "import_footage", "camera_clock", "delete_footage"),
)
TIME_SERVERS = "clock.offset"
"""The probe that compares the clock with time servers."""
CHECKPOINT_BEAT_S = 600
"""The chain's head is signed at least every ten minutes of activity."""
BACKUP_BEAT_S = 60
"""So often it is asked whether a copy of the store is due."""


class Agent:
    """One agent for one home. `run` returns after `stop` was called, with everything closed."""

    def __init__(
        self, home: Home, clock: Clock | None = None, *, plan_beat_s: int = PLAN_BEAT_S, segment_s: float = 60.0
    ) -> None:
        """Raises PointInvalid, NotSetUp or StoreError when the home is not fit to run."""
        self.home = home
        self.clock = clock or SystemClock()
        self.point = load_point(home.point_file)
        self.store = open_store(home)
        self.ledger = Ledger(self.store, home, self.clock)
        settle_keys(self.ledger, home)  # else checkpoints go on under a key that a crash left in place
        self.secrets = Secrets(home)
        self._owner = uuid.uuid4().hex
        self._stopping = threading.Event()
        self._plan_beat_s = plan_beat_s
        picture, picture_cameras = self._picture_thresholds()
        self.recorder = Recorder(
            self.point,
            home,
            self.store,
            self.ledger,
            self.clock,
            self.secrets,
            segment_s=segment_s,
            picture=picture,
            picture_cameras=picture_cameras,
        )
        self.duties = Duties(self.point, home, self.store, self.ledger, self.secrets, self.clock)
        self.watch = Watch(self.point, self.home, self.store, self.ledger, self.clock)
        self.words = CameraWords(self.point, home, self.ledger, self.secrets, self.clock)
        self.disk = DiskWatch(self.point, home, self.ledger, self.clock)
        self.backups = BackupDuty(self.point, home, self.ledger)
        self._clock_watch = ClockWatch(self.clock, kept=home.run / "clock.json")
        self._steps: list[ClockStep] = []
        """of the clock, by which the plan is still to be judged anew"""
        self._underway = Underway(self.store, self.point, self.clock)
        self._planned: planner.PlannedRun | None = None
        self._wanted: set[str] = set()

    def _picture_thresholds(self) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
        """The profile's, and single cameras' own.

        One with mistakes fails the check and says so; it must not keep cameras from recording.
        """
        try:
            profile = load_profile(self.point.profile, self.home)
            return (profile.picture, profile.picture_cameras) if profile.picture else (SHIPPED, {})
        except PointInvalid as problem:
            log.error("%s", problem.text("en"))
            return SHIPPED, {}

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped.

        Raises:
            AlreadyRunning: another agent holds this home.
        """
        with AgentLock(self.home):
            self.ledger.append(
                "agent.started", {"version": __version__, "point": f"{self.point.region}-{self.point.code}"}, "agent"
            )
            recovered = self.recorder.recover()
            log.info("started; segments recovered: %d; orders taken up again: %d", len(recovered), self._resume())
            self.words.start()
            beats = self._beats()
            try:
                local = self._local_offset()
                while not self._stopping.is_set():
                    moved, local = self._local_offset() - local, self._local_offset()
                    if abs(moved) >= SET_S:
                        # `schedule` counts by the local wall clock: set back an hour, it would be silent for an hour.
                        beats = self._beats()
                    self._turn(beats)
                    self._stopping.wait(LOOP_S)
            finally:
                self._close()

    def _local_offset(self) -> float:
        """Seconds between the local wall clock, daylight saving included, and the clock that never steps."""
        return self.clock.now().astimezone().replace(tzinfo=UTC).timestamp() - self.clock.boot()

    def _resume(self) -> int:
        planner.release(self.store)
        planner.sync(self.store, self.point)
        return orders.reopen(self.store)

    def _beats(self) -> schedule.Scheduler:
        beats = schedule.Scheduler()
        beats.every(1).seconds.do(self._fenced, lambda: beat(self.home, self.clock))
        beats.every(self._plan_beat_s).seconds.do(self._fenced, self._plan)
        beats.every(self._plan_beat_s).seconds.do(self._fenced, lambda: self.disk.look(self.recorder.status()))
        beats.every(CHECKPOINT_BEAT_S).seconds.do(self._fenced, self.backups.anchor)
        beats.every(BACKUP_BEAT_S).seconds.do(self._fenced, self.backups.tick)
        beat(self.home, self.clock)
        self._fenced(self._plan)
        return beats

    def _fenced(self, job: Callable[[], object]) -> None:
        """One job's fault must not stop the others, nor the recording."""
        try:
            job()
        except Exception:
            log.exception("a job of the agent failed and is tried again at its next beat")

    def _turn(self, beats: schedule.Scheduler) -> None:
        beats.run_pending()
        self._fenced(self._take_orders)
        self._fenced(self._record)
        self._fenced(self.recorder.tick)
        self._fenced(self._look_after)

    def _record(self) -> None:
        wishes = self._underway.hold(planner.recording_wishes(self.store, self.point, self.clock.now()))
        began = [camera for camera, by in wishes.record.items() if camera not in self._wanted and by.order is None]
        ended = [camera for camera in self._wanted if camera not in wishes.record and camera not in wishes.stop]
        self._wanted = set(wishes.record)
        self.recorder.set_desired(wishes.record, wishes.stop)
        if began:
            self.watch.recording_began(began)
        if ended:
            self.watch.recording_ended(sorted(ended))

    def _look_after(self) -> None:
        statuses = self.recorder.status()
        self.watch.cameras(statuses)
        settle_walk(self.ledger, statuses, self.clock.now())
        while self.duties.finished_runs:
            order, run = self.duties.finished_runs.pop(0)
            self.watch.check_finished(run)
            if order is None and self._planned is not None:
                self._plan_served(self._planned, run)
                self._planned = None
        while self.duties.failed_checks:
            self.watch.check_impossible(self.duties.failed_checks.pop(0))
        self.words.tick(self._wanted)
        while self.duties.ended_archives:
            self.watch.archive_ended(*self.duties.ended_archives.pop(0))
        while self.duties.verified_bags:
            order, outcome = self.duties.verified_bags.pop(0)
            self.watch.bag_verified(str(order.body["path"]), outcome, quick=bool(order.body.get("quick")))

    def _take_orders(self) -> None:
        order = self._next_order()
        if order is None:
            return
        log.info("order %d: %s by %s", order.id, order.kind, order.ordered_by)
        try:
            self._obey(order)
        except ExamKitError as problem:
            orders.end(self.ledger, order, "failed", {"error": problem.text(self.point.language)})
        except Exception as problem:
            # Whatever it was, whoever gave the order must not wait for ever; the traceback is for us.
            log.exception("order %d failed", order.id)
            orders.end(self.ledger, order, "failed", {"error": str(problem)})

    def _next_order(self) -> Order | None:
        """The next order that can be served now; one whose duty is busy waits its turn."""
        for kind in ORDER_OF_SERVICE:
            if self.duties.busy(kind):
                continue
            order = orders.take(self.store, kind)
            if order is not None:
                return order
        return None

    def _obey(self, order: Order) -> None:
        if order.kind in ("record", "stop"):
            # What should record is read from the orders themselves; here only the log row and the answer.
            unknown = self.watch.recording_ordered(order)
            orders.end(self.ledger, order, "done", {"unknown_cameras": unknown} if unknown else {})
        elif order.kind == "check":
            self.duties.start_check(order, self.watch.today())
        elif order.kind == "archive":
            self.duties.start_archive(order)
        elif order.kind == "pause":
            self.duties.pause(order.body["order"], bool(order.body["on"]))
            orders.end(self.ledger, order, "done", {})
        elif order.kind == "verify_bag":
            self.duties.start_verify(order)
        elif order.kind == "delete_footage":
            self.duties.start_deletion(order)
        elif order.kind == "export_span":
            self.duties.start_export(order)
        elif order.kind == "import_footage":
            self.duties.start_import(order)
        elif order.kind == "camera_clock":
            self.duties.start_camera_clock(order, lambda: set(self._wanted))
        else:
            target = order.body["order"]
            self.duties.cancel(target, order.actor)
            if target is not None:
                orders.withdraw(self.ledger, target, by=order)
            orders.end(self.ledger, order, "done", {})

    def _plan_served(self, planned: planner.PlannedRun, run: Run) -> None:
        self._clock_set()  # first: a run whose clock was set on the way proves nothing
        outcome = run.verdict.value if run.verdict else "no verdict"
        if planner.finish(self.store, self.clock, planned, outcome, proven=self._clock_proven(run)):
            self.watch.check_served(planned.id)

    @staticmethod
    def _clock_proven(run: Run) -> bool:
        """Did time servers confirm the clock in this run?"""
        return any(
            result.probe == TIME_SERVERS and result.state is State.OK and not result.carried_from
            for result in run.results
        )

    def _clock_set(self) -> None:
        step = self._clock_watch.step()
        if step is not None:
            self._steps.append(step)
        while self._steps:
            step = self._steps[0]
            judged = planner.reopen(self.store, self.clock, step)
            self._steps.pop(0)  # not before it is in the database, which may refuse it just now
            body = {"by_s": round(step.seconds, 1), "reopened": judged.reopened, "served": judged.served}
            self.ledger.append("clock.stepped", body, "agent")
            for run in judged.served:
                self.watch.check_served(run)

    def _plan(self) -> None:
        self._clock_set()
        if self._planned is not None:
            planner.renew(self.store, self.clock, self._planned)
        for run in planner.missed(self.store, self.clock):
            self.watch.check_missed(run)
        if self._planned is not None and not self.duties.busy("check") and not self.duties.finished_runs:
            # It ended without a result (a broken profile): the next beat tries again while the window is open.
            planner.release(self.store)
            self._planned = None
        if self._planned is None and not self.duties.busy("check"):
            self._planned = planner.claim(self.store, self.clock, self._owner)
            if self._planned is not None:
                self.duties.start_check(None, self.watch.day_of(self._planned.day))
        self.watch.day_ended()

    def _close(self) -> None:
        self.words.close()
        self.recorder.close("agent stopped")
        self.duties.close(timeout_s=5.0)
        self.backups.close(timeout_s=5.0)
        self.ledger.append("agent.stopped", {}, "agent")
        self.ledger.checkpoint()
        (self.home.run / "agent.json").unlink(missing_ok=True)
        self.store.close()
