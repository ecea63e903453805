"""What the cameras say of themselves by ONVIF, asked now and then and kept for the screens; and the alarms they raise.

Every camera with an ONVIF address has a thread of its own that only asks and waits: a camera that is slow, silent or
hostile holds up nobody. What it hears goes into a queue, and the agent writes it down at its own beat.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exam_kit.agent.status import write_atomically
from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.clock import CameraClock
from exam_kit.cctv.onvif.device import information
from exam_kit.cctv.onvif.events import TAMPER_LABELS, Notice, PullPoint, tamper
from exam_kit.cctv.onvif.wire import OnvifError
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.errors import ExamKitError, Message, m
from exam_kit.home import Home
from exam_kit.i18n import N_, translate
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.person import AGENT
from exam_kit.point import Camera, Point, Secrets
from exam_kit.store import Ledger

__all__ = ["CameraWords", "Words", "asked", "keep_clock", "keep_words", "kept_words"]

log = logging.getLogger(__name__)

ASK_EVERY_S = 600.0
PULL_S = 10.0
PULL_LEAST_S = 1.0
"""From one question for alarms to the next: some cameras answer at once, whatever time they are given."""
FAULTY = N_(
    "Camera {camera}: asking it failed through a fault of the program. What is shown here is older; "
    "pass the agent's log in the folder logs on to support."
)
WAITS_S = (15.0, 60.0, 120.0, 300.0)
"""Before a camera that did not answer is asked again."""
REFUSED_S = 3600.0
"""Cameras lock out who comes with a wrong password; a new password is tried at once."""
LOOK_S = 5.0
QUIET_S = 10.0
"""A camera whose alarm flickers is written down once in so long, with the state it then has."""


@dataclass(frozen=True)
class Words:
    """What a camera last said. `problem` is why the last question was not answered; the rest is from before then."""

    asked_at: datetime
    maker: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    offset_s: float | None = None
    """The clock's worst offset: of UTC, or of the local time it writes into the picture."""
    error_s: float = 0.0
    by_ntp: bool = False
    read_at: datetime | None = None
    """When the clock was read."""
    problem: Message | None = None


def asked(camera: Camera, secrets: Secrets, clock: Clock) -> OnvifCamera:
    """The camera, to be asked. UsageError when it has no ONVIF address; AccessDenied as `Secrets.get` raises it."""
    if camera.onvif is None:
        raise ExamKitError(
            m(
                "Camera {camera}: there is no ONVIF address for it. 'exam-kit camera find' shows the addresses; write "
                "it under 'onvif' in point.toml.",
                camera=camera.id,
            )
        )
    return OnvifCamera(camera.onvif, camera.user, secrets.get(f"camera:{camera.id}"), clock=clock)


def keep_words(home: Home, camera_id: str, words: Words) -> None:
    """Keep what a camera said, for the screens."""
    told: dict[str, Any] = {**vars(words), "asked_at": iso(words.asked_at)}
    told["read_at"] = iso(words.read_at) if words.read_at else None
    told["problem"] = [words.problem.template, words.problem.values] if words.problem else None
    folder = home.run / "onvif"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{camera_id}.json", json.dumps(told, ensure_ascii=False, default=str))


def kept_words(home: Home, camera_id: str) -> Words | None:
    """What a camera last said; None when it was never asked or that cannot be read."""
    try:
        told = json.loads((home.run / "onvif" / f"{camera_id}.json").read_text(encoding="utf-8"))
        told["asked_at"] = from_iso(told["asked_at"])
        told["read_at"] = from_iso(told["read_at"]) if told["read_at"] else None
        told["problem"] = m(told["problem"][0], **told["problem"][1]) if told["problem"] else None
        return Words(**told)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_clock(home: Home, point: Point, camera_id: str, clock: CameraClock) -> None:
    """Put a fresh reading of the clock in place of the kept one."""
    before = kept_words(home, camera_id) or Words(clock.asked_at)
    fields = {**vars(before), **_clock_words(point, clock), "asked_at": clock.asked_at, "problem": None}
    keep_words(home, camera_id, Words(**fields))


def _clock_words(point: Point, clock: CameraClock) -> dict[str, Any]:
    return {
        "offset_s": round(clock.worst_offset_s(point.tz), 2),
        "error_s": clock.error_s,
        "by_ntp": clock.by_ntp,
        "read_at": clock.asked_at,
    }


def _key(camera_id: str, kind: str) -> str:
    """Of the incident."""
    return f"tamper:{camera_id}:{kind}"


