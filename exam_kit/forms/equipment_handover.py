"""The hand-over sheet of equipment on paper: issue, return, or a move between rooms."""

from __future__ import annotations

from datetime import datetime

from exam_kit.forms.equipment_parts import Column, item_name, made, part, place
from exam_kit.forms.sheet import Paper, signature
from exam_kit.i18n import N_
from exam_kit.journal.equipment_item import Sheet, SheetKind
from exam_kit.journal.equipment_norms import Norms
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Checkpoint, Head

__all__ = ["handover_sheet_pdf"]

TITLES = {
    SheetKind.ISSUE: N_("Equipment hand-over sheet № {number}: issue"),
    SheetKind.RETURN: N_("Equipment hand-over sheet № {number}: return"),
    SheetKind.MOVE: N_("Equipment hand-over sheet № {number}: move between rooms"),
}

COLUMNS: tuple[Column, ...] = (
    (N_("№"), 9, True),
    (N_("Item"), 0, False),
    (N_("Inventory №"), 30, False),
    (N_("Serial №"), 32, False),
    (N_("Given by, from"), 38, False),
    (N_("Given to, where"), 38, False),
    (N_("When"), 20, True),
    (N_("Condition"), 36, False),
    (N_("Receiver's signature"), 28, True),
)


def handover_sheet_pdf(
    point: Point,
    sheet: Sheet,
    norms: Norms,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The sheet as it was written, in the columns of the form: what became of the items later changes nothing on it."""
    paper = Paper(point, language, head, day=sheet.at.astimezone(point.tz).date(), made_at=made_at)
    mark = ""
    if sheet.signed:
        mark = paper.say(N_("el. {time}, entry {seq}"), time=paper.clock(sheet.at), seq=sheet.seq)
    rows = [
        [
            str(number),
            item_name(line, norms, language),
            line.inventory,
            line.serial,
            _end(sheet.giver, line.room),
            _end(sheet.receiver, sheet.room or line.room),
            paper.moment(sheet.at),
            sheet.condition,
            mark,
        ]
        for number, line in enumerate(sheet.lines, 1)
    ]
    more = [(paper.say(N_("Place")), place(paper, sheet.room))] if sheet.room else []
    return made(
        paper,
        paper.say(TITLES[sheet.kind], number=sheet.number),
        [part(paper, COLUMNS, rows, "")],
        totals=[
            paper.say(N_("Items handed over: {count}."), count=len(sheet.lines)),
            paper.say(N_("Written by {name}, ledger entry {seq}."), name=sheet.by.name, seq=sheet.seq),
        ],
        more=more,
        signatures=[
            signature(paper.say(N_("Handed over by")), *_named(sheet.giver)),
            signature(paper.say(N_("Received by")), *_named(sheet.receiver)),
        ],
    )


def _named(person: Person | None) -> tuple[str, str]:
    return (person.name, person.post) if person else ("", "")


def _end(person: Person | None, room: str) -> str:
    """Who and where, as far as they are named."""
    return ", ".join(text for text in (person.name if person else "", room) if text)
