"""What is faulty after the exam, and what there is of consumables: on paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exam_kit.forms.equipment_parts import Column, item_name, made, part
from exam_kit.forms.sheet import Paper, day_text, signature
from exam_kit.i18n import N_
from exam_kit.journal.consumable import ENOUGH_LABELS, Basis, StockLine
from exam_kit.journal.equipment_item import STATE_LABELS, Item
from exam_kit.journal.equipment_norms import Norms
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["consumables_pdf", "defects_pdf"]

SIGNERS = (N_("Technical specialist"), N_("Head of the exam point"))

DEFECT_COLUMNS: tuple[Column, ...] = (
    (N_("№"), 9, True),
    (N_("Item"), 0, False),
    (N_("Inventory №"), 30, False),
    (N_("Serial №"), 32, False),
    (N_("Place"), 16, True),
    (N_("What is wrong"), 60, False),
    (N_("State"), 24, False),
    (N_("Incident №"), 20, True),
    (N_("What to do"), 44, False),
)

STOCK_COLUMNS: tuple[Column, ...] = (
    (N_("№"), 9, True),
    (N_("Consumable"), 0, False),
    (N_("Unit"), 26, False),
    (N_("Stock"), 17, True),
    (N_("Minimum"), 19, True),
    (N_("Need"), 21, True),
    (N_("With reserve"), 19, True),
    (N_("To get"), 18, True),
    (N_("State"), 30, False),
)


def defects_pdf(
    point: Point,
    day: ExamDay | None,
    items: Sequence[Item],
    norms: Norms,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The defect list (дефектная ведомость): every item that is faulty or in repair now."""
    paper = Paper(point, language, head, day=day, made_at=made_at)
    rows = [
        [
            str(number),
            item_name(item, norms, language),
            item.inventory,
            item.serial,
            item.room,
            item.fault or item.remark or "—",
            f"{paper.say(STATE_LABELS[item.state])}, {day_text(paper.local(_since(item)).date())}",
            f"{item.incident.number} / {item.incident.year}" if item.incident else "—",
            item.todo or "—",
        ]
        for number, item in enumerate(items, 1)
    ]
    return made(
        paper,
        paper.say(N_("Defect list of equipment")),
        [part(paper, DEFECT_COLUMNS, rows, paper.say(N_("No item is faulty or in repair.")))],
        totals=[paper.say(N_("Items on the list: {count}."), count=len(items))],
        signatures=[signature(paper.say(role)) for role in SIGNERS],
    )


def consumables_pdf(
    point: Point,
    lines: Sequence[StockLine],
    basis: Basis | None,
    rooms: int,
    margin: float,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """Stock, minimum and need of every consumable, and how much is to be got."""
    paper = Paper(point, language, head, made_at=made_at)
    rows = [
        [
            str(number),
            line.norm.label.text(language),
            line.norm.unit.text(language),
            str(line.quantity),
            str(line.norm.minimum),
            "—" if line.need is None else str(line.need),
            "—" if line.wanted is None else str(line.wanted),
            str(line.lacking) if line.lacking else "—",
            paper.say(ENOUGH_LABELS[line.enough]),
        ]
        for number, line in enumerate(lines, 1)
    ]
    candidates = str(basis.candidates) if basis else paper.say(N_("not written"))
    return made(
        paper,
        paper.say(N_("Consumables: stock, minimum and need")),
        [part(paper, STOCK_COLUMNS, rows, "—")],
        more=[
            (paper.say(N_("Candidates")), candidates),
            (paper.say(N_("Exam rooms")), str(rooms)),
            (paper.say(N_("Reserve")), f"× {paper.number(margin, 1)}"),
        ],
        signatures=[signature(paper.say(role)) for role in SIGNERS],
        flipped=False,
    )


def _since(item: Item) -> datetime:
    """When it came into the state it is in."""
    before, since = "", item.history[0].at
    for event in item.history:
        state = event.data.get("state") or event.data.get("fields", {}).get("state") or before
        if state != before:
            before, since = state, event.at
    return since
