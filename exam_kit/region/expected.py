"""What a region expects of a point: which camera records on which day from when to when, and whose key signs.

The CSV has one row per point, day and camera and this header (any order, ``;``, ``,`` or tab, UTF-8)::

    region;point;name;timezone;day;subject;zone;place;camera;from;to;key

`day` is YYYY-MM-DD, `from` and `to` are hh:mm by the point's own clock (a `to` that is not after `from` is on the next
day), `key` is the middle line of the point's `ledger.pub`, and may stand in one row of a point or in none.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from exam_kit.errors import Message, PointInvalid, m
from exam_kit.point import Point, Zone, zone_windows
from exam_kit.region.settings import EXAM_YEARS, known_zone
from exam_kit.store.keys import VerifyKey

__all__ = ["HEADER", "Expected", "Listed", "csv_text", "key_text", "of_point", "read_csv"]

HEADER = ("region", "point", "name", "timezone", "day", "subject", "zone", "place", "camera", "from", "to", "key")
MOST_SHOWN = 200
RUNS = ("=", "+", "-", "@")
"""A spreadsheet runs a cell that begins so."""
CODE = re.compile(r"[A-Za-z0-9-]{1,16}")


@dataclass(frozen=True)
class Expected:
    """One camera on one day; `start` and `end` are UTC."""

    day: dt.date
    subject: str
    zone: Zone
    place: str
    camera: str
    start: dt.datetime
    end: dt.datetime


@dataclass
class Listed:
    """One point of the register. `id` is ``RR-PPPP``; `key` is None until it is known."""

    region: str
    code: str
    name: str
    timezone: str
    key: VerifyKey | None = None
    expected: list[Expected] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.region}-{self.code}"

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def days(self) -> set[dt.date]:
        return {row.day for row in self.expected}


def of_point(point: Point, key: VerifyKey | None = None) -> Listed:
    """What a point's own set-up file says of it."""
    expected = []
    for day in sorted(point.days, key=lambda day: day.date):
        windows = zone_windows(point, day)
        for camera in point.cameras:
            zone = point.zone_of(camera)
            if zone in windows:
                window = windows[zone]
                expected.append(Expected(day.date, day.subject, zone, camera.room, camera.id, window.start, window.end))
    return Listed(point.region, point.code, point.name, point.timezone, key, expected)


def key_text(key: VerifyKey) -> str:
    """The middle line of the key's PEM file: the whole key in one word."""
    return "".join(key.pem().decode("ascii").splitlines()[1:-1])


