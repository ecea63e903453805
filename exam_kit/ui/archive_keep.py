"""How long footage is kept: dates, legal holds, what may be deleted when; a view of its own, away from the copies."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.agent.bag_duties import keep_rule
from exam_kit.archive.act import KeepRule
from exam_kit.archive.keep import STANDING_LABELS, Hold, KeptDay, holds, kept_days, lift_hold, set_hold
from exam_kit.i18n import N_, _
from exam_kit.store import Accounts, Act
from exam_kit.ui.archive_delete import draw_deletion
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import moment, short_day, size

__all__ = ["draw_keep"]

DAY_COLUMNS = (N_("Day"), N_("Keep until"), N_("Recordings"), N_("Legal hold"))
HOLD_COLUMNS = (N_("Hold №"), N_("Day"), N_("Cameras"), N_("Why"), N_("Order №"), N_("State"))
TONES = {
    "free": "warn",
    "early": "good",
    "no_rule": "unknown",
    "held": "ask",
    "undelivered": "none",
    "unclosed": "unknown",
    "deleted": "none",
}


def draw_keep(seat: Seat) -> None:
    """The table for everybody; holds and deletion for those who may."""
    rule = keep_rule(seat.point, seat.home)
    days = kept_days(seat.store, seat.ledger, rule, seat.today)
    st.html(f'<p class="ek-note">{escape(_rule_text(seat, rule))}</p>')
    if not days:
        st.info(_("Nothing was recorded yet."))
        return
    st.html(_table(seat, days))
    every = holds(seat.ledger)
    if every:
        st.html(_holds_table(seat, every))
    if seat.may(Act.HOLD_FOOTAGE):
        with st.expander(_("Set a legal hold"), key="hold-set"):
            _set_form(seat, days)
    standing = [hold for hold in every if hold.stands]
    if standing and seat.may(Act.DELETE_FOOTAGE):
        with st.expander(_("Lift a legal hold"), key="hold-lift"):
            _lift_form(seat, standing)
    if seat.may(Act.DELETE_FOOTAGE):
        draw_deletion(seat, rule, days)
    else:
        st.caption(
            _("Footage is deleted by two regional admins together, each with their own PIN. Nothing is automatic.")
        )


def _rule_text(seat: Seat, rule: KeepRule | None) -> str:
    """The rule in the reader's language; the regulation it comes from stands in the profile, in the profile's words."""
    if rule is None:
        return _("The profile names no keep-until date: nothing may be deleted.")
    text = _("Footage is kept until its date, as long as a legal hold stands, and until the region gave a receipt.")
    named = _("The dates, and the regulation they come from, stand in the profile {profile}.")
    return f"{text} {named.format(profile=seat.point.profile)}"


def _table(seat: Seat, days: list[KeptDay]) -> str:
    head = "".join(f"<th>{escape(_(name))}</th>" for name in DAY_COLUMNS)
    rows = []
    for day in days:
        states = "<br>".join(
            f"{chip(TONES[how], _(STANDING_LABELS[how]))} {count} · {escape(size(seat, day.bytes.get(how, 0)))}"
            for how, count in sorted(day.files.items())
        )
        until = short_day(seat, day.until) if day.until else "—"
        held = ", ".join(f"№ {hold.number}" for hold in day.holds) or _("none")
        rows.append(
            f'<tr data-kept="{day.day}"><td class="nb">{short_day(seat, day.day)}</td><td class="nb">{until}</td>'
            f"<td>{states}</td><td>{escape(held)}</td></tr>"
        )
    return f'<table class="ek-table" data-keep><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _holds_table(seat: Seat, every: list[Hold]) -> str:
    names = {one.login: one.name for one in Accounts(seat.store, seat.ledger).all()}
    head = "".join(f"<th>{escape(_(name))}</th>" for name in HOLD_COLUMNS)
    rows = []
    for hold in reversed(every):
        cameras = ", ".join(hold.cameras) or _("all cameras")
        if hold.lifted_at is None:
            state = chip("ask", _("stands"))
        else:
            state = chip("none", _("lifted")) + escape(f" {moment(seat, hold.lifted_at)}")
        by = f"{names.get(hold.set_by, hold.set_by)}, {moment(seat, hold.set_at)}"
        rows.append(
            f'<tr data-hold="{hold.number}"><td class="num">{hold.number}</td>'
            f'<td class="nb">{short_day(seat, hold.day)}</td>'
            f"<td>{escape(cameras)}</td><td>{escape(hold.why)}<small>{escape(by)}</small></td>"
            f"<td>{escape(hold.order)}</td><td>{state}</td></tr>"
        )
    return f'<table class="ek-table" data-holds><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _set_form(seat: Seat, days: list[KeptDay]) -> None:
    with st.form(fresh_key("hold"), border=False):
        day_at, cameras_at = st.columns([1, 3])
        day = day_at.selectbox(
            _("Day"), [one.day for one in days], filter_mode=None, format_func=lambda one: short_day(seat, one)
        )
        cameras = cameras_at.pills(
            _("Cameras (none chosen: all of them)"), [one.id for one in seat.point.cameras], selection_mode="multi"
        )
        why, order, send = _said("hold")
        if send.form_submit_button(_("Set the hold"), type="primary", width="stretch"):
            with saying_errors(seat):
                hold = set_hold(seat.ledger, seat.point, seat.account, day, cameras or (), why, order)
                fresh("hold")
                flash(_("Legal hold № {number} stands.").format(number=hold.number))
                st.rerun()


def _lift_form(seat: Seat, standing: list[Hold]) -> None:
    with st.form(fresh_key("lift"), border=False):
        number = st.selectbox(
            _("Legal hold"), [one.number for one in standing], filter_mode=None, format_func=lambda one: f"№ {one}"
        )
        why, order, send = _said("lift")
        if send.form_submit_button(_("Lift the hold"), width="stretch"):
            with saying_errors(seat):
                lift_hold(seat.ledger, seat.account, number, why, order)
                fresh("lift")
                flash(_("Legal hold № {number} is lifted.").format(number=number))
                st.rerun()


def _said(form: str) -> tuple[str, str, st.delta_generator.DeltaGenerator]:
    """Reason and number of the order, which every hold and every lifting needs."""
    why_at, order_at, send_at = st.columns([4, 2, 2], vertical_alignment="bottom")
    why = why_at.text_input(_("Why"), key=f"{fresh_key(form)}-why")
    order = order_at.text_input(_("Order №"), key=f"{fresh_key(form)}-order")
    return why or "", order or "", send_at
