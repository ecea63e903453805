"""The lines of the books in one shape, so that they are filtered, shown and exported alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from exam_kit.cctv.segments import Gap, gaps
from exam_kit.cctv.status import CAUSES
from exam_kit.forms.access_log import action_text, remark_text
from exam_kit.forms.incident_words import event_text
from exam_kit.forms.sheet import Paper
from exam_kit.i18n import N_
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import AccessAction, AccessRow, LineKind
from exam_kit.journal.categories import Categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.person import Person
from exam_kit.journal.rooms import format_rooms
from exam_kit.journal.search import Asked, search
from exam_kit.journal.words import folded_text, words
from exam_kit.point import Point
from exam_kit.review.question import PAGE, Book, Question
from exam_kit.store import Head, Ledger

__all__ = ["STANDING_LABELS", "Beside", "Found", "Line", "Standing", "look"]

MINUTE = timedelta(minutes=1)
"""People write whole minutes: what begins within the one they wrote is of the same time."""


class Standing(StrEnum):
    """What has become of a line."""

    SIGNED = "signed"
    WAITS = "waits"
    OPEN = "open"
    VOID = "void"
    NOTE = "note"


STANDING_LABELS = {
    Standing.SIGNED: N_("signed"),
    Standing.WAITS: N_("not signed yet"),
    Standing.OPEN: N_("goes on"),
    Standing.VOID: N_("no longer stands"),
    Standing.NOTE: "",
}


@dataclass(frozen=True)
class Beside:
    """A gap in a recording at the time of a line."""

    camera: str
    start: datetime
    end: datetime | None
    cause: str


@dataclass(frozen=True)
class Line:
    """One line as it stands now, in the reader's language. `cameras` are those it is about, where it names them."""

    year: int
    number: int
    date: dt.date
    start: datetime
    end: datetime | None
    rooms: tuple[str, ...]
    what: str
    remark: str
    people: tuple[Person, ...]
    signed_by: Person | None
    signed_at: datetime | None
    standing: Standing
    seq: int
    hash: str
    cameras: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()

    @property
    def rooms_text(self) -> str:
        return format_rooms(self.rooms)


@dataclass(frozen=True)
class Found:
    """Lines that were found, newest first, and how many there are in all."""

    lines: list[Line]
    total: int


def look(
    ledger: Ledger,
    point: Point,
    categories: Categories,
    question: Question,
    language: str,
    *,
    offset: int = 0,
    limit: int | None = PAGE,
) -> Found:
    """The lines that `question` describes, from number `offset` on; `limit` None gives all of them."""
    paper = Paper(point, language, Head(0, ""))
    if question.book is Book.ACCESS:
        asked = Asked(
            question.since,
            question.until,
            question.room,
            question.person,
            AccessAction(question.action) if question.action else None,
            question.text,
            language,
        )
        found = search(AccessLog(ledger, point).book(), asked, offset=offset, limit=limit)
        lines, total = [_access(paper, row) for row in found.rows], found.total
    else:
        book = Incidents(ledger, point, categories=categories)
        every = [_incident(paper, sheet, categories) for sheet in book.all()]
        chosen = _chosen(every, question)
        total = len(chosen)
        lines = chosen[offset:] if limit is None else chosen[offset : offset + limit]
    return Found(_with_gaps(ledger, point, lines), total)


def _access(paper: Paper, row: AccessRow) -> Line:
    if row.void:
        standing = Standing.VOID
    elif row.kind is LineKind.WITHDRAWAL and not row.countersigned:
        standing = Standing.NOTE
    elif row.open:
        standing = Standing.OPEN
    else:
        standing = Standing.SIGNED if row.countersigned else Standing.WAITS
    people = (row.person,) if row.writer.same_as(row.person) else (row.person, row.writer)
    return Line(
        row.year,
        row.number,
        row.date,
        row.start,
        None if row.kind is LineKind.WITHDRAWAL else row.end,
        row.rooms,
        action_text(paper, row),
        remark_text(paper, row),
        people,
        row.countersigned.person if row.countersigned else None,
        row.countersigned.at if row.countersigned else None,
        standing,
        row.seq,
        row.hash,
    )


def _incident(paper: Paper, sheet: Incident, categories: Categories) -> Line:
    known = categories.by_code.get(sheet.category)
    title = known.label.text(paper.language) if known else sheet.category
    place = ", ".join(one for one in (sheet.camera, sheet.station) if one)
    said = []
    for event in sheet.timeline[1:]:
        text = event_text(paper, event)
        label = paper.say(event.label)
        said.append(f"{paper.clock(event.at)} {label}{': ' + text if text else ''}")
    people = tuple(dict.fromkeys([sheet.detected_by, *(event.by for event in sheet.timeline)]))
    return Line(
        sheet.year,
        sheet.number,
        paper.local(sheet.detected_at).date(),
        sheet.detected_at,
        sheet.restored_at,
        (sheet.room,) if sheet.room else (),
        f"{title}{' (' + place + ')' if place else ''}: {sheet.description}",
        "; ".join(said),
        people,
        sheet.closed_by,
        sheet.closed_at,
        Standing.OPEN if sheet.is_open else Standing.SIGNED,
        sheet.seq,
        sheet.hash,
        sheet.cameras or ((sheet.camera,) if sheet.camera else ()),
    )


def _chosen(lines: Iterable[Line], question: Question) -> list[Line]:
    """Newest first. The books that are not the access log have some hundred lines a season."""
    person, text = words(question.person), words(question.text)

    def fits(line: Line) -> bool:
        if (question.since and line.date < question.since) or (question.until and line.date > question.until):
            return False
        if question.room and question.room not in line.rooms:
            return False
        names = folded_text(" ".join(f"{one.name} {one.login}" for one in (*line.people, line.signed_by) if one))
        whole = folded_text(f"{line.number} {' '.join(line.rooms)} {line.what} {line.remark}") + "\n" + names
        return all(word in names for word in person) and all(word in whole for word in text)

    return sorted(filter(fits, lines), key=lambda line: (line.year, line.number), reverse=True)


def _with_gaps(ledger: Ledger, point: Point, lines: Sequence[Line]) -> list[Line]:
    """The lines, each with the gaps in recordings of its rooms (of its cameras where it names them) at its time."""
    if not lines:
        return []
    begin = min(line.start for line in lines)
    finish = max(line.end or line.start for line in lines) + MINUTE
    known = gaps(ledger.store, None, begin, finish)
    rooms = {camera.id: camera.room for camera in point.cameras}

    def about(line: Line, gap: Gap) -> bool:
        if line.cameras:
            return gap.camera in line.cameras
        return not line.rooms or rooms.get(gap.camera) in line.rooms

    def beside(line: Line) -> tuple[Beside, ...]:
        last = (line.end or line.start) + MINUTE
        return tuple(
            Beside(gap.camera, gap.start, gap.end, CAUSES.get(gap.cause, gap.cause))
            for gap in known
            if gap.start < last and (gap.end is None or gap.end > line.start) and about(line, gap)
        )

    return [replace(line, beside=found) if (found := beside(line)) else line for line in lines] if known else [*lines]
