"""The region's report: what was delivered of what was expected, as PDF and XLSX. Plain data in, nothing looked up."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from exam_kit.forms.sheet import PAGE, day_text, printed_anchor
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_, decimal, translate
from exam_kit.store import Checkpoint, Head

__all__ = ["ReportAside", "ReportData", "ReportDay", "ReportLack", "region_report_pdf", "region_report_xlsx"]

TITLE = N_("Delivery of footage by the exam points")
COLUMNS = {
    "point": N_("Point"),
    "name": N_("Name"),
    "day": N_("Exam day"),
    "subject": N_("Subject"),
    "state": N_("State"),
    "expected": N_("Expected, min"),
    "delivered": N_("Delivered, min"),
    "missing": N_("Missing, min"),
    "short": N_("Cameras lacking"),
    "due": N_("Due until"),
    "last": N_("Last received"),
    "keep": N_("Keep until"),
    "camera": N_("Camera"),
    "place": N_("Place"),
    "minutes": N_("Min"),
    "spans": N_("Missing time, by the point's clock"),
    "causes": N_("Causes named by the point"),
    "at": N_("Since"),
    "bag": N_("Bag"),
    "reason": N_("Reason"),
}
DAY_COLUMNS = (
    *("point", "name", "day", "subject", "state"),
    *("expected", "delivered", "missing", "short", "due", "last", "keep"),
)
SHEETS = {"days": N_("Days"), "missing": N_("Missing"), "quarantine": N_("Quarantine")}


@dataclass(frozen=True)
class ReportDay:
    """One point's exam day; camera-minutes, moments by the point's own clock, `state` in words."""

    point: str
    name: str
    day: dt.date
    subject: str
    state: str
    expected_min: float
    delivered_min: float
    cameras: int
    short: int
    due: dt.datetime
    last: dt.datetime | None
    keep_until: dt.date


@dataclass(frozen=True)
class ReportLack:
    """One camera's missing time on one day; texts ready to print."""

    point: str
    day: dt.date
    camera: str
    place: str
    minutes: float
    spans: str
    causes: str


@dataclass(frozen=True)
class ReportAside:
    """One bag in quarantine."""

    at: dt.datetime
    point: str
    bag: str
    reason: str


@dataclass(frozen=True)
class ReportData:
    """`totals` is one sentence; `timezone` is of the region's office."""

    language: str
    region: str
    region_name: str
    timezone: str
    made_at: dt.datetime
    head: Head | Checkpoint
    totals: str
    days: Sequence[ReportDay]
    lacking: Sequence[ReportLack]
    aside: Sequence[ReportAside]


def region_report_pdf(report: ReportData) -> bytes:
    """The report on A4, landscape."""

    def say(text: str, **values: object) -> str:
        return translate(text, report.language).format(**values) if values else translate(text, report.language)

    def number(value: float) -> str:
        return decimal(value, language=report.language)

    local = report.made_at.astimezone(ZoneInfo(report.timezone))
    offset = f"{local:%z}"
    data: dict[str, Any] = {
        "lang": report.language,
        "title": say(TITLE),
        "subtitle": "",
        "author": report.region,
        "head": [[say(N_("Region")), f"{report.region} — {report.region_name}"]],
        "ledger": say(N_("Ledger: entry № {seq}, hash"), seq=report.head.seq),
        "hash": report.head.hash or "—",
        "made": say(
            N_("made {time} ({zone}, UTC{offset})"),
            time=f"{local:%d.%m.%Y %H:%M:%S}",
            zone=report.timezone,
            offset=f"{offset[:3]}:{offset[3:]}",
        ),
        "anchor": printed_anchor(report.head, report.language),
        "page": say(PAGE),
        "sign": {},
        "signatures": [],
        "columns": {name: say(text) for name, text in COLUMNS.items()},
        "words": {
            "none": say(N_("none")),
            "missing": say(N_("What is missing")),
            "quarantine": say(N_("In quarantine")),
        },
        "totals": report.totals,
        "days": [
            [
                row.point,
                row.name,
                day_text(row.day),
                row.state,
                number(row.expected_min),
                number(row.delivered_min),
                f"{row.short} / {row.cameras}",
                _moment(row.due),
                _moment(row.last),
            ]
            for row in report.days
        ],
        "lacking": [
            [row.point, day_text(row.day), row.camera, row.place, number(row.minutes), row.spans, row.causes]
            for row in report.lacking
        ],
        "aside": [[_moment(row.at), row.point or "—", row.bag, row.reason] for row in report.aside],
    }
    return typeset("region", data, report.made_at)


def region_report_xlsx(report: ReportData) -> bytes:
    """The same facts in three sheets, as numbers and dates to reckon with. What a bag says is text, never a formula."""
    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True, "remove_timezone": True}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties(
            {"title": translate(TITLE, report.language), "created": report.made_at.replace(tzinfo=None)}
        )
        sheet = _Sheet(book, report.language)
        sheet.write(
            SHEETS["days"],
            DAY_COLUMNS,
            [
                (
                    row.point,
                    row.name,
                    row.day,
                    row.subject,
                    row.state,
                    row.expected_min,
                    row.delivered_min,
                    row.expected_min - row.delivered_min,
                    row.short,
                    row.due,
                    row.last,
                    row.keep_until,
                )
                for row in report.days
            ],
        )
        sheet.write(
            SHEETS["missing"],
            ("point", "day", "camera", "place", "minutes", "spans", "causes"),
            [(row.point, row.day, row.camera, row.place, row.minutes, row.spans, row.causes) for row in report.lacking],
        )
        sheet.write(
            SHEETS["quarantine"],
            ("at", "point", "bag", "reason"),
            [(row.at, row.point, row.bag, row.reason) for row in report.aside],
        )
    return target.getvalue()


class _Sheet:
    """Writes tables with a fixed head, a filter and columns as wide as their words."""

    def __init__(self, book: Any, language: str) -> None:
        self._book, self._language = book, language
        self._head = book.add_format({"bold": True, "bg_color": "#E8EDF4", "border": 1})
        self._day = book.add_format({"num_format": "dd.mm.yyyy"})
        self._moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        self._number = book.add_format({"num_format": "0.0"})

    def write(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        sheet = self._book.add_worksheet(translate(name, self._language))
        heads = [translate(COLUMNS[column], self._language) for column in columns]
        sheet.write_row(0, 0, heads, self._head)
        wide = [len(head) for head in heads]
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                self._cell(sheet, number, place, value)
                wide[place] = max(wide[place], min(60, len(str(value))))
        for place, width in enumerate(wide):
            sheet.set_column(place, place, width + 2)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)

    def _cell(self, sheet: Any, row: int, column: int, value: Any) -> None:
        match value:
            case None:
                sheet.write_blank(row, column, None)
            case dt.datetime():
                sheet.write_datetime(row, column, value.replace(tzinfo=None), self._moment)
            case dt.date():
                sheet.write_datetime(row, column, dt.datetime.combine(value, dt.time()), self._day)
            case float():
                sheet.write_number(row, column, value, self._number)
            case int():
                sheet.write_number(row, column, value)
            case _:
                sheet.write_string(row, column, str(value))


def _moment(at: dt.datetime | None) -> str:
    return f"{at:%d.%m.%Y %H:%M}" if at else "—"
