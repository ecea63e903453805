"""Waivers on the screen: letting one result pass for a while, ending it early, and who let what pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any

import streamlit as st

from exam_kit.checks.model import Severity, Waiver
from exam_kit.checks.verdicts import WAIVABLE
from exam_kit.checks.waivers import Waivers
from exam_kit.clock import from_iso, iso
from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.store.rights import ROLE_LABELS, Role
from exam_kit.ui.check_cards import name_of
from exam_kit.ui.fields import read_time
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time, moment, short_day

__all__ = ["show_waivers", "waive_form"]

OPENED = "waiving"
"""Which result's form is open: one at a time."""


def waive_form(seat: Seat, waivers: Waivers, told: Mapping[str, Any]) -> None:
    """For a commission member: let this result pass, or end the waiver that lets it; nothing for anybody else."""
    if not seat.may(Act.CONFIRM_CHECKS):
        return
    given = told["waived"]
    if given is None and not (told["state"] in WAIVABLE and waivers.may_cover(Severity(told["severity"]))):
        return
    key = f"waive-{told['check']}-{told['target']}"
    if st.session_state.get(OPENED) != key:
        label = _("Withdraw the waiver…") if given else _("Let it pass for a while…")
        if st.button(label, key=f"{key}-open"):
            st.session_state[OPENED] = key
            st.rerun()
        return
    with st.form(key):
        if given:
            _withdraw(seat, waivers, int(given["number"]), key)
        else:
            _give(seat, waivers, told, key)
    if st.button(_("Leave it as it is"), key=f"{key}-leave"):
        _close()


def _give(seat: Seat, waivers: Waivers, told: Mapping[str, Any], key: str) -> None:
    latest = waivers.longest(seat.now) or seat.now
    proposed = _proposed(seat, latest)
    first = seat.today
    days = [first + timedelta(days=n) for n in range((latest.astimezone(seat.point.tz).date() - first).days + 1)]
    why_at, day_at, time_at, send = st.columns([5, 2, 2, 2], vertical_alignment="bottom")
    why = why_at.text_input(_("Why it may pass"), key=f"{key}-why")
    day = day_at.selectbox(
        _("Until, day"),
        days,
        index=days.index(proposed.date()),
        format_func=lambda one: short_day(seat, one),
        filter_mode=None,
        key=f"{key}-day",
    )
    at = time_at.text_input(_("Until, hh:mm"), clock_time(seat, proposed), key=f"{key}-time")
    if send.form_submit_button(_("Give the waiver"), type="primary", width="stretch"):
        with saying_errors(seat):
            until = read_time(seat, at or "", day or first)
            made = waivers.give(told["check"], told["target"], why or "", until, seat.account)
            ends = moment(seat, from_iso(made.until))
            flash(_("Waived until {moment}: {title}").format(moment=ends, title=name_of(seat, told)))
            _close()


def _withdraw(seat: Seat, waivers: Waivers, number: int, key: str) -> None:
    why_at, send = st.columns([6, 2], vertical_alignment="bottom")
    why = why_at.text_input(_("Why it is withdrawn"), key=f"{key}-end-why")
    if send.form_submit_button(_("Withdraw the waiver"), type="primary", width="stretch"):
        with saying_errors(seat):
            waivers.withdraw(number, why or "", seat.account)
            flash(_("Waiver № {number} is withdrawn.").format(number=number))
            _close()


def _close() -> None:
    st.session_state.pop(OPENED, None)
    st.rerun()


def _proposed(seat: Seat, latest: datetime) -> datetime:
    """The end of the exam where the profile lets a waiver last so long, else the latest there may be; local."""
    day = seat.day
    if day is not None:
        begins = datetime.combine(day.date, day.start, seat.point.tz)
        ends = begins + timedelta(minutes=day.duration_min)
        if seat.now < ends <= latest:
            return ends
    return latest.astimezone(seat.point.tz).replace(second=0, microsecond=0)


def show_waivers(seat: Seat, waivers: Waivers) -> None:
    """Every waiver; a commission member ends one here also when what it covered is in order by now."""
    st.html(_table(seat, waivers))
    active = {one.number: one for one in waivers.active(seat.now)}
    if not active or not seat.may(Act.CONFIRM_CHECKS):
        return
    titles = _titles(seat, waivers)
    with st.form("waivers-end"):
        number = st.selectbox(
            _("Waiver in force"),
            list(active)[::-1],
            format_func=lambda one: f"№ {one} · {_what(active[one], titles)}",
            filter_mode=None,
            key=f"waivers-end-{seat.language}",
        )
        if number is not None:
            _withdraw(seat, waivers, number, "waivers")


def _titles(seat: Seat, waivers: Waivers) -> dict[str, str]:
    return {check.id: check.title[seat.language] for check in waivers.profile.checks}


def _what(one: Waiver, titles: Mapping[str, str]) -> str:
    title = titles.get(one.check, one.check)
    return f"{title} · {one.target}" if one.target else title


def _table(seat: Seat, waivers: Waivers) -> str:
    """Every waiver, newest first: what, by whom, why, until when, and whether it holds."""
    titles = _titles(seat, waivers)
    rows = "".join(_row(seat, one, titles) for one in reversed(waivers.all()))
    if not rows:
        return f'<p class="ek-note">{escape(_("No waiver has been given."))}</p>'
    names = (N_("№"), N_("Check"), N_("Waived by"), N_("Why"), N_("Until"), N_("State"))
    head = "".join(f"<th>{escape(_(name))}</th>" for name in names)
    return f'<table class="ek-table" data-waivers><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(seat: Seat, one: Waiver, titles: Mapping[str, str]) -> str:
    post = one.post or _(ROLE_LABELS[Role(one.role)])
    state = (
        chip("warn", _("in force"))
        if one.in_force(iso(seat.now))
        else chip("none", _("withdrawn"))
        if one.withdrawn_at
        else chip("none", _("expired"))
    )
    return (
        f'<tr><td class="num">{one.number}</td><td>{escape(_what(one, titles))}</td>'
        f"<td>{escape(one.name)}, {escape(post)}<small>{escape(moment(seat, from_iso(one.given_at)))}</small></td>"
        f'<td>{escape(one.why)}</td><td class="nb">{escape(moment(seat, from_iso(one.until)))}</td>'
        f"<td>{state}</td></tr>"
    )
