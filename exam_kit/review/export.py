"""What was found in the books, as PDF, XLSX and CSV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from exam_kit.errors import Message, UsageError, m
from exam_kit.forms.exports import as_csv
from exam_kit.forms.sheet import Paper, day_text
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.point import Point
from exam_kit.review.book_lines import STANDING_LABELS, Line, Standing
from exam_kit.review.question import BOOK_LABELS, Question
from exam_kit.store import Checkpoint, Head

__all__ = ["MOST_PRINTED", "review_csv", "review_pdf", "review_xlsx"]

MOST_PRINTED = 5_000
"""Lines of one printed review: some three hundred pages."""

LONG = 500
"""A line with more text than this may run over to the next page; a shorter one stays whole."""

TITLE = N_("Review of the books: {book}")

COLUMNS = {
    "number": N_("№"),
    "date": N_("Date"),
    "rooms": N_("Rooms"),
    "start": N_("Start"),
    "end": N_("End"),
    "what": N_("What was done or happened"),
    "people": N_("Who acted and wrote"),
    "standing": N_("Signed"),
    "gaps": N_("Gaps in recordings at that time"),
}
MORE = (N_("Remarks"), N_("Ledger entry №"), N_("Ledger entry hash"))


def review_pdf(
    point: Point,
    question: Question,
    lines: Sequence[Line],
    chain: Message,
    language: str,
    head: Head | Checkpoint,
) -> bytes:
    """The lines on paper, with what was asked and what is known of the chain.

    Raises:
        UsageError: there are more of them than one would print.
    """
    if len(lines) > MOST_PRINTED:
        raise UsageError(
            m(
                "Review: {count} lines are too many for paper, {most} fit. Narrow the search, or take them as a table.",
                count=len(lines),
                most=MOST_PRINTED,
            )
        )
    paper = Paper(point, language, head)
    say = paper.say
    data = paper.data(
        say(TITLE, book=say(BOOK_LABELS[question.book])),
        subtitle=say(N_("Made from the books as they stand; it replaces none of the forms that are signed.")),
        more=_asked(paper, point, question),
        columns=paper.words(COLUMNS),
        chain=chain.text(language),
        rows=[_row(paper, line) for line in lines],
        empty=say(N_("No lines.")),
        total=say(N_("Lines: {lines}."), lines=len(lines)),
    )
    return typeset("review", data, paper.made_at)


def review_csv(point: Point, lines: Sequence[Line], language: str) -> bytes:
    """One line a row, in the point's local time."""
    paper = Paper(point, language, Head(0, ""))
    return as_csv([_titles(paper), *(_cells(paper, line) for line in lines)])


def review_xlsx(point: Point, question: Question, lines: Sequence[Line], language: str) -> bytes:
    """The same as a spreadsheet; whatever was written stands there as text, never as a formula or a link."""
    paper = Paper(point, language, Head(0, ""))
    target = io.BytesIO()
    options = {
        "in_memory": True,
        "constant_memory": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        heads, wrapped = book.add_format({"bold": True, "bottom": 1, "text_wrap": True}), book.add_format()
        wrapped.set_text_wrap()
        wrapped.set_align("top")
        sheet = book.add_worksheet(paper.say(BOOK_LABELS[question.book])[:31])
        titles = _titles(paper)
        sheet.write_row(0, 0, titles, heads)
        for place, width in enumerate((7, 11, 18, 8, 16, 44, 34, 30, 34, 40, 12, 20)):
            sheet.set_column(place, place, width, wrapped)
        for number, line in enumerate(lines, 1):
            for place, cell in enumerate(_cells(paper, line)):
                if place in (0, 10):
                    sheet.write_number(number, place, int(cell))
                else:
                    sheet.write_string(number, place, cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(lines)), len(titles) - 1)
    return target.getvalue()


def _asked(paper: Paper, point: Point, question: Question) -> list[tuple[str, str]]:
    """What was asked, for the head of the form."""
    say = paper.say
    dates = " – ".join(day_text(day) if day else "…" for day in (question.since, question.until))
    room = next((f"{one.code} {one.name}".strip() for one in point.rooms if one.code == question.room), question.room)
    asked = [
        (say(N_("Dates")), dates if question.since or question.until else say(N_("all days"))),
        (say(N_("Room")), room),
        (say(N_("Person")), question.person),
        (say(N_("Text")), question.text),
    ]
    return [(label, value) for label, value in asked if value]


def _row(paper: Paper, line: Line) -> dict[str, Any]:
    cells = _cells(paper, line)
    names = ("number", "date", "rooms", "start", "end", "what", "people", "standing", "gaps", "remark")
    row: dict[str, Any] = dict(zip(names, cells, strict=False))
    length = sum(len(row[name]) for name in ("what", "remark", "gaps"))
    return {**row, "void": line.standing is Standing.VOID, "long": length > LONG}


def _titles(paper: Paper) -> list[str]:
    return [*(paper.say(title) for title in COLUMNS.values()), *(paper.say(title) for title in MORE)]


def _cells(paper: Paper, line: Line) -> list[str]:
    people = "; ".join(f"{one.name}, {one.post}" if one.post else one.name for one in line.people)
    signed = f"{line.signed_by.name}, {paper.moment(line.signed_at)}" if line.signed_by else ""
    label = STANDING_LABELS[line.standing]
    gaps = [
        f"{one.camera} {paper.clock(one.start, beside=line.date)}–"
        f"{paper.clock(one.end, beside=line.date) or '…'} ({paper.say(one.cause)})"
        for one in line.beside
    ]
    return [
        str(line.number),
        day_text(line.date),
        line.rooms_text,
        paper.clock(line.start),
        paper.clock(line.end, beside=line.date),
        line.what,
        people,
        signed or (paper.say(label) if label else ""),
        "; ".join(gaps),
        line.remark,
        str(line.seq),
        line.hash,
    ]
