"""Confirming that one has received a copy: by one's own sign-in, or by one's own PIN at another's screen."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.people import People
from exam_kit.journal.people_card import Card, RecordKind
from exam_kit.store import Accounts
from exam_kit.ui.marks import mark
from exam_kit.ui.pin_form import pin_field
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["own_receipt", "receive_by_pin"]


def own_receipt(seat: Seat, people: People) -> None:
    """The signed-in person's own confirmation, while it is not given."""
    card = people.register().by_login(seat.account.login)
    if card is None or card.last(RecordKind.RECEIVED):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="receipt"):
        asked = _("{name}, confirm that you have received a copy of the instructions.").format(name=card.name)
        st.html(f"{mark('ask')}{escape(asked)}")
        if st.button(_("I have received a copy"), type="primary", key="receipt-own"):
            with saying_errors(seat):
                people.receive(card.number, seat.account)
                _said(card)


def receive_by_pin(seat: Seat, people: People, card: Card) -> None:
    """The person comes to this screen and types their own PIN."""
    with st.form(f"receipt-{card.number}", border=False, clear_on_submit=True):
        asked = _("{name} confirms having received a copy of the instructions; PIN of the account '{login}'")
        pin = pin_field(st.container(), asked.format(name=card.name, login=card.login), f"receipt-pin-{card.number}")
        if st.form_submit_button(_("Confirm the receipt"), type="primary"):
            with saying_errors(seat):
                account = Accounts(seat.store, seat.ledger, seat.clock).check(card.login, pin)
                people.receive(card.number, account)
                _said(card)


def _said(card: Card) -> None:
    flash(_("{name}: the receipt is confirmed.").format(name=card.name))
    st.rerun()
