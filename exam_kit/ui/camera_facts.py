"""What is known of each camera now, and whether that is what should be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exam_kit.agent.planner import desired_recordings
from exam_kit.agent.status import agent_alive
from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.point import Camera, Room
from exam_kit.ui.seat import Seat

__all__ = ["CAUSE_LABELS", "PICTURE_LABELS", "CameraFact", "camera_facts"]

GRACE = timedelta(seconds=8)
"""A camera that was just asked to record is given this long to connect before the screen grows loud."""

CAUSE_LABELS = {
    "camera_unreachable": N_("the camera does not answer"),
    "camera_refused": N_("the camera refuses the connection"),
    "sign_in_refused": N_("the camera refuses the name or password"),
    "stream_stalled": N_("the camera sends nothing"),
    "stream_changed": N_("the camera's stream changed"),
    "worker_killed": N_("the recording program was ended"),
    "agent_stopped": N_("the agent was not running"),
    "machine_off": N_("the computer was off"),
    "disk_full": N_("the disk is full"),
}
PICTURE_LABELS = {
    "ok": N_("picture in order"),
    "black": N_("black picture"),
    "dark": N_("dark picture"),
    "covered": N_("covered camera"),
    "glare": N_("blinding light"),
    "blurred": N_("blurred picture"),
    "frozen": N_("frozen picture"),
    "moved": N_("moved camera"),
}


@dataclass(frozen=True)
class CameraFact:
    """One camera. `state` is off, connecting, recording or lost, and "unknown" when nobody has said so lately."""

    camera: Camera
    room: Room
    state: str
    since: datetime | None
    wanted_since: datetime | None
    wanted: bool
    info: dict[str, Any]

    @property
    def recording(self) -> bool:
        return self.state == "recording"

    @property
    def cause(self) -> str:
        """English key of what is wrong; empty when nothing is known."""
        return CAUSE_LABELS.get(str(self.info.get("cause") or ""), "")

    @property
    def picture(self) -> str:
        """Health of the picture: a code of `PICTURE_LABELS`, empty when it was not judged."""
        found = str(self.info.get("picture") or "")
        return found if found in PICTURE_LABELS else ""

    def missing(self, now: datetime) -> bool:
        """True when it should record, does not, and has had time to begin."""
        waited = self.wanted_since is None or now - self.wanted_since > GRACE
        return self.wanted and not self.recording and waited


def camera_facts(seat: Seat) -> list[CameraFact]:
    """Every camera of the point, in the point's order."""
    alive = agent_alive(seat.home, seat.clock)
    rows = {row["camera"]: row for row in seat.store.query("SELECT * FROM camera_state")}
    wanted = desired_recordings(seat.store, seat.point, seat.now)
    facts = []
    for camera in seat.point.cameras:
        row = rows.get(camera.id)
        facts.append(
            CameraFact(
                camera=camera,
                room=seat.point.room(camera.room),
                # What a dead agent said last is not what is.
                state=row["state"] if row and alive else "unknown",
                since=from_iso(row["since"]) if row else None,
                wanted_since=from_iso(row["since"]) if row and alive else None,
                wanted=camera.id in wanted,
                info=json.loads(row["info"] or "{}") if row else {},
            )
        )
    return facts
