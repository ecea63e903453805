"""Writing on incident sheets."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.incident import DECISION_LABELS, Incident, IncidentDraft
from exam_kit.journal.incidents import WHO_DECIDES, Decision, Incidents
from exam_kit.journal.person import person_of
from exam_kit.store import Act
from exam_kit.ui.fields import fresh, fresh_key, read_time, time_now
from exam_kit.ui.incident_view import first_actions
from exam_kit.ui.orders_view import people_with
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["open_sheet", "write_on_sheet"]


def open_sheet(seat: Seat, book: Incidents) -> None:
    """Category first, since it says what to do at once; then place, time, words."""
    key = fresh_key("incident")
    what, room_at, camera_at = st.columns([3, 2, 2])
    codes = [category.code for category in book.categories.category]
    category = what.selectbox(
        _("What happened"), codes, format_func=lambda code: book.categories.label(code, seat.language),
        filter_mode=None, key=f"{key}-category",
    )  # fmt: skip
    rooms = {"": _("no room"), **{room.code: room.label for room in seat.point.rooms}}
    cameras = {"": _("no camera"), **{camera.id: camera.label for camera in seat.point.cameras}}
    room = room_at.selectbox(_("Room"), list(rooms), format_func=rooms.__getitem__, filter_mode=None, key=f"{key}-room")
    camera = camera_at.selectbox(
        _("Camera"), list(cameras), format_func=cameras.__getitem__, filter_mode=None, key=f"{key}-camera"
    )
    st.html(first_actions(seat, book, category or codes[0]))
    with st.form(f"form-{key}", border=False):
        text_at, time_at, send_at = st.columns([5, 1.3, 1.7], vertical_alignment="bottom")
        text = text_at.text_input(_("Describe it in a sentence"), key=f"{key}-text")
        at = time_at.text_input(_("Noticed at"), time_now(seat), key=f"{key}-at")
        if send_at.form_submit_button(_("Open the sheet"), type="primary", width="stretch"):
            with saying_errors(seat):
                draft = IncidentDraft(
                    category or codes[0],
                    text or "",
                    read_time(seat, at or "", seat.today),
                    room=room or "",
                    camera=camera or "",
                )
                made = book.open(draft, seat.account)
                fresh("incident")
                st.session_state["show-incident"] = made.ref
                flash(_("Incident № {number} is opened.").format(number=made.number))
                st.rerun()


def write_on_sheet(seat: Seat, book: Incidents, sheet: Incident) -> None:
    """What can be written now, one form at a time."""
    if not sheet.is_open or not seat.may(Act.OPEN_INCIDENT):
        return
    forms: dict[str, Callable[[Seat, Incidents, Incident, str], None]] = {
        N_("Step"): _step,
        N_("Reported"): _report,
        N_("Restored"): _restore,
        N_("Decision"): _decide,
        N_("Close"): _close,
    }
    chosen = st.segmented_control(
        _("Write"),
        list(forms),
        format_func=_,
        default="Step",
        required=True,
        key=f"write-{sheet.number}",
        width="stretch",
    )
    form = chosen or "Step"
    key = fresh_key(f"{form}-{sheet.year}-{sheet.number}")
    with st.form(f"form-{key}"):
        forms[form](seat, book, sheet, key)


def _sent(seat: Seat, key: str, label: str, write: Callable[[], object]) -> None:
    if st.form_submit_button(label, type="primary"):
        with saying_errors(seat):
            write()
            fresh(key.rpartition("-")[0])
            flash(_("Written."))
            st.rerun()


def _step(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    text = st.text_area(_("What was done"), key=f"{key}-text", height=90)
    at = st.text_input(_("At, hh:mm"), time_now(seat), key=f"{key}-at")
    _sent(
        seat, key, _("Write the step"),
        lambda: book.step(
            sheet.number, text or "", seat.account, read_time(seat, at or "", seat.today), year=sheet.year
        ),
    )  # fmt: skip


def _report(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    people = {
        one.login: one
        for act in (Act.ORDER_RECORDING, Act.DECIDE_STOP, Act.AGREE_STOP)
        for one in people_with(seat, act)
    }
    to = st.selectbox(
        _("Who was told"), list(people), format_func=lambda login: f"{people[login].name}, {people[login].post}",
        filter_mode=None, key=f"{key}-to",
    )  # fmt: skip
    at = st.text_input(_("At, hh:mm"), time_now(seat), key=f"{key}-at")
    if to is None:
        st.caption(_("There is nobody with such a role yet."))
    _sent(
        seat, key, _("Write who was told"),
        lambda: book.report(
            sheet.number, person_of(people[to]), seat.account, read_time(seat, at or "", seat.today), year=sheet.year
        ) if to else None,
    )  # fmt: skip


def _restore(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    at = st.text_input(_("Works again since, hh:mm"), time_now(seat), key=f"{key}-at")
    text = st.text_input(_("How it was restored"), key=f"{key}-text")
    _sent(
        seat, key, _("Write that it works again"),
        lambda: book.restored(
            sheet.number, seat.account, read_time(seat, at or "", seat.today), text=text or "", year=sheet.year
        ),
    )  # fmt: skip


def _decide(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    mine = [decision for decision in Decision if seat.may(WHO_DECIDES[decision])]
    chosen = st.radio(_("Decision"), mine, format_func=lambda one: _(DECISION_LABELS[one]), key=f"{key}-decision")
    text = st.text_input(_("In words"), key=f"{key}-text")
    heads = {one.login: one for one in people_with(seat, Act.AGREE_STOP)}
    agreed = None
    if Decision.STOP_EXAM in mine:
        agreed = st.selectbox(
            _("Agreed with (to stop an exam)"), list(heads), format_func=lambda login: heads[login].name,
            filter_mode=None, key=f"{key}-agreed",
        )  # fmt: skip
    _sent(
        seat, key, _("Write the decision"),
        lambda: book.decide(
            sheet.number, chosen or Decision.GO_ON, text or "", seat.account,
            agreed_by=heads[agreed] if agreed else None, year=sheet.year,
        ),
    )  # fmt: skip


def _close(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    at = ""
    if sheet.restored_at is None:
        at = st.text_input(_("Works again since, hh:mm"), time_now(seat), key=f"{key}-at") or ""
    text = st.text_area(_("Conclusion"), key=f"{key}-text", height=90)
    _sent(
        seat, key, _("Close the sheet"),
        lambda: book.close(
            sheet.number, read_time(seat, at, seat.today) if at.strip() else None, text or "", seat.account,
            year=sheet.year,
        ),
    )  # fmt: skip
