"""Writing in the access log: a new line, and what can be done about one that stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import ACTION_LABELS, AccessAction, AccessDraft, AccessRow
from exam_kit.journal.person import Person
from exam_kit.store import Act
from exam_kit.ui.access_presets import preset_buttons, take_focus
from exam_kit.ui.access_table import line_label
from exam_kit.ui.fields import fresh, fresh_key, read_time, time_now
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time

__all__ = ["act_on_line", "add_line"]

WRITTEN = N_("Line № {number} is written.")


def add_line(seat: Seat, log: AccessLog, today: Sequence[AccessRow]) -> None:
    """The usual lines as buttons, and the form they fill; the rest of it only when somebody else acted."""
    key = fresh_key("add")
    preset_buttons(seat, key, today)
    with st.container(key="log-form"), st.form(f"form-{key}"):
        draft, foot = _draft_fields(seat, key, None)
        if foot.form_submit_button(_("Write the line"), type="primary", width="stretch"):
            with saying_errors(seat):
                row = log.add(draft(), seat.account)
                fresh("add")
                flash(_(WRITTEN).format(number=row.number))
                st.rerun()
    take_focus()


def act_on_line(seat: Seat, log: AccessLog, rows: Sequence[AccessRow]) -> None:
    """Correct or withdraw one of the lines that stand; `rows` are those in sight, newest first."""
    standing = [row for row in rows if not row.void and row.withdraws is None]
    if not standing or not seat.may(Act.WRITE_LOG):
        return
    acts: dict[str, Callable[[Seat, AccessLog, AccessRow], None]] = {
        _("Correct"): _correct,
        _("Withdraw"): _withdraw,
    }
    newest = standing[0]  # a line just written is the one that is most often looked at next
    with st.expander(_("Correct or withdraw a line"), key="line-act"):
        where, what = st.columns([3, 2], vertical_alignment="bottom")
        row = where.selectbox(
            _("Line"),
            standing,
            format_func=lambda one: line_label(seat, one),
            filter_mode=None,
            key=f"line-{newest.year}-{newest.number}",
        )
        chosen = what.segmented_control(
            _("What to do"), list(acts), default=next(iter(acts)), required=True, key=f"act-{seat.language}"
        )
        if row is not None and chosen is not None:
            acts[chosen](seat, log, row)


def _correct(seat: Seat, log: AccessLog, row: AccessRow) -> None:
    key = fresh_key(f"correct-{row.year}-{row.number}")
    with st.form(f"form-{key}", border=False):
        draft, _foot = _draft_fields(seat, key, row)
        why = st.text_input(_("Why it is corrected"), key=f"{key}-why")
        if st.form_submit_button(_("Write the correction as a new line"), type="primary"):
            with saying_errors(seat):
                made = log.correct(row.number, draft(), why or "", seat.account, year=row.year)
                flash(_(WRITTEN).format(number=made.number))
                st.rerun()


def _withdraw(seat: Seat, log: AccessLog, row: AccessRow) -> None:
    with st.form(f"withdraw-{row.year}-{row.number}", border=False):
        why = st.text_input(_("Why it is withdrawn"))
        if st.form_submit_button(_("Write the withdrawal as a new line"), type="primary"):
            with saying_errors(seat):
                made = log.withdraw(row.number, why or "", seat.account, year=row.year)
                flash(_(WRITTEN).format(number=made.number))
                st.rerun()


def _draft_fields(
    seat: Seat, key: str, row: AccessRow | None
) -> tuple[Callable[[], AccessDraft], st.delta_generator.DeltaGenerator]:
    """The fields of a line, filled from `row` when there is one: what reads them (RefusedEntry), and a place for the
    button beside the last ones."""
    day = row.date if row else seat.today
    # By the session and not as defaults: a preset fills the same fields.
    st.session_state.setdefault(f"{key}-action", row.action if row else AccessAction.OPERABILITY_CHECK)
    st.session_state.setdefault(f"{key}-rooms", row.rooms_text if row else "")
    st.session_state.setdefault(f"{key}-start", clock_time(seat, row.start) if row else time_now(seat))
    st.session_state.setdefault(f"{key}-end", clock_time(seat, row.end) if row and row.end else "")
    action = st.pills(
        _("Action"),
        list(AccessAction),
        format_func=lambda one: _(ACTION_LABELS[one]),
        required=True,
        key=f"{key}-action",
    )
    rooms_at, start_at, end_at, text_at = st.columns([3, 1, 1, 3])
    known = ", ".join(room.code for room in seat.point.rooms)
    rooms = rooms_at.text_input(_("Rooms, for example 0001–0017, 7777"), key=f"{key}-rooms", placeholder=known)
    start = start_at.text_input(_("Start, hh:mm"), key=f"{key}-start")
    end = end_at.text_input(_("End, hh:mm"), key=f"{key}-end", placeholder=_("goes on"))
    text = text_at.text_input(_("Details"), row.text if row else "", key=f"{key}-text")
    other = row is not None and row.person.login != seat.account.login
    name_at, post_at, foot = st.columns([3, 3, 2], vertical_alignment="bottom")
    name = name_at.text_input(_("Who acted, if not you"), row.person.name if row and other else "", key=f"{key}-name")
    post = post_at.text_input(_("Their post"), row.person.post if row and other else "", key=f"{key}-post")

    def read() -> AccessDraft:
        begin = read_time(seat, start or "", day)
        return AccessDraft(
            rooms=rooms or "",
            action=action or AccessAction.OTHER,
            start=begin,
            end=read_time(seat, end, day, begin) if end and end.strip() else None,
            text=text or "",
            person=Person(name, post or "") if name and name.strip() else None,
        )

    return read, foot
