"""What is known of each camera now, and whether that is what should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.agent.planner import recording_wishes
from exam_kit.agent.status import agent_alive
from exam_kit.cctv.status import CAUSES, STATES, CameraStatus, camera_statuses
from exam_kit.i18n import N_
from exam_kit.point import Camera, Room, camera_windows
from exam_kit.ui.seat import Seat

__all__ = ["PICTURE_LABELS", "CameraFact", "camera_facts"]

GRACE = timedelta(seconds=8)
"""A camera that was just asked to record is given this long to connect before the screen grows loud."""

PICTURE_LABELS = {
    "black": N_("black picture"),
    "dark": N_("dark picture"),
    "covered": N_("covered camera"),
    "glare": N_("blinding light"),
    "blurred": N_("blurred picture"),
    "frozen": N_("frozen picture"),
    "moved": N_("moved camera"),
}
"""Pictures that are not as they should be; a code that is not here is in order, or was not judged."""

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
        return PICTURE_LABELS.get(self.status.picture, "") if self.status and self.recording else ""

    @property
    def since(self) -> datetime | None:
        if self.status is None:
            return None
        return self.status.gap_since or self.status.since

    def missing(self, now: datetime) -> bool:
        """True when it should record, does not, and has had time to begin."""
        if not self.wanted or self.recording:
            return False
        return self.since is None or now - self.since > GRACE


def camera_facts(seat: Seat) -> list[CameraFact]:
    """Every camera of the point, in the point's order. What a dead agent said last is not what is."""
    told = camera_statuses(seat.store) if agent_alive(seat.home, seat.clock) else {}
    now = seat.now
    wishes = recording_wishes(seat.store, seat.point, now)
    return [
        CameraFact(
            camera,
            seat.point.room(camera.room),
            told.get(camera.id),
            wanted=camera.id in wishes.record,
            held_back=camera.id in wishes.stop and any(one.holds(now) for one in camera_windows(seat.point, camera)),
        )
        for camera in seat.point.cameras
    ]
