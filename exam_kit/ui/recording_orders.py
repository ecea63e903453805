"""Starting and stopping the recording: always on somebody's order, and a stop is asked for twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

import streamlit as st

from exam_kit.agent import orders
from exam_kit.i18n import N_, _, ngettext
from exam_kit.point import camera_windows
from exam_kit.store import Act
from exam_kit.ui.camera_facts import CameraFact, camera_facts
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.orders_view import ORDER_STATES, give, may_give, people_with
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time, span

__all__ = ["draw_stop", "order_form", "recent_orders"]

ALL, SOME = "all", "some"
ROWS = 12
"""Of so many cameras each is named before a stop; the rest are counted."""
KIND_LABELS = {"record": N_("start recording"), "stop": N_("stop recording")}


def order_form(seat: Seat) -> None:
    """Which cameras, on whose order, why; then start, or stop."""
    if not may_give(seat, "record"):
        st.caption(
            _("Recording is started and stopped by the technical specialist on the order of the head of the point.")
        )
        return
    cameras = _which(seat)
    who_at, why_at, start_at, stop_at = st.columns([3, 3.4, 1.6, 1.6], vertical_alignment="bottom")
    by = _who(seat, who_at)
    why = why_at.text_input(_("Why"), key="order-why", placeholder=_("for example: by the plan of the exam"))
    if start_at.button(_("Start recording"), type="primary", width="stretch"):
        _order(seat, "record", cameras, by, why or "")
    if stop_at.button(_("Stop recording…"), width="stretch"):
        st.session_state["confirm-stop"], st.session_state["stop-refused"] = True, False
    # The place is there also when nothing is asked: otherwise what follows would move and be drawn into the question.
    with st.container():
        if st.session_state.get("confirm-stop"):
            _confirm_stop(seat, cameras, by, why or "")


def draw_stop(seat: Seat, cameras: Sequence[str], why: str) -> None:
    """The stop order alone, for a screen that needs the recording stopped; `why` stands in its field from the start."""
    if not may_give(seat, "stop"):
        return
    who_at, why_at, stop_at = st.columns([3, 3.4, 2], vertical_alignment="bottom")
    by = _who(seat, who_at)
    said = why_at.text_input(_("Why"), why, key="stop-why")
    if stop_at.button(_("Stop recording…"), type="primary", width="stretch", key="stop-ask"):
        st.session_state["confirm-stop"], st.session_state["stop-refused"] = True, False
    with st.container():
        if st.session_state.get("confirm-stop"):
            _confirm_stop(seat, cameras, by, said or "")


def _which(seat: Seat) -> list[str]:
    used = dict.fromkeys(seat.point.zone_of(camera) for camera in seat.point.cameras)
    labels = {ALL: _("all cameras")} | {zone.value: _(ZONE_LABELS[zone]) for zone in ZONE_LABELS if zone in used}
    labels[SOME] = _("choose…")
    chosen = st.segmented_control(
        _("Which cameras"), list(labels), format_func=labels.__getitem__, default=ALL, required=True, key="order-zone"
    )
    if chosen == SOME:
        names = {camera.id: camera.id for camera in seat.point.cameras}
        picked = st.pills(
            _("Cameras"), list(names), selection_mode="multi", key="order-cameras", label_visibility="collapsed"
        )
        return list(picked or [])
    return [camera.id for camera in seat.point.cameras if chosen in (ALL, seat.point.zone_of(camera).value)]


def _who(seat: Seat, column: st.delta_generator.DeltaGenerator) -> str:
    """Whoever may order it orders under their own name; a specialist names who did."""
    if seat.may(Act.ORDER_RECORDING):
        column.text_input(_("Who ordered it"), seat.account.name, disabled=True)
        return seat.account.login
    people = {one.login: one for one in people_with(seat, Act.ORDER_RECORDING)}
    chosen = column.selectbox(
        _("Who ordered it"), list(people), format_func=lambda login: f"{people[login].name}, {people[login].post}",
        filter_mode=None, key="order-by", placeholder=_("nobody has this right yet"),
    )  # fmt: skip
    return chosen or ""


def _order(seat: Seat, kind: str, cameras: Sequence[str], by: str, why: str) -> None:
    with saying_errors(seat):
        if not cameras:
            st.error(_("No camera is chosen. Choose at least one."))
            return
        number = give(seat, kind, {"cameras": list(cameras)}, ordered_by=by, why=why)
        st.session_state["confirm-stop"] = False
        flash(_("Order № {number} is given.").format(number=number))
        st.rerun()


def _confirm_stop(seat: Seat, cameras: Sequence[str], by: str, why: str) -> None:
    """What will stop, until when it should still record, and on whose order; a stop before the end is typed, too."""
    chosen = [fact for fact in camera_facts(seat) if fact.camera.id in cameras]
    early = [fact for fact in chosen if (_ends(seat, fact) or seat.now) > seat.now]
    with st.container(border=True, key="confirm"):
        text = ngettext("Stop the recording of {count} camera?", "Stop the recording of {count} cameras?", len(cameras))
        st.html(f'<b class="ek-ask">{text.format(count=len(cameras))}</b>{_what_stops(seat, chosen, by, why)}')
        typed = ""
        if early:
            asked = _(
                "The plan goes on for {count} of them. To stop all the same, type the number of cameras: {number}"
            )
            typed = st.text_input(asked.format(count=len(early), number=len(cameras)), key="stop-typed") or ""
        with st.container(horizontal=True):
            if st.button(_("Yes, stop"), type="primary", key="stop-yes"):
                st.session_state["stop-refused"] = bool(early) and typed.strip() != str(len(cameras))
                if not st.session_state["stop-refused"]:
                    _order(seat, "stop", cameras, by, why)
            if st.button(_("No, go on recording"), key="stop-no"):
                st.session_state["confirm-stop"] = st.session_state["stop-refused"] = False
                st.rerun()
        if st.session_state.get("stop-refused"):  # stays through the redraws of a part that follows the cameras
            st.error(_("Nothing was stopped: the number typed is not {number}.").format(number=len(cameras)))


def _ends(seat: Seat, fact: CameraFact) -> datetime | None:
    """The end of the window that is open for this camera."""
    return max((one.end for one in camera_windows(seat.point, fact.camera) if one.holds(seat.now)), default=None)


def _what_stops(seat: Seat, chosen: Sequence[CameraFact], by: str, why: str) -> str:
    people = {one.login: one for one in people_with(seat, Act.VIEW)}
    head = people.get(by)
    name = f"{head.name}, {head.post}" if head else by or _("nobody is named")
    rows = []
    for fact in chosen[:ROWS]:
        ends = _ends(seat, fact)
        left = (
            _("until {time}, {span} more").format(
                time=clock_time(seat, ends), span=span(seat, (ends - seat.now).total_seconds())
            )
            if ends
            else _("no more by the plan")
        )
        rows.append(
            f"<tr><td>{escape(fact.camera.id)}</td><td>{escape(fact.room.label)}</td>"
            f"<td>{mark(fact.tone)}{escape(_(fact.state_label))}</td><td>{escape(left)}</td></tr>"
        )
    if len(chosen) > ROWS:
        rest = _("and {count} cameras more").format(count=len(chosen) - ROWS)
        rows.append(f'<tr><td colspan="4">{escape(rest)}</td></tr>')
    names = (N_("Camera"), N_("Place"), N_("State"), N_("Should record"))
    head_row = "".join(f"<th>{_(column)}</th>" for column in names)
    ordered = _("Ordered by {name}").format(name=name) + (f" · {why}" if why.strip() else "")
    return (
        f'<p class="ek-stop">{escape(ordered)}</p><table class="ek-table" data-stops><thead><tr>{head_row}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def recent_orders(seat: Seat, limit: int = 5) -> str:
    """The last orders to start or stop, newest first, as one table."""
    last = [order for order in orders.recent(seat.store) if order.kind in KIND_LABELS][:limit]
    if not last:
        return ""
    people = {one.login: one.name for one in people_with(seat, Act.VIEW)}
    rows = []
    for order in last:
        tone, state = ORDER_STATES[order.state]
        cameras = order.body.get("cameras", [])
        which = ", ".join(cameras) if len(cameras) <= 4 else _("cameras: {count}").format(count=len(cameras))
        rows.append(
            f'<tr><td class="num">{order.id}</td><td class="nb">{clock_time(seat, order.given_at)}</td>'
            f"<td>{_(KIND_LABELS[order.kind])}</td><td>{which}</td><td>{_name(people, order.ordered_by)}</td>"
            f"<td>{escape(order.why)}</td><td>{chip(tone, _(state))}</td></tr>"
        )
    names = (N_("№"), N_("Time"), N_("Order"), N_("Cameras"), N_("Who ordered it"), N_("Why"), N_("State"))
    head = "".join(f"<th>{_(name)}</th>" for name in names)
    return f'<table class="ek-table" data-orders><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _name(people: dict[str, str], login: str) -> str:
    return escape(people.get(login, login))
