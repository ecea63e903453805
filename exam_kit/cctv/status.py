"""What is known of each camera right now, and why a camera may not be recording."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.store import Store

__all__ = ["CAUSES", "STATES", "CameraStatus", "Desired", "RecordingState", "camera_statuses"]

RecordingState = Literal["off", "connecting", "recording", "lost"]

STATES: dict[str, str] = {
    "off": N_("not recording"),
    "connecting": N_("connecting"),
    "recording": N_("recording"),
    "lost": N_("not recording although it should"),
}
"""What a person reads for a state."""

CAUSES: dict[str, str] = {
    "camera_unreachable": N_("the camera does not answer"),
    "camera_refused": N_("the camera refuses the connection"),
    "sign_in_refused": N_("the camera refuses the user name or password"),
    "stream_stalled": N_("the camera stopped sending"),
    "stream_ended": N_("the camera ended the stream"),
    "stream_changed": N_("the camera changed its picture size or format"),
    "stream_unreadable": N_("the stream cannot be read"),
    "no_video": N_("the camera sends no usable video"),
    "disk_full": N_("the disk is full"),
    "disk_failed": N_("the disk refuses to write"),
    "worker_killed": N_("the recording process was killed"),
    "agent_stopped": N_("the program was stopped"),
    "machine_off": N_("the computer was off"),
    "starting": N_("recording was just being started"),
    "not_recorded": N_("not recorded"),
}
"""Causes of gaps, for people."""


@dataclass(frozen=True)
class Desired:
    """A camera is to be recorded (or, for a stop, no more): by whose hand, on whose order, why, by which order."""

    actor: str
    ordered_by: str
    why: str
    order: int | None = None


@dataclass
class CameraStatus:
    """One camera. Moments are UTC; `bitrate` is in bits a second; `picture` is a `PictureState`."""

    camera: str
    state: RecordingState = "off"
    since: datetime | None = None
    fps: float = 0.0
    bitrate: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    sound: str = ""
    picture: str = "unknown"
    segments: int = 0
    """segments finished since the agent started"""
    recorded_to: datetime | None = None
    gap_since: datetime | None = None
    motion_at: datetime | None = None
    """when something the size of a person last moved in the picture"""
    fault: str | None = None
    """cause of the last fault while it lasts (`CAUSES`)"""
    detail: str = ""
    retry_at: datetime | None = None
    asks: bool = False
    """it has stopped trying and waits for a person, to correct the password"""
    desired: Desired | None = None
    seen_at: datetime | None = None
    """when the agent last wrote this down"""
    boot_id: str = field(default="", repr=False)
    boot_s: float = field(default=0.0, repr=False)
    """the same moment on the clock that never steps"""
    offset_s: float | None = field(default=None, repr=False)
    """wall clock minus seconds since boot when recording was ordered: what its footage and gaps are dated by"""

    def info(self) -> dict[str, Any]:
        """All but what has columns of its own, as JSON."""
        kept = asdict(self)
        for column in ("camera", "state", "since", "desired", "seen_at"):
            del kept[column]
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in kept.items()}


_MOMENTS = ("recorded_to", "gap_since", "retry_at", "motion_at")


def camera_statuses(store: Store) -> dict[str, CameraStatus]:
    """The last written status of every camera, by id; for processes other than the agent."""
    found = {}
    for row in store.query("SELECT * FROM camera_state ORDER BY camera"):
        info = json.loads(row["info"])
        info.update({name: from_iso(info[name]) for name in _MOMENTS if info.get(name)})
        desired = json.loads(row["desired"])
        found[row["camera"]] = CameraStatus(
            camera=row["camera"],
            state=row["state"],
            since=from_iso(row["since"]),
            seen_at=from_iso(row["seen_at"]),
            desired=Desired(**desired) if desired else None,
            **info,
        )
    return found
