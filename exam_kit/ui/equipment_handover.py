"""Giving out, taking back and moving equipment, by numbered sheets."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_, _
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import STATE_LABELS, ItemState, Sheet
from exam_kit.journal.person import Person, person_of
from exam_kit.store import Account, Accounts, Act
from exam_kit.ui.equipment_desk import choose, choose_room, numbers_in, one_page
from exam_kit.ui.equipment_table import held_table, sheets_table
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.papers import paper_link
from exam_kit.ui.pin_form import sign_fields
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["draw_handover"]

LAST = "equipment-last-sheet"
Receiver = tuple[Account | Person | None, Account | None]


def draw_handover(seat: Seat, book: Equipment) -> None:
    """The form, who has what now, and all sheets."""
    if seat.may(Act.KEEP_EQUIPMENT):
        _forms(seat, book)
    last = st.session_state.get(LAST)
    register = book.register()
    if last is not None and last in register.sheets:
        paper_link(
            _("Print sheet № {number}").format(number=last.number),
            f"/papers/equipment-handover.pdf?year={last.year}&number={last.number}",
        )
    held = [item for item in register.items.values() if item.holder is not None]
    if held:
        st.subheader(_("Given out now"))
        st.html(held_table(seat, book, one_page(held, "held")))
    st.subheader(_("Hand-over sheets"))
    sheets = list(register.sheets.values())[::-1]
    if sheets:
        st.html(sheets_table(seat, one_page(sheets, "sheets")))
    else:
        st.info(_("No hand-over sheets yet."))


def _forms(seat: Seat, book: Equipment) -> None:
    acts: dict[str, Callable[[Seat, Equipment], None]] = {
        N_("Give out"): _issue,
        N_("Take back"): _take_back,
        N_("Move"): _move,
    }
    with st.container():
        chosen = st.segmented_control(
            _("What is done"), list(acts), format_func=_, default="Give out", required=True, key="handover-act"
        )
        acts[chosen or "Give out"](seat, book)


def _issue(seat: Seat, book: Equipment) -> None:
    key = fresh_key("issue")
    with_account = _asks_for_account(key)
    with st.form(f"form-{key}"):
        numbers = _numbers(key)
        room_at, condition_at = st.columns(2)
        with room_at:
            room = choose_room(seat, _("Where it goes"), f"{key}-room", none=_("stays where it is"))
        condition = _condition(condition_at, key)
        receiver = _receiver(seat, key, with_account)
        if st.form_submit_button(_("Write the issue"), type="primary"):
            with saying_errors(seat):
                to, signed = receiver()
                assert to is not None
                sheet = book.issue(numbers(), to, seat.account, condition=condition(), room=room, signed=signed)
                _done("issue", sheet)


def _take_back(seat: Seat, book: Equipment) -> None:
    key = fresh_key("back")
    states = {"": _("as before"), **{state.value: _(STATE_LABELS[state]) for state in ItemState}}
    states.pop(ItemState.WRITTEN_OFF.value)
    with st.form(f"form-{key}"):
        numbers = _numbers(key)
        room_at, condition_at, state_at = st.columns([2, 3, 2])
        with room_at:
            room = choose_room(seat, _("Where it goes"), f"{key}-room", none=_("stays where it is"))
        condition = _condition(condition_at, key)
        with state_at:
            state = choose(_("State from now on"), list(states), states.__getitem__, f"{key}-state")
        fault_at, todo_at = st.columns(2)
        fault = fault_at.text_input(_("What is wrong, if it is faulty"), key=f"{key}-fault")
        todo = todo_at.text_input(_("What to do"), key=f"{key}-todo")
        if st.form_submit_button(_("Write the return"), type="primary"):
            with saying_errors(seat):
                sheet = book.take_back(
                    numbers(), seat.account, condition=condition(), room=room, state=state or None,
                    fault=fault or "", todo=todo or "",
                )  # fmt: skip
                _done("back", sheet)


def _move(seat: Seat, book: Equipment) -> None:
    key = fresh_key("move")
    with_account = _asks_for_account(key, nobody=True)
    with st.form(f"form-{key}"):
        numbers = _numbers(key)
        room_at, condition_at = st.columns(2)
        with room_at:
            room = choose_room(seat, _("Where it goes"), f"{key}-room")
        condition = _condition(condition_at, key)
        receiver = _receiver(seat, key, with_account)
        if st.form_submit_button(_("Write the move"), type="primary"):
            with saying_errors(seat):
                to, signed = receiver()
                sheet = book.move(numbers(), room, seat.account, condition=condition(), to=to, signed=signed)
                _done("move", sheet)


def _done(form: str, sheet: Sheet) -> None:
    fresh(form)
    st.session_state[LAST] = sheet.ref
    flash(_("Hand-over sheet № {number} is written.").format(number=sheet.number))
    st.rerun()


def _numbers(key: str) -> Callable[[], list[str]]:
    text = st.text_area(_("Inventory numbers, one on a line or with commas between"), key=f"{key}-numbers", height=68)
    return lambda: numbers_in(text or "")


def _condition(place: st.delta_generator.DeltaGenerator, key: str) -> Callable[[], str]:
    text = place.text_input(_("Condition"), _("in working order"), key=f"{key}-condition")
    return lambda: text or ""


def _asks_for_account(key: str, *, nobody: bool = False) -> str:
    """Who receives: somebody with an account, somebody without, or nobody in particular."""
    names = {"account": _("signs with their PIN"), "paper": _("has no account, signs on paper")}
    if nobody:
        names = {"nobody": _("nobody in particular"), **names}
    chosen = st.segmented_control(
        _("Who receives"), list(names), format_func=names.__getitem__, default=next(iter(names)), required=True,
        key=f"{key}-how",
    )  # fmt: skip
    return chosen or next(iter(names))


def _receiver(seat: Seat, key: str, how: str) -> Callable[[], Receiver]:
    if how == "nobody":
        return lambda: (None, None)
    if how == "account":
        sign = sign_fields(seat, Act.VIEW, f"{key}-sign", _("Received by"), but=[person_of(seat.account)])

        def signed() -> Receiver:
            account = sign()
            return account, account

        return signed
    name_at, post_at = st.columns(2)
    name = name_at.text_input(_("Received by: full name"), key=f"{key}-name")
    post = post_at.text_input(_("Their post"), key=f"{key}-post")

    def typed() -> Receiver:
        person = Person(name or "", post or "")
        for account in Accounts(seat.store, seat.ledger, seat.clock).all():
            if person.same_as(person_of(account)) and not account.disabled:
                raise RefusedEntry(
                    m("Hand-over: {name} has an account here and signs with their own PIN.", name=account.name)
                )
        return person, None

    return typed
