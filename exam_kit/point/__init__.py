"""What an exam point has: its rooms, cameras, stations and exam days, from one validated file."""

from exam_kit.point.load import load_point, read_point
from exam_kit.point.model import (
    Camera,
    ExamDay,
    Point,
    RecordingWindow,
    Room,
    Station,
    StationRole,
    Transport,
    Zone,
)
from exam_kit.point.plan import ZoneWindow, camera_windows, check_due, exam_end, exam_start, zone_windows
from exam_kit.point.secrets import Secrets

__all__ = [
    "Camera",
    "ExamDay",
    "Point",
    "RecordingWindow",
    "Room",
    "Secrets",
    "Station",
    "StationRole",
    "Transport",
    "Zone",
    "ZoneWindow",
    "camera_windows",
    "check_due",
    "exam_end",
    "exam_start",
    "load_point",
    "read_point",
    "zone_windows",
]
