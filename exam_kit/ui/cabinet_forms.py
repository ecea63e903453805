"""Writing in the cabinet log: the opening or the closing of a cabinet, a correction, a withdrawal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.cabinet import CabinetAct, CabinetDraft, CabinetLine
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.person import Person, person_of
from exam_kit.store import Act
from exam_kit.ui.cabinet_view import UNIT, cabinet_label
from exam_kit.ui.fields import fresh, fresh_key, read_time, time_now
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time

__all__ = ["act_on_cabinet_line", "write_cabinet"]

WRITTEN = N_("Line № {number} is written.")
NEW = ""


def write_cabinet(seat: Seat, log: CabinetLog) -> None:
    """Choose the cabinet: an open one is closed, another one is opened. People are proposed as they were last time."""
    known = log.cabinets()
    names = {line.cabinet: line for line in known}
    name = st.segmented_control(
        _("Cabinet"),
        [*names, NEW],
        format_func=lambda one: one or _("another cabinet"),
        default=next(iter(names), NEW),
        required=True,
        key=f"cabinet-which-{'-'.join(names)}",
    )
    last = names.get(name or NEW)
    act = CabinetAct.CLOSED if last is not None and last.act is CabinetAct.OPENED else CabinetAct.OPENED
    key = fresh_key(f"cabinet-{name}-{act}")
    with st.form(f"form-{key}"):
        draft = _fields(seat, key, act, name or NEW, None, last)
        label = _("Write the opening") if act is CabinetAct.OPENED else _("Write the closing")
        if st.form_submit_button(label, type="primary"):
            with saying_errors(seat):
                line = log.add(draft(), seat.account)
                fresh(f"cabinet-{name}-{act}")
                flash(_(WRITTEN).format(number=line.number))
                st.rerun()


def act_on_cabinet_line(seat: Seat, log: CabinetLog, lines: Sequence[CabinetLine]) -> None:
    """Correct or withdraw one of the lines in sight, newest first."""
    standing = [line for line in lines if line.stands]
    if not standing or not seat.may(Act.WRITE_LOG):
        return
    acts: dict[str, Callable[[Seat, CabinetLog, CabinetLine], None]] = {
        _("Correct"): _correct,
        _("Withdraw"): _withdraw,
    }
    with st.expander(_("Correct or withdraw a line"), key="cabinet-act"):
        where, what = st.columns([3, 2], vertical_alignment="bottom")
        line = where.selectbox(
            _("Line"),
            standing,
            format_func=lambda one: cabinet_label(seat, one),
            filter_mode=None,
            key=f"cabinet-line-{standing[0].year}-{standing[0].number}",
        )
        chosen = what.segmented_control(
            _("What to do"), list(acts), default=next(iter(acts)), required=True, key=f"cabinet-act-{seat.language}"
        )
        if line is not None and chosen is not None:
            acts[chosen](seat, log, line)


def _correct(seat: Seat, log: CabinetLog, line: CabinetLine) -> None:
    key = fresh_key(f"cabinet-correct-{line.year}-{line.number}")
    with st.form(f"form-{key}", border=False):
        draft = _fields(seat, key, line.act, line.cabinet, line, line)
        why = st.text_input(_("Why it is corrected"), key=f"{key}-why")
        if st.form_submit_button(_("Write the correction as a new line"), type="primary"):
            with saying_errors(seat):
                made = log.correct(line.number, draft(), why or "", seat.account, year=line.year)
                flash(_(WRITTEN).format(number=made.number))
                st.rerun()


def _withdraw(seat: Seat, log: CabinetLog, line: CabinetLine) -> None:
    with st.form(f"cabinet-withdraw-{line.year}-{line.number}", border=False):
        why = st.text_input(_("Why it is withdrawn"))
        if st.form_submit_button(_("Write the withdrawal as a new line"), type="primary"):
            with saying_errors(seat):
                made = log.withdraw(line.number, why or "", seat.account, year=line.year)
                flash(_(WRITTEN).format(number=made.number))
                st.rerun()


def _fields(
    seat: Seat, key: str, act: CabinetAct, cabinet: str, line: CabinetLine | None, people: CabinetLine | None
) -> Callable[[], CabinetDraft]:
    """The fields of a line, filled from `line` when it is put right; `people` are proposed as they stand there."""
    opened, day = act is CabinetAct.OPENED, line.date if line else seat.today
    name_at, time_at, seal_at, unit_at = st.columns([2, 1, 2, 2], vertical_alignment="bottom")
    if line is None and not cabinet:
        cabinet = name_at.text_input(_("Cabinet, for example PAK-1"), key=f"{key}-cabinet") or ""
    else:
        name_at.text_input(_("Cabinet"), cabinet, disabled=True, key=f"{key}-cabinet")
    at = time_at.text_input(_("Time, hh:mm"), clock_time(seat, line.at) if line else time_now(seat), key=f"{key}-at")
    seal_label = _("Seal found and removed, №") if opened else _("New seal put on, №")
    seal = seal_at.text_input(seal_label, line.seal if line else "", key=f"{key}-seal")
    unit = unit_at.radio(
        _("Unit found"),
        list(UNIT),
        index=0 if line is None or line.unit_on else 1,
        format_func=lambda on: _(UNIT[on]),
        horizontal=True,
        key=f"{key}-unit",
    )
    reason = st.text_input(_("Reason"), line.reason if line else "", key=f"{key}-reason")
    whole = True
    if opened:
        whole = st.checkbox(_("The seal was whole"), line.seal_whole if line else True, key=f"{key}-whole")
    me = person_of(seat.account)
    before = (people.initiator, *people.operators) if people else (me, me, Person(""))
    labels = (_("Initiator"), _("Operator 1"), _("Operator 2"))
    read_people = [
        _person_fields(place, f"{key}-{number}", label, one)
        for number, (place, label, one) in enumerate(zip(st.columns(3), labels, before, strict=True))
    ]

    def read() -> CabinetDraft:
        initiator, first, second = (person() for person in read_people)
        return CabinetDraft(
            cabinet=cabinet,
            act=act,
            at=read_time(seat, at or "", day),
            reason=reason or "",
            unit_on=bool(unit),
            seal=seal or "",
            initiator=initiator,
            operators=(first, second),
            seal_whole=bool(whole),
        )

    return read


def _person_fields(
    place: st.delta_generator.DeltaGenerator, key: str, label: str, proposed: Person
) -> Callable[[], Person]:
    name = place.text_input(label, proposed.name, key=f"{key}-name")
    post = place.text_input(_("Their post"), proposed.post, key=f"{key}-post")

    def read() -> Person:
        # Whoever was proposed keeps their account: it tells two people of one name apart.
        login = proposed.login if (name or "") == proposed.name else ""
        return Person(name or "", post or "", login)

    return read
