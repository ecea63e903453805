"""What every part of the equipment screen asks for: the books, places to choose from, numbers as they are typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import STATE_LABELS, Item, ItemState
from exam_kit.journal.equipment_norms import load_norms
from exam_kit.ui.seat import Seat

__all__ = [
    "PAGE",
    "choose",
    "choose_room",
    "consumables_at",
    "equipment_at",
    "item_label",
    "numbers_in",
    "one_page",
    "state_tone",
]

PAGE = 50
One = TypeVar("One")

_BETWEEN = re.compile(r"[\n\r\t,;]+")

TONES = {
    ItemState.IN_USE: "good",
    ItemState.SPARE: "good",
    ItemState.FAULTY: "bad",
    ItemState.IN_REPAIR: "warn",
    ItemState.WRITTEN_OFF: "none",
}


def equipment_at(seat: Seat) -> Equipment:
    """The register of this point, by its own norms."""
    return Equipment(seat.ledger, seat.point, norms=load_norms(seat.home))


def consumables_at(seat: Seat) -> Consumables:
    return Consumables(seat.ledger, seat.point, norms=load_norms(seat.home))


def state_tone(state: ItemState) -> str:
    """The shape of a state; each has its own."""
    return TONES[state]


def item_label(book: Equipment, item: Item) -> str:
    """One item for a list: 101-001 · printer, LaserJet · 0001 · in use."""
    kind = book.norms.kind_label(item.kind)
    name = f"{kind}, {item.model}" if item.model else kind
    return " · ".join(part for part in (item.inventory, name, item.room, _(STATE_LABELS[item.state])) if part)


def numbers_in(text: str) -> list[str]:
    """The inventory numbers of a field: one on a line, or with commas or semicolons between."""
    return [number for part in _BETWEEN.split(text) if (number := part.strip())]


def choose(label: str, options: Sequence[str], name: Callable[[str], str], key: str, value: str = "") -> str:
    """A list of codes shown by their names; the first where nothing was chosen."""
    at = options.index(value) if value in options else 0
    chosen = st.selectbox(label, options, index=at, format_func=name, filter_mode=None, key=key)
    return chosen if chosen is not None else options[0]


def choose_room(seat: Seat, label: str, key: str, value: str = "", *, none: str = "") -> str:
    """A room of the point; `none` is what stands for no room, where that is allowed."""
    names = {
        room.code: room.code if room.label == room.code else f"{room.code} · {room.label}" for room in seat.point.rooms
    }
    if value and value not in names:
        names[value] = value  # a room the point no longer has
    options = ["", *names] if none else list(names)
    return choose(label, options, lambda code: names.get(code, none), key, value)


def one_page(rows: Sequence[One], key: str) -> Sequence[One]:
    """Fifty of the rows; where there are more, which fifty is chosen above them."""
    if len(rows) <= PAGE:
        return rows
    starts = list(range(0, len(rows), PAGE))
    shown = _("{first}–{last} of {count}")
    start = st.selectbox(
        _("Rows"),
        starts,
        label_visibility="collapsed",
        format_func=lambda at: shown.format(first=at + 1, last=min(at + PAGE, len(rows)), count=len(rows)),
        filter_mode=None,
        key=f"{key}-{len(rows)}",
        width=220,
    )
    return rows[start or 0 : (start or 0) + PAGE]
