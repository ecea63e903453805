"""How a recorded file is called, so that it sorts and explains itself without any index.

``RR_PPPP_YYYYMMDD_PLACE_CAM_HHMMSS-HHMMSS.mp4``: region, point, date, place (room code), camera, from and to in the
point's local time. While it is being recorded the second time reads ``open``. Two files that would bear the same
name (a clock set back, a pause shorter than a second) are told apart by ``_2``, ``_3``…
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

__all__ = ["Label", "ParsedName", "closed_path", "open_path", "parse_name"]

_NAME = re.compile(
    r"^(?P<region>\d{2})_(?P<point>\d{4})_(?P<date>\d{8})_(?P<place>[A-Za-z0-9-]+)_(?P<camera>[A-Za-z0-9-]+)"
    r"_(?P<start>\d{6})-(?P<end>\d{6}|open)(?:_(?P<number>\d+))?\.mp4$"
)


@dataclass(frozen=True)
class Label:
    """What the names of one camera's files are made of."""

    region: str
    point: str
    place: str
    camera: str
    timezone: str


@dataclass(frozen=True)
class ParsedName:
    """What a file name says; moments in UTC, `end` is None for a file that was not closed."""

    region: str
    point: str
    place: str
    camera: str
    start: datetime
    end: datetime | None


def open_path(label: Label, start: datetime, number: int = 1) -> PurePosixPath:
    """The path, relative to the footage folder, of a file that begins at `start` and is being recorded."""
    return _path(label, start, "open", number)


def closed_path(label: Label, start: datetime, end: datetime, number: int = 1) -> PurePosixPath:
    """The path, relative to the footage folder, of a finished file."""
    return _path(label, start, end.astimezone(ZoneInfo(label.timezone)).strftime("%H%M%S"), number)


def _path(label: Label, start: datetime, end: str, number: int) -> PurePosixPath:
    local = start.astimezone(ZoneInfo(label.timezone))
    several = f"_{number}" if number > 1 else ""
    name = f"{label.region}_{label.point}_{local:%Y%m%d}_{label.place}_{label.camera}_{local:%H%M%S}-{end}{several}.mp4"
    return PurePosixPath(local.date().isoformat(), label.camera, name)


def parse_name(name: str, timezone: str) -> ParsedName | None:
    """What the name of a file says, read with the point's zone; None when it is not one of ours.

    An hour that daylight saving repeats is read as its first occurrence.
    """
    found = _NAME.match(name)
    if found is None:
        return None
    zone = ZoneInfo(timezone)
    try:
        start = _moment(found["date"], found["start"], zone)
        end = None if found["end"] == "open" else _moment(found["date"], found["end"], zone)
    except ValueError:
        return None
    if end is not None and end < start:
        end = _moment(found["date"], found["end"], zone, days=1)
    return ParsedName(found["region"], found["point"], found["place"], found["camera"], start, end)


def _moment(date: str, clock: str, zone: ZoneInfo, days: int = 0) -> datetime:
    # The zone is put on in the next line.
    naive = datetime.strptime(date + clock, "%Y%m%d%H%M%S") + timedelta(days=days)  # noqa: DTZ007
    return naive.replace(tzinfo=zone).astimezone(UTC)
