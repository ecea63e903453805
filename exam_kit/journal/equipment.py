"""The register of equipment: what the point has, where it stands, who has it and what is wrong with it.

Typed entries over the ledger like the other books: nothing is edited, a change is an entry with its reason. An item is
nobody's or one person's; it changes hands only by numbered hand-over sheets. Rights are checked here, whoever calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exam_kit.clock import Clock
from exam_kit.errors import Message, RefusedEntry, m
from exam_kit.journal.equipment_fold import ADDED, CHANGED, KINDS, SHEETS, STATE, fold
from exam_kit.journal.equipment_item import (
    DEFECTIVE,
    Item,
    ItemDraft,
    ItemState,
    Register,
    Sheet,
    SheetKind,
    SheetLine,
)
from exam_kit.journal.equipment_norms import Norms, load_norms
from exam_kit.journal.equipment_rules import checked_fields, refuse_clashes, refused_number
from exam_kit.journal.numbering import RowRef, next_number, point_key
from exam_kit.journal.person import Actor, Person, authorise, clean, login_of, person_of
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act

__all__ = ["Equipment"]


class Equipment:
    """The register of one point.

    Methods that write return what then stands on the disk; they raise `AccessDenied`, `RefusedEntry` and `StoreError`
    as the access log's do. Items are named by their inventory №.
    """

    def __init__(self, ledger: Ledger, point: Point, clock: Clock | None = None, norms: Norms | None = None) -> None:
        self.ledger = ledger
        self.point = point
        self.key = point_key(point)
        self._clock = clock or ledger.clock
        self.norms = norms or load_norms()

    def register(self) -> Register:
        """All as it stands now."""

        def carry(register: Register, entries: Iterable[Entry]) -> Register:
            return fold(register, entries, self.key)

        return folded(self.ledger, f"equipment of {self.key}", KINDS, carry, Register())

    def find(self, inventory: str) -> Item | None:
        """The item with this inventory №; case and spaces do not matter."""
        return self.register().find(inventory)

    def get(self, inventory: str) -> Item:
        """The item; RefusedEntry when there is none."""
        item = self.find(inventory)
        if item is None:
            raise refused_number(inventory)
        return item

    def sheet(self, number: int, year: int | None = None) -> Sheet:
        """The hand-over sheet; RefusedEntry when there is none."""
        ref = RowRef(year or self.year(), number)
        found = self.register().sheets.get(ref)
        if found is None:
            raise RefusedEntry(
                m(
                    "Hand-over sheet {number}: there is no such sheet in {year}. See the number in the list.",
                    number=number,
                    year=ref.year,
                )
            )
        return found

    def sheets(self, day: dt.date) -> list[Sheet]:
        """The hand-over sheets of one local date, in the order of their numbers."""
        return [sheet for sheet in self.register().sheets.values() if sheet.at.astimezone(self.point.tz).date() == day]

    def add(self, draft: ItemDraft, actor: Actor) -> Item:
        """Enter an item. The agent may, for the demo's point."""
        authorise(actor, Act.KEEP_EQUIPMENT, agent=True)
        with self.ledger.store.transaction():
            register = self.register()
            fields = checked_fields(draft.fields(), self.point, self.norms, register)
            entry = self.append(ADDED, {"fields": fields}, actor)
        return fold(Register(), [entry], self.key).items[entry.seq]

    def change(self, inventory: str, fields: Mapping[str, str], why: str, actor: Account) -> Item:
        """Put fields of an item right; fields that stay as they are write nothing.

        Place and state can be put right here too; a hand-over or a fault has its own entry.
        """
        authorise(actor, Act.KEEP_EQUIPMENT)
        with self.ledger.store.transaction():
            item = self.get(inventory)
            given = {**item.fields(), **fields}
            new = checked_fields(given, self.point, self.norms, self.register(), item)
            changed = {name: value for name, value in new.items() if value != item.fields()[name]}
            if not changed:
                return item
            reason = self._why(why, m("{inventory}: its data are changed", inventory=item.inventory))
            self.append(CHANGED, {"item": item.id, "fields": changed, "why": reason}, actor)
            return self.register().items[item.id]

    def set_state(
        self,
        inventory: str,
        state: ItemState | str,
        why: str,
        actor: Account,
        *,
        todo: str = "",
        incident: RowRef | None = None,
    ) -> Item:
        """Write that the item is now in another state, and why. `todo` and `incident` are about a fault."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        new = self._state_of(state)
        with self.ledger.store.transaction():
            item = self.get(inventory)
            needed = new in (*DEFECTIVE, ItemState.WRITTEN_OFF) or item.state is ItemState.WRITTEN_OFF
            repeated = new in DEFECTIVE and item.defective  # the fault stands already
            reason = clean(why, "why", required=False)
            if needed and not repeated:
                reason = self._why(why, m("{inventory}: its state is changed", inventory=item.inventory))
            if new is ItemState.WRITTEN_OFF:
                self._free(item)
            refuse_clashes({**item.fields(), "state": new.value}, self.register(), item)
            body = {
                "item": item.id,
                "state": new.value,
                "why": reason,
                "todo": clean(todo, "todo", required=False),
                "incident": incident.as_list() if incident else None,
            }
            self.append(STATE, body, actor)
            return self.register().items[item.id]

    def issue(
        self,
        numbers: Sequence[str],
        to: Account | Person,
        actor: Account,
        *,
        condition: str,
        room: str = "",
        signed: Account | None = None,
    ) -> Sheet:
        """Give items to a person, on one sheet. `signed` is the account whose PIN was given just now.

        A receiver with an account signs by their own PIN; for one without, the sheet is printed and signed by hand.
        """
        authorise(actor, Act.KEEP_EQUIPMENT)
        receiver = self._receiver(to, signed)
        with self.ledger.store.transaction():
            items = self._named(numbers)
            for item in items:
                self._free(item)
            fields = self._handed(items, person_of(actor), receiver, room, condition, signed is not None)
            return self._sheet(SheetKind.ISSUE, fields, actor)

    def take_back(
        self,
        numbers: Sequence[str],
        actor: Account,
        *,
        condition: str,
        room: str = "",
        state: ItemState | str | None = None,
        fault: str = "",
        todo: str = "",
    ) -> Sheet:
        """Take items back from the person who has them, on one sheet; `state` is theirs from now on, where it changed.

        The receiver is `actor`, who is signed in; so the holder cannot take back from themselves.
        """
        authorise(actor, Act.KEEP_EQUIPMENT)
        with self.ledger.store.transaction():
            items = self._named(numbers)
            for item in items:
                if item.holder is None:
                    raise RefusedEntry(
                        m("{inventory}: it is not given to anybody. Check the number.", inventory=item.inventory)
                    )
            giver = items[0].holder
            assert giver is not None
            for item in items:
                if item.holder is None or not item.holder.same_as(giver):
                    raise RefusedEntry(
                        m(
                            "{inventory}: {holder} has it, not {other}. Write a sheet for each of them.",
                            inventory=item.inventory,
                            holder=item.holder.name if item.holder else "—",
                            other=giver.name,
                        )
                    )
            fields = self._handed(items, giver, person_of(actor), room, condition, True)
            if state is not None:
                new = self._state_of(state)
                why = clean(fault, "fault", required=False)
                if new in DEFECTIVE:
                    why = self._why(fault, m("{inventory}: it comes back faulty", inventory=items[0].inventory))
                fields |= {"state": new.value, "why": why, "todo": clean(todo, "todo", required=False)}
            return self._sheet(SheetKind.RETURN, fields, actor)

    def move(
        self,
        numbers: Sequence[str],
        room: str,
        actor: Account,
        *,
        condition: str,
        to: Account | Person | None = None,
        signed: Account | None = None,
    ) -> Sheet:
        """Move items to another room, on one sheet; `to` is who receives them there, where somebody does."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        receiver = self._receiver(to, signed) if to is not None else None
        if not room:
            raise RefusedEntry(m("Move: no room is named. Choose where the items go."))
        with self.ledger.store.transaction():
            items = self._named(numbers)
            for item in items:
                self._free(item)
                if item.room == room:
                    raise RefusedEntry(
                        m(
                            "{inventory}: it stands in {room} already. Take its number out.",
                            inventory=item.inventory,
                            room=room,
                        )
                    )
            fields = self._handed(items, person_of(actor), receiver, room, condition, signed is not None)
            return self._sheet(SheetKind.MOVE, fields, actor)

    def append(self, kind: str, body: Mapping[str, Any], actor: Actor) -> Entry:
        """An entry of this register; call it inside a transaction, after all checks."""
        return self.ledger.append(kind, {"point": self.key, "by": person_of(actor).as_dict(), **body}, login_of(actor))

    def year(self) -> int:
        """The year in which sheets are numbered now."""
        return self._clock.now().astimezone(self.point.tz).year

    def numbered(self, kinds: tuple[str, ...]) -> dict[str, int]:
        """Year and next number of `kinds`; call it inside the appending transaction."""
        year = self.year()
        return {"year": year, "no": next_number(self.ledger.store.connection, kinds, self.key, year)}

    def _sheet(self, kind: SheetKind, fields: Mapping[str, Any], actor: Account) -> Sheet:
        numbered = self.numbered(SHEETS)
        self.append(f"equipment.{kind.value}", {**numbered, **fields}, actor)
        return self.register().sheets[RowRef(numbered["year"], numbered["no"])]

    def _handed(
        self, items: Sequence[Item], giver: Person, receiver: Person | None, room: str, condition: str, signed: bool
    ) -> dict[str, Any]:
        if receiver is not None and receiver.same_as(giver):
            raise RefusedEntry(
                m(
                    "Hand-over: {name} cannot give and receive. Another keeper of the equipment must write the sheet.",
                    name=giver.name,
                )
            )
        if room and not self.point.has_room(room):
            raise RefusedEntry(m("'{room}' is not a room of this point. Choose one from the list.", room=room))
        state = clean(condition, "condition", required=False)
        if not state:
            raise RefusedEntry(m("Condition: nothing is written there. Write in what condition the items are."))
        lines = [
            SheetLine(item.id, item.inventory, item.serial, item.kind, item.model, item.room).as_dict()
            for item in items
        ]
        return {
            "items": lines,
            "giver": giver.as_dict(),
            "receiver": receiver.as_dict() if receiver else None,
            "room": room,
            "condition": state,
            "signed": signed,
        }

    def _receiver(self, to: Account | Person, signed: Account | None) -> Person:
        if isinstance(to, Account):
            if signed is None or signed.login != to.login or signed.disabled:
                raise RefusedEntry(
                    m("Hand-over: {name} has an account here and signs with their own PIN.", name=to.name)
                )
            return person_of(to)
        if signed is not None or to.login:
            raise RefusedEntry(m("Hand-over: {name} signs with another person's PIN. Choose who signs.", name=to.name))
        return Person(clean(to.name, "name"), clean(to.post, "post", required=False))

    def _named(self, numbers: Sequence[str]) -> list[Item]:
        """The items of these numbers, each once; every number that is not known in one refusal."""
        register = self.register()
        unknown: list[Message] = []
        items: dict[int, Item] = {}
        for number in numbers:
            item = register.find(number)
            if item is None:
                unknown.append(refused_number(number).message)
            else:
                items[item.id] = item
        if unknown:
            raise RefusedEntry(
                m("Hand-over: numbers that are not in the register: {count}.", count=len(unknown)), unknown
            )
        if not items:
            raise RefusedEntry(m("Hand-over: no item is named. Type at least one inventory №."))
        return list(items.values())

    def _free(self, item: Item) -> None:
        if item.holder is not None:
            assert item.issued_by is not None
            raise RefusedEntry(
                m(
                    "{inventory}: {holder} has it by sheet № {sheet}. Write its return first.",
                    inventory=item.inventory,
                    holder=item.holder.name,
                    sheet=item.issued_by.number,
                )
            )
        if item.state is ItemState.WRITTEN_OFF:
            raise RefusedEntry(m("{inventory}: it is written off. Check the number.", inventory=item.inventory))

    def _state_of(self, state: ItemState | str) -> ItemState:
        try:
            return ItemState(state)
        except ValueError as problem:
            raise RefusedEntry(m("'{state}' is not a state. Choose one from the list.", state=state)) from problem

    def _why(self, why: str, what: Message) -> str:
        reason = clean(why, "why", required=False)
        if not reason:
            raise RefusedEntry(m("{what}, and nothing says why. Write the reason.", what=what))
        return reason
