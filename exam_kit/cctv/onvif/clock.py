"""A camera's clock as it tells it by ONVIF: whole seconds of UTC, its local time, and the zone between the two."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # only elements that `soap.opened` made
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from exam_kit.cctv.onvif.soap import text

__all__ = ["CameraClock", "Reading", "narrowed", "posix_zone", "read_clock", "setting"]

Bounds = tuple[float, float]
"""Between how many seconds and how many the camera's clock is ahead of ours."""
NAMED = re.compile(r"(?:[A-Za-z]{3,}|<[^>]*>)([+-]?\d{1,2})(?::(\d{2}))?")


@dataclass(frozen=True)
class CameraClock:
    """What is known of a camera's clock."""

    offset_s: float
    """Seconds it is ahead of ours; negative: behind."""
    error_s: float
    """The offset is right to within this."""
    zone: str
    """Its time zone in POSIX form, as it says it; "" when it tells none."""
    daylight: bool
    by_ntp: bool
    local_minus_utc_s: float | None
    """Its local time minus its UTC, seconds; None when it tells only one of them."""
    asked_at: datetime

    def local_offset_s(self, tz: ZoneInfo) -> float | None:
        """Seconds by which its local time, which it writes into the picture, is ahead of the local time in `tz`."""
        if self.local_minus_utc_s is None:
            return None
        ours = tz.utcoffset(self.asked_at.astimezone(tz).replace(tzinfo=None)) or timedelta(0)
        return self.offset_s + self.local_minus_utc_s - ours.total_seconds()

    def worst_offset_s(self, tz: ZoneInfo) -> float:
        """The larger of the two: a right UTC under a wrong zone is a wrong time in the picture."""
        return max((self.offset_s, self.local_offset_s(tz) or 0.0), key=abs)


@dataclass(frozen=True)
class Reading:
    """One answer to "what time is it", with our clock when it was asked and when the answer came."""

    told_s: float
    """The camera's UTC, whole seconds since the epoch; it was that second when it answered."""
    local_minus_utc_s: float | None
    zone: str
    daylight: bool
    by_ntp: bool
    sent_s: float
    came_s: float

    @property
    def travelled_s(self) -> float:
        return max(self.came_s - self.sent_s, 0.0)

    @property
    def bounds(self) -> Bounds:
        return self.told_s - self.came_s, self.told_s + 1 - self.sent_s

    def clock(self, ahead: Bounds, asked_at: datetime) -> CameraClock:
        low, high = ahead
        offset, error = round((low + high) / 2, 3), round((high - low) / 2, 3)
        return CameraClock(offset, error, self.zone, self.daylight, self.by_ntp, self.local_minus_utc_s, asked_at)


def narrowed(before: Bounds, after: Bounds) -> Bounds:
    """What both leave open; the later one alone where they contradict, for then the clock was set meanwhile."""
    low, high = max(before[0], after[0]), min(before[1], after[1])
    return (low, high) if low < high else after


def read_clock(answer: ET.Element, sent_s: float, came_s: float) -> Reading:
    """ValueError when no time stands in the answer."""
    said = answer.find("{*}SystemDateAndTime")
    zone, daylight = text(said, "TimeZone/TZ")[:100], text(said, "DaylightSavings") in ("true", "1")
    utc, local = _moment(said, "UTCDateTime"), _moment(said, "LocalDateTime")
    if utc is None:
        east = _east_s(zone, daylight)
        if local is None or east is None:
            raise ValueError("it does not tell the time")
        utc = local - timedelta(seconds=east)
    apart = (local - utc).total_seconds() if local is not None else _east_s(zone, daylight)
    by_ntp = text(said, "DateTimeType") == "NTP"
    return Reading(utc.timestamp(), apart, zone, daylight, by_ntp, sent_s, came_s)


def _moment(said: ET.Element | None, name: str) -> datetime | None:
    parts = [text(said, f"{name}/{part}") for part in ("Date/Year", "Date/Month", "Date/Day")]
    parts += [text(said, f"{name}/{part}") for part in ("Time/Hour", "Time/Minute", "Time/Second")]
    if not any(parts):
        return None
    try:
        year, month, day, hour, minute, second = (int(part[:4]) for part in parts)
        # Some tell the leap second.
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time that does not exist") from None


def _east_s(zone: str, daylight: bool) -> float | None:
    """Seconds east of Greenwich by a POSIX zone, where west counts as positive ("MSK-3")."""
    named = NAMED.match(zone)
    if named is None:
        return None
    hours = int(named[1])
    seconds = abs(hours) * 3600 + int(named[2] or 0) * 60
    return (seconds if named[1].startswith("-") else -seconds) + (3600 if daylight else 0)


def setting(moment: datetime, zone: str, daylight: bool) -> str:
    """The request that sets a clock to `moment`, a whole second of UTC."""
    told = f"<tds:TimeZone><tt:TZ>{escape(zone)}</tt:TZ></tds:TimeZone>" if zone else ""
    return (
        "<tds:SetSystemDateAndTime><tds:DateTimeType>Manual</tds:DateTimeType>"
        f"<tds:DaylightSavings>{str(daylight).lower()}</tds:DaylightSavings>{told}<tds:UTCDateTime>"
        f"<tt:Time><tt:Hour>{moment.hour}</tt:Hour><tt:Minute>{moment.minute}</tt:Minute>"
        f"<tt:Second>{moment.second}</tt:Second></tt:Time><tt:Date><tt:Year>{moment.year}</tt:Year>"
        f"<tt:Month>{moment.month}</tt:Month><tt:Day>{moment.day}</tt:Day></tt:Date></tds:UTCDateTime>"
        "</tds:SetSystemDateAndTime>"
    )


def posix_zone(tz: ZoneInfo) -> str:
    """A zone as cameras want it, "MSK-3" or "EET-2EEST,M3.5.0/3,M10.5.0/4": the last line of its TZif file (RFC 8536).

    Zones without a name of letters ("<+05>-5") are called UTC, which older cameras understand.
    """
    data = files("tzdata").joinpath("zoneinfo", *tz.key.split("/")).read_bytes()
    last = data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")
    return re.sub(r"<[^>]*>", "UTC", last)
