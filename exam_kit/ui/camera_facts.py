"""What is known of each camera now, as a page asks for it."""

from __future__ import annotations

from exam_kit.agent.camera_facts import CameraFact
from exam_kit.agent.camera_facts import camera_facts as facts_of
from exam_kit.ui.seat import Seat

__all__ = ["CameraFact", "camera_facts"]


def camera_facts(seat: Seat) -> list[CameraFact]:
    """Every camera of the point, in the point's order."""
    return facts_of(seat.home, seat.store, seat.point, seat.clock)
