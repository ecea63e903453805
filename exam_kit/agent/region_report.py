"""The region's facts put into the form that prints them: the two rooms do not know each other."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from exam_kit.cctv.status import CAUSES
from exam_kit.clock import from_iso
from exam_kit.forms.region_report import ReportAside, ReportData, ReportDay, ReportLack
from exam_kit.i18n import N_, translate
from exam_kit.region.days import STATE_LABELS, Lacking, PointDay, count_states, lacking, point_days
from exam_kit.region.desk import RegionDesk
from exam_kit.region.looked import unkept

__all__ = ["causes_text", "place_text", "report_data", "spans_text"]

ZONES = {
    "headquarters": N_("headquarters"),
    "room": N_("exam room"),
    "corridor": N_("corridor"),
    "entrance": N_("entrance"),
}
SHOWN_SPANS = 12


def report_data(desk: RegionDesk, language: str, day: dt.date | None = None, points: Sequence[str] = ()) -> ReportData:
    """Everything the report says, of one `day` or all, of `points` or all."""
    now = desk.clock.now()
    days = point_days(desk.catalogue, now, day=day, points=points)
    zones = {row.point: _zone(desk, row.timezone) for row in days}
    sql = "SELECT at, point, bag, message FROM quarantine"
    aside = [
        ReportAside(
            from_iso(row["at"]).astimezone(desk.region.tz),
            row["point"],
            row["bag"],
            unkept(json.loads(row["message"])).text(language),
        )
        for row in desk.catalogue.query(sql + " ORDER BY seq")
        if not points or row["point"] in points
    ]
    return ReportData(
        language=language,
        region=desk.region.region,
        region_name=desk.region.name,
        timezone=desk.region.timezone,
        made_at=now,
        head=desk.ledger.signed_head(),
        totals=_totals(days, language),
        days=[_day(row, zones[row.point], language) for row in days],
        lacking=[
            _lack(row, zones.get(row.point, desk.region.tz), language)
            for row in lacking(desk.catalogue, day=day, points=points)
        ],
        aside=aside,
    )


def spans_text(row: Lacking, zone: ZoneInfo, language: str) -> str:
    """``09:58–10:03, 10:30–10:31`` by the point's clock; of many the first, and how many more there are."""
    said = []
    for start, end in row.spans[:SHOWN_SPANS]:
        begins, ends = start.astimezone(zone), end.astimezone(zone)
        seconds = begins.second or ends.second
        said.append(f"{begins:%H:%M:%S}–{ends:%H:%M:%S}" if seconds else f"{begins:%H:%M}–{ends:%H:%M}")
    if len(row.spans) > SHOWN_SPANS:
        said.append(translate(N_("… and {count} more"), language).format(count=len(row.spans) - SHOWN_SPANS))
    return ", ".join(said)


def causes_text(row: Lacking, language: str) -> str:
    """What the point's bags say of the gaps; a dash where nothing came that could say."""
    return ", ".join(translate(CAUSES.get(cause, cause), language) for cause in row.causes) or "—"


def place_text(row: Lacking, language: str) -> str:
    return f"{row.place}, {translate(ZONES.get(row.zone, row.zone), language)}"


def _zone(desk: RegionDesk, name: str) -> ZoneInfo:
    return ZoneInfo(name) if name else desk.region.tz


def _day(row: PointDay, zone: ZoneInfo, language: str) -> ReportDay:
    return ReportDay(
        point=row.point,
        name=row.name,
        day=row.day,
        subject=row.subject,
        state=translate(STATE_LABELS[row.state], language),
        expected_min=row.expected_s / 60,
        delivered_min=row.delivered_s / 60,
        cameras=row.cameras,
        short=row.short,
        due=row.due_at.astimezone(zone) - dt.timedelta(minutes=1),
        last=row.last_at.astimezone(zone) if row.last_at else None,
        keep_until=row.keep_until,
    )


def _lack(row: Lacking, zone: ZoneInfo, language: str) -> ReportLack:
    return ReportLack(
        row.point,
        row.day,
        row.camera,
        place_text(row, language),
        (row.expected_s - row.delivered_s) / 60,
        spans_text(row, zone, language),
        causes_text(row, language),
    )


def _totals(days: Sequence[PointDay], language: str) -> str:
    counts = ", ".join(
        f"{translate(STATE_LABELS[state], language)}: {count}" for state, count in count_states(days).items() if count
    )
    text = translate(N_("Points: {points}, point days: {days} ({counts})."), language)
    return text.format(points=len({row.point for row in days}), days=len(days), counts=counts or "—")
