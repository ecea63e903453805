"""Keeping the register of people: entering somebody, and what is entered about one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import streamlit as st

from exam_kit.i18n import N_, _, ngettext
from exam_kit.journal.people import Amends, People, PersonDraft
from exam_kit.journal.people_card import Card, Record, RecordKind
from exam_kit.journal.people_import import parse_date, read_people, take_people
from exam_kit.journal.people_profile import POINT_ROLES
from exam_kit.journal.people_state import Standing, state_on
from exam_kit.store import Act
from exam_kit.store.rights import ROLE_LABELS, Role
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.people_receipt import receive_by_pin
from exam_kit.ui.people_table import accounts_free, entries_table, record_label
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import short_day

__all__ = ["act_on_person", "add_person", "import_people"]

ENTERED = N_("Entered: {name}.")
NEXT = "person-next"


def add_person(seat: Seat, people: People) -> None:
    """A new person; one with an account need not be typed again."""
    key = fresh_key("person")
    free = {one.login: one for one in accounts_free(seat, people.register()) if one.role in POINT_ROLES}
    login = st.selectbox(
        _("Account"),
        ["", *free],
        format_func=lambda one: f"{free[one].name} ({one})" if one else _("no account"),
        filter_mode=None,
        key=f"{key}-login",
    )
    account = free.get(login or "")
    with st.form(f"form-{key}-{login}", border=False):
        draft = _particulars(key + (login or ""), account.name if account else "", account.post if account else "",
                             account.role if account else Role.SPECIALIST)  # fmt: skip
        if st.form_submit_button(_("Enter the person"), type="primary"):
            with saying_errors(seat):
                card = people.add(draft(login or ""), seat.account)
                fresh("person")
                st.session_state[NEXT] = card.number
                _done(card)


def act_on_person(seat: Seat, people: People, cards: Sequence[Card]) -> None:
    """One person: everything entered about them, and for those who keep the register what can be entered now."""
    with st.container(border=True, key="line-act"):
        known = {card.number: card for card in cards}
        if (just := st.session_state.pop(NEXT, None)) in known:
            st.session_state["person-chosen"] = just  # who was just entered is appointed next
        number = st.selectbox(
            _("Person"),
            list(known),
            format_func=lambda one: f"{_('№')} {one} · {known[one].name} · {_(ROLE_LABELS[known[one].role])}",
            filter_mode=None,
            key="person-chosen",
        )
        card = known[number or next(iter(known))]
        if seat.may(Act.KEEP_PEOPLE):
            acts = _acts(people, card)
            chosen = st.segmented_control(
                _("What to enter"), list(acts), format_func=_, default=next(iter(acts)), required=True,
                key=f"person-act-{seat.language}-{card.number}-{'-'.join(acts)}",
            )  # fmt: skip
            acts[chosen or next(iter(acts))](seat, people, card)
        if card.records:
            st.html(entries_table(seat, card, people.profile))


def _acts(people: People, card: Card) -> dict[str, Callable[[Seat, People, Card], None]]:
    """What can be entered about this person; what is wanted next comes first."""
    state = state_on(card, people.today, people.profile)
    acts: dict[str, Callable[[Seat, People, Card], None]] = {
        N_("Appointment"): _appoint,
        N_("Briefing"): _brief,
        N_("Dismissal"): _dismiss,
    }
    if state.standing is Standing.UNBRIEFED or (state.standing is Standing.BRIEFED and card.records):
        acts = {"Briefing": _brief, **acts}
    if card.login and not card.last(RecordKind.RECEIVED):
        acts[N_("Receipt")] = receive_by_pin
    if not state.fit and state.standing is not Standing.DISMISSED:
        acts[N_("Admit for today")] = _admit
    acts[N_("Name and role")] = _change
    if any(one.standing for one in card.records):
        acts[N_("Withdraw an entry")] = _withdraw
    else:
        acts[N_("Take out")] = _remove
    return acts


def _done(card: Card) -> None:
    flash(_(ENTERED).format(name=card.name))
    st.rerun()


def _appoint(seat: Seat, people: People, card: Card) -> None:
    key = fresh_key(f"appoint-{card.number}")
    with st.form(f"form-{key}", border=False):
        order_at, date_at, agreed_at = st.columns([2, 2, 4])
        order = order_at.text_input(_("№ of the order"), key=f"{key}-order")
        date = _date(seat, date_at, _("Order date"), key, people.today)
        agreed = agreed_at.text_input(_("Agreed with"), key=f"{key}-agreed")
        amends = _amends(seat, people, card, RecordKind.APPOINTED, key)
        if st.form_submit_button(_("Enter the appointment"), type="primary"):
            with saying_errors(seat):
                _done(people.appoint(card.number, order or "", date(), agreed or "", seat.account, amends=amends()))


def _dismiss(seat: Seat, people: People, card: Card) -> None:
    key = fresh_key(f"dismiss-{card.number}")
    with st.form(f"form-{key}", border=False):
        order_at, date_at, _rest = st.columns([2, 2, 4])
        order = order_at.text_input(_("№ of the order"), key=f"{key}-order")
        date = _date(seat, date_at, _("Order date"), key, people.today)
        amends = _amends(seat, people, card, RecordKind.DISMISSED, key)
        if st.form_submit_button(_("Enter the dismissal"), type="primary"):
            with saying_errors(seat):
                _done(people.dismiss(card.number, order or "", date(), seat.account, amends=amends()))


def _brief(seat: Seat, people: People, card: Card) -> None:
    key = fresh_key(f"brief-{card.number}")
    state = state_on(card, people.today, people.profile)
    codes = list(people.profile.by_code)
    wanted = [*state.missing, *state.run_out]
    with st.form(f"form-{key}", border=False):
        chosen = st.pills(
            _("Briefings given"), codes, selection_mode="multi", default=wanted,
            format_func=lambda code: people.profile.label(code, seat.language), key=f"{key}-{'-'.join(wanted)}",
        )  # fmt: skip
        date_at, by_at, until_at = st.columns([2, 4, 2])
        date = _date(seat, date_at, _("Date"), key, people.today)
        by = by_at.text_input(_("Given by"), seat.account.name, key=f"{key}-by")
        until = until_at.text_input(_("Valid until"), key=f"{key}-until", placeholder=_("as the profile says"))
        amends = _amends(seat, people, card, RecordKind.BRIEFED, key)
        if st.form_submit_button(_("Enter the briefings"), type="primary"):
            with saying_errors(seat):
                end = parse_date(until) if until and until.strip() else None
                with seat.store.transaction():  # of several briefings all are entered, or none
                    for code in chosen or [""]:
                        made = people.brief(
                            card.number, code, date(), by or "", seat.account, until=end, amends=amends()
                        )
                _done(made)


def _admit(seat: Seat, people: People, card: Card) -> None:
    state = state_on(card, people.today, people.profile)
    st.caption(state.reason.text(seat.language))
    with st.form(f"admit-{card.number}", border=False):
        why = st.text_input(_("Why this person is admitted for today"))
        if st.form_submit_button(_("Admit for today"), type="primary"):
            with saying_errors(seat):
                _done(people.admit(card.number, why or "", seat.account))


def _change(seat: Seat, people: People, card: Card) -> None:
    free = [one.login for one in accounts_free(seat, people.register()) if one.role in POINT_ROLES]
    key = f"change-{card.number}-{len(card.changes)}"
    with st.form(f"form-{key}", border=False):
        draft = _particulars(key, card.name, card.post, card.role)
        login_at, why_at = st.columns([2, 4])
        login = login_at.selectbox(
            _("Account"), list(dict.fromkeys([card.login, "", *free])), format_func=lambda one: one or _("no account"),
            filter_mode=None, key=f"{key}-login",
        )  # fmt: skip
        why = why_at.text_input(_("Why it is corrected"), key=f"{key}-why")
        if st.form_submit_button(_("Enter the correction"), type="primary"):
            with saying_errors(seat):
                _done(people.change(card.number, draft(login or ""), why or "", seat.account))


def _withdraw(seat: Seat, people: People, card: Card) -> None:
    standing = {one.seq: one for one in sorted(card.records, key=lambda one: -one.seq) if one.standing}
    with st.form(f"withdraw-{card.number}-{len(standing)}", border=False):
        seq = st.selectbox(
            _("Entry"), list(standing), format_func=lambda one: record_label(seat, standing[one], people.profile),
            filter_mode=None,
        )  # fmt: skip
        why = st.text_input(_("Why it is withdrawn"))
        if st.form_submit_button(_("Withdraw the entry"), type="primary"):
            with saying_errors(seat):
                _done(people.withdraw(card.number, seq or 0, why or "", seat.account))


def _remove(seat: Seat, people: People, card: Card) -> None:
    with st.form(f"remove-{card.number}", border=False):
        why = st.text_input(_("Why this person is taken out"))
        if st.form_submit_button(_("Take out of the register"), type="primary"):
            with saying_errors(seat):
                people.remove(card.number, why or "", seat.account)
                _done(card)


def _particulars(key: str, name: str, post: str, role: Role) -> Callable[[str], PersonDraft]:
    name_at, post_at, role_at = st.columns([3, 3, 3])
    typed = name_at.text_input(_("Full name"), name, key=f"{key}-name")
    typed_post = post_at.text_input(_("Post"), post, key=f"{key}-post")
    chosen = role_at.selectbox(
        _("Role"), list(POINT_ROLES), index=POINT_ROLES.index(role), format_func=lambda one: _(ROLE_LABELS[one]),
        filter_mode=None, key=f"{key}-role",
    )  # fmt: skip
    return lambda login: PersonDraft(typed or "", chosen or role, typed_post or "", login)


def _date(
    seat: Seat, column: st.delta_generator.DeltaGenerator, label: str, key: str, day: dt.date
) -> Callable[[], dt.date]:
    typed = column.text_input(label, short_day(seat, day), key=f"{key}-date")
    return lambda: parse_date(typed or "")


def _amends(seat: Seat, people: People, card: Card, kind: RecordKind, key: str) -> Callable[[], Amends | None]:
    """Fields for an entry that puts right an earlier one; nothing where there is none."""
    earlier: list[Record] = card.standing(kind)[::-1]
    if not earlier:
        return lambda: None
    which_at, why_at = st.columns([4, 4])
    which = which_at.selectbox(
        _("In place of an earlier entry"), [None, *earlier], filter_mode=None, key=f"{key}-amends-{seat.language}",
        format_func=lambda one: record_label(seat, one, people.profile) if one else _("no, it is a new one"),
    )  # fmt: skip
    why = why_at.text_input(_("Why the earlier one is corrected"), key=f"{key}-why")
    return lambda: Amends(which.seq, why or "") if which else None


def import_people(seat: Seat, people: People) -> None:
    """People out of a CSV table; the bad rows are named, and then nothing is taken."""
    st.caption(
        _(
            "The first row names the columns as in the table that is given out here. "
            "Dismissals and receipts are not taken in."
        )
    )
    files = chosen_files(_("Tables of people, CSV"), fresh_key("people-csv"))
    if files and st.button(_("Take in"), type="primary", key="people-take"):
        with saying_errors(seat):
            count = 0
            with seat.store.transaction():
                for _name, content in files:
                    count += take_people(people, read_people(content, people.profile), seat.account)
            fresh("people-csv")
            flash(ngettext("{count} person is taken in.", "{count} people are taken in.", count).format(count=count))
            st.rerun()
