"""Stock-takes: going from room to room and ticking off what is there. Every step is an entry: one can stop and go on.

The register is not touched: what was found elsewhere or not at all is a result on paper, and people put it right.
"""

from __future__ import annotations

from collections.abc import Sequence

from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_fold import KINDS, TAKE_ENDED, TAKE_STARTED, TICKED, UNTICKED, fold
from exam_kit.journal.equipment_item import Item, ItemState, Register, StockTake, TakeResult, Tick, number_key
from exam_kit.journal.equipment_rules import FIELD_LIMIT
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import authorise, clean
from exam_kit.store.accounts import Account
from exam_kit.store.rights import Act

__all__ = ["StockTakes", "expected", "take_result"]


class StockTakes:
    """The stock-takes of one register; one goes on at a time."""

    def __init__(self, equipment: Equipment) -> None:
        self._book = equipment

    def start(self, actor: Account, rooms: Sequence[str] = ()) -> StockTake:
        """Begin a stock-take of `rooms`, or of the whole point."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        for room in rooms:
            if not self._book.point.has_room(room):
                raise RefusedEntry(m("'{room}' is not a room of this point. Choose one from the list.", room=room))
        with self._book.ledger.store.transaction():
            going = self._book.register().open_take
            if going is not None:
                raise RefusedEntry(
                    m("Stock-take № {number} goes on. End it before another is begun.", number=going.number)
                )
            numbered = self._book.numbered((TAKE_STARTED,))
            self._book.append(TAKE_STARTED, {**numbered, "rooms": list(dict.fromkeys(rooms))}, actor)
            return self._book.register().takes[RowRef(numbered["year"], numbered["no"])]

    def tick(self, typed: str, room: str, actor: Account) -> Tick:
        """Write that the item with this number is here, in `room`; unknown numbers too. Seen here already: no entry."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        typed = clean(typed, "inventory", required=False)
        if not number_key(typed) or len(typed) > FIELD_LIMIT:
            raise RefusedEntry(m("Stock-take: no inventory № is typed. Type or scan what stands on the item."))
        if not self._book.point.has_room(room):
            raise RefusedEntry(m("'{room}' is not a room of this point. Choose one from the list.", room=room))
        with self._book.ledger.store.transaction():
            register = self._book.register()
            take = self._going(register)
            seen = take.ticks.get(number_key(typed))
            if seen is not None and seen.room == room:
                return seen
            item = register.find(typed)
            known = item.inventory if item else typed
            body = {"typed": known, "item": item.id if item else None, "room": room}
            self._book.append(TICKED, {"year": take.year, "no": take.number, **body}, actor)
            return self._going(self._book.register()).ticks[number_key(known)]

    def untick(self, typed: str, actor: Account) -> None:
        """Take back a tick made by mistake."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        with self._book.ledger.store.transaction():
            take = self._going(self._book.register())
            seen = take.ticks.get(number_key(typed))
            if seen is None:
                raise RefusedEntry(
                    m("{inventory}: it is not ticked off. Check the number.", inventory=typed.strip() or "—")
                )
            body = {"year": take.year, "no": take.number, "typed": seen.typed}
            self._book.append(UNTICKED, body, actor)

    def end(self, actor: Account) -> StockTake:
        """End the stock-take; its result is written as it is by the register of this moment."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        with self._book.ledger.store.transaction():
            register = self._book.register()
            take = self._going(register)
            body = {"year": take.year, "no": take.number, "result": take_result(register, take).as_dict()}
            self._book.append(TAKE_ENDED, body, actor)
            return self._book.register().takes[take.ref]

    def get(self, number: int, year: int | None = None) -> StockTake:
        """The stock-take; RefusedEntry when there is none."""
        ref = RowRef(year or self._book.year(), number)
        found = self._book.register().takes.get(ref)
        if found is None:
            raise RefusedEntry(
                m(
                    "Stock-take {number}: there is none with this number in {year}. See the number in the list.",
                    number=number,
                    year=ref.year,
                )
            )
        return found

    def register_of(self, take: StockTake) -> Register:
        """The register as it was when the stock-take was ended; the present one while it goes on."""
        if take.ended_seq is None:
            return self._book.register()
        entries = self._book.ledger.entries(KINDS, up_to=take.ended_seq)
        return fold(Register(), entries, self._book.key)

    def _going(self, register: Register) -> StockTake:
        take = register.open_take
        if take is None:
            raise RefusedEntry(m("Stock-take: none is going on. Begin one first."))
        return take


def expected(register: Register, take: StockTake) -> list[Item]:
    """The items that should be seen at it, in the order of their numbers."""
    items = [
        item
        for item in register.items.values()
        if item.state is not ItemState.WRITTEN_OFF and (not take.rooms or item.room in take.rooms)
    ]
    return sorted(items, key=lambda item: (item.room, number_key(item.inventory)))


def take_result(register: Register, take: StockTake) -> TakeResult:
    """What it came to when it was ended; while it goes on, what it would come to now."""
    if take.result is not None:
        return take.result
    seen: dict[int, str] = {}
    unexpected = []
    for tick in take.ticks.values():
        # A number that came into the register after it was ticked counts as known.
        item = register.items[tick.item] if tick.item is not None else register.find(tick.typed)
        if item is None or item.state is ItemState.WRITTEN_OFF:
            unexpected.append(tick.typed)
        else:
            seen[item.id] = tick.room
    absent = [item for item in expected(register, take) if item.id not in seen]
    away = [item.id for item in absent if item.holder is not None or item.state is ItemState.IN_REPAIR]
    return TakeResult(
        found=tuple(item for item, room in seen.items() if register.items[item].room == room),
        elsewhere=tuple((item, room) for item, room in seen.items() if register.items[item].room != room),
        missing=tuple(item.id for item in absent if item.id not in set(away)),
        away=tuple(away),
        unexpected=tuple(unexpected),
    )
