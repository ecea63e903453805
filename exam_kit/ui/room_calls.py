"""Room calls on the screen: one line to write one, open ones on top with a tap for each step."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_, _
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.room_call import RoomCall, RoomCallDraft, RoomCalls
from exam_kit.store import Act
from exam_kit.ui.fields import fresh, fresh_key, read_time, time_now
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time, moment, span

__all__ = ["PAGE_ROWS", "calls_table", "new_call", "open_calls", "other_acts"]

PAGE_ROWS = 50
COLUMNS = (N_("№"), N_("Room"), N_("Called at"), N_("Arrived at"), N_("What"), N_("Done"), N_("Left at"))


def new_call(seat: Seat, calls: RoomCalls) -> None:
    """Room, what, when; a call that is over is written in the same line."""
    key = fresh_key("call")
    rooms = {room.code: room.label for room in seat.point.rooms}
    with st.form(f"form-{key}", border=True):
        room_at, what_at, time_at, send_at = st.columns([2.2, 4, 1.2, 1.6], vertical_alignment="bottom")
        room = room_at.selectbox(
            _("Room"), list(rooms), format_func=rooms.__getitem__, filter_mode=None, key=f"{key}-room"
        )
        what = what_at.text_input(_("What is asked"), key=f"{key}-what")
        called = time_at.text_input(_("Called at"), time_now(seat), key=f"{key}-called")
        arrived_at, left_at, done_at, caller_at = st.columns([1.2, 1.2, 4, 2.6])
        arrived = arrived_at.text_input(_("Arrived at"), key=f"{key}-arrived", placeholder="—") or ""
        left = left_at.text_input(_("Left at"), key=f"{key}-left", placeholder="—") or ""
        done = done_at.text_input(_("What was done, if it is over"), key=f"{key}-done", placeholder="—")
        caller = caller_at.text_input(_("Who called"), key=f"{key}-caller", placeholder="—")
        if send_at.form_submit_button(_("Write the call"), type="primary", width="stretch"):
            with saying_errors(seat):
                begins = read_time(seat, called or "", seat.today)
                draft = RoomCallDraft(
                    room or "",
                    what or "",
                    begins,
                    caller or "",
                    read_time(seat, arrived, seat.today, begins) if arrived.strip() else None,
                    done or "",
                    read_time(seat, left, seat.today, begins) if left.strip() else None,
                )
                made = calls.call(draft, seat.account)
                fresh("call")
                flash(_("Room call № {number} is written.").format(number=made.number))
                st.rerun()


def open_calls(seat: Seat, calls: RoomCalls, rows: Sequence[RoomCall]) -> None:
    """Each with the step that comes next: arrived, or what was done and left."""
    for call in rows:
        name = f"{call.year}-{call.number}"
        with st.container(border=True, key=f"call-{name}"):
            st.html(_open_line(seat, call))
            if not seat.may(Act.OPEN_INCIDENT):
                continue
            key = fresh_key(f"open-call-{name}")
            done_at, there_at, left_at = st.columns([5, 1.8, 2], vertical_alignment="bottom")
            done = done_at.text_input(_("What was done"), key=f"{key}-done")
            if call.arrived_at is None and there_at.button(_("Arrived now"), key=f"{key}-there", width="stretch"):
                with saying_errors(seat):
                    calls.arrived(call.ref, seat.account)
                    flash(_("Written."))
                    st.rerun()
            if left_at.button(_("Done, left now"), key=f"{key}-left", type="primary", width="stretch"):
                with saying_errors(seat):
                    calls.left(call.ref, done or "", seat.account)
                    flash(_("Written."))
                    st.rerun()


def _open_line(seat: Seat, call: RoomCall) -> str:
    if call.arrived_at is None:
        waits = span(seat, (seat.now - call.called_at).total_seconds())
        state = chip("bad", _("waits {span}").format(span=waits))
    else:
        there = span(seat, (seat.now - call.arrived_at).total_seconds())
        state = chip("ask", _("there for {span}").format(span=there))
    room = seat.point.room(call.room).label if seat.point.has_room(call.room) else call.room
    said = " · ".join(
        part for part in (f"№ {call.number}", room, clock_time(seat, call.called_at), call.caller) if part
    )
    return f'<div data-call="{call.number}">{state} <b>{escape(call.what)}</b> <small>{escape(said)}</small></div>'


def calls_table(seat: Seat, rows: Sequence[RoomCall]) -> str:
    """The calls in the columns of the form, the newest first; withdrawn ones struck, with the reason."""
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in COLUMNS)
    body = "".join(_row(seat, call) for call in rows)
    return f'<table class="ek-table" data-calls><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(seat: Seat, call: RoomCall) -> str:
    notes = ""
    if call.incident is not None:
        ref = call.incident
        label = escape(_("Incident № {number}").format(number=ref.number))
        notes = f'<small><a href="/incidents?sheet={ref.year}-{ref.number}" target="_self">{label}</a></small>'
    if call.withdrawn:
        notes = f"<small>{escape(_('withdrawn: {why}').format(why=call.withdrawn))}</small>"
    times = [clock_time(seat, at) if at else "…" for at in (call.arrived_at, call.left_at)]
    void = ' class="void"' if call.withdrawn else ""
    what = f"{escape(call.what)}<small>{escape(call.caller)}</small>" if call.caller else escape(call.what)
    return (
        f'<tr{void} data-call-row="{call.number}"><td class="nb">{call.number}</td>'
        f'<td class="nb">{escape(call.room)}</td>'
        f'<td class="nb">{escape(moment(seat, call.called_at))}</td><td>{times[0]}</td><td>{what}</td>'
        f'<td class="keep">{escape(call.done)}{notes}</td><td>{times[1]}</td></tr>'
    )


def other_acts(seat: Seat, calls: RoomCalls, book: Incidents, rows: Sequence[RoomCall]) -> None:
    """A call that turns out to be more becomes an incident; one written by mistake is withdrawn."""
    standing = [call for call in rows if not call.withdrawn and call.incident is None]
    if not standing or not seat.may(Act.OPEN_INCIDENT):
        return
    by_name = {f"{call.year}-{call.number}": call for call in standing}
    codes = [category.code for category in book.categories.category]
    with st.expander(_("Make an incident of a call, or withdraw it")):
        key = fresh_key("call-act")
        which_at, what_at, open_at = st.columns([3, 3, 2], vertical_alignment="bottom")
        name = which_at.selectbox(
            _("Room call"), list(by_name), format_func=lambda one: _label(seat, by_name[one]), filter_mode=None,
            key=f"{key}-which",
        )  # fmt: skip
        code = what_at.selectbox(
            _("What happened"), codes, format_func=lambda one: book.categories.label(one, seat.language),
            filter_mode=None, key=f"{key}-code",
        )  # fmt: skip
        if open_at.button(_("Open an incident"), key=f"{key}-open", width="stretch") and name:
            with saying_errors(seat):
                sheet = calls.becomes(by_name[name].ref, code or codes[-1], book, seat.account)
                st.session_state["show-incident"] = sheet.ref
                flash(_("Incident № {number} is opened.").format(number=sheet.number))
                st.rerun()
        why_at, withdraw_at = st.columns([6, 2], vertical_alignment="bottom")
        why = why_at.text_input(_("Why it is withdrawn"), key=f"{key}-why")
        if withdraw_at.button(_("Withdraw the call"), key=f"{key}-withdraw", width="stretch"):
            with saying_errors(seat):
                if not name:
                    raise RefusedEntry(m("Room call: none is chosen. Choose one from the list."))
                calls.withdraw(by_name[name].ref, why or "", seat.account)
                fresh("call-act")
                flash(_("Written."))
                st.rerun()


def _label(seat: Seat, call: RoomCall) -> str:
    return f"№ {call.number} · {clock_time(seat, call.called_at)} · {call.room} · {call.what[:40]}"
