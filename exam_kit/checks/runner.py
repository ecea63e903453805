"""Running the checks of a profile: all at once where they wait, two at a time where they work.

Every check has a thread to itself and a deadline. When the deadline passes, the programs it started are killed, its
result is "no answer in time", and its place in the lane is free; a thread that hangs in the kernel is left behind, one
that has answered takes the next check. The threads are daemons of our own because `concurrent.futures` joins hung ones
at exit.
"""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from exam_kit.checks.at import At
from exam_kit.checks.command import Children
from exam_kit.checks.model import Check, Fact, Reason, Result, Run
from exam_kit.checks.registry import LOCAL_LANES, WAITING_LANES, Lane, Probe, get_probe
from exam_kit.checks.site import CheckContext, NoFact, SharedFacts
from exam_kit.checks.verdicts import judge, overall
from exam_kit.clock import Clock, iso
from exam_kit.errors import ExamKitError, UsageError, m

if TYPE_CHECKING:
    from exam_kit.checks.profile import Profile
    from exam_kit.point import Camera

__all__ = ["OnResult", "run_checks"]

OnResult = Callable[[Result, int, int], object]
"""Called with each result as it arrives, the number that have arrived, and the number that will."""

LOOK_S = 0.2
"""How often a run looks whether somebody wants it ended."""

LANES: Mapping[Lane, int] = {"local": LOCAL_LANES, "waiting": WAITING_LANES}


class _Job:
    """One check on one target."""

    def __init__(
        self, check: Check, probe: Probe, position: int, camera: Camera | None, skip: Reason | None = None
    ) -> None:
        self.check = check
        self.probe = probe
        self.position = position
        self.camera = camera
        self.skip = skip
        self.children: Children | None = None
        self.began = self.deadline = 0.0
        self.at = ""
        self.answered = self.given_up = False


def run_checks(
    profile: Profile,
    context: CheckContext,
    *,
    only: Collection[str] | None = None,
    on_result: OnResult | None = None,
    clock: Clock | None = None,
    ended: Callable[[], object] | None = None,
) -> Run:
    """Run a profile's checks and judge them; nothing is kept (see `run_and_keep`, which does).

    `only` names the checks to run; the others stand in the result as unknown (not run), and so do those without an
    answer when `ended` says that somebody wants the run ended. `on_result` is called in this thread. The run's id is
    empty.

    Raises:
        UsageError: `only` names a check the profile does not have.
    """
    clock = clock or context.clock
    known = {check.id for check in profile.checks}
    strangers = sorted(set(only or ()) - known)
    if strangers:
        raise UsageError(
            m(
                "{checks}: the profile '{profile}' has no such check. Choose from: {known}.",
                checks=", ".join(strangers),
                profile=profile.name,
                known=", ".join(sorted(known)),
            )
        )
    started = iso(clock.now())
    jobs = _jobs(profile, context)
    wanted = [job for job in jobs if only is None or job.check.id in only]
    left_out = [_result(job, Fact.unknown(Reason.NOT_RUN), started, 0.0) for job in jobs if job not in wanted]
    results = _Supervisor(profile, context, clock, wanted, on_result, ended).run()
    results = sorted([*results, *left_out], key=lambda result: (result.position, result.target))
    return Run(
        id="",
        day=context.day.date.isoformat() if context.day else None,
        profile=profile.name,
        profile_hash=profile.hash,
        actor="",
        started_at=started,
        ended_at=iso(clock.now()),
        verdict=overall(results),
        results=tuple(results),
    )


def _jobs(profile: Profile, context: CheckContext) -> list[_Job]:
    jobs = []
    for position, check in enumerate(profile.checks):
        probe = get_probe(check.probe)
        if probe is None:
            raise LookupError(check.probe)  # a Profile is only made when every probe is known
        if not check.wanted_for(profile.role):
            jobs.append(_Job(check, probe, position, None, skip=Reason.NOT_REQUIRED))
        elif probe.per == "machine":
            jobs.append(_Job(check, probe, position, None))
        elif not context.point.cameras:
            jobs.append(_Job(check, probe, position, None, skip=Reason.NO_CAMERAS))
        else:
            jobs += [_Job(check, probe, position, camera) for camera in context.point.cameras]
    return jobs


