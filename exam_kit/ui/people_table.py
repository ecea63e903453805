"""The register of people on the screen: one row a person, and all entries about one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

from exam_kit.i18n import N_, _
from exam_kit.journal.people import People
from exam_kit.journal.people_card import Card, Record, RecordKind, Register
from exam_kit.journal.people_profile import PeopleProfile, load_people_profile
from exam_kit.journal.people_state import STANDING_LABELS, PersonState, Standing, briefings, state_on
from exam_kit.store import Account
from exam_kit.store.accounts import all_accounts
from exam_kit.store.rights import ROLE_LABELS
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, short_day

__all__ = [
    "PAGE",
    "RECORD_LABELS",
    "accounts_free",
    "entries_table",
    "no_register",
    "people_at",
    "people_table",
    "record_label",
    "state_chip",
]

PAGE = 50
COLUMNS = (
    N_("№"),
    N_("Name, post"),
    N_("Role, account"),
    N_("Appointed"),
    N_("Briefings"),
    N_("Copy received"),
    N_("Today"),
)
ENTRY_COLUMNS = (N_("Entry №"), N_("Date"), N_("What"), N_("Entered by"), N_("Remark"))
RECORD_LABELS = {
    RecordKind.APPOINTED: N_("appointed"),
    RecordKind.DISMISSED: N_("dismissed"),
    RecordKind.BRIEFED: N_("briefing"),
    RecordKind.RECEIVED: N_("copy received"),
    RecordKind.ADMITTED: N_("admitted for the day"),
}


def people_at(seat: Seat) -> People:
    """The register of this point, with its own profile."""
    return People(seat.ledger, seat.point, load_people_profile(seat.home), seat.clock)


def accounts_free(seat: Seat, register: Register) -> list[Account]:
    """Accounts that belong to nobody in the register yet."""
    taken = {card.login for card in register.people}
    return [one for one in all_accounts(seat.store) if one.login not in taken and not one.disabled]


def no_register() -> str:
    """What is said while nobody is checked: never that all is well."""
    title = _("No register of people is kept: nobody is checked before acting on the equipment.")
    way = _(
        "It is kept from the first appointment on. Then only appointed and briefed technical specialists start "
        "recordings, copy footage or set clocks: enter all of them on one day."
    )
    return (
        f'<div class="ek-check warn" data-no-register><b>{mark("warn")}{escape(title)}</b>'
        f"<div>{escape(way)}</div></div>"
    )


def state_chip(state: PersonState, *, checked: bool) -> str:
    """Where somebody stands, and by whom they were admitted all the same."""
    label = _(STANDING_LABELS[state.standing])
    if state.admission is not None:
        by = _("{name}: {why}").format(name=state.admission.by.name, why=state.admission.why)
        return (
            f"{chip('warn', _('admitted for today'))}<small>{escape(by)}</small>"
            f"<small>{escape(label)}</small>"
        )  # fmt: skip
    if state.standing is Standing.BRIEFED:
        return chip("good", _("in order"))
    return chip("bad" if checked or state.standing is Standing.DISMISSED else "warn", label)


def people_table(seat: Seat, people: People, cards: Sequence[Card]) -> str:
    """The given people as they stand today."""
    profile, today = people.profile, people.today
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in COLUMNS)
    body = "".join(_row(seat, card, today, profile) for card in cards)
    return f'<table class="ek-table" data-people><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(seat: Seat, card: Card, today: dt.date, profile: PeopleProfile) -> str:
    state = state_on(card, today, profile)
    received = card.last(RecordKind.RECEIVED)
    current = state.standing is not Standing.DISMISSED
    account = f"<small>{escape(card.login)}</small>" if card.login else f"<small>{_('no account')}</small>"
    cells = [
        f'<td class="num">{card.number}</td>',
        f"<td>{escape(card.name)}<small>{escape(card.post)}</small></td>",
        f"<td>{escape(_(ROLE_LABELS[card.role]))}{account}</td>",
        f"<td>{_orders(seat, card)}</td>",
        f'<td style="min-width:19rem">{_briefings(seat, card, today, profile) if current else "—"}</td>',
        f'<td class="nb">{short_day(seat, received.date) if received else "—"}</td>',
        f"<td>{state_chip(state, checked=card.role in profile.checked_roles)}</td>",
    ]
    return f'<tr data-person="{card.number}" data-standing="{state.standing}">{"".join(cells)}</tr>'


def _orders(seat: Seat, card: Card) -> str:
    appointed, dismissed = card.last(RecordKind.APPOINTED), card.last(RecordKind.DISMISSED)
    said = []
    if appointed:
        said.append(escape(_order(seat, appointed)))
    if dismissed:
        out = _("dismissed: {order}").format(order=_order(seat, dismissed))
        said.append(f"<small>{escape(out)}</small>")
    return "".join(said) or "—"


def _order(seat: Seat, record: Record) -> str:
    return _("№ {order} of {date}").format(order=record.order, date=short_day(seat, record.date))


def _briefings(seat: Seat, card: Card, today: dt.date, profile: PeopleProfile) -> str:
    holding = {one.briefing: one for one in briefings(card, today)}
    given = {one.briefing for one in card.standing(RecordKind.BRIEFED)}
    needed = [one.code for one in profile.needed(card.role)]
    lines = []
    for code in dict.fromkeys([*needed, *holding]):
        label = profile.label(code, seat.language)
        if code in holding:
            until = holding[code].until
            end = _("until {date}").format(date=short_day(seat, until)) if until else _("without limit")
            lines.append(
                f"<div>{mark('good')}{escape(label)} <small style='display:inline'>{escape(end)}</small></div>"
            )
        else:
            word = _("run out") if code in given else _("not given")
            lines.append(f"<div>{mark('bad')}{escape(label)}: <b>{escape(word)}</b></div>")
    return "".join(lines) or "—"


def record_label(seat: Seat, record: Record, profile: PeopleProfile) -> str:
    """One entry in a list: 12 · 28.05.2026 · briefing: fire safety."""
    return f"{record.seq} · {short_day(seat, record.date)} · {_what(seat, record, profile)}"


def _what(seat: Seat, record: Record, profile: PeopleProfile) -> str:
    label = _(RECORD_LABELS[record.kind])
    if record.kind is RecordKind.BRIEFED:
        end = f", {_('until {date}').format(date=short_day(seat, record.until))}" if record.until else ""
        return f"{label}: {profile.label(record.briefing, seat.language)}, {record.given_by}{end}"
    if record.order:
        agreed = f", {_('agreed with {name}').format(name=record.agreed)}" if record.agreed else ""
        return f"{label}: {_('№')} {record.order}{agreed}"
    return label


def entries_table(seat: Seat, card: Card, profile: PeopleProfile) -> str:
    """Everything that was entered about one person; what no longer stands is struck and says by what."""
    rows = []
    for record in sorted(card.records, key=lambda one: one.seq):
        remarks = []
        if record.corrects is not None:
            remarks.append(_("in place of entry {seq}: {why}").format(seq=record.corrects, why=record.why))
        elif record.why:
            remarks.append(record.why)
        if record.corrected_by is not None:
            remarks.append(_("corrected by entry {seq}").format(seq=record.corrected_by))
        if record.withdrawn_by is not None:
            text = _("withdrawn by entry {seq}: {why}")
            remarks.append(text.format(seq=record.withdrawn_by, why=record.withdrawn_why))
        void = "" if record.standing else ' class="void"'
        rows.append(
            f'<tr{void}><td class="num">{record.seq}</td><td class="nb">{short_day(seat, record.date)}</td>'
            f"<td>{escape(_what(seat, record, profile))}</td>"
            f"<td>{escape(record.by.name)}<small>{moment(seat, record.at)}</small></td>"
            f'<td class="keep">{escape("; ".join(remarks))}</td></tr>'
        )
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in ENTRY_COLUMNS)
    return f'<table class="ek-table" data-entries><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
