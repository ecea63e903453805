"""Opening incident sheets, and writing on them: which form, and the two that are used most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incidents import Incidents
from exam_kit.store import Act
from exam_kit.ui.fields import fresh, fresh_key, read_time, time_now
from exam_kit.ui.incident_ending import close_form, decide_form
from exam_kit.ui.incident_facts import fields_form, files_form, links_form, questions_form
from exam_kit.ui.incident_people import hand_form, told_form
from exam_kit.ui.incident_sent import sent
from exam_kit.ui.incident_view import first_actions
from exam_kit.ui.seat import Seat, flash, require_page, saying_errors
from exam_kit.ui.solution_hints import LIVE, hints

__all__ = ["open_sheet", "write_on_sheet"]


def open_sheet(seat: Seat, book: Incidents) -> None:
    """Category first, since it says what to do at once; then place, time, words."""
    key = fresh_key("incident")
    what, room_at, camera_at, station_at = st.columns([3, 2, 2, 2])
    codes = [category.code for category in book.categories.category]
    category = what.selectbox(
        _("What happened"), codes, format_func=lambda code: book.categories.label(code, seat.language),
        filter_mode=None, key=f"{key}-category",
    )  # fmt: skip
    rooms = {"": _("no room"), **{room.code: room.label for room in seat.point.rooms}}
    cameras = {"": _("no camera"), **{camera.id: camera.label for camera in seat.point.cameras}}
    stations = {"": _("no station"), **{station.id: station.id for station in seat.point.stations}}
    room = room_at.selectbox(_("Room"), list(rooms), format_func=rooms.__getitem__, filter_mode=None, key=f"{key}-room")
    camera = camera_at.selectbox(
        _("Camera"), list(cameras), format_func=cameras.__getitem__, filter_mode=None, key=f"{key}-camera"
    )
    station = station_at.selectbox(
        _("Station"), list(stations), format_func=stations.__getitem__, filter_mode=None, key=f"{key}-station"
    )
    st.html(first_actions(seat, book, category or codes[0]))
    _describe(IncidentDraft(category or codes[0], "", seat.now, room=room or "", camera=camera or "",
                            station=station or ""), key)  # fmt: skip


@st.fragment
def _describe(chosen: IncidentDraft, key: str) -> None:
    """The sentence and the time. Solutions are looked for while it is typed, so this part redraws by itself."""
    seat = require_page(Act.OPEN_INCIDENT)
    text_at, time_at, send_at = st.columns([5, 1.3, 1.7], vertical_alignment="bottom")
    text = text_at.text_input(_("Describe it in a sentence"), key=f"{key}-text", live=LIVE) or ""
    at = time_at.text_input(_("Noticed at"), time_now(seat), key=f"{key}-at") or ""
    if send_at.button(_("Open the sheet"), type="primary", width="stretch", key=f"{key}-open"):
        with saying_errors(seat):
            draft = replace(chosen, description=text, detected_at=read_time(seat, at, seat.today))
            book = Incidents(seat.ledger, seat.point, categories=load_categories(seat.home))
            made = book.open(draft, seat.account)
            fresh("incident")
            st.session_state["show-incident"] = made.ref
            flash(_("Incident № {number} is opened.").format(number=made.number))
            st.rerun()
    hints(seat, text, chosen.category)


def _step(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    with st.form(f"form-{key}", border=False):
        text = st.text_area(_("What was done"), key=f"{key}-text", height=90)
        at = st.text_input(_("At, hh:mm"), time_now(seat), key=f"{key}-at")
        sent(
            seat, key, _("Write the step"),
            lambda: book.step(
                sheet.number, text or "", seat.account, read_time(seat, at or "", seat.today), year=sheet.year
            ),
        )  # fmt: skip


def _restore(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    with st.form(f"form-{key}", border=False):
        at = st.text_input(_("Works again since, hh:mm"), time_now(seat), key=f"{key}-at")
        text = st.text_input(_("How it was restored"), key=f"{key}-text")
        sent(
            seat, key, _("Write that it works again"),
            lambda: book.restored(
                sheet.number, seat.account, read_time(seat, at or "", seat.today), text=text or "", year=sheet.year
            ),
        )  # fmt: skip


FORMS: dict[str, Callable[[Seat, Incidents, Incident, str], None]] = {
    N_("Step"): _step,
    N_("Told"): told_form,
    N_("Questions"): questions_form,
    N_("Hand over"): hand_form,
    N_("Fields"): fields_form,
    N_("Links"): links_form,
    N_("Photos and files"): files_form,
    N_("Restored"): _restore,
    N_("Decision"): decide_form,
    N_("Close"): close_form,
}


def write_on_sheet(seat: Seat, book: Incidents, sheet: Incident) -> None:
    """What can be written now, one form at a time."""
    if not sheet.is_open or not seat.may(Act.OPEN_INCIDENT):
        return
    chosen = st.pills(
        _("Write"),
        list(FORMS),
        format_func=_,
        default="Step",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        key=f"write-{sheet.year}-{sheet.number}-{seat.language}",
    )
    form = chosen or "Step"
    key = fresh_key(f"{form}-{sheet.year}-{sheet.number}")
    with st.container(border=True, key=f"incident-form-{sheet.number}"):
        FORMS[form](seat, book, sheet, key)
