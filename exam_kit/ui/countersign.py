"""Countersigning with one's own PIN, at whoever's screen it is: the specialist is not signed out for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _, ngettext
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.journal.cabinet import CabinetLine
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.store import Account, Act
from exam_kit.ui.access_table import line_label
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.pin_form import sign_fields
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["countersign_lines", "countersign_rows"]

Row = TypeVar("Row", bound=AccessRow | CabinetLine)

IN_LIST = 50
"""Single lines to choose from; all that wait are one choice more."""


def countersign_rows(seat: Seat, log: AccessLog, rows: Sequence[AccessRow]) -> None:
    """Of `rows` of the access log, newest first, those that wait are countersigned: one, or all."""

    def sign(account: Account, chosen: AccessRow | None, waiting: Sequence[AccessRow]) -> int:
        if chosen is None:
            return len(log.countersign_all(account, [row.ref for row in waiting]))
        log.countersign(chosen.number, account, year=chosen.year)
        return 1

    _form(seat, "access", [row for row in rows if row.waits], lambda row: line_label(seat, row), sign)


def countersign_lines(
    seat: Seat, log: CabinetLog, lines: Sequence[CabinetLine], label: Callable[[CabinetLine], str]
) -> None:
    """Of `lines` of the cabinet log, newest first, those that wait are countersigned: one, or all."""

    def sign(account: Account, chosen: CabinetLine | None, waiting: Sequence[CabinetLine]) -> int:
        if chosen is None:
            return len(log.countersign_all(account, [line.ref for line in waiting]))
        log.countersign(chosen.number, account, year=chosen.year)
        return 1

    _form(seat, "cabinet", [line for line in lines if line.waits], label, sign)


def _form(
    seat: Seat,
    name: str,
    waiting: Sequence[Row],
    label: Callable[[Row], str],
    sign: Callable[[Account, Row | None, Sequence[Row]], int],
) -> None:
    if not waiting or not (seat.may(Act.WRITE_LOG) or seat.may(Act.COUNTERSIGN)):
        return
    said = ngettext("Countersign here: {count} line waits", "Countersign here: {count} lines wait", len(waiting))
    key = fresh_key(f"countersign-{name}")
    if seat.may(Act.COUNTERSIGN):
        st.session_state.setdefault(f"{key}-who", seat.account.login)
    with (
        st.expander(said.format(count=len(waiting)), expanded=seat.may(Act.COUNTERSIGN), key=f"{key}-box"),
        st.form(f"form-{key}", border=False),
    ):
        everything = _("all that wait ({count})").format(count=len(waiting))
        chosen = st.selectbox(
            _("What is countersigned"),
            [None, *waiting[:IN_LIST]],
            format_func=lambda one: everything if one is None else label(one),
            filter_mode=None,
            key=f"{key}-line-{seat.language}",
        )
        who = sign_fields(seat, Act.COUNTERSIGN, key, _("Who countersigns"))
        if st.form_submit_button(_("Countersign"), type="primary"):
            with saying_errors(seat):
                count = sign(who(), chosen, waiting)
                if not count:
                    raise RefusedEntry(
                        m("Countersign: you acted or wrote in every one of these lines. Somebody else must do it.")
                    )
                fresh(f"countersign-{name}")
                flash(_("Countersigned lines: {count}").format(count=count))
                st.rerun()
