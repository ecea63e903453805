"""The demo: a made-up point with synthetic cameras, recorded, checked and archived through the same path as real
ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.demo_equipment import make_equipment
from exam_kit.agent.demo_people import make_people
from exam_kit.agent.demo_point import COMPRESSED, camera_server_config, make_accounts, write_point
from exam_kit.archive.verify import verify_bag
from exam_kit.cctv.coverage import Coverage, coverage
from exam_kit.cctv.segments import segments
from exam_kit.checks.results import latest_run
from exam_kit.clock import Clock, SystemClock, iso
from exam_kit.errors import ExamKitError, Message, m
from exam_kit.home import Home
from exam_kit.point import Point, exam_end, exam_start, zone_windows
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.verify import read_anchors, verify_database

__all__ = ["DemoCameras", "play_day", "went_as_planned"]

DROPPED, COVERED = "COR2-1", "ENTR-1"
DROP_AFTER_START_S, DROP_S = 3.0, 6.0
COVER_AFTER_START_S, COVER_S = 5.0, 9.0


class DemoCameras:
    """The process that serves the synthetic cameras on loopback; ends with the block."""

    def __init__(self, home: Home) -> None:
        self._config = home.run / "demo-cameras.json"
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> DemoCameras:
        self._config.write_text(camera_server_config(), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(self._config), "--port", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        told = json.loads(line) if line else {}
        if "port" not in told:
            raise ExamKitError(
                m(
                    "The demo's cameras did not start ({reason}). Run 'exam-kit doctor' to see what is missing.",
                    reason=told.get("error", "—"),
                )
            )
        self.port = int(told["port"])
        return self

    def tell(self, camera: str, act: str, seconds: float) -> None:
        """Have a camera `drop`, be `cover`ed, `stall`ed … for some seconds."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps({"camera": camera, "do": act, "seconds": seconds}) + "\n")
        self._process.stdin.flush()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def play_day(home: Home, say: Callable[[str], None], clock: Clock | None = None) -> dict[str, Any]:
    """One compressed exam day with no screen, and what happened: ``verdict, checks, cameras, archive, ledger``.

    The day: the planned check; recording by zone windows; one corridor camera drops and comes back; the entrance
    camera is covered for a while; the head orders the stop; corridors and the entrance are archived, and the bag
    and the ledger are verified.

    Raises:
        ExamKitError: the day could not be played to its end.
    """
    clock = clock or SystemClock()
    home.create()
    with DemoCameras(home) as cameras:
        begun = clock.now()
        point = write_point(home, clock, cameras.port, COMPRESSED)
        store = open_store(home)
        ledger = Ledger(store, home, clock)
        make_accounts(home, store, ledger)
        make_people(home, point, ledger)
        make_equipment(home, point, ledger)
        with _agent(home):
            day = _Day(home, point, store, ledger, clock, cameras, begun, say)
            day.play()
        return day.report()


@contextmanager
def _agent(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "exam_kit.agent", "--plan-beat-s", "1"],
        stdin=subprocess.PIPE,
        env={**os.environ, "EXAM_KIT_HOME": str(home.root)},
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise ExamKitError(
            m("The agent ended with code {code}. See {log}.", code=process.returncode, log=home.logs / "agent.log")
        )


