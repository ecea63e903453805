"""Points × days: what was delivered of what was expected, what is missing down to the minute, and until when."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.region.catalogue import Catalogue
from exam_kit.region.spans import Span

__all__ = ["STATES", "STATE_LABELS", "Lacking", "PointDay", "count_states", "lacking", "point_days"]

STATE_LABELS = {
    "delivered": N_("delivered"),
    "partly": N_("partly"),
    "late": N_("overdue, partly"),
    "nothing": N_("overdue, nothing"),
    "quarantine": N_("in quarantine"),
    "not_due": N_("not yet due"),
    "extra": N_("not expected"),
}
STATES = tuple(STATE_LABELS)


@dataclass(frozen=True)
class PointDay:
    """One point's exam day. Times UTC; `short` counts the cameras of which more lacks than the rules allow."""

    point: str
    name: str
    timezone: str
    day: dt.date
    subject: str
    state: str
    expected_s: float
    delivered_s: float
    cameras: int
    short: int
    bags: int
    quarantined: int
    due_at: dt.datetime
    overdue: bool
    last_at: dt.datetime | None
    keep_until: dt.date

    @property
    def missing_s(self) -> float:
        return self.expected_s - self.delivered_s

    @property
    def share(self) -> float:
        """Delivered of expected, 0 to 1."""
        return self.delivered_s / self.expected_s if self.expected_s else 0.0


@dataclass(frozen=True)
class Lacking:
    """What is missing of one camera's day; `causes` are the recorder's words for gaps that touch it, by the bags."""

    point: str
    day: dt.date
    camera: str
    zone: str
    place: str
    expected_s: float
    delivered_s: float
    spans: tuple[Span, ...]
    causes: tuple[str, ...]


def point_days(
    catalogue: Catalogue, now: dt.datetime, *, day: dt.date | None = None, points: Sequence[str] = ()
) -> list[PointDay]:
    """Every expected (or delivered) point and day, by point and day; only of `day` or `points` where given."""
    sql = (
        "SELECT point_day.*, coalesce(point.name, '') AS name, coalesce(point.timezone, '') AS timezone "
        "FROM point_day LEFT JOIN point ON point.id = point_day.point WHERE 1"
    )
    values: list[Any] = []
    if day is not None:
        sql += " AND point_day.day = ?"
        values.append(str(day))
    if points:
        sql += f" AND point_day.point IN ({','.join('?' * len(points))})"
        values += points
    return [_row(row, now) for row in catalogue.query(sql + " ORDER BY point_day.point, point_day.day", values)]


def _row(row: dict[str, Any], now: dt.datetime) -> PointDay:
    due = from_iso(row["due_at"])
    return PointDay(
        point=row["point"],
        name=row["name"],
        timezone=row["timezone"],
        day=dt.date.fromisoformat(row["day"]),
        subject=row["subject"],
        state=_state(row, overdue=now > due),
        expected_s=row["expected_s"],
        delivered_s=row["delivered_s"],
        cameras=row["cameras"],
        short=row["short"],
        bags=row["bags"],
        quarantined=row["quarantined"],
        due_at=due,
        overdue=now > due,
        last_at=from_iso(row["last_at"]) if row["last_at"] else None,
        keep_until=dt.date.fromisoformat(row["keep_until"]),
    )


def _state(row: dict[str, Any], *, overdue: bool) -> str:
    if not row["cameras"]:
        return "quarantine" if row["quarantined"] and not row["bags"] else "extra"
    if not row["short"]:
        return "delivered"
    if row["quarantined"]:
        return "quarantine"
    if row["delivered_s"] > 0:
        return "late" if overdue else "partly"
    return "nothing" if overdue else "not_due"


def lacking(
    catalogue: Catalogue,
    *,
    day: dt.date | None = None,
    points: Sequence[str] = (),
    most: int = 1_000_000,
) -> list[Lacking]:
    """The cameras of which footage is missing, by day, point and camera; the first `most`."""
    where = " WHERE camera_day.short"
    parameters: list[Any] = []
    if day is not None:
        where += " AND camera_day.day = ?"
        parameters.append(str(day))
    if points:
        where += f" AND camera_day.point IN ({','.join('?' * len(points))})"
        parameters += points
    sql = "SELECT * FROM camera_day"
    sql += where + " ORDER BY day, point, camera LIMIT ?"
    rows = catalogue.query(sql, [*parameters, most])
    sql = "SELECT DISTINCT point, day, camera, cause FROM camera_day JOIN gap USING (point, day, camera)"
    sql += where + " ORDER BY cause"
    causes: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for gap in catalogue.query(sql, parameters):
        key = (gap["point"], gap["day"], gap["camera"])
        causes[key] = (*causes.get(key, ()), gap["cause"])
    return [
        Lacking(
            row["point"],
            dt.date.fromisoformat(row["day"]),
            row["camera"],
            row["zone"],
            row["place"],
            row["expected_s"],
            row["delivered_s"],
            tuple((from_iso(start), from_iso(end)) for start, end in json.loads(row["missing"])),
            causes.get((row["point"], row["day"], row["camera"]), ()),
        )
        for row in rows
    ]


def count_states(rows: Iterable[PointDay]) -> dict[str, int]:
    """How many point days are in each state, every state named."""
    counts = dict.fromkeys(STATES, 0)
    for row in rows:
        counts[row.state] += 1
    return counts
