"""What an exam point has: its rooms, cameras, stations and exam days, from one validated file.

Names are loaded when they are asked for: an exam station reckons with times (`plan`) and has no pydantic.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exam_kit.point.load import load_point, read_point
    from exam_kit.point.model import (
        Camera,
        Encoding,
        ExamDay,
        ObjectStore,
        Point,
        RecordingWindow,
        RegionCentre,
        Room,
        Station,
        StationRole,
        Transport,
        Zone,
    )
    from exam_kit.point.plan import ZoneWindow, camera_windows, check_due, day_span, exam_end, exam_start, zone_windows
    from exam_kit.point.secrets import Secrets

__all__ = [
    "Camera",
    "Encoding",
    "ExamDay",
    "ObjectStore",
    "Point",
    "RecordingWindow",
    "RegionCentre",
    "Room",
    "Secrets",
    "Station",
    "StationRole",
    "Transport",
    "Zone",
    "ZoneWindow",
    "camera_windows",
    "check_due",
    "day_span",
    "exam_end",
    "exam_start",
    "load_point",
    "read_point",
    "zone_windows",
]

_HOMES = {
    "Secrets": "secrets",
    "ZoneWindow": "plan",
    "camera_windows": "plan",
    "check_due": "plan",
    "day_span": "plan",
    "exam_end": "plan",
    "exam_start": "plan",
    "load_point": "load",
    "read_point": "load",
    "zone_windows": "plan",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
