"""What is known of each camera now, and whether that is what should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.agent import orders
from exam_kit.agent.planner import Wishes, recording_wishes
from exam_kit.agent.status import agent_alive
from exam_kit.cctv.picture import STATE_LABELS, PictureState
from exam_kit.cctv.picture_history import CALM
from exam_kit.cctv.status import CAUSES, STATES, CameraStatus, Desired, camera_statuses
from exam_kit.clock import Clock
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.point import Camera, Point, Room, camera_windows
from exam_kit.store import Store

__all__ = ["CameraFact", "camera_facts"]

GRACE = timedelta(seconds=8)
"""A camera that was just asked to record is given this long to connect before the screens grow loud."""
LOST_GRACE = timedelta(seconds=5)
"""One whose footage has ended is given less: with what it takes to see and to show it, ten seconds are kept."""

TONES = {"recording": "rec", "connecting": "ask", "lost": "bad", "off": "none", "unknown": "none"}


@dataclass(frozen=True)
class CameraFact:
    """One camera. `status` is None when nobody has said anything of it lately; `wanted` says it should record now."""

    camera: Camera
    room: Room
    status: CameraStatus | None
    wanted: bool
    held_back: bool
    """Its window is open, and an order stopped it."""
    asked_at: datetime | None = None
    """Since when it should record: the beginning of its window, or the order."""

    @property
    def state(self) -> str:
        """off, connecting, recording, lost; unknown when nobody has said so lately."""
        return self.status.state if self.status else "unknown"

    @property
    def state_label(self) -> str:
        """English key of the state."""
        return STATES.get(self.state, N_("not known"))

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "none")

    @property
    def recording(self) -> bool:
        return self.state == "recording"

    @property
    def cause(self) -> str:
        """English key of what is wrong; empty when nothing is."""
        fault = self.status.fault if self.status else None
        return CAUSES.get(fault or "", "")

    @property
    def ill(self) -> str:
        """English key of what is wrong with the picture; empty when nothing is, or it was not judged."""
        if self.status is None or not self.recording or self.status.picture in CALM:
            return ""
        return STATE_LABELS[PictureState(self.status.picture)]

    @property
    def since(self) -> datetime | None:
        if self.status is None:
            return None
        return self.status.gap_since or self.status.since

    def missing(self, now: datetime) -> bool:
        """True when it should record, does not, and has had time to begin."""
        if not self.wanted or self.recording:
            return False
        lost_at = self.status.gap_since if self.status else None
        if lost_at is not None:
            return now - lost_at > LOST_GRACE
        known = [moment for moment in (self.since, self.asked_at) if moment is not None]
        return not known or now - max(known) > GRACE


def camera_facts(home: Home, store: Store, point: Point, clock: Clock) -> list[CameraFact]:
    """Every camera of the point, in the point's order. What a dead agent said last is not what is."""
    told = camera_statuses(store) if agent_alive(home, clock) else {}
    now = clock.now()
    wishes = recording_wishes(store, point, now)
    return [_fact(store, point, camera, now, told.get(camera.id), wishes) for camera in point.cameras]


def _fact(
    store: Store, point: Point, camera: Camera, now: datetime, status: CameraStatus | None, wishes: Wishes
) -> CameraFact:
    wanted = wishes.record.get(camera.id)
    return CameraFact(
        camera,
        point.room(camera.room),
        status,
        wanted=wanted is not None,
        held_back=camera.id in wishes.stop and any(one.holds(now) for one in camera_windows(point, camera)),
        # Only asked where it matters: most cameras record.
        asked_at=_asked_at(store, point, camera, now, wanted)
        if wanted is not None and (status is None or status.state != "recording")
        else None,
    )


def _asked_at(store: Store, point: Point, camera: Camera, now: datetime, wanted: Desired) -> datetime | None:
    if wanted.order is not None:
        order = orders.get(store, wanted.order)
        return order.given_at if order else None
    return max((one.start for one in camera_windows(point, camera) if one.holds(now)), default=None)
