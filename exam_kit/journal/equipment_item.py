"""Items of the register, the hand-over sheets they go by, and what a stock-take finds: the shapes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from exam_kit.i18n import N_
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person

__all__ = [
    "DEFECTIVE",
    "EVENT_LABELS",
    "FIELDS",
    "FIELD_LABELS",
    "SHEET_LABELS",
    "STATE_LABELS",
    "Item",
    "ItemDraft",
    "ItemEvent",
    "ItemState",
    "Register",
    "Sheet",
    "SheetKind",
    "SheetLine",
    "StockTake",
    "TakeResult",
    "Tick",
    "number_key",
]


class ItemState(StrEnum):
    """What can be done with an item now."""

    IN_USE = "in_use"
    SPARE = "spare"
    FAULTY = "faulty"
    IN_REPAIR = "in_repair"
    WRITTEN_OFF = "written_off"


STATE_LABELS = {
    ItemState.IN_USE: N_("in use"),
    ItemState.SPARE: N_("in reserve"),
    ItemState.FAULTY: N_("faulty"),
    ItemState.IN_REPAIR: N_("in repair"),
    ItemState.WRITTEN_OFF: N_("written off"),
}

DEFECTIVE = (ItemState.FAULTY, ItemState.IN_REPAIR)

FIELD_LABELS = {
    "inventory": N_("Inventory №"),
    "serial": N_("Serial №"),
    "kind": N_("Kind"),
    "model": N_("Model"),
    "room": N_("Place"),
    "licence": N_("Licence"),
    "state": N_("State"),
    "linked": N_("Station or camera"),
    "remark": N_("Remark"),
}
"""Fields of an item, in the order in which lists and files have them."""

FIELDS = tuple(FIELD_LABELS)

EVENT_LABELS = {
    "added": N_("entered in the register"),
    "changed": N_("data changed"),
    "state": N_("state changed"),
    "issued": N_("given out"),
    "returned": N_("returned"),
    "moved": N_("moved"),
}


class SheetKind(StrEnum):
    """What a hand-over sheet is about; its value ends the kind of its ledger entry."""

    ISSUE = "issued"
    RETURN = "returned"
    MOVE = "moved"


SHEET_LABELS = {SheetKind.ISSUE: N_("issue"), SheetKind.RETURN: N_("return"), SheetKind.MOVE: N_("move")}


def number_key(inventory: str) -> str:
    """By what two inventory numbers are one and the same: case, width and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", inventory).casefold().split())


@dataclass(frozen=True)
class ItemDraft:
    """What somebody wants to enter. `kind` is a code of the norms, `room` one of the point.

    `linked` is the id of the station or camera of the point that the item is.
    """

    inventory: str
    kind: str
    serial: str = ""
    model: str = ""
    room: str = ""
    licence: str = ""
    state: ItemState | str = ItemState.IN_USE
    linked: str = ""
    remark: str = ""

    def fields(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in FIELDS}


@dataclass(frozen=True)
class ItemEvent:
    """One line of an item's history; `sheet` where a hand-over sheet is behind it, `data` is the entry's body."""

    kind: str
    at: datetime
    by: Person
    seq: int
    data: Mapping[str, Any]
    sheet: RowRef | None = None


@dataclass(frozen=True)
class Item:
    """An item as it stands now. `id` is the ledger entry that brought it in and never changes.

    `holder` has it by sheet `issued_by`. `fault`, `todo` and `incident` say what is wrong, what is to be done and on
    which incident sheet it stands; all three are empty for an item that works.
    """

    id: int
    inventory: str
    serial: str
    kind: str
    model: str
    room: str
    licence: str
    state: ItemState
    linked: str
    remark: str
    history: tuple[ItemEvent, ...] = field(repr=False)
    holder: Person | None = None
    issued_by: RowRef | None = None
    fault: str = ""
    todo: str = ""
    incident: RowRef | None = None

    def fields(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in FIELDS}

    @property
    def in_reserve(self) -> bool:
        """True when it works, lies in reserve and is nobody's."""
        return self.state is ItemState.SPARE and self.holder is None

    @property
    def defective(self) -> bool:
        return self.state in DEFECTIVE


@dataclass(frozen=True)
class SheetLine:
    """An item as it stood when the sheet was written."""

    item: int
    inventory: str
    serial: str
    kind: str
    model: str
    room: str

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("item", "inventory", "serial", "kind", "model", "room")}


@dataclass(frozen=True)
class Sheet:
    """A hand-over sheet. `room` is where the items go, `signed` whether the receiver gave their own PIN.

    `receiver` is None only for a move that nobody has to receive.
    """

    year: int
    number: int
    kind: SheetKind
    lines: tuple[SheetLine, ...]
    giver: Person
    receiver: Person | None
    room: str
    condition: str
    signed: bool
    by: Person
    at: datetime
    seq: int
    hash: str

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)


@dataclass(frozen=True)
class Tick:
    """An item seen at a stock-take: what was typed, the item where the register knows it, where and by whom."""

    typed: str
    item: int | None
    room: str
    by: Person
    at: datetime


@dataclass(frozen=True)
class TakeResult:
    """What a stock-take came to. `elsewhere` are items seen in another room than the register says.

    `away` are items not seen that somebody has by a sheet, or that are in repair. `unexpected` are numbers that the
    register does not know or has written off.
    """

    found: tuple[int, ...]
    elsewhere: tuple[tuple[int, str], ...]
    missing: tuple[int, ...]
    away: tuple[int, ...]
    unexpected: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "found": list(self.found),
            "elsewhere": [list(pair) for pair in self.elsewhere],
            "missing": list(self.missing),
            "away": list(self.away),
            "unexpected": list(self.unexpected),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> TakeResult:
        """The inverse of `as_dict`."""
        return cls(
            tuple(data["found"]),
            tuple((item, room) for item, room in data["elsewhere"]),
            tuple(data["missing"]),
            tuple(data["away"]),
            tuple(data["unexpected"]),
        )


@dataclass(frozen=True)
class StockTake:
    """A stock-take, of `rooms` or of the whole point. `ticks` by `number_key`, in the order they were made."""

    year: int
    number: int
    rooms: tuple[str, ...]
    started_by: Person
    started_at: datetime
    ticks: Mapping[str, Tick]
    ended_by: Person | None = None
    ended_at: datetime | None = None
    result: TakeResult | None = None
    seq: int = 0
    ended_seq: int | None = None

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)


@dataclass(frozen=True)
class Register:
    """All of a point at one moment. `numbers` finds an item's id by `number_key` of its inventory №."""

    items: Mapping[int, Item] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    sheets: Mapping[RowRef, Sheet] = field(default_factory=dict)
    takes: Mapping[RowRef, StockTake] = field(default_factory=dict)

    def find(self, inventory: str) -> Item | None:
        """The item with this inventory №."""
        found = self.numbers.get(number_key(inventory))
        return None if found is None else self.items[found]

    @property
    def open_take(self) -> StockTake | None:
        """The stock-take that goes on; there is one at most."""
        return next((take for take in self.takes.values() if take.ended_at is None), None)
