"""When a file was recorded, read from how recorders name their files. A name tells the recorder's clock, no more.

Known: a stamp anywhere in the name (20260528_100000, ch01_20260528100000, 2026-05-28_10-00-00), two of them for from
and to (NVR_ch1_main_20260528100000_20260528101500), Dahua's times in dated folders
(2026-05-28/001/dav/10/10.00.00-10.15.00[M][0@0][0].dav), times of the day in dated folders (20260528/100000.mp4),
seconds since 1970 (00M00S_1779951600.mp4), and the kit's own names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from exam_kit.cctv.names import parse_name

__all__ = ["NamedTime", "time_in_name"]

LONGEST = timedelta(hours=25)
"""No recorder writes longer files; a second stamp later than this says something else."""
_STAMP = re.compile(
    r"(?<!\d)(20\d{2})([-_.]?)(\d{2})\2(\d{2})[T_ -]{0,2}(\d{2})([-_.:]?)(\d{2})\6(\d{2})(?=\d{3}(?!\d)|(?!\d))"
)
_FOLDER = re.compile(r"(?<!\d)(20\d{2})([-_.]?)(\d{2})\2(\d{2})(?!\d)")
_CLOCKS = re.compile(r"(?<!\d)(\d{2})([.:-])(\d{2})\2(\d{2})(?:-(\d{2})\2(\d{2})\2(\d{2}))?(?!\d)")
_BARE = re.compile(r"^\D*(\d{2})(\d{2})(\d{2})(?:[-_](\d{2})(\d{2})(\d{2}))?\D*$")
_EPOCH = re.compile(r"(?<!\d)(1[6-9]\d{8})(?!\d)")


@dataclass(frozen=True)
class NamedTime:
    """From and to, UTC, as the name has them; `end` is None where it has only one."""

    start: datetime
    end: datetime | None


def time_in_name(path: str, zone: str) -> NamedTime | None:
    """What the path (relative, with /) says; clock times are read in `zone`. None when it says nothing we know.

    An hour that daylight saving repeats is read as its first occurrence.
    """
    pure = PurePosixPath(path)
    own = parse_name(pure.with_suffix(".mp4").name, zone)
    if own is not None:
        return NamedTime(own.start, own.end)
    for found in (_stamps(pure.stem, zone), _dated_folder(pure, zone), _since_1970(pure.stem)):
        if found is not None:
            return found
    return None


def _stamps(stem: str, zone: str) -> NamedTime | None:
    told = [
        moment
        for found in _STAMP.finditer(stem)
        if (moment := _moment(zone, *(int(found[number]) for number in (1, 3, 4, 5, 7, 8)))) is not None
    ]
    if not told:
        return None
    later = told[1] if len(told) > 1 and timedelta(0) < told[1] - told[0] <= LONGEST else None
    return NamedTime(told[0], later)


def _dated_folder(path: PurePosixPath, zone: str) -> NamedTime | None:
    clocks = _CLOCKS.search(path.stem)
    digits = [clocks[number] for number in (1, 3, 4, 5, 6, 7)] if clocks else None
    if digits is None:
        bare = _BARE.match(path.stem)
        digits = list(bare.groups()) if bare else None
    day = next(_days(path), None)
    if digits is None or day is None:
        return None
    start = _at(zone, day, digits[:3])
    end = _at(zone, day, digits[3:]) if digits[3] else None
    if start is None:
        return None
    if end is not None and end < start:
        end += timedelta(days=1)  # it went on past midnight
    return NamedTime(start, end)


def _days(path: PurePosixPath) -> Iterator[date]:
    """Days in the names of the folders, the nearest first."""
    for part in reversed(path.parent.parts):
        for found in _FOLDER.finditer(part):
            try:
                yield date(int(found[1]), int(found[3]), int(found[4]))
            except ValueError:
                continue


def _since_1970(stem: str) -> NamedTime | None:
    found = _EPOCH.search(stem)
    return NamedTime(datetime.fromtimestamp(int(found[1]), UTC), None) if found else None


def _at(zone: str, day: date, digits: list[str]) -> datetime | None:
    return _moment(zone, day.year, day.month, day.day, *map(int, digits))


def _moment(zone: str, year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    try:
        local = datetime.combine(date(year, month, day), time(hour, minute, second), tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    return local.astimezone(UTC)
