"""The day's journals as CSV files in `logs/`: for a spreadsheet, in the point's language."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from exam_kit.errors import AccessDenied, m
from exam_kit.forms.access_log import COLUMNS, action_text, remark_text
from exam_kit.forms.incident_words import FIELDS, event_text, incident_fields
from exam_kit.forms.sheet import Paper, day_text
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_parts import EVENT_LABELS, Event
from exam_kit.journal.incidents import Incidents
from exam_kit.point import ExamDay, Point
from exam_kit.store import Head

__all__ = ["access_log_csv", "access_log_table", "as_csv", "export_day", "guarded", "incidents_csv"]

# A spreadsheet runs a cell that begins so; a tab or a line end before it is skipped.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def guarded(cell: str) -> str:
    """`cell` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV as spreadsheets of this country open it: UTF-8 with BOM, semicolons, no formulas."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def access_log_csv(point: Point, rows: Sequence[AccessRow], language: str) -> bytes:
    """The access log in the published columns, then what the kit knows besides."""
    return as_csv(access_log_table(point, rows, language))


def access_log_table(point: Point, rows: Sequence[AccessRow], language: str) -> list[list[str]]:
    """The access log as rows of a table, the first of them the titles."""
    paper = _paper(point, language)
    say, columns = paper.say, paper.words(COLUMNS)
    acting, responsible = columns["person"], columns["responsible"]
    titles = [
        *(columns[name] for name in ("number", "date", "rooms", "start", "end", "action")),
        f"{acting}: {columns['name']}",
        f"{acting}: {columns['post']}",
        f"{responsible}: {columns['name']}",
        f"{responsible}: {columns['post']}",
        say(N_("Countersigned by")),
        say(N_("Countersigned at")),
        say(N_("Corrections")),
        say(N_("Written by")),
        say(N_("Written at")),
        say(N_("Order №")),
        say(N_("Ledger entry №")),
        say(N_("Ledger entry hash")),
    ]
    return [titles, *(_row(paper, row) for row in rows)]


def _row(paper: Paper, row: AccessRow) -> list[str]:
    signed = row.countersigned
    return [
        str(row.number),
        day_text(row.date),
        row.rooms_text,
        paper.clock(row.start),
        paper.clock(row.end, beside=row.date),
        action_text(paper, row),
        row.person.name,
        row.person.post,
        row.responsible.name if row.responsible else "",
        row.responsible.post if row.responsible else "",
        signed.person.name if signed else "",
        paper.moment(signed.at) if signed else "",
        remark_text(paper, row),
        row.writer.name,
        paper.moment(row.written_at),
        str(row.order) if row.order is not None else "",
        str(row.seq),
        row.hash,
    ]


def incidents_csv(point: Point, incidents: Sequence[Incident], journal: Incidents, language: str) -> bytes:
    """The incident sheets, one a line, the measures in one cell."""
    paper = _paper(point, language)
    say = paper.say
    titles = [
        say(N_("№")),
        *(say(label) for label in FIELDS.values()),
        say(N_("Measures, step by step")),
        say(N_("Ledger entry №")),
        say(N_("Ledger entry hash")),
    ]
    lines = []
    for incident in incidents:
        fields = incident_fields(paper, incident, journal.categories)
        steps = [f"{paper.moment(event.at)} {_said(paper, event)} ({event.by.name})" for event in incident.timeline]
        lines.append(
            [
                str(incident.number),
                *(fields[name] for name in FIELDS),
                " | ".join(steps),
                str(incident.seq),
                incident.hash,
            ]
        )
    return as_csv([titles, *lines])


def _said(paper: Paper, event: Event) -> str:
    label, text = paper.say(EVENT_LABELS[event.kind]), event_text(paper, event)
    return f"{label}: {text}" if text else label


def export_day(
    home: Home,
    point: Point,
    day: ExamDay | dt.date,
    access_log: AccessLog,
    incidents: Incidents,
    *,
    language: str | None = None,
) -> list[Path]:
    """Write `logs/<date>-access-log.csv` and `logs/<date>-incidents.csv`; the files, whether new or as they were.

    A file is replaced only when its contents change. `language` is the point's own when left out.

    Raises:
        AccessDenied: the file system does not allow it, or a spreadsheet holds the file.
    """
    date = day.date if isinstance(day, ExamDay) else day
    chosen = language or point.language
    files = {
        home.logs / f"{date}-access-log.csv": access_log_csv(point, access_log.rows(date), chosen),
        home.logs / f"{date}-incidents.csv": incidents_csv(point, incidents.all(date), incidents, chosen),
    }
    for path, content in files.items():
        _keep(path, content)
    return list(files)


def _keep(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        if path.exists() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        part.replace(path)
    except OSError as problem:
        raise AccessDenied(
            m(
                "{path}: the day's journal cannot be written ({reason}). Close the file where it is open, "
                "or give this user the right to write there.",
                path=path,
                reason=problem.strerror or str(problem),
            )
        ) from problem


def _paper(point: Point, language: str) -> Paper:
    return Paper(point, language, Head(0, ""))
