"""The lines that are usually written at this hour, ready to be written: derived from the point's places and the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from exam_kit.journal.access_row import AccessAction
from exam_kit.point.model import ExamDay, Point, Zone
from exam_kit.point.plan import exam_end, zone_windows

__all__ = ["Preset", "usual_lines"]


@dataclass(frozen=True)
class Preset:
    """A line as it is usually written; `zones` are the places it is about, empty for all, None where the person must
    say which."""

    action: AccessAction
    rooms: tuple[str, ...]
    zones: tuple[Zone, ...] | None = ()


def usual_lines(point: Point, day: ExamDay | None, now: datetime) -> list[Preset]:
    """In the order in which they are done: until the exam's planned end those of a morning, then those of an evening.

    Places whose recording begins (ends) at one moment go into one line. Without an exam day all places do.
    """
    everywhere = tuple(room.code for room in point.rooms)
    filmed = {camera.room for camera in point.cameras}
    if day is not None and now >= exam_end(point, day):
        off = [
            _switched(point, filmed, AccessAction.RECORDING_STOPPED, zones) for zones in _together(point, day, "end")
        ]
        cards = tuple(code for code in everywhere if code in filmed) or everywhere
        return [
            *off,
            Preset(AccessAction.MEMORY_CARD_OUT, cards),
            Preset(AccessAction.MEMORY_CARD_IN, cards),
            Preset(AccessAction.VIEW_CORRECTED, (), None),
        ]
    on = [_switched(point, filmed, AccessAction.RECORDING_STARTED, zones) for zones in _together(point, day, "start")]
    return [Preset(AccessAction.OPERABILITY_CHECK, everywhere), *on, Preset(AccessAction.VIEW_CORRECTED, (), None)]


def _together(point: Point, day: ExamDay | None, edge: str) -> list[tuple[Zone, ...]]:
    """The places with cameras, those of one moment together, in the order of time."""
    used = sorted({point.zone_of(camera) for camera in point.cameras}, key=list(Zone).index)
    if not used:
        return []
    if day is None:
        return [tuple(used)]
    windows = zone_windows(point, day)

    def at(zone: Zone) -> datetime:
        return windows[zone].start if edge == "start" else windows[zone].end

    return [tuple(zones) for _moment, zones in groupby(sorted(used, key=at), key=at)]


def _switched(point: Point, filmed: set[str], action: AccessAction, zones: tuple[Zone, ...]) -> Preset:
    rooms = tuple(room.code for room in point.rooms if room.zone in zones and room.code in filmed)
    return Preset(action, rooms, zones)
