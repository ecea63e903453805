"""What a stock-take came to, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exam_kit.forms.equipment_parts import Column, item_name, made, part
from exam_kit.forms.sheet import Paper, signature
from exam_kit.i18n import N_
from exam_kit.journal.equipment_item import STATE_LABELS, Item, Register, StockTake
from exam_kit.journal.equipment_norms import Norms
from exam_kit.journal.equipment_takes import take_result
from exam_kit.point import Point
from exam_kit.store import Checkpoint, Head

__all__ = ["stocktake_pdf"]

COLUMNS: tuple[Column, ...] = (
    (N_("№"), 10, True),
    (N_("Item"), 0, False),
    (N_("Inventory №"), 36, False),
    (N_("Serial №"), 34, False),
    (N_("Place"), 18, True),
)
LAST = {
    "missing": N_("State"),
    "elsewhere": N_("Seen in"),
    "away": N_("Where it is"),
    "found": N_("State"),
}


def stocktake_pdf(
    point: Point,
    register: Register,
    take: StockTake,
    norms: Norms,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The result: first what is not as it should be. A stock-take that goes on is printed as it stands.

    `register` is the one it was ended by, so that a later print says what the first one said.
    """
    paper = Paper(point, language, head, day=take.started_at.astimezone(point.tz).date(), made_at=made_at)
    result = take_result(register, take)

    def table(name: str, title: str, rows: Sequence[tuple[int, str]]) -> dict[str, object]:
        columns = (*COLUMNS, (LAST[name], 44, False))
        cells = [
            [str(number), item_name(item, norms, language), item.inventory, item.serial, item.room, last]
            for number, (item, last) in enumerate(((register.items[one], last) for one, last in rows), 1)
        ]
        return part(paper, columns, cells, paper.say(N_("None.")), title)

    def state(item: int) -> str:
        return paper.say(STATE_LABELS[register.items[item].state])

    unexpected = part(
        paper,
        ((N_("№"), 10, True), (N_("Number as it was typed"), 0, False), (N_("Seen in"), 44, False)),
        [[str(number), typed, _seen_in(take, typed)] for number, typed in enumerate(result.unexpected, 1)],
        paper.say(N_("None.")),
        paper.say(N_("Not in the register, or written off: {count}"), count=len(result.unexpected)),
    )
    said = {
        "missing": paper.say(N_("Missing: {count}"), count=len(result.missing)),
        "elsewhere": paper.say(N_("In another room than the register says: {count}"), count=len(result.elsewhere)),
        "away": paper.say(N_("Given out or in repair, not seen: {count}"), count=len(result.away)),
        "found": paper.say(N_("In its place: {count}"), count=len(result.found)),
    }
    parts = [
        table("missing", said["missing"], [(one, state(one)) for one in result.missing]),
        table("elsewhere", said["elsewhere"], result.elsewhere),
        unexpected,
        table("away", said["away"], [(one, _away(register.items[one], state(one))) for one in result.away]),
        table("found", said["found"], [(one, state(one)) for one in result.found]),
    ]
    rooms = ", ".join(take.rooms) or paper.say(N_("the whole exam point"))
    ended = paper.moment(take.ended_at) if take.ended_at else paper.say(N_("goes on"))
    who = take.ended_by or take.started_by
    return made(
        paper,
        paper.say(N_("Stock-take of equipment № {number}"), number=take.number),
        parts,
        more=[
            (paper.say(N_("Rooms")), rooms),
            (paper.say(N_("Begun")), f"{paper.moment(take.started_at)}, {take.started_by.name}"),
            (paper.say(N_("Ended")), ended),
        ],
        signatures=[
            signature(paper.say(N_("Counted by")), who.name, who.post),
            signature(paper.say(N_("Head of the exam point"))),
        ],
        flipped=False,
    )


def _away(item: Item, state: str) -> str:
    if item.holder is None or item.issued_by is None:
        return state
    return f"{item.holder.name}, № {item.issued_by.number}"


def _seen_in(take: StockTake, typed: str) -> str:
    return next((tick.room for tick in take.ticks.values() if tick.typed == typed), "")
