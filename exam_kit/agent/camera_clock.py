"""Setting a camera's clock: on a person's order, never while it is to be recorded, and never during an exam.

A clock that moves while it is recorded makes the time in the picture a question at every appeal. So the order and what
the clock showed stand in the ledger before anything is done, and the access log gets its line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exam_kit.agent.camera_words import asked, keep_clock
from exam_kit.agent.log_lines import giver_of, orderer_of
from exam_kit.agent.orders import Order
from exam_kit.cctv.onvif.clock import CameraClock, posix_zone
from exam_kit.cctv.onvif.wire import OnvifError
from exam_kit.clock import Clock
from exam_kit.errors import ExamKitError, Message, UsageError, m
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.person import AGENT, fitting
from exam_kit.point import Camera, Point, Secrets, camera_windows, exam_end, exam_start
from exam_kit.store import Ledger

__all__ = ["SetClocks", "why_not_now"]

ZONE_OFF_S = 60.0
"""A local time this far from the point's under a right UTC is a wrong zone."""


def why_not_now(point: Point, camera: Camera, clock: Clock, recording: Collection[str]) -> Message | None:
    """Why this camera's clock may not be set now; None when it may. `recording`: the cameras that are to record."""
    now = clock.now()
    exam = next((day for day in point.days if exam_start(point, day) <= now < exam_end(point, day)), None)
    if exam is not None:
        ends = exam_end(point, exam).astimezone(point.tz)
        return m(
            "Camera {camera}: its clock is not set during an exam. Wait until it ends at {time}; until then write down "
            "how far the clock is off.",
            camera=camera.id,
            time=f"{ends:%H:%M}",
        )
    window = next((window for window in camera_windows(point, camera) if window.holds(now)), None)
    if window is not None:
        return m(
            "Camera {camera}: its clock is not set in its planned recording time, which ends at {time}. Write down how "
            "far it is off, and set it after that.",
            camera=camera.id,
            time=f"{window.end.astimezone(point.tz):%H:%M}",
        )
    if camera.id in recording:
        return m(
            "Camera {camera}: its clock is not set while it is recorded. Have the recording stopped first.",
            camera=camera.id,
        )
    return None


@dataclass
class SetClocks:
    """Carries out orders of the kind `camera_clock`: {"cameras": [ids]}."""

    point: Point
    home: Home
    ledger: Ledger
    secrets: Secrets
    clock: Clock
    recording: Callable[[], Collection[str]]
    """The cameras that are to record now."""

    def obey(self, order: Order) -> dict[str, Any]:
        """Set the clocks; what came of each camera, for the order's result.

        Raises:
            ExamKitError: none of them was set; the reasons.
        """
        done: dict[str, Any] = {}
        refused: dict[str, Message] = {}
        for camera_id in order.body.get("cameras", []):
            try:
                done[camera_id] = self._set(order, self._camera(camera_id))
            except ExamKitError as problem:
                refused[camera_id] = problem.message
        if not done:
            reasons = list(refused.values()) or [m("Order {number}: it names no camera.", number=order.id)]
            raise UsageError(reasons[0], reasons[1:])
        return {"set": done, "not_set": {one: why.text(self.point.language) for one, why in refused.items()}}

    def _camera(self, camera_id: str) -> Camera:
        try:
            return self.point.camera(camera_id)
        except KeyError:
            raise UsageError(
                m(
                    "{camera}: there is no such camera. The point has: {known}.",
                    camera=camera_id,
                    known=", ".join(camera.id for camera in self.point.cameras),
                )
            ) from None

    def _allowed(self, camera: Camera) -> None:
        why = why_not_now(self.point, camera, self.clock, self.recording())
        if why is not None:
            raise UsageError(why)

    def _set(self, order: Order, camera: Camera) -> dict[str, Any]:
        self._allowed(camera)
        client = asked(camera, self.secrets, self.clock)
        before = client.clock()
        local_s = before.local_offset_s(self.point.tz)
        # Not by the worst offset: under a wrong UTC that a wrong zone makes up for, the local time alone is right.
        zone_off = local_s is not None and abs(local_s - before.offset_s) >= ZONE_OFF_S
        told = {"camera": camera.id, "order": order.id, "before": _words(self.point, before)}
        self.ledger.append("camera.clock_to_set", {**told, "zone": zone_off}, AGENT)
        began = self.clock.now()
        # Reading the clock took seconds: a recording may have begun since.
        self._allowed(camera)
        try:
            if zone_off:
                summer = bool(self.clock.now().astimezone(self.point.tz).dst())
                after = client.set_clock(zone=posix_zone(self.point.tz), daylight=summer)
            else:
                after = client.set_clock()
        except OnvifError as problem:
            # It may have been set all the same: an answer that was lost is no proof that nothing was done.
            self.ledger.append("camera.clock_set", {**told, "error": str(problem)}, AGENT)
            self._line(order, camera, began, self._not_confirmed(before))
            raise
        result = {"before": told["before"], "after": _words(self.point, after)}
        self.ledger.append("camera.clock_set", {**told, **result}, AGENT)
        self._line(order, camera, began, self._put_right(before, after))
        keep_clock(self.home, self.point, camera.id, after)
        return result

    def _put_right(self, before: CameraClock, after: CameraClock) -> Message:
        tz = self.point.tz
        return m(
            "camera clock set; it was off by {before} s, now by {after} s",
            before=f"{before.worst_offset_s(tz):+.1f}",
            after=f"{after.worst_offset_s(tz):+.1f}",
        )

    def _not_confirmed(self, before: CameraClock) -> Message:
        return m(
            "camera clock was to be set, the camera did not confirm it; it was off by {before} s",
            before=f"{before.worst_offset_s(self.point.tz):+.1f}",
        )

    def _line(self, order: Order, camera: Camera, began: datetime, what: Message) -> None:
        name = orderer_of(self.ledger, order)
        text = m("{camera}: {what}; by order of {name}: {why}", camera=camera.id, what=what, name=name, why=order.why)
        # A line does not end before it began, whatever was done to the machine's own clock meanwhile.
        ended = max(self.clock.now(), began)
        draft = AccessDraft(
            (camera.room,),
            AccessAction.CLOCK_SET,
            began,
            ended,
            text=fitting(text.text(self.point.language)),
            person=giver_of(self.ledger, order),
            order=order.id,
        )
        AccessLog(self.ledger, self.point, self.clock).add(draft, AGENT)


def _words(point: Point, clock: CameraClock) -> dict[str, Any]:
    return {
        "offset_s": round(clock.offset_s, 2),
        "error_s": round(clock.error_s, 2),
        "worst_s": round(clock.worst_offset_s(point.tz), 2),
        "zone": clock.zone,
        "by_ntp": clock.by_ntp,
    }
