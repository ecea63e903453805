"""From an exam day's local clock to windows in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # an exam station reckons with days of its own kind, and has no pydantic
    from exam_kit.point.model import Camera, ExamDay, Point, Zone

__all__ = ["ZoneWindow", "camera_windows", "check_due", "day_span", "exam_end", "exam_start", "zone_windows"]


@dataclass(frozen=True)
class ZoneWindow:
    """When one zone is to be recorded; both ends UTC, `end` not included."""

    zone: Zone
    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def exam_start(point: Point, day: ExamDay) -> datetime:
    """The exam's start in UTC.

    A local time that daylight saving skips or repeats is read as the earlier moment (fold 0), as PEP 495 does.
    """
    return datetime.combine(day.date, day.start, tzinfo=point.tz).astimezone(UTC)


def exam_end(point: Point, day: ExamDay) -> datetime:
    """The planned end in UTC."""
    return exam_start(point, day) + timedelta(minutes=day.duration_min)


def check_due(point: Point, day: ExamDay) -> tuple[datetime, datetime]:
    """When the readiness check is due and until when it may still start, UTC."""
    due = exam_start(point, day) - timedelta(minutes=point.check_lead_min)
    return due, due + timedelta(minutes=point.check_window_min)


def zone_windows(point: Point, day: ExamDay) -> dict[Zone, ZoneWindow]:
    """The window of every zone; a day's own window wins over the point's."""
    start, end = exam_start(point, day), exam_end(point, day)
    return {
        zone: ZoneWindow(zone, start - timedelta(minutes=window.lead_min), end + timedelta(minutes=window.tail_min))
        for zone, window in {**point.recording, **day.recording}.items()
    }


def camera_windows(point: Point, camera: Camera) -> list[ZoneWindow]:
    """Every planned window of one camera, over all exam days, in order."""
    zone = point.zone_of(camera)
    windows = [zone_windows(point, day).get(zone) for day in point.days]
    return sorted((window for window in windows if window is not None), key=lambda window: window.start)


def day_span(point: Point, day: ExamDay) -> tuple[datetime, datetime]:
    """From the first thing planned on that day to the last, with a margin."""
    windows = zone_windows(point, day).values()
    starts = [exam_start(point, day), check_due(point, day)[0], *(window.start for window in windows)]
    ends = [exam_end(point, day), *(window.end for window in windows)]
    margin = (max(ends) - min(starts)) * 0.03
    return min(starts) - margin, max(ends) + margin
