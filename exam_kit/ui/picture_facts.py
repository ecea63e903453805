"""What is known of each camera's picture: its state, the approved picture behind it, its alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

import streamlit as st

from exam_kit.cctv.picture import STATE_LABELS, PictureState, Thresholds
from exam_kit.cctv.picture_history import AlarmRate, alarm_rates
from exam_kit.cctv.picture_thresholds import SHIPPED
from exam_kit.cctv.references import Reference, ReferenceState, approved, reference_state
from exam_kit.checks.profile import load_profile
from exam_kit.errors import PointInvalid
from exam_kit.home import Home
from exam_kit.store import Accounts, Act
from exam_kit.ui.camera_facts import CameraFact, camera_facts
from exam_kit.ui.seat import Seat

__all__ = ["PictureFact", "limits_of", "may_approve", "picture_facts"]

GRAVE = ("black", "covered", "glare", "frozen", "moved", "scene_changed", "stalled")


@dataclass(frozen=True)
class PictureFact:
    """One camera's picture now."""

    camera: CameraFact
    reference: Reference | None
    reference_state: ReferenceState
    rate: AlarmRate
    approved_by: str = ""
    """name of who approved the picture in force"""

    @property
    def id(self) -> str:
        return self.camera.camera.id

    @property
    def state(self) -> str:
        """A `PictureState`; unknown also while nothing is recorded."""
        return self.camera.status.picture if self.camera.status else "unknown"

    @property
    def tone(self) -> str:
        if self.state in GRAVE:
            return "bad"
        return {"ok": "good", "unknown": "unknown"}.get(self.state, "warn")

    @property
    def label(self) -> str:
        """English key."""
        return STATE_LABELS[PictureState(self.state)]

    @property
    def compared(self) -> bool:
        """Whether "good" means "as approved" too."""
        return self.reference_state is ReferenceState.GOOD


def picture_facts(seat: Seat) -> list[PictureFact]:
    """Every camera's, in the point's order. Alarms are counted since midnight at the point."""
    references = approved(seat.store)
    names = {one.login: one.name for one in Accounts(seat.store, seat.ledger).all()}
    limits, own = _thresholds(seat)
    midnight = datetime.combine(seat.today, time(), seat.point.tz)
    cameras = camera_facts(seat)
    rates = alarm_rates(seat.store, [one.camera.id for one in cameras], midnight, seat.now)
    found = []
    for one in cameras:
        reference, status = references.get(one.camera.id), one.status
        size = (status.width, status.height) if status and one.recording else None
        days = {**limits, **own.get(one.camera.id, {})}["reference_days"]
        state = reference_state(seat.home, reference, seat.now, days, size)
        by = names.get(reference.actor, reference.actor) if reference else ""
        found.append(PictureFact(one, reference, state, rates[one.camera.id], by))
    return found


def limits_of(seat: Seat, camera: str = "") -> Thresholds:
    """The profile's thresholds, with the camera's own over them."""
    limits, own = _thresholds(seat)
    return Thresholds.from_mapping({**limits, **own.get(camera, {})})


def may_approve(seat: Seat) -> bool:
    """Whoever runs or confirms the checks."""
    return seat.may(Act.RUN_CHECKS) or seat.may(Act.CONFIRM_CHECKS)


def _thresholds(seat: Seat) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    return _profile_table(seat.point.profile, str(seat.home.root))


@st.cache_data(ttl=30, show_spinner=False)
def _profile_table(name: str, _root: str) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    try:
        profile = load_profile(name, Home.find())
    except PointInvalid:  # the checks say so; the recorder judges by the shipped ones, too
        return dict(SHIPPED), {}
    own = {camera: dict(table) for camera, table in profile.picture_cameras.items()}
    return dict(profile.picture or SHIPPED), own