def csv_text(points: Iterable[Listed]) -> str:
    """The register's own form of `points`; `read_csv` reads it back."""
    target = io.StringIO()
    writer = csv.writer(target, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for point in points:
        key = key_text(point.key) if point.key else ""
        for row in sorted(point.expected, key=lambda row: (row.day, row.zone, row.camera)):
            begins, ends = row.start.astimezone(point.tz), row.end.astimezone(point.tz)
            where = [point.region, point.code, point.name, point.timezone, row.day.isoformat(), row.subject]
            what = [row.zone.value, row.place, row.camera, _clock(begins), _clock(ends), key]
            writer.writerow([_guarded(cell) for cell in (*where, *what)])
    return target.getvalue()


def read_csv(text: str, name: str) -> list[Listed]:
    """The points of a CSV, in the order in which they first stand there.

    Raises:
        PointInvalid: the file has mistakes; `details` has one message for each, with its line.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    reader = _Reader()
    if not lines:
        reader.mistakes.append(m("  the file is empty; its first line names the columns: {names}", names=_named()))
    else:
        delimiter = max(";,\t", key=lines[0].count)
        reader.read(csv.reader(lines, delimiter=delimiter))
    if reader.mistakes:
        shown = reader.mistakes[:MOST_SHOWN]
        if len(reader.mistakes) > MOST_SHOWN:
            shown.append(m("  … and {count} more", count=len(reader.mistakes) - MOST_SHOWN))
        raise PointInvalid(
            m(
                "{name}: mistakes found: {count}. Nothing was registered; correct each and register again:",
                name=name,
                count=len(reader.mistakes),
            ),
            shown,
        )
    return list(reader.points.values())


class _Reader:
    """Reads row by row, and keeps every mistake instead of stopping at the first."""

    def __init__(self) -> None:
        self.points: dict[str, Listed] = {}
        self.mistakes: list[Message] = []
        self._seen: dict[tuple[str, str, str], int] = {}
        self._first: dict[str, int] = {}
        self._line = 0

    def read(self, rows: Iterator[list[str]]) -> None:
        header = [word.strip().casefold() for word in next(rows)]
        missing = [word for word in HEADER if word not in header and word != "key"]
        unknown = [word for word in header if word not in HEADER]
        if missing or unknown or len(set(header)) < len(header):
            self.mistakes.append(
                m(
                    "  line 1: the columns are {found}; they must be {names} (key may be left out)",
                    found=", ".join(header),
                    names=_named(),
                )
            )
            return
        for number, row in enumerate(rows, 2):
            self._line = number
            if any(cell.strip() for cell in row):
                self._row(header, row)

    def _row(self, header: Sequence[str], row: Sequence[str]) -> None:
        if len(row) != len(header):
            self._wrong(
                m("{found} columns instead of {count}", found=len(row), count=len(header)),
            )
            return
        cells = {name: _unguarded(cell.strip()) for name, cell in zip(header, row, strict=True)}
        before = len(self.mistakes)
        for name in ("name", "subject", "place"):
            if not cells[name]:
                self._wrong(m("'{column}' is empty", column=name))
        self._shape(cells, "region", r"\d{2}", "77")
        self._shape(cells, "point", r"\d{4}", "0001")
        self._shape(cells, "camera", CODE.pattern, "COR1-1")
        zones = [zone.value for zone in Zone]
        if cells["zone"] not in zones:
            self._wrong(m("zone '{value}' must be one of {known}", value=cells["zone"], known=", ".join(zones)))
        if not known_zone(cells["timezone"]):
            self._wrong(m("there is no time zone '{value}'; write for example Europe/Moscow", value=cells["timezone"]))
        day, key = self._day(cells["day"]), self._key(cells.get("key", ""))
        begins, ends = self._time(cells, "from"), self._time(cells, "to")
        if len(self.mistakes) > before or day is None or begins is None or ends is None:
            return
        point = self._point(cells, key)
        if not self._once(point, day, cells["camera"]):
            return
        zone = ZoneInfo(cells["timezone"])
        start = dt.datetime.combine(day, begins, tzinfo=zone)
        end = dt.datetime.combine(day + dt.timedelta(days=ends <= begins), ends, tzinfo=zone)
        point.expected.append(
            Expected(
                day,
                cells["subject"],
                Zone(cells["zone"]),
                cells["place"],
                cells["camera"],
                start.astimezone(dt.UTC),
                end.astimezone(dt.UTC),
            )
        )

    def _point(self, cells: dict[str, str], key: VerifyKey | None) -> Listed:
        found = Listed(cells["region"], cells["point"], cells["name"], cells["timezone"], key)
        point = self.points.setdefault(found.id, found)
        line = self._first.setdefault(found.id, self._line)
        for column, ours, first in (
            ("name", found.name, point.name),
            ("timezone", found.timezone, point.timezone),
        ):
            if ours != first:
                self._wrong(
                    m(
                        "{point}: '{column}' is '{value}', in line {line} it is '{first}'; a point has one",
                        point=found.id,
                        column=column,
                        value=ours,
                        line=line,
                        first=first,
                    )
                )
        if key and point.key and key.fingerprint != point.key.fingerprint:
            self._wrong(m("{point}: another key than in line {line}; a point has one", point=found.id, line=line))
        point.key = point.key or key
        return point

    def _once(self, point: Listed, day: dt.date, camera: str) -> bool:
        mark = (point.id, str(day), camera.casefold())
        if mark in self._seen:
            self._wrong(
                m(
                    "{point}, {day}, {camera}: stands in line {line} already",
                    point=point.id,
                    day=day,
                    camera=camera,
                    line=self._seen[mark],
                )
            )
            return False
        self._seen[mark] = self._line
        return True

    def _shape(self, cells: dict[str, str], column: str, pattern: str, example: str) -> None:
        if not re.fullmatch(pattern, cells[column]):
            self._wrong(
                m(
                    "'{column}' is '{value}'; write it like {example}",
                    column=column,
                    value=cells[column],
                    example=example,
                )
            )

    def _day(self, text: str) -> dt.date | None:
        try:
            day = dt.date.fromisoformat(text)
            if day.year not in EXAM_YEARS:
                raise ValueError(text)
            return day
        except ValueError:
            self._wrong(
                m("'{column}' is '{value}'; write it like {example}", column="day", value=text, example="2026-05-28")
            )
            return None

    def _time(self, cells: dict[str, str], column: str) -> dt.time | None:
        text = cells[column]
        try:
            if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
                raise ValueError(text)
            return dt.time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text.zfill(8))
        except ValueError:
            self._wrong(
                m("'{column}' is '{value}'; write it like {example}", column=column, value=text, example="09:00")
            )
            return None

    def _key(self, text: str) -> VerifyKey | None:
        if not text:
            return None
        try:
            base64.b64decode(text, validate=True)
            return VerifyKey.from_pem(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n".encode())
        except ValueError:
            self._wrong(m("'key' is no Ed25519 public key; copy the middle line of the point's ledger.pub"))
            return None

    def _wrong(self, what: Message) -> None:
        self.mistakes.append(m("  line {line}: {what}", line=self._line, what=what))


def _guarded(cell: str) -> str:
    """With an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(RUNS) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RUNS) else cell


def _named() -> str:
    return ";".join(HEADER)


def _clock(moment: dt.datetime) -> str:
    """hh:mm, with seconds only where they say something: a demo's day begins at any second."""
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
