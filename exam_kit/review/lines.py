"""The lines of the books in one shape, so that they are filtered, shown and exported alike."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from exam_kit.cctv.segments import Gap, gaps
from exam_kit.cctv.status import CAUSES
from exam_kit.forms.sheet import Paper
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import AccessAction
from exam_kit.journal.cabinet import strange_seals
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.categories import Categories
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.room_call import RoomCalls
from exam_kit.journal.search import Asked, search
from exam_kit.journal.words import folded_text, words
from exam_kit.point import Point
from exam_kit.review.book_lines import Beside, Line, access_line, cabinet_line, call_line, incident_line
from exam_kit.review.question import PAGE, Book, Question
from exam_kit.store import Head, Ledger

__all__ = ["Found", "look"]

MINUTE = timedelta(minutes=1)
"""People write whole minutes: what begins within the one they wrote is of the same time."""
LONG_GAP = timedelta(hours=1)
"""Longer ones are few and are looked at for every line."""


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
        lines, total = [access_line(paper, row) for row in found.rows], found.total
    else:
        chosen = _chosen(_every(ledger, point, categories, question.book, paper), question)
        total = len(chosen)
        lines = chosen[offset:] if limit is None else chosen[offset : offset + limit]
    return Found(_with_gaps(ledger, point, lines), total)


def _every(ledger: Ledger, point: Point, categories: Categories, book: Book, paper: Paper) -> list[Line]:
    """All lines of a book that is not the access log: some hundred a season."""
    if book is Book.CABINET:
        lines = CabinetLog(ledger, point).lines()
        strange = strange_seals(lines)
        return [cabinet_line(paper, line, strange) for line in lines]
    if book is Book.CALLS:
        return [call_line(paper, call) for call in RoomCalls(ledger, point).all()]
    sheets = Incidents(ledger, point, categories=categories).all()
    return [incident_line(paper, sheet, categories) for sheet in sheets]


def _chosen(lines: Iterable[Line], question: Question) -> list[Line]:
    """Those that are asked for, newest first."""
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
    known = _in_time(gaps(ledger.store, None, begin, finish))
    rooms = {camera.id: camera.room for camera in point.cameras}

    def about(line: Line, gap: Gap) -> bool:
        if line.cameras:
            return gap.camera in line.cameras
        return not line.rooms or rooms.get(gap.camera) in line.rooms

    def beside(line: Line) -> tuple[Beside, ...]:
        return tuple(
            Beside(gap.camera, gap.start, gap.end, CAUSES.get(gap.cause, gap.cause))
            for gap in known(line)
            if about(line, gap)
        )

    return [replace(line, beside=found) if (found := beside(line)) else line for line in lines]


def _in_time(found: Sequence[Gap]) -> Callable[[Line], list[Gap]]:
    """The gaps at the time of a line, found without looking at each: `found` is in the order of their beginnings."""
    long = [gap for gap in found if gap.end is None or gap.end - gap.start > LONG_GAP]
    short = [gap for gap in found if gap.end is not None and gap.end - gap.start <= LONG_GAP]
    starts = [gap.start for gap in short]

    def known(line: Line) -> list[Gap]:
        last = (line.end or line.start) + MINUTE
        near = short[bisect_left(starts, line.start - LONG_GAP) : bisect_left(starts, last)]
        return [gap for gap in (*long, *near) if gap.start < last and (gap.end is None or gap.end > line.start)]

    return known
