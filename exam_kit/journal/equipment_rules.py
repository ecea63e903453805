"""What an item of the register may say: the same rules for a typed item and for a row of a file."""

from __future__ import annotations

from collections.abc import Mapping

from exam_kit.errors import Message, RefusedEntry, m
from exam_kit.i18n import N_
from exam_kit.journal.equipment_item import FIELDS, Item, ItemState, Register, number_key
from exam_kit.journal.equipment_norms import Norms
from exam_kit.journal.person import clean
from exam_kit.point.model import Point

__all__ = ["checked_fields", "refuse_clashes", "refused_number"]

FIELD_LIMIT = 200
"""Characters; the remark may be longer, up to the limit of every text."""


def refused_number(inventory: str) -> RefusedEntry:
    """That the register does not know this inventory №."""
    return RefusedEntry(
        m("{inventory}: there is no such inventory № in the register. Check the number.", inventory=inventory or "—")
    )


def checked_fields(
    fields: Mapping[str, str], point: Point, norms: Norms, register: Register, item: Item | None = None
) -> dict[str, str]:
    """The fields cleaned, when all of them can stand; `item` is the one they are about, where it is there already.

    Raises:
        RefusedEntry: they cannot; with more than one mistake `details` lists every one.
    """
    given = {name: clean(fields[name], name, required=False) for name in FIELDS}
    before = item.fields() if item else {}
    # What stands there already may be of an older point or older data, and is no fault of whoever writes now.
    new = {name: value for name, value in given.items() if value != before.get(name)}
    _refuse(given, [*_mistakes(new, point, norms), *_clashes(given, register, item)])
    return given


def refuse_clashes(given: Mapping[str, str], register: Register, item: Item) -> None:
    """RefusedEntry where these fields of the item cannot stand beside what the register says."""
    _refuse(given, _clashes(given, register, item))


def _refuse(given: Mapping[str, str], mistakes: list[Message]) -> None:
    if len(mistakes) == 1:
        raise RefusedEntry(mistakes[0])
    if mistakes:
        named = given["inventory"] or "—"
        raise RefusedEntry(m("{inventory}: mistakes found: {count}.", inventory=named, count=len(mistakes)), mistakes)


def _mistakes(given: Mapping[str, str], point: Point, norms: Norms) -> list[Message]:
    """What is wrong with these fields by themselves."""
    found = []
    if "inventory" in given and not number_key(given["inventory"]):
        found.append(m("Inventory №: nothing is written there. Every item has one; write it."))
    for name, value in given.items():
        if name != "remark" and len(value) > FIELD_LIMIT:
            start = value[:20]
            found.append(m("'{start}…': longer than {limit} characters. Shorten it.", start=start, limit=FIELD_LIMIT))
    kind, room, state, linked = (given.get(name, "") for name in ("kind", "room", "state", "linked"))
    if "kind" in given and kind not in norms.kinds:
        found.append(m("Kind '{kind}': there is no such kind. Choose one from the list.", kind=kind))
    if room and not point.has_room(room):
        found.append(m("'{room}' is not a room of this point. Choose one from the list.", room=room))
    if "state" in given and state not in list(ItemState):
        found.append(m("'{state}' is not a state. Choose one from the list.", state=state))
    known = {station.id for station in point.stations} | {camera.id for camera in point.cameras}
    if linked and linked not in known:
        text = N_("'{code}' is neither a station nor a camera of this point. Choose one or leave it empty.")
        found.append(m(text, code=linked))
    return found


def _clashes(given: Mapping[str, str], register: Register, item: Item | None) -> list[Message]:
    found = []
    own = item.id if item else 0
    same = register.find(given["inventory"])
    if same is not None and same.id != own:
        found.append(
            m("{inventory}: this inventory № is in the register already. Check the number.", inventory=same.inventory)
        )
    goes = item is not None and (given["room"] != item.room or given["state"] == ItemState.WRITTEN_OFF)
    if item is not None and item.holder is not None and goes:
        text = N_("{inventory}: {holder} has it. Write its return first.")
        found.append(m(text, inventory=item.inventory, holder=item.holder.name))
    if given["linked"] and given["state"] == ItemState.IN_USE:
        other = next(
            (
                one
                for one in register.items.values()
                if one.linked == given["linked"] and one.state is ItemState.IN_USE and one.id != own
            ),
            None,
        )
        if other is not None:
            found.append(
                m(
                    "{code}: item {inventory} is in use as this already. Change the state of one of them.",
                    code=given["linked"],
                    inventory=other.inventory,
                )
            )
    return found
