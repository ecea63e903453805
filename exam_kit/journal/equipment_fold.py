"""How the register of equipment is read back from the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from exam_kit.journal.equipment_item import (
    DEFECTIVE,
    Item,
    ItemEvent,
    ItemState,
    Register,
    Sheet,
    SheetKind,
    SheetLine,
    StockTake,
    TakeResult,
    Tick,
    number_key,
)
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.store.ledger import Entry

__all__ = [
    "ADDED",
    "CHANGED",
    "KINDS",
    "SHEETS",
    "STATE",
    "TAKE_ENDED",
    "TAKE_STARTED",
    "TICKED",
    "UNTICKED",
    "Draft",
    "fold",
]

ADDED, CHANGED, STATE = "equipment.added", "equipment.changed", "equipment.state"
SHEETS = tuple(f"equipment.{kind.value}" for kind in SheetKind)
"""Kinds of entries that are hand-over sheets; they share one row of numbers."""
TAKE_STARTED, TAKE_ENDED = "equipment.take_started", "equipment.take_ended"
TICKED, UNTICKED = "equipment.take_ticked", "equipment.take_unticked"
KINDS = (ADDED, CHANGED, STATE, *SHEETS, TAKE_STARTED, TICKED, UNTICKED, TAKE_ENDED)


def fold(register: Register, entries: Iterable[Entry], point: str) -> Register:
    """The register after `entries`; the one that was given stays as it is."""
    draft: Draft | None = None
    for entry in entries:
        if entry.body.get("point") == point:
            draft = draft or Draft(register)
            draft.take(entry)
    return draft.done() if draft else register


class Draft:
    """The next register in the making: copies of the maps, so that readers keep theirs.

    What `done` gives goes on with the draft.
    """

    def __init__(self, register: Register) -> None:
        self.items = dict(register.items)
        self.numbers = dict(register.numbers)
        self.sheets = dict(register.sheets)
        self.takes = dict(register.takes)
        self._own_ticks: set[RowRef] = set()
        self._by_kind: dict[str, Callable[[Entry], None]] = {
            ADDED: self._added,
            CHANGED: self._changed,
            STATE: self._state,
            **dict.fromkeys(SHEETS, self._sheet),
            TAKE_STARTED: self._take_started,
            TICKED: self._ticked,
            UNTICKED: self._unticked,
            TAKE_ENDED: self._take_ended,
        }

    def take(self, entry: Entry) -> None:
        self._by_kind[entry.kind](entry)

    def done(self) -> Register:
        return Register(self.items, self.numbers, self.sheets, self.takes)

    def _added(self, entry: Entry) -> None:
        fields = entry.body["fields"]
        event = _event(entry)
        item = Item(id=entry.seq, history=(event,), **{**fields, "state": ItemState(fields["state"])})
        self.items[item.id] = item
        self.numbers[number_key(item.inventory)] = item.id

    def _changed(self, entry: Entry) -> None:
        fields: dict[str, Any] = dict(entry.body["fields"])
        before = self.items[entry.body["item"]]
        if "state" in fields:
            fields["state"] = ItemState(fields["state"])
            if fields["state"] not in DEFECTIVE:
                fields |= {"fault": "", "todo": "", "incident": None}
        self._put(replace(before, **fields), entry)
        if "inventory" in fields:
            del self.numbers[number_key(before.inventory)]
            self.numbers[number_key(fields["inventory"])] = before.id

    def _state(self, entry: Entry) -> None:
        body = entry.body
        self._put(_in_state(self.items[body["item"]], body), entry)

    def _sheet(self, entry: Entry) -> None:
        body = entry.body
        ref = RowRef(body["year"], body["no"])
        kind = SheetKind(entry.kind.removeprefix("equipment."))
        receiver = Person.from_dict(body["receiver"]) if body["receiver"] else None
        lines = tuple(SheetLine(**line) for line in body["items"])
        self.sheets[ref] = Sheet(
            year=ref.year,
            number=ref.number,
            kind=kind,
            lines=lines,
            giver=Person.from_dict(body["giver"]),
            receiver=receiver,
            room=body["room"],
            condition=body["condition"],
            signed=body["signed"],
            by=Person.from_dict(body["by"]),
            at=entry.at,
            seq=entry.seq,
            hash=entry.hash,
        )
        for line in lines:
            item = self.items[line.item]
            if body["room"]:
                item = replace(item, room=body["room"])
            if kind is SheetKind.ISSUE:
                item = replace(item, holder=receiver, issued_by=ref)
            elif kind is SheetKind.RETURN:
                item = replace(item, holder=None, issued_by=None)
            if body.get("state"):
                item = _in_state(item, body)
            self._put(item, entry, ref)

    def _put(self, item: Item, entry: Entry, sheet: RowRef | None = None) -> None:
        self.items[item.id] = replace(item, history=(*item.history, _event(entry, sheet)))

    def _take_started(self, entry: Entry) -> None:
        body = entry.body
        ref = RowRef(body["year"], body["no"])
        by = Person.from_dict(body["by"])
        self.takes[ref] = StockTake(ref.year, ref.number, tuple(body["rooms"]), by, entry.at, {}, seq=entry.seq)
        self._own_ticks.add(ref)

    def _ticked(self, entry: Entry) -> None:
        body = entry.body
        ticks = self._ticks(entry)
        key = number_key(body["typed"])
        ticks.pop(key, None)  # seen again in another room: the later place counts, and stands last
        ticks[key] = Tick(body["typed"], body["item"], body["room"], Person.from_dict(body["by"]), entry.at)

    def _unticked(self, entry: Entry) -> None:
        self._ticks(entry).pop(number_key(entry.body["typed"]), None)

    def _ticks(self, entry: Entry) -> dict[str, Tick]:
        """The ticks of the entry's stock-take, copied once for this draft."""
        ref = RowRef(entry.body["year"], entry.body["no"])
        if ref not in self._own_ticks:
            self.takes[ref] = replace(self.takes[ref], ticks=dict(self.takes[ref].ticks))
            self._own_ticks.add(ref)
        ticks = self.takes[ref].ticks
        assert isinstance(ticks, dict)
        return ticks

    def _take_ended(self, entry: Entry) -> None:
        body = entry.body
        ref = RowRef(body["year"], body["no"])
        result = TakeResult.of(body["result"])
        by = Person.from_dict(body["by"])
        self.takes[ref] = replace(self.takes[ref], ended_by=by, ended_at=entry.at, ended_seq=entry.seq, result=result)


def _event(entry: Entry, sheet: RowRef | None = None) -> ItemEvent:
    kind = entry.kind.removeprefix("equipment.")
    return ItemEvent(kind, entry.at, Person.from_dict(entry.body["by"]), entry.seq, entry.body, sheet)


def _in_state(item: Item, body: dict[str, Any]) -> Item:
    incident = RowRef.of(body["incident"]) if body.get("incident") else None
    state = ItemState(body["state"])
    if state in DEFECTIVE:
        # A repair goes on from the fault that was written before, where it says nothing new.
        return replace(
            item,
            state=state,
            fault=body["why"] or item.fault,
            todo=body.get("todo") or item.todo,
            incident=incident or item.incident,
        )
    return replace(item, state=state, fault="", todo="", incident=None)
