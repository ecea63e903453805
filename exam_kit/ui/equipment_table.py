"""Equipment as tables: the register, an item with its history, hand-over sheets, what is faulty."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from exam_kit.i18n import N_, _
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import (
    EVENT_LABELS,
    FIELD_LABELS,
    SHEET_LABELS,
    STATE_LABELS,
    Item,
    ItemEvent,
    ItemState,
    Sheet,
)
from exam_kit.ui.equipment_desk import state_tone
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, short_day

__all__ = ["card", "defects_table", "held_table", "items_table", "sheets_table", "state_chip", "table"]

ITEMS = (N_("Inventory №"), N_("Item"), N_("Serial №"), N_("Place"), N_("State"), N_("Who has it"))
SHEETS = (
    N_("№"),
    N_("When"),
    N_("What is done"),
    N_("Items"),
    N_("Given by, from"),
    N_("Given to, where"),
    N_("Signature"),
    "",
)
DEFECTS = (
    N_("Inventory №"),
    N_("Item"),
    N_("Place"),
    N_("What is wrong"),
    N_("Incident №"),
    N_("What to do"),
    N_("State"),
)
HELD = (N_("Who has it"), N_("Inventory №"), N_("Item"), N_("Since"), N_("Sheet №"))

MOST_NAMED = 6


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th scope="col">{escape(_(one) if one else "")}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="ek-scroll"><table class="ek-table" data-table="{name}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def state_chip(state: ItemState) -> str:
    return chip(state_tone(state), _(STATE_LABELS[state]))


def _link(inventory: str) -> str:
    return f'<a href="/equipment?item={quote(inventory)}" target="_self">{escape(inventory)}</a>'


def _name(book: Equipment, item: Item) -> str:
    kind = escape(book.norms.kind_label(item.kind))
    return f"{kind}<small>{escape(item.model)}</small>" if item.model else kind


def items_table(book: Equipment, items: Sequence[Item]) -> str:
    """The register; the number leads to the item."""
    rows = [
        [
            _link(item.inventory),
            _name(book, item),
            escape(item.serial),
            escape(item.room) + (f"<small>{escape(item.linked)}</small>" if item.linked else ""),
            state_chip(item.state),
            escape(item.holder.name) if item.holder else "",
        ]
        for item in items
    ]
    return table(ITEMS, rows, "items")


def held_table(seat: Seat, book: Equipment, items: Sequence[Item]) -> str:
    """Who has what, and since when."""
    rows = []
    for item in sorted(items, key=lambda one: (one.holder.name if one.holder else "", one.inventory)):
        if item.holder is None or item.issued_by is None:
            continue
        sheet = book.sheet(item.issued_by.number, item.issued_by.year)
        post = f"<small>{escape(item.holder.post)}</small>" if item.holder.post else ""
        number = f"{sheet.number}"
        rows.append(
            [escape(item.holder.name) + post, _link(item.inventory), _name(book, item), _when(seat, sheet), number]
        )
    return table(HELD, rows, "held")


def sheets_table(seat: Seat, sheets: Sequence[Sheet]) -> str:
    """Hand-over sheets, each with its print."""
    rows = [
        [
            str(sheet.number),
            _when(seat, sheet),
            escape(_(SHEET_LABELS[sheet.kind])),
            _listed([line.inventory for line in sheet.lines]),
            escape(sheet.giver.name),
            escape(", ".join(part for part in (sheet.receiver.name if sheet.receiver else "", sheet.room) if part)),
            chip("good", _("own PIN")) if sheet.signed else chip("none", _("on paper")),
            f'<a href="/papers/equipment-handover.pdf?year={sheet.year}&number={sheet.number}" target="_blank">PDF</a>',
        ]
        for sheet in sheets
    ]
    return table(SHEETS, rows, "sheets")


def defects_table(book: Equipment, items: Sequence[Item]) -> str:
    """What is wrong with what, and what is to be done."""
    rows = [
        [
            _link(item.inventory),
            _name(book, item),
            escape(item.room),
            escape(item.fault or item.remark or "—"),
            f"{item.incident.number}" if item.incident else "—",
            escape(item.todo or "—"),
            state_chip(item.state),
        ]
        for item in items
    ]
    return table(DEFECTS, rows, "defects")


def card(seat: Seat, book: Equipment, item: Item) -> str:
    """An item with all that is known of it, and its history, the latest first."""
    fields = item.fields() | {"kind": book.norms.kind_label(item.kind)}
    shown = "".join(
        f"<dt>{escape(_(label))}</dt><dd>{escape(fields[name])}</dd>"
        for name, label in FIELD_LABELS.items()
        if name not in ("inventory", "state") and fields[name]
    )
    if item.fault:
        shown += f"<dt>{escape(_('What is wrong'))}</dt><dd>{escape(item.fault)}</dd>"
    if item.todo:
        shown += f"<dt>{escape(_('What to do'))}</dt><dd>{escape(item.todo)}</dd>"
    held = ""
    if item.holder is not None and item.issued_by is not None:
        text = _("given out by sheet № {number}: {name}").format(number=item.issued_by.number, name=item.holder.name)
        held = f"<p><b>{mark('ask')}{escape(text)}</b></p>"
    history = "".join(_line(seat, event) for event in reversed(item.history))
    return (
        f'<div class="ek-check {state_tone(item.state)}" data-item="{escape(item.inventory)}"><header><span>'
        f"{escape(item.inventory)}</span>{state_chip(item.state)}</header>{held}<dl>{shown}</dl>"
        f'<ul class="ek-steps">{history}</ul></div>'
    )


def _line(seat: Seat, event: ItemEvent) -> str:
    at = f"{short_day(seat, event.at.astimezone(seat.tz).date())} {clock_time(seat, event.at)}"
    said = [_(EVENT_LABELS[event.kind]) + (f", № {event.sheet.number}" if event.sheet else ""), *_told(event)]
    return f"<li><time>{escape(at)}</time>{escape(': '.join(said))} <small>{escape(event.by.name)}</small></li>"


def _told(event: ItemEvent) -> list[str]:
    """What an entry says besides its kind."""
    data = event.data
    said = []
    if event.kind == "changed":
        said.append(", ".join(_(FIELD_LABELS[name]) for name in data["fields"]))
    if event.kind == "state":
        said.append(_(STATE_LABELS[ItemState(data["state"])]))
    if event.sheet is not None:
        receiver = data["receiver"]["name"] if data["receiver"] else ""
        said.append(" → ".join(part for part in (data["giver"]["name"], receiver, data["room"]) if part))
    if data.get("why"):
        said.append(str(data["why"]))
    return [one for one in said if one]


def _when(seat: Seat, sheet: Sheet) -> str:
    return f"{short_day(seat, sheet.at.astimezone(seat.tz).date())} {clock_time(seat, sheet.at)}"


def _listed(numbers: Sequence[str]) -> str:
    more = f" … ({len(numbers)})" if len(numbers) > MOST_NAMED else ""
    return escape(", ".join(numbers[:MOST_NAMED]) + more)
