"""A stock-take on the screen: a field for the scanner, what was seen, what is not found yet."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import Register, StockTake, Tick
from exam_kit.journal.equipment_takes import StockTakes, expected, take_result
from exam_kit.store import Act
from exam_kit.ui.equipment_desk import choose_room, item_label
from exam_kit.ui.equipment_table import table
from exam_kit.ui.marks import chip
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time, moment

__all__ = ["draw_takes"]

SHOWN = 8
MOST_LISTED = 50
TAKES = (
    N_("№"),
    N_("Begun"),
    N_("Ended"),
    N_("Rooms"),
    N_("In place"),
    N_("Missing"),
    N_("Elsewhere"),
    N_("Unexpected"),
    "",
)


def draw_takes(seat: Seat, book: Equipment) -> None:
    """The one that goes on, or a button to begin one; then all of them."""
    takes = StockTakes(book)
    register = book.register()
    going = register.open_take
    if going is not None:
        _going(seat, book, takes, going)
    elif seat.may(Act.KEEP_EQUIPMENT):
        _start(seat, takes)
    ended = [take for take in register.takes.values() if take.ended_at is not None][::-1]
    if ended:
        st.subheader(_("Stock-takes"))
        st.html(table(TAKES, [_row(seat, register, take) for take in ended[:MOST_LISTED]], "takes"))
    elif going is None:
        st.info(_("No stock-take yet."))


def _start(seat: Seat, takes: StockTakes) -> None:
    with st.form("form-take-start"):
        rooms_at, send_at = st.columns([5, 2], vertical_alignment="bottom")
        with rooms_at:
            room = choose_room(seat, _("What is counted"), "take-room", none=_("the whole exam point"))
        if send_at.form_submit_button(_("Begin a stock-take"), type="primary", width="stretch"):
            with saying_errors(seat):
                take = takes.start(seat.account, [room] if room else [])
                flash(_("Stock-take № {number} is begun.").format(number=take.number))
                st.rerun()


def _going(seat: Seat, book: Equipment, takes: StockTakes, take: StockTake) -> None:
    register = book.register()
    result = take_result(register, take)
    due = len(expected(register, take))
    seen = due - len(result.missing) - len(result.away)
    with st.container():
        title = _("Stock-take № {number}: {seen} of {due} seen").format(number=take.number, seen=seen, due=due)
        st.html(f'<b class="ek-ask" data-take="{seen}/{due}">{escape(title)}</b>')
        st.progress(seen / due if due else 1.0)
        if seat.may(Act.KEEP_EQUIPMENT):
            _tick(seat, takes, take)
        ticks = list(take.ticks.values())[::-1]
        if ticks:
            shown = "".join(_ticked(seat, book, register, tick) for tick in ticks[:SHOWN])
            st.html(f'<ul class="ek-steps" data-ticks="{len(ticks)}">{shown}</ul>')
    groups = [
        (_("Not seen yet: {count}"), [item_label(book, register.items[one]) for one in result.missing]),
        (
            _("In another room than the register says: {count}"),
            [f"{item_label(book, register.items[one])} → {room}" for one, room in result.elsewhere],
        ),
        (_("Not in the register, or written off: {count}"), list(result.unexpected)),
        (
            _("Given out or in repair, not seen: {count}"),
            [item_label(book, register.items[one]) for one in result.away],
        ),
    ]
    for title, lines in groups:
        if lines:
            _group(title.format(count=len(lines)), lines)
    with st.container(horizontal=True, vertical_alignment="center"):
        if seat.may(Act.KEEP_EQUIPMENT) and st.button(_("End the stock-take"), key="take-end"):
            with saying_errors(seat):
                takes.end(seat.account)
                flash(_("Stock-take № {number} is ended.").format(number=take.number))
                st.rerun()
        paper_link(_("Print (PDF)"), f"/papers/equipment-stocktake.pdf?year={take.year}&number={take.number}")


def _tick(seat: Seat, takes: StockTakes, take: StockTake) -> None:
    """Room once, then number after number; Enter sends, the field is empty again and waits for the next."""
    room_at, form_at = st.columns([2, 5], vertical_alignment="bottom")
    with room_at:
        room = choose_room(seat, _("Room I am in"), f"take-in-{take.number}", take.rooms[0] if take.rooms else "")
    with form_at, st.form(f"form-tick-{take.year}-{take.number}", clear_on_submit=True, border=False):
        number_at, tick_at, untick_at = st.columns([4, 1.7, 1.9], vertical_alignment="bottom")
        typed = number_at.text_input(_("Inventory №, type or scan"), key=f"take-number-{take.number}") or ""
        ticked = tick_at.form_submit_button(_("It is here"), type="primary", width="stretch")
        unticked = untick_at.form_submit_button(_("Take the tick back"), width="stretch")
    if ticked or unticked:
        with saying_errors(seat):
            if unticked:
                takes.untick(typed, seat.account)
            else:
                takes.tick(typed, room, seat.account)
            st.rerun()


def _ticked(seat: Seat, book: Equipment, register: Register, tick: Tick) -> str:
    item = register.items[tick.item] if tick.item is not None else None
    if item is None:
        told = f"{escape(tick.typed)} {chip('bad', _('unknown number'))}"
    elif item.room != tick.room:
        told = f"{escape(item_label(book, item))} {chip('warn', _('seen in {room}').format(room=tick.room))}"
    else:
        told = f"{escape(item_label(book, item))} {chip('good', _('in its place'))}"
    return f"<li><time>{clock_time(seat, tick.at)}</time>{told} <small>{escape(tick.by.name)}</small></li>"


def _group(title: str, lines: list[str]) -> None:
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines[:MOST_LISTED])
    more = f"<li>… {len(lines) - MOST_LISTED}</li>" if len(lines) > MOST_LISTED else ""
    st.html(f'<details class="ek-changes"><summary>{escape(title)}</summary><ul>{shown}{more}</ul></details>')


def _row(seat: Seat, register: Register, take: StockTake) -> list[str]:
    result = take_result(register, take)
    counts = (result.found, result.missing, result.elsewhere, result.unexpected)
    return [
        str(take.number),
        f"{moment(seat, take.started_at)}<small>{escape(take.started_by.name)}</small>",
        f"{moment(seat, take.ended_at)}<small>{escape(take.ended_by.name)}</small>"
        if take.ended_at and take.ended_by
        else "",
        escape(", ".join(take.rooms) or _("the whole exam point")),
        *(str(len(one)) for one in counts),
        f'<a href="/papers/equipment-stocktake.pdf?year={take.year}&number={take.number}" target="_blank">PDF</a>',
    ]
