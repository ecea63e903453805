"""Who was told, and in whose hands the sheet is."""

from __future__ import annotations

import streamlit as st

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_parts import LINE_LABELS, Line
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.person import Person, person_of
from exam_kit.store import Account, Accounts, Role
from exam_kit.ui.fields import read_time, time_now
from exam_kit.ui.incident_sent import sent, written
from exam_kit.ui.seat import Seat

__all__ = ["hand_form", "told_form"]

SHOWN = 6
"""So many people are offered by one tap; the others stand in the list."""


def told_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """Those who must know, one tap each; below, anybody else at any time."""
    people = _people(seat)
    _suggested(seat, book, sheet, people, key)
    with st.form(f"form-{key}", border=False):
        read = _person_fields(people, _("Who was told"), key)
        text = st.text_input(_("What was said"), key=f"{key}-text")
        at = st.text_input(_("At, hh:mm"), time_now(seat), key=f"{key}-at")

        def write() -> None:
            person, role = read()
            if person is None:
                raise RefusedEntry(m("Told: nobody is named. Choose the person or write the name."))
            moment = read_time(seat, at or "", seat.today)
            book.report(sheet.number, person, seat.account, moment, text=text or "", role=role, year=sheet.year)

        sent(seat, key, _("Write who was told"), write)


def _suggested(seat: Seat, book: Incidents, sheet: Incident, people: dict[str, Account], key: str) -> None:
    """Whom the category's marks want told and who was not."""
    category = book.categories.by_code.get(sheet.category)
    lacking = [role for role in (category.tell if category else ()) if role not in sheet.told_roles]
    offered = [one for role in lacking for one in people.values() if one.role.value == role][:SHOWN]
    if not offered:
        return
    st.caption(_("To be told now; a tap writes the present time:"))
    for one in offered:
        if st.button(f"{one.name}, {one.post}", key=f"{key}-now-{one.login}", width="stretch"):
            written(
                seat, key,
                lambda one=one: book.report(  # type: ignore[misc]
                    sheet.number, person_of(one), seat.account, role=one.role, year=sheet.year
                ),
            )  # fmt: skip


def hand_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """Up or back, or to another person of the same line; what nobody has taken up yet is taken up by one tap."""
    unclaimed = sheet.holder.person is None and sheet.holder.line is Line.FIRST
    if unclaimed and st.button(_("I take it up"), key=f"{key}-mine", type="primary", width="stretch"):
        me = person_of(seat.account)
        written(seat, key, lambda: book.hand(sheet.number, Line.FIRST, me, "", seat.account, year=sheet.year))
    with st.form(f"form-{key}", border=False):
        others = [line for line in Line if line is not sheet.holder.line] + [sheet.holder.line]
        line = st.selectbox(
            _("To which line"), others, format_func=lambda one: _(LINE_LABELS[one]), filter_mode=None, key=f"{key}-line"
        )
        read = _person_fields(_people(seat), _("To whom"), key)
        why = st.text_input(_("Why it is handed over"), key=f"{key}-why")
        at = st.text_input(_("At, hh:mm"), time_now(seat), key=f"{key}-at")
        sent(
            seat, key, _("Hand it over"),
            lambda: book.hand(
                sheet.number, line or others[0], read()[0], why or "", seat.account,
                read_time(seat, at or "", seat.today), year=sheet.year,
            ),
        )  # fmt: skip


def _people(seat: Seat) -> dict[str, Account]:
    """Accounts that can be named, by login, in the order of their names."""
    found = [one for one in Accounts(seat.store, seat.ledger).all() if not one.disabled]
    return {one.login: one for one in sorted(found, key=lambda one: one.name)}


class _Read:
    """The person that the fields of a form name, and their role where they have an account."""

    def __init__(self, people: dict[str, Account], login: str, name: str, post: str) -> None:
        self._people, self._login, self._name, self._post = people, login, name, post

    def __call__(self) -> tuple[Person | None, Role | None]:
        if self._name.strip():
            return Person(self._name, self._post), None
        account = self._people.get(self._login)
        return (person_of(account), account.role) if account else (None, None)


def _person_fields(people: dict[str, Account], label: str, key: str) -> _Read:
    names = {"": "—", **{login: f"{one.name}, {one.post}" for login, one in people.items()}}
    login = st.selectbox(label, list(names), format_func=names.__getitem__, filter_mode=None, key=f"{key}-who")
    name_at, post_at = st.columns(2)
    name = name_at.text_input(_("Or another person: name"), key=f"{key}-name")
    post = post_at.text_input(_("Their post or firm"), key=f"{key}-post")
    return _Read(people, login or "", name or "", post or "")
