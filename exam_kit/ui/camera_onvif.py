"""Cameras' own words: what each says of itself by ONVIF, how far its clock is off, and the order to set it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from exam_kit.agent import orders
from exam_kit.agent.camera_clock import why_not_now
from exam_kit.agent.camera_words import Words, kept_words
from exam_kit.i18n import N_, _, ngettext
from exam_kit.point import Camera
from exam_kit.store import Act
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.marks import chip
from exam_kit.ui.orders_view import ORDER_STATES, give, may_give, people_with
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, flash, live, saying_errors
from exam_kit.ui.when import clock_time, moment, span

__all__ = ["draw_camera_words"]

KIND = "camera_clock"
LAST_ORDERS = 5


def draw_camera_words(seat: Seat) -> None:
    """The whole view: the order form for who may give it, what the cameras say, the last orders."""
    cameras = [camera for camera in seat.point.cameras if camera.onvif is not None]
    if not cameras:
        st.info(
            plain(_("No camera has an ONVIF address. 'exam-kit camera find' shows them; write them into point.toml."))
        )
        return
    if may_give(seat, KIND):
        with st.expander(_("Set the clock"), key="clock-orders"):
            _form(seat, cameras)
    _table()


@live(5.0)
def _table(seat: Seat) -> None:
    names = (N_("Camera"), N_("Maker and model"), N_("Firmware"), N_("Clock"), N_("Last asked"))
    head = "".join(f"<th>{_(name)}</th>" for name in names)
    rows = "".join(_row(seat, camera) for camera in seat.point.cameras if camera.onvif is not None)
    st.html(
        f'<table class="ek-table" data-words><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        + _recent(seat)
    )


def _row(seat: Seat, camera: Camera) -> str:
    words = kept_words(seat.home, camera.id)
    if words is None:
        cells = ["—", "—", chip("unknown", _("not known")), chip("unknown", _("not asked yet"))]
    else:
        plate = escape(" ".join(part for part in (words.maker, words.model) if part)) or "—"
        cells = [plate, escape(words.firmware) or "—", _clock(seat, words), _asked(seat, words)]
    return f'<tr><td class="nb"><b>{escape(camera.label)}</b></td><td>{"</td><td>".join(cells)}</td></tr>'


def _clock(seat: Seat, words: Words) -> str:
    if words.offset_s is None or words.read_at is None:
        return chip("unknown", _("not known"))
    told = escape(_off(seat, words.offset_s))
    if words.problem is not None:
        told += f'<br><span class="ek-note">{_("read at {time}").format(time=moment(seat, words.read_at))}</span>'
    return f"{told} · NTP" if words.by_ntp else told


def _off(seat: Seat, offset_s: float) -> str:
    if abs(offset_s) < 1:
        return _("less than 1 s off")
    text = _("{span} ahead") if offset_s > 0 else _("{span} behind")
    return text.format(span=span(seat, abs(offset_s)))


def _asked(seat: Seat, words: Words) -> str:
    at = clock_time(seat, words.asked_at) if words.problem is None else moment(seat, words.asked_at)
    if words.problem is None:
        return at
    why = escape(words.problem.text(seat.language))
    return f'{at} {chip("unknown", _("no answer"))}<br><span class="ek-note">{why}</span>'


def _form(seat: Seat, cameras: Sequence[Camera]) -> None:
    chosen = st.pills(
        _("Cameras"), [camera.id for camera in cameras], selection_mode="multi", key=f"{fresh_key('clock')}-cameras"
    )
    who_at, why_at, go_at = st.columns([3, 4, 2], vertical_alignment="bottom")
    by = _who(seat, who_at)
    why = why_at.text_input(
        _("Why"), key=f"{fresh_key('clock')}-why", placeholder=_("for example: found by the check at T−2 h")
    )
    if go_at.button(_("Set the clock…"), width="stretch"):
        st.session_state["confirm-clock"] = True
    if st.session_state.get("confirm-clock"):
        _confirm(seat, [camera for camera in cameras if camera.id in chosen], by, why or "")


def _who(seat: Seat, column: st.delta_generator.DeltaGenerator) -> str:
    """Whoever may order it orders under their own name; a specialist names who did."""
    if seat.may(Act.ORDER_RECORDING):
        column.text_input(_("Who ordered it"), seat.account.name, disabled=True, key="clock-self")
        return seat.account.login
    people = {one.login: one for one in people_with(seat, Act.ORDER_RECORDING)}
    chosen = column.selectbox(
        _("Who ordered it"), list(people), format_func=lambda login: f"{people[login].name}, {people[login].post}",
        filter_mode=None, key="clock-by", placeholder=_("nobody has this right yet"),
    )  # fmt: skip
    return chosen or ""


def _confirm(seat: Seat, cameras: Sequence[Camera], by: str, why: str) -> None:
    """What will be done, in full, before it is ordered; what forbids it is said at once."""
    refusals = [no.text(seat.language) for one in cameras if (no := why_not_now(seat.point, one, seat.clock, ()))]
    missing = [
        text
        for text, given in (
            (_("No camera is chosen. Choose at least one."), cameras),
            (_("Why: nothing is written there. Write why the clock is to be set."), why.strip()),
        )
        if not given
    ]
    if refusals or missing:
        st.session_state["confirm-clock"] = False
        for text in [*missing, *refusals]:
            st.error(plain(text))
        return
    with st.container(border=True, key="confirm-clock-box"):
        text = ngettext(
            "Set the clock of {count} camera to this computer's time?",
            "Set the clocks of {count} cameras to this computer's time?",
            len(cameras),
        )
        told = ", ".join(_told(seat, camera) for camera in cameras)
        note = _("This computer's clock must be right first. A camera that keeps its time by NTP will do so no more.")
        st.html(
            f'<b class="ek-ask">{text.format(count=len(cameras))}</b><p>{escape(told)}</p><p class="ek-note">{note}</p>'
        )
        with st.container(horizontal=True):
            if st.button(_("Yes, set it"), type="primary", key="clock-yes"):
                _order(seat, cameras, by, why)
            if st.button(_("No, leave it"), key="clock-no"):
                st.session_state["confirm-clock"] = False
                st.rerun()


def _told(seat: Seat, camera: Camera) -> str:
    words = kept_words(seat.home, camera.id)
    if words is None or words.offset_s is None:
        return camera.id
    return f"{camera.id} ({_off(seat, words.offset_s)})"


def _order(seat: Seat, cameras: Sequence[Camera], by: str, why: str) -> None:
    with saying_errors(seat):
        number = give(seat, KIND, {"cameras": [camera.id for camera in cameras]}, ordered_by=by, why=why)
        st.session_state["confirm-clock"] = False
        fresh("clock")
        flash(_("Order № {number} is given.").format(number=number))
        st.rerun()


def _recent(seat: Seat) -> str:
    """The last orders to set a clock, newest first, and what came of them."""
    last = orders.recent(seat.store, KIND, LAST_ORDERS)
    if not last:
        return ""
    people = {one.login: one.name for one in people_with(seat, Act.VIEW)}
    rows = []
    for order in last:
        tone, state = ORDER_STATES[order.state]
        came = [str(order.result["error"])] if "error" in order.result else []
        came += [
            f"{camera}: {_off(seat, told['before']['worst_s'])} → {_off(seat, told['after']['worst_s'])}"
            for camera, told in order.result.get("set", {}).items()
        ]
        came += [str(reason) for reason in order.result.get("not_set", {}).values()]
        rows.append(
            f'<tr><td class="num">{order.id}</td><td class="nb">{clock_time(seat, order.given_at)}</td>'
            f"<td>{escape(', '.join(order.body.get('cameras', [])))}</td>"
            f"<td>{escape(people.get(order.ordered_by, order.ordered_by))}</td><td>{escape(order.why)}</td>"
            f"<td>{chip(tone, _(state))}</td><td>{'<br>'.join(map(escape, came))}</td></tr>"
        )
    names = (
        N_("№"), N_("Time"), N_("Cameras"), N_("Who ordered it"), N_("Why"), N_("State"), N_("What came of it"),
    )  # fmt: skip
    head = "".join(f"<th>{_(name)}</th>" for name in names)
    return (
        f"<h3>{_('Orders to set a clock')}</h3>"
        f'<table class="ek-table" data-clock-orders><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
