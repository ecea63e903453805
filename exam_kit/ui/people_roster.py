"""The duty roster: who is on duty on which exam day, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from exam_kit.errors import Message
from exam_kit.i18n import N_, _
from exam_kit.journal.people import People
from exam_kit.journal.people_duty import duty_warnings, on_duty
from exam_kit.journal.people_gate import account_state
from exam_kit.journal.people_profile import POINT_ROLES
from exam_kit.journal.people_state import state_on
from exam_kit.point import ExamDay
from exam_kit.store import Act
from exam_kit.store.rights import ROLE_LABELS
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.people_table import no_register, people_at
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import moment, short_day

__all__ = ["draw_roster", "duty_today"]

COLUMNS = (N_("Exam day"), *(ROLE_LABELS[role] for role in POINT_ROLES), N_("Entered by"), N_("State"))


def draw_roster(seat: Seat, people: People) -> None:
    """The form, and every exam day with who is on duty."""
    days = sorted(seat.point.days, key=lambda one: one.date)
    if not days:
        st.info(_("No exam days are set up. Add them to point.toml under [[days]]."))
        return
    if seat.may(Act.KEEP_PEOPLE):
        _form(seat, people, days)
    st.html(_table(seat, people, days))


def _form(seat: Seat, people: People, days: Sequence[ExamDay]) -> None:
    register = people.register()
    with st.container(border=True, key="line-act"):
        day = st.selectbox(
            _("Exam day"), [one.date for one in days], filter_mode=None, key="roster-day",
            index=[one.date for one in days].index(seat.day.date) if seat.day else 0,
            format_func=lambda one: f"{short_day(seat, one)} · {_subject(days, one)}",
        )  # fmt: skip
        duty = register.duties.get(day)
        with st.form(f"roster-{day}-{duty.seq if duty else 0}", border=False):
            chosen: list[int] = []
            for role in POINT_ROLES:
                names = {card.number: card.name for card in register.people if card.role is role}
                if not names:
                    continue
                picked = st.pills(
                    _headed(ROLE_LABELS[role]), list(names), selection_mode="multi",
                    default=[number for number in (duty.people if duty else ()) if number in names],
                    format_func=names.__getitem__,
                    key=f"roster-{day}-{duty.seq if duty else 0}-{role}",
                )  # fmt: skip
                chosen += picked or []
            if st.form_submit_button(_("Enter the roster of this day"), type="primary", disabled=not register.people):
                with saying_errors(seat):
                    people.roster(day, chosen, seat.account)
                    flash(_("The duty roster of {date} is entered.").format(date=short_day(seat, day)))
                    st.rerun()


def _headed(text: str) -> str:
    """A label with a capital; those inside it (ГЭК, ППЭ) stay as they are."""
    label = _(text)
    return label[:1].upper() + label[1:]


def _subject(days: Sequence[ExamDay], date: object) -> str:
    return next(one.subject for one in days if one.date == date)


def _table(seat: Seat, people: People, days: Sequence[ExamDay]) -> str:
    register = people.register()
    head = "".join(f'<th scope="col">{escape(_headed(name))}</th>' for name in COLUMNS)
    rows = []
    for day in days:
        cards = on_duty(register, day.date)
        duty = register.duties.get(day.date)
        cells = [f'<td class="nb">{short_day(seat, day.date)}<small>{escape(day.subject)}</small></td>']
        for role in POINT_ROLES:
            names = "".join(f"<div>{escape(one.name)}</div>" for one in cards if one.role is role)
            cells.append(f"<td>{names or '—'}</td>")
        by = f"{escape(duty.by.name)}<small>{moment(seat, duty.at)}</small>" if duty else "—"
        warnings = duty_warnings(register, day.date, people.profile)
        cells += [f"<td>{by}</td>", f"<td>{_warnings(seat, warnings) or chip('good', _('in order'))}</td>"]
        rows.append(f'<tr data-day="{day.date}">{"".join(cells)}</tr>')
    return f'<table class="ek-table" data-roster><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _warnings(seat: Seat, warnings: Sequence[Message]) -> str:
    return "".join(f"<div>{mark('warn')}{escape(one.text(seat.language))}</div>" for one in warnings)


def duty_today(seat: Seat, day: ExamDay) -> str:
    """What the day's screen says of people: that nobody is checked, or who is on duty and what is wrong with it."""
    people = people_at(seat)
    register = people.register()
    if not register.in_force:
        return no_register()
    said = []
    own = account_state(people, seat.account)
    if own is not None and not own.fit:
        said.append(f"<div data-unfit><b>{mark('bad')}{escape(own.reason.text(seat.language))}</b></div>")
    names = [f"{card.name} ({_(ROLE_LABELS[card.role])})" for card in on_duty(register, day.date)]
    if names:
        duty = _("On duty on {date}: {names}").format(date=short_day(seat, day.date), names=", ".join(names))
        said.append(f"<div>{escape(duty)}</div>")
    said += [f"<div>{mark('warn')}{escape(one.text(seat.language))}</div>"
             for one in duty_warnings(register, day.date, people.profile)]  # fmt: skip
    for card in register.people:
        admission = state_on(card, people.today, people.profile).admission
        if admission is not None:
            text = _("{name} is admitted for today by {by}: {why}")
            told = text.format(name=card.name, by=admission.by.name, why=admission.why)
            said.append(f"<div>{mark('warn')}{escape(told)}</div>")
    return f'<div class="ek-check none ek-duty" data-duty>{"".join(said)}</div>'
