"""Reserves and consumables on the screen: what there is beside what there must be, in words, shape and a bar."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st
from babel.numbers import format_decimal

from exam_kit.i18n import N_, _
from exam_kit.journal.consumable import ENOUGH_LABELS, MOVE_LABELS, Consumables, Enough, StockLine, StockMove
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_reserve import ReserveLine, reserves
from exam_kit.store import Act
from exam_kit.ui.equipment_desk import choose, one_page
from exam_kit.ui.equipment_table import table
from exam_kit.ui.fields import fresh, fresh_key, whole_number
from exam_kit.ui.marks import chip
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import LOCALES, moment, short_day

__all__ = ["TONES", "draw_consumables", "draw_reserves", "stock_bar"]

TONES = {
    Enough.ENOUGH: "good",
    Enough.SCARCE: "warn",
    Enough.SHORT: "bad",
    Enough.LOW: "bad",
    Enough.UNKNOWN: "unknown",
}
BARS = {"good": "recorded", "warn": "ordered", "bad": "gap", "unknown": "future"}
"""How the bar of a tone is filled: each has a pattern of its own."""

RESERVES = (
    N_("Kind"),
    N_("In use"),
    N_("Working reserve"),
    N_("Faulty or in repair"),
    N_("Must be in reserve"),
    N_("State"),
)
STOCK = (N_("Consumable"), N_("Stock"), N_("Minimum"), N_("Need"), N_("With reserve"), N_("To get"), "", N_("State"))
MOVES = (N_("When"), N_("Consumable"), N_("What is done"), N_("Quantity"), N_("Left"), N_("Note"), N_("Who"))


def draw_reserves(seat: Seat, book: Equipment) -> None:
    """Which kinds have a working reserve, and which have not."""
    lines = reserves(book.register(), book.norms, seat.point)
    st.html(table(RESERVES, [_reserve(line) for line in lines], "reserves"))
    told = _("Numbers of the season {season}, as of {day}.")
    source = told.format(season=book.norms.season, day=short_day(seat, book.norms.dated))
    st.html(f'<p class="ek-note">{escape(source)}</p>')


def _reserve(line: ReserveLine) -> list[str]:
    if line.lacking:
        told = chip("bad", _("no reserve") if not line.reserve else _("lacking: {count}").format(count=line.lacking))
    elif line.required:
        told = chip("good", _("reserve is there"))
    else:
        told = chip("none", _("not asked for"))
    counts = (line.in_use, line.reserve, line.defective, line.required)
    return [escape(line.kind.label.text()), *(str(count) for count in counts), told]


def draw_consumables(seat: Seat, stock: Consumables) -> None:
    """Stock beside need; what came in and went."""
    now = stock.stock()
    if now.basis is None:
        st.warning(_("The number of candidates is not written, so the need is not known. Write it below."))
    lines = stock.lines()
    st.html(table(STOCK, [_line(line) for line in lines], "consumables"))
    candidates = str(now.basis.candidates) if now.basis else "—"
    told = _("Counted for {candidates} candidates and {rooms} rooms; enough is the need × {margin}.")
    shown = told.format(
        candidates=candidates,
        rooms=stock.rooms(),
        margin=format_decimal(stock.norms.margin, locale=LOCALES[seat.language]),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<p class="ek-note">{escape(shown)}</p>', width="content")
        paper_link(_("Print (PDF)"), "/papers/equipment-consumables.pdf")
    if seat.may(Act.KEEP_EQUIPMENT):
        _write(seat, stock, lines)
        _basis(seat, stock)
    if now.moves:
        st.subheader(_("What came in and went"))
        names = {line.norm.code: line.norm.label.text() for line in lines}
        st.html(table(MOVES, [_move(seat, names, one) for one in one_page(now.moves[::-1], "moves")], "moves"))


def _line(line: StockLine) -> list[str]:
    norm = line.norm
    return [
        f"{escape(norm.label.text())}<small>{escape(norm.unit.text())}</small>",
        f"<b>{line.quantity}</b>",
        str(norm.minimum),
        "—" if line.need is None else str(line.need),
        "—" if line.wanted is None else str(line.wanted),
        str(line.lacking) if line.lacking else "—",
        stock_bar(line),
        chip(TONES[line.enough], _(ENOUGH_LABELS[line.enough])),
    ]


def stock_bar(line: StockLine) -> str:
    """Stock as a bar; the dashed mark is the need, the whole one what should be there with the reserve."""
    wanted = max(line.wanted or 0, line.norm.minimum, 1)
    scale = max(line.quantity, wanted) * 1.05
    kind = BARS[TONES[line.enough]]
    pieces = f'<i class="{kind}" style="left:0;width:{100 * line.quantity / scale:.1f}%"></i>' if line.quantity else ""
    if line.need is not None:
        pieces += f'<i class="edge" style="left:{100 * line.need / scale:.1f}%"></i>'
        pieces += f'<i class="now" style="left:{100 * wanted / scale:.1f}%"></i>'
    return f'<div class="ek-bar" style="min-width:9rem" aria-hidden="true">{pieces}</div>'


def _move(seat: Seat, names: dict[str, str], one: StockMove) -> list[str]:
    sign = {"received": "+", "used": "−", "counted": "="}[one.kind]
    return [
        moment(seat, one.at),
        escape(names.get(one.code, one.code)),
        escape(_(MOVE_LABELS[one.kind])),
        f"{sign}{one.quantity}",
        str(one.after),
        escape(one.text),
        escape(one.by.name),
    ]


def _write(seat: Seat, stock: Consumables, lines: Sequence[StockLine]) -> None:
    acts = {"receive": _("Came in"), "use": _("Used"), "count": _("Counted anew")}
    notes = {"receive": _("By which paper, from whom"), "use": _("For what"), "count": _("Why it differs")}
    with st.container():
        act = st.segmented_control(
            _("What is written"), list(acts), format_func=acts.__getitem__, default="receive", required=True,
            key="stock-act",
        )  # fmt: skip
        act = act or "receive"
        key = fresh_key(f"stock-{act}")
        names = {line.norm.code: f"{line.norm.label.text()}, {line.norm.unit.text()}" for line in lines}
        with st.form(f"form-{key}"):
            what_at, count_at, note_at, send_at = st.columns([4, 1.5, 4, 2], vertical_alignment="bottom")
            with what_at:
                code = choose(_("Consumable"), list(names), names.__getitem__, f"{key}-code")
            count = count_at.text_input(_("Quantity"), key=f"{key}-count")
            note = note_at.text_input(notes[act], key=f"{key}-note")
            if send_at.form_submit_button(_("Write"), type="primary", width="stretch"):
                with saying_errors(seat):
                    write = {"receive": stock.receive, "use": stock.use, "count": stock.count}[act]
                    write(code, whole_number(count or ""), note or "", seat.account)
                    fresh(f"stock-{act}")
                    flash(_("Written."))
                    st.rerun()


def _basis(seat: Seat, stock: Consumables) -> None:
    basis = stock.stock().basis
    key = fresh_key("basis")
    with st.form(f"form-{key}"):
        people_at, rooms_at, send_at = st.columns([2, 2, 2], vertical_alignment="bottom")
        people = people_at.text_input(
            _("Candidates of the largest exam"), str(basis.candidates) if basis else "", key=f"{key}-candidates"
        )
        rooms = rooms_at.text_input(_("Exam rooms"), str(stock.rooms()), key=f"{key}-rooms")
        if send_at.form_submit_button(_("Count the need"), width="stretch"):
            with saying_errors(seat):
                stock.set_basis(whole_number(people or ""), seat.account, rooms=whole_number(rooms or ""))
                fresh("basis")
                flash(_("Written."))
                st.rerun()
