"""Fields for a PIN, and signing with one's own at somebody else's screen: the account that the fields prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from exam_kit.errors import AccessDenied, RefusedEntry, m
from exam_kit.i18n import _
from exam_kit.journal.person import Person, person_of
from exam_kit.store import Account, Accounts, Act
from exam_kit.ui.orders_view import people_with
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat

__all__ = ["pin_field", "sign_fields"]


def pin_field(place: DeltaGenerator, label: str, key: str) -> str:
    """A field for a PIN in `place`, and what was typed into it.

    Streamlit keeps what was typed for as long as the field is drawn; a PIN is taken out of its memory at once.
    """
    pin = place.text_input(label, type="password", autocomplete="off", key=key)
    del st.session_state[key]
    return pin or ""


def sign_fields(seat: Seat, act: Act, key: str, label: str, but: Sequence[Person] = ()) -> Callable[[], Account]:
    """Who signs (with the right to `act`, none of `but`) and their PIN; the result reads them, once, when it is sent.

    A wrong PIN empties its field, says so and leaves the rest of the form as it was typed. The result raises
    RefusedEntry where nobody is left who could sign.
    """
    people = {
        one.login: one for one in people_with(seat, act) if not any(person_of(one).same_as(other) for other in but)
    }
    tries = f"{key}-tries"
    wrong = st.session_state.pop(f"{key}-wrong", "")
    who_at, pin_at = st.columns([3, 2])
    login = who_at.selectbox(
        label,
        list(people),
        format_func=lambda one: f"{people[one].name}, {people[one].post}",
        filter_mode=None,
        key=f"{key}-who",
        placeholder="—",
    )
    field = f"{key}-pin-{st.session_state.get(tries, 0)}"
    pin = pin_field(pin_at, _("Their own PIN"), field)
    if wrong:
        st.error(plain(wrong))

    def read() -> Account:
        if login is None:
            raise RefusedEntry(m("Signature: there is nobody with an account who could sign. Add the person first."))
        try:
            return Accounts(seat.store, seat.ledger, seat.clock).check(login, pin)
        except AccessDenied as refusal:
            st.session_state[tries] = st.session_state.get(tries, 0) + 1
            st.session_state[f"{key}-wrong"] = refusal.text(seat.language)
            st.rerun()

    return read