class _Supervisor:
    """Lets threads take one job after another, collects their answers, ends the jobs that are late.

    A thread takes its next job before it hands in the answer to the last: whoever wakes up for that answer sees every
    deadline there is, and thirty quick checks do not wait for one another's thread to be told what to do.
    """

    def __init__(
        self,
        profile: Profile,
        context: CheckContext,
        clock: Clock,
        jobs: list[_Job],
        on_result: OnResult | None,
        ended: Callable[[], object] | None,
    ) -> None:
        self._ended = ended
        self._profile = profile
        self._context = context
        self._clock = clock
        self._on_result = on_result
        self._total = len(jobs)
        self._lock = threading.Lock()
        """held for what threads and supervisor both change: the waiting, the running, and the closing time"""
        self._waiting = {lane: deque(job for job in jobs if job.probe.lane == lane) for lane in LANES}
        self._running: set[_Job] = set()
        self._closed = False
        self._budget_ends = time.perf_counter() + profile.budget_s
        self._answers: queue.SimpleQueue[tuple[_Job, Fact]] = queue.SimpleQueue()
        self._shared = SharedFacts()
        self._results: list[Result] = []

    def run(self) -> list[Result]:
        try:
            for lane, width in LANES.items():
                for _place in range(min(width, len(self._waiting[lane]))):
                    self._hire(lane)
            while len(self._results) < self._total:
                self._take_answer()
                if self._ended is not None and self._ended():
                    self._give_up(Fact.unknown(Reason.NOT_RUN))
                elif time.perf_counter() >= self._budget_ends:
                    self._give_up(Fact.unknown(Reason.TIMEOUT, budget_s=self._profile.budget_s))
                self._end_the_late()
        finally:
            # Also when `on_result` raised or the user pressed Ctrl-C.
            with self._lock:
                self._closed = True
            for job in self._running:
                _kill(job)
        return self._results

    def _hire(self, lane: Lane) -> None:
        threading.Thread(target=self._work, args=(lane,), name="check", daemon=True).start()

    def _work(self, lane: Lane) -> None:
        """One place of a lane: take a job, ask, take the next one. A thread whose job was given up ends."""
        try:
            task = self._take(lane)
            while task is not None:
                job, at = task
                fact = Fact.skip(job.skip) if job.skip else _ask(job, at)
                with self._lock:
                    job.answered = not job.given_up
                    task = self._take_locked(lane) if job.answered else None
                if job.answered:
                    self._answers.put((job, fact))
        finally:
            self._context.store.close()  # a connection belongs to its thread, and this one ends

    def _take(self, lane: Lane) -> tuple[_Job, At] | None:
        with self._lock:
            return self._take_locked(lane)

    def _take_locked(self, lane: Lane) -> tuple[_Job, At] | None:
        waiting = self._waiting[lane]
        if self._closed or not waiting:
            return None
        # The first whose probe does not run just now. Checks of one probe mostly need one shared fact: side by side,
        # all but one would only wait for it, in a lane that others could use.
        busy = {job.probe.name for job in self._running if not job.answered}
        place = next((place for place, job in enumerate(waiting) if job.probe.name not in busy), 0)
        job = waiting[place]
        del waiting[place]
        job.began, job.at = time.perf_counter(), iso(self._clock.now())
        job.deadline = min(job.began + job.check.timeout_s, self._budget_ends)
        at = At(self._context, self._profile, self._shared, job.deadline, job.camera)
        job.children = at.children
        self._running.add(job)
        return job, at

    def _take_answer(self) -> None:
        with self._lock:
            first = min((job.deadline for job in self._running if not job.answered), default=self._budget_ends)
        wait_s = max(first - time.perf_counter(), 0.0) + 0.001
        try:
            job, fact = self._answers.get(timeout=wait_s if self._ended is None else min(wait_s, LOOK_S))
        except queue.Empty:
            return
        self._finish(job, fact)

    def _end_the_late(self) -> None:
        now = time.perf_counter()
        with self._lock:
            late = [job for job in self._running if job.deadline <= now and not job.answered]
            for job in late:
                job.given_up = True
        for job in late:
            self._finish(job, Fact.unknown(Reason.TIMEOUT, limit_s=job.check.timeout_s))
            self._hire(job.probe.lane)  # its own thread may hang for ever

    def _give_up(self, because: Fact) -> None:
        """What runs is ended, what waits is not begun."""
        with self._lock:
            self._closed = True
            running = [job for job in self._running if not job.answered]
            waiting = [job for lane in self._waiting.values() for job in lane]
            for job in (*running, *waiting):
                job.given_up = True
            for lane in self._waiting.values():
                lane.clear()
        for job in waiting:
            job.began, job.at = time.perf_counter(), iso(self._clock.now())
        for job in (*running, *waiting):
            self._finish(job, because)

    def _finish(self, job: _Job, fact: Fact) -> None:
        elapsed = time.perf_counter() - job.began
        with self._lock:
            self._running.discard(job)
        _kill(job)
        result = _result(job, fact, job.at, round(elapsed, 4))
        self._results.append(result)
        if self._on_result is not None:
            self._on_result(result, len(self._results), self._total)


def _kill(job: _Job) -> None:
    if job.children is not None:
        job.children.kill()


def _ask(job: _Job, at: At) -> Fact:
    """The probe's fact; whatever goes wrong in it is an unknown with its reason, never a crash and never good."""
    try:
        fact: object = job.probe.function(at, **job.check.args)
        if not isinstance(fact, Fact):
            return Fact.unknown(Reason.ERROR, said=f"the probe gave a {type(fact).__name__}, not a Fact")
        # Through JSON at once, so that what is judged now is what is judged from the store later.
        return Fact.from_dict(json.loads(json.dumps(fact.as_dict(), default=str)))
    except NoFact as none:
        return none.fact
    except TimeoutError as problem:
        return Fact.unknown(Reason.TIMEOUT, said=_scrub(problem))
    except PermissionError as problem:
        return Fact.unknown(Reason.DENIED, said=_scrub(problem))
    except ExamKitError as problem:
        return Fact.unknown(Reason.ERROR, said=_scrub(problem))
    except Exception as problem:  # noqa: BLE001 - probes are written by others, too; the kind of fault is evidence
        return Fact.unknown(Reason.ERROR, said=_scrub(problem), kind=type(problem).__name__)


def _scrub(problem: Exception) -> str:
    """What was said, without a password that an address may carry."""
    return re.sub(r"://[^/@\s]*@", "://", str(problem))[:300]


def _result(job: _Job, fact: Fact, at: str, elapsed_s: float) -> Result:
    judgement = judge(fact, job.check.expect)
    return Result(
        check=job.check.id,
        target=job.camera.id if job.camera else "",
        position=job.position,
        probe=job.check.probe,
        title=job.check.title,
        fix=job.check.fix,
        severity=job.check.severity,
        expect=job.check.expect,
        readings=job.probe.readings,
        fact=fact,
        state=judgement.state,
        broke=judgement.rules,
        at=at,
        elapsed_s=elapsed_s,
    )
