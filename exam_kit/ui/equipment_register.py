"""The register on the screen: searched, paged, an item with its history, and what can be written about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from exam_kit.i18n import N_, _, ngettext
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import (
    DEFECTIVE,
    FIELD_LABELS,
    STATE_LABELS,
    Item,
    ItemDraft,
    ItemState,
    number_key,
)
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.store import Act
from exam_kit.ui.equipment_desk import choose, choose_room, one_page
from exam_kit.ui.equipment_table import card, items_table
from exam_kit.ui.fields import fresh, fresh_key, whole_number
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["draw_register"]

WRITTEN = N_("{inventory}: written.")


def draw_register(seat: Seat, book: Equipment) -> None:
    """Search first; exactly one found is shown whole."""
    register = book.register()
    linked = st.query_params.pop("item", "")
    if linked:
        st.session_state["equipment-search"] = linked
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(_("Find: number, model, remark"), key="equipment-search", width=300) or ""
        states: dict[str, str] = {"": _("all states"), **{state.value: _(STATE_LABELS[state]) for state in ItemState}}
        with st.container(width=190):
            state = choose(_("State"), list(states), states.__getitem__, "equipment-state")
        kinds = {"": _("all kinds"), **{kind.code: kind.label.text() for kind in book.norms.kind}}
        with st.container(width=250):
            kind = choose(_("Kind"), list(kinds), kinds.__getitem__, "equipment-kind")
        with st.container(width=230):
            room = choose_room(seat, _("Place"), "equipment-room", none=_("all places"))
    items = _found(register.items.values(), sought, state, kind, room)
    exact = register.find(sought) if sought.strip() else None
    one = exact or (items[0] if len(items) == 1 and sought.strip() else None)
    if one is not None:
        _item(seat, book, one)
    count = ngettext("{count} item", "{count} items", len(items)).format(count=len(items))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<p class="ek-note" data-count="{len(items)}">{count}</p>', width="content")
        paper_link("XLSX", "/papers/equipment.xlsx")
        paper_link("CSV", "/papers/equipment.csv")
        shown = one_page(items, "items") if one is None else []
    if not register.items:
        st.info(_("The register is empty. Enter the first item below, or take a list in."))
    elif shown:
        st.html(items_table(book, shown))
    if seat.may(Act.KEEP_EQUIPMENT):
        with st.expander(_("New item"), expanded=not register.items):
            _add(seat, book)


def _found(items: Iterable[Item], sought: str, state: str, kind: str, room: str) -> list[Item]:
    wanted = number_key(sought)
    found = [
        item
        for item in items
        if (not state or item.state == state)
        and (not kind or item.kind == kind)
        and (not room or item.room == room)
        and (not wanted or wanted in _words(item))
    ]
    return sorted(found, key=lambda item: number_key(item.inventory))


def _words(item: Item) -> str:
    return number_key(f"{item.inventory} {item.serial} {item.model} {item.remark} {item.linked}")


def _add(seat: Seat, book: Equipment) -> None:
    key = fresh_key("item")
    with st.form(f"form-{key}", border=False):
        draft = _fields(seat, book, key, None)
        if st.form_submit_button(_("Enter in the register"), type="primary"):
            with saying_errors(seat):
                item = book.add(ItemDraft(**draft()), seat.account)
                fresh("item")
                flash(_(WRITTEN).format(inventory=item.inventory))
                st.rerun()


def _item(seat: Seat, book: Equipment, item: Item) -> None:
    view, forms = st.columns([3, 2], gap="medium")
    view.html(card(seat, book, item))
    if not seat.may(Act.KEEP_EQUIPMENT):
        return
    with forms:
        acts: dict[str, Callable[[Seat, Equipment, Item], None]] = {_("State"): _state, _("Data"): _change}
        chosen = st.segmented_control(
            _("Write"), list(acts), default=next(iter(acts)), required=True, key=f"item-act-{item.id}-{seat.language}"
        )
        acts[chosen or next(iter(acts))](seat, book, item)


def _state(seat: Seat, book: Equipment, item: Item) -> None:
    key = fresh_key(f"state-{item.id}")
    new = choose(
        _("New state"), [state.value for state in ItemState if state is not item.state],
        lambda code: _(STATE_LABELS[ItemState(code)]), f"{key}-state",
    )  # fmt: skip
    defective = ItemState(new) in DEFECTIVE
    with st.form(f"form-{key}-{new}"):
        why = st.text_input(_("What is wrong") if defective else _("Why"), key=f"{key}-why")
        todo, incident = "", ""
        if defective:
            todo = st.text_input(_("What to do"), item.todo, key=f"{key}-todo") or ""
            incident = st.text_input(_("Incident №"), key=f"{key}-incident") or ""
        if st.form_submit_button(_("Write the state"), type="primary"):
            with saying_errors(seat):
                ref = _sheet_of(seat, incident)
                book.set_state(item.inventory, new, why or "", seat.account, todo=todo, incident=ref)
                fresh(f"state-{item.id}")
                flash(_(WRITTEN).format(inventory=item.inventory))
                st.rerun()


def _sheet_of(seat: Seat, typed: str) -> RowRef | None:
    """The incident sheet of this year with the number that was typed; RefusedEntry when there is none."""
    if not typed.strip():
        return None
    return Incidents(seat.ledger, seat.point).get(whole_number(typed)).ref


def _change(seat: Seat, book: Equipment, item: Item) -> None:
    key = fresh_key(f"change-{item.id}")
    with st.form(f"form-{key}"):
        draft = _fields(seat, book, key, item)
        why = st.text_input(_("Why it is changed"), key=f"{key}-why")
        if st.form_submit_button(_("Write the change"), type="primary"):
            with saying_errors(seat):
                changed = book.change(item.inventory, draft(), why or "", seat.account)
                fresh(f"change-{item.id}")
                flash(_(WRITTEN).format(inventory=changed.inventory))
                st.rerun()


def _fields(seat: Seat, book: Equipment, key: str, item: Item | None) -> Callable[[], dict[str, str]]:
    """The fields of an item, three in a row for a new one, filled from `item` when there is one."""
    known = item.fields() if item else dict.fromkeys(FIELD_LABELS, "")
    linkable = ["", *(station.id for station in seat.point.stations), *(camera.id for camera in seat.point.cameras)]
    kinds = [kind.code for kind in book.norms.kind]
    if known["kind"] and known["kind"] not in kinds:
        kinds.append(known["kind"])
    if known["linked"] not in linkable:
        linkable.append(known["linked"])
    read: dict[str, str] = {}
    columns = st.columns(1 if item else 3)

    def text(at: int, name: str) -> None:
        with columns[at % len(columns)]:
            read[name] = st.text_input(_(FIELD_LABELS[name]), known[name], key=f"{key}-{name}") or ""

    text(0, "inventory")
    with columns[1 % len(columns)]:
        read["kind"] = choose(_("Kind"), kinds, book.norms.kind_label, f"{key}-kind", known["kind"])
    text(2, "model")
    text(0, "serial")
    with columns[1 % len(columns)]:
        read["room"] = choose_room(seat, _("Place"), f"{key}-room", known["room"], none=_("no place"))
    if item is None:
        with columns[2 % len(columns)]:
            read["state"] = choose(
                _("State"), [state.value for state in ItemState],
                lambda code: _(STATE_LABELS[ItemState(code)]), f"{key}-state",
            )  # fmt: skip
    text(0, "licence")
    with columns[1 % len(columns)]:
        none = _("neither")
        read["linked"] = choose(
            _(FIELD_LABELS["linked"]), linkable, lambda code: code or none, f"{key}-linked", known["linked"]
        )
    text(2, "remark")
    return lambda: read
