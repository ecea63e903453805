"""Deciding about the exam, and closing the sheet with a second person's signature."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_parts import DECISION_LABELS, WAY_LABELS, Agreement, Way
from exam_kit.journal.incidents import WHO_DECIDES, Decision, Incidents
from exam_kit.journal.person import Person, person_of
from exam_kit.store import Act
from exam_kit.ui.fields import read_time, time_now
from exam_kit.ui.incident_sent import sent
from exam_kit.ui.orders_view import people_with
from exam_kit.ui.pin_form import sign_fields
from exam_kit.ui.seat import Seat

__all__ = ["close_form", "decide_form"]

CHAIR = N_("commission head")


def decide_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """What the person's role may decide; stopping asks for the chair's agreement, which the member writes down."""
    chosen = _decision(seat, key)
    stops = chosen is Decision.STOP_EXAM
    with st.form(f"form-{key}-{chosen}", border=False):
        text = st.text_input(_("In words"), key=f"{key}-text")
        chairs = {one.login: person_of(one) for one in people_with(seat, Act.AGREE_STOP)}
        names = {"": "—", **{login: one.name for login, one in chairs.items()}}
        login: str | None = ""
        name, at = "", ""
        way: Way | None = Way.PHONE
        if stops:
            st.caption(_("An exam is stopped only in agreement with the commission head. Call, then write it down:"))
            login = st.selectbox(
                _("Commission head who agreed"), list(names), format_func=names.__getitem__, filter_mode=None,
                index=1 if chairs else 0, key=f"{key}-chair",
            )  # fmt: skip
            name = st.text_input(_("Or their name"), key=f"{key}-name") or ""
            at_at, way_at = st.columns(2)
            at = at_at.text_input(_("Agreed at, hh:mm"), time_now(seat), key=f"{key}-agreed") or ""
            way = way_at.selectbox(
                _("How they agreed"),
                list(Way),
                format_func=lambda one: _(WAY_LABELS[one]),
                filter_mode=None,
                key=f"{key}-how",
            )

        def agreement() -> Agreement | None:
            person = Person(name, _(CHAIR)) if name.strip() else chairs.get(login or "")
            return Agreement(person, read_time(seat, at, seat.today), way or Way.PHONE) if stops and person else None

        sent(
            seat, key, _("Write the decision"),
            lambda: book.decide(sheet.number, chosen, text or "", seat.account, agreed=agreement(), year=sheet.year),
        )  # fmt: skip


def close_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """Restored at, decision, conclusion, and the signature of somebody else with their own PIN."""
    decision = None
    if sheet.decision is None:
        st.caption(_("Nothing was decided about the exam yet: choose what is decided with the closing."))
        decision = _decision(seat, key, but=Decision.STOP_EXAM)
    with st.form(f"form-{key}", border=False):
        at = ""
        if sheet.restored_at is None and not sheet.stopped:
            at = st.text_input(_("Works again since, hh:mm"), time_now(seat), key=f"{key}-at") or ""
        text = st.text_area(_("Conclusion"), key=f"{key}-text", height=90)
        sign = sign_fields(seat, Act.SIGN_OFF_INCIDENT, key, _("Signed off by"), but=[sheet.opened_by])

        def write() -> None:
            restored: datetime | None = read_time(seat, at, seat.today) if at.strip() else None
            signed = sign()
            with seat.store.transaction():
                if decision is not None:
                    book.decide(sheet.number, decision, "", seat.account, year=sheet.year)
                book.close(sheet.number, restored, text or "", seat.account, signed_off=signed, year=sheet.year)

        sent(seat, key, _("Close the sheet"), write)


def _decision(seat: Seat, key: str, but: Decision | None = None) -> Decision:
    mine = [one for one in Decision if one is not but and seat.may(WHO_DECIDES[one])]
    chosen = st.radio(_("Decision"), mine, format_func=lambda one: _(DECISION_LABELS[one]), key=f"{key}-decision")
    return chosen or Decision.GO_ON