class CameraWords:
    """Asks every camera that has an ONVIF address. `start`, then `tick` at every turn of the agent, then `close`."""

    def __init__(self, point: Point, home: Home, ledger: Ledger, secrets: Secrets, clock: Clock) -> None:
        self._point, self._home, self._ledger, self._secrets, self._clock = point, home, ledger, secrets, clock
        self._incidents = Incidents(ledger, point, clock, load_categories(home))
        self._closing = threading.Event()
        self._heard: queue.SimpleQueue[tuple[str, Notice]] = queue.SimpleQueue()
        self._latest: dict[tuple[str, str], Notice] = {}
        # What an earlier agent wrote down and did not live to see ended.
        self._told: dict[tuple[str, str], tuple[bool, float]] = {
            (sheet.camera, sheet.key.rpartition(":")[2]): (True, clock.monotonic() - QUIET_S)
            for sheet in self._incidents.all()
            if sheet.key.startswith("tamper:") and sheet.is_open and sheet.restored_at is None
        }
        self._raised = set(self._told)
        """what lasts and has an incident"""

    def start(self) -> None:
        for camera in self._point.cameras:
            if camera.onvif is not None:
                threading.Thread(target=self._live, args=(camera,), name=f"onvif {camera.id}", daemon=True).start()

    def close(self) -> None:
        """The threads end when their camera answers, within its time limit; nobody has to wait for them."""
        self._closing.set()

    # -- at the agent's beat

    def tick(self, recording: Collection[str]) -> None:
        """Write down what was heard; tampering with a camera of `recording` opens an incident."""
        while not self._heard.empty():
            camera, notice = self._heard.get()
            kind = tamper(notice.topic)
            if kind is not None:
                self._latest[camera, kind] = notice
        now_s = self._clock.monotonic()
        for key, notice in self._latest.items():
            was, told_s = self._told.get(key, (False, -QUIET_S))
            if notice.on != was and now_s - told_s >= QUIET_S:
                self._told[key] = (notice.on, now_s)
                self._write(*key, notice)
            # Also what began before the recording did and lasts.
            if notice.on and self._told.get(key, (False, 0.0))[0] and key[0] in recording and key not in self._raised:
                self._raise(*key)

    def _write(self, camera_id: str, kind: str, notice: Notice) -> None:
        self._ledger.append(
            "camera.tampered",
            {
                "camera": camera_id,
                "kind": kind,
                "on": notice.on,
                "topic": notice.topic,
                "camera_time": iso(notice.at) if notice.at else None,
            },
            AGENT,
        )
        if notice.on:
            return
        self._raised.discard((camera_id, kind))
        sheet = self._incidents.find_open(_key(camera_id, kind))
        if sheet is not None and sheet.restored_at is None:
            over = m("The camera reports that it is over.").text(self._point.language)
            self._incidents.restored(sheet.number, AGENT, year=sheet.year, text=over)

    def _raise(self, camera_id: str, kind: str) -> None:
        camera, language = self._point.camera(camera_id), self._point.language
        what = translate(TAMPER_LABELS[kind], language)
        said = m("Camera {camera} itself reports: {what}.", camera=camera.label, what=what)
        draft = IncidentDraft("wrong_view", said.text(language), self._clock.now(), room=camera.room, camera=camera_id)
        self._incidents.open_for(_key(camera_id, kind), draft)
        self._raised.add((camera_id, kind))

    # -- in the camera's own thread

    def _live(self, camera: Camera) -> None:
        failed = 0
        while not self._closing.is_set():
            password = None
            try:
                password = self._secrets.get(f"camera:{camera.id}")
                client = asked(camera, self._secrets, self._clock)
                self._ask(camera, client)
                failed = 0
                self._listen(camera.id, client)
            except ExamKitError as problem:
                self._note(camera.id, problem)
                refused = isinstance(problem, OnvifError) and problem.cause == "unauthorised"
                wait_s = REFUSED_S if refused else WAITS_S[min(failed, len(WAITS_S) - 1)]
                failed += 1
                self._pause(camera.id, wait_s, password)
            except Exception:
                # A fault of ours must not end the questions to this camera for good; the traceback is for us.
                log.exception("asking camera %s failed", camera.id)
                self._note(camera.id, ExamKitError(m(FAULTY, camera=camera.id)))
                self._pause(camera.id, WAITS_S[-1], password)

    def _ask(self, camera: Camera, client: OnvifCamera) -> None:
        clock, plate = client.clock(), information(client)
        keep_words(self._home, camera.id, Words(self._clock.now(), **vars(plate), **_clock_words(self._point, clock)))

    def _listen(self, camera_id: str, client: OnvifCamera) -> None:
        """Wait for alarms until it is time to ask again."""
        ends = self._clock.monotonic() + ASK_EVERY_S
        try:
            point = PullPoint(client)
        except OnvifError as problem:
            if problem.cause != "fault":
                raise
            log.info("camera %s raises no alarms by ONVIF: %s", camera_id, problem)
            self._closing.wait(ASK_EVERY_S)
            return
        while not self._closing.is_set() and self._clock.monotonic() < ends:
            asked_s = self._clock.monotonic()
            for notice in point.pull(PULL_S):
                self._heard.put((camera_id, notice))
            point.renew()
            self._closing.wait(max(0.0, asked_s + PULL_LEAST_S - self._clock.monotonic()))
        point.end()

    def _note(self, camera_id: str, problem: ExamKitError) -> None:
        log.info("camera %s by ONVIF: %s", camera_id, problem)
        before = kept_words(self._home, camera_id) or Words(self._clock.now())
        told = Words(**{**vars(before), "asked_at": self._clock.now(), "problem": problem.message})
        try:
            keep_words(self._home, camera_id, told)
        except OSError as refused:
            log.warning("what camera %s said cannot be kept: %s", camera_id, refused)

    def _pause(self, camera_id: str, seconds: float, password: str | None) -> None:
        """Wait, but not longer than until somebody gives another password."""
        ends = self._clock.monotonic() + seconds
        while (left := ends - self._clock.monotonic()) > 0 and not self._closing.wait(min(left, LOOK_S)):
            try:
                if self._secrets.get(f"camera:{camera_id}") != password:
                    return
            except ExamKitError:
                continue