class _Day:
    """The script of the compressed day, and what came of it."""

    def __init__(
        self,
        home: Home,
        point: Point,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        cameras: DemoCameras,
        begun: datetime,
        say: Callable[[str], None],
    ) -> None:
        self.home, self.point, self.store, self.ledger = home, point, store, ledger
        self.clock, self.cameras, self.begun, self.say = clock, cameras, begun, say
        self.day = point.days[0]
        self.stopped_at = begun
        self.archive: dict[str, Any] = {}
        self.pictures: dict[str, list[str]] = {camera.id: [] for camera in point.cameras}

    def play(self) -> None:
        start, end = exam_start(self.point, self.day), exam_end(self.point, self.day)
        self.say(
            f"check, then recording by zone windows; the exam starts at {start.astimezone(self.point.tz):%H:%M:%S}"
        )
        self._until(start + timedelta(seconds=DROP_AFTER_START_S))
        self.say(f"{DROPPED}: the camera drops for {DROP_S:.0f} s")
        self.cameras.tell(DROPPED, "drop", DROP_S)
        self._until(start + timedelta(seconds=COVER_AFTER_START_S))
        self.say(f"{COVERED}: the camera is covered for {COVER_S:.0f} s")
        self.cameras.tell(COVERED, "cover", COVER_S)
        self._until(end)
        self.say("the exam is over; recording stops on the head's order")
        every = [camera.id for camera in self.point.cameras]
        self._obeyed("stop", {"cameras": every}, why="the exam is over", seconds=15)
        self.stopped_at = self.clock.now()
        self._wait(lambda: not self._open_segments(), 20, m("the last segments were not closed"))
        self.say("corridors and the entrance are archived")
        order = self._obeyed(
            "archive",
            {"day": str(self.day.date), "zones": ["corridor", "entrance"], "destination": str(self.home.bags)},
            why="footage of the exam day",
            seconds=120,
        )
        self.archive = order.result
        self.say("the bag and the ledger are verified")

    def _obeyed(self, kind: str, body: dict[str, Any], *, why: str, seconds: float) -> orders.Order:
        number = orders.give(self.ledger, kind, body, actor="specialist", ordered_by="head", why=why)
        self._wait(lambda: not self._order(number).open, seconds, m("the order '{kind}' was not obeyed", kind=kind))
        order = self._order(number)
        if order.state != "done":
            raise ExamKitError(
                m("The order '{kind}' failed: {reason}", kind=kind, reason=order.result.get("error", ""))
            )
        return order

    def _order(self, number: int) -> orders.Order:
        order = orders.get(self.store, number)
        assert order is not None
        return order

    def _open_segments(self) -> bool:
        return bool(self.store.query("SELECT 1 FROM segment WHERE to_at IS NULL LIMIT 1"))

    def _until(self, moment: datetime) -> None:
        while self.clock.now() < moment:
            self._look()
            time.sleep(0.2)

    def _wait(self, condition: Callable[[], bool], seconds: float, otherwise: Message) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > ends:
                raise ExamKitError(m("Within {seconds} s {what}.", seconds=round(seconds), what=otherwise))
            self._look()
            time.sleep(0.2)

    def _look(self) -> None:
        """Remember each new state of a camera's picture, as the screens would show it."""
        for row in self.store.query("SELECT camera, info FROM camera_state"):
            picture = json.loads(row["info"]).get("picture")
            seen = self.pictures[row["camera"]]
            if picture and (not seen or seen[-1] != picture):
                seen.append(picture)

    def report(self) -> dict[str, Any]:
        run = latest_run(self.store, day=str(self.day.date))
        bag = verify_bag(Path(self.archive["bag"]), key=self.ledger.public_key)
        log = verify_database(self.home.store, self.ledger.public_key, read_anchors(self.home.anchors))
        return {
            "verdict": run.verdict.value if run and run.verdict else None,
            "point": f"{self.point.region}-{self.point.code}",
            "begun": iso(self.begun),
            "ended": iso(self.clock.now()),
            "checks": [
                {
                    "check": result.check,
                    "target": result.target,
                    "title": result.title["en"],
                    "state": result.state.value,
                    "severity": result.severity.value,
                    "at": result.at,
                    "elapsed_s": round(result.elapsed_s, 3),
                }
                for result in (run.results if run else ())
            ],
            "cameras": {camera.id: self._camera(camera.id) for camera in self.point.cameras},
            "planned_drop": {"camera": DROPPED, "seconds": DROP_S},
            "planned_cover": {"camera": COVERED, "seconds": COVER_S},
            "archive": {
                "bag": self.archive["bag"],
                "files": self.archive["files"],
                "bytes": self.archive["bytes"],
                "read_back_bytes": self.archive["read_back_bytes"],
                "elapsed_s": self.archive["elapsed_s"],
                "verified": bag.as_dict(),
            },
            "ledger": log.as_dict(),
        }

    def _camera(self, camera_id: str) -> dict[str, Any]:
        camera = self.point.camera(camera_id)
        window = zone_windows(self.point, self.day)[self.point.zone_of(camera)]
        seen = coverage(self.store, self.point, camera_id, window.start, self.stopped_at, self.clock.now())
        pieces = [piece for piece in segments(self.store, camera=camera_id) if piece.start >= self.begun]
        return {
            "recorded_s": round(seen.recorded_s, 2),
            "planned_s": round((self.stopped_at - window.start).total_seconds(), 2),
            "gaps": [
                {
                    "from": iso(span.start),
                    "to": iso(span.end),
                    "seconds": round((span.end - span.start).total_seconds(), 2),
                    "cause": span.cause,
                }
                for span in seen.spans
                if span.kind == "gap" and span.cause != "starting"
            ],
            "starting_s": round(_length(seen, "starting"), 2),
            "segments": len(pieces),
            "pictures": self.pictures[camera_id],
        }


def _length(seen: Coverage, cause: str) -> float:
    return sum((span.end - span.start).total_seconds() for span in seen.spans if span.cause == cause)


def went_as_planned(report: dict[str, Any]) -> list[str]:
    """What in a played day's report is not as planned, in English; empty when all is."""
    wrong = []
    for camera, seen in report["cameras"].items():
        gaps = len(seen["gaps"])
        if gaps != (1 if camera == DROPPED else 0):
            wrong.append(f"{camera}: {gaps} gaps: {seen['gaps']}")
        if not seen["segments"]:
            wrong.append(f"{camera}: nothing recorded")
    if "covered" not in report["cameras"][COVERED]["pictures"]:
        wrong.append(f"{COVERED}: the cover was not seen")
    if report["archive"]["verified"]["outcome"] != "whole":
        wrong.append("the bag is not whole")
    if not report["ledger"]["whole"]:
        wrong.append("the ledger is not whole")
    if report["verdict"] is None:
        wrong.append("the check did not run")
    return wrong
