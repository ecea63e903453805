"""The gate before the equipment: below the screens, for whoever gives an order.

Once an appointment was entered, somebody in a role that the profile checks acts on the equipment only while appointed
and briefed, or admitted for the day. Somebody dismissed gives no order of any kind. Stopping is not gated by briefings:
a recording can be stopped and an incident written whatever the register says.
"""

from __future__ import annotations

import logging

from exam_kit.errors import AccessDenied, PointInvalid
from exam_kit.journal.people import People
from exam_kit.journal.people_card import RecordKind
from exam_kit.journal.people_profile import load_people_profile
from exam_kit.journal.people_state import PersonState, Standing, state_on, unregistered
from exam_kit.journal.person import person_of
from exam_kit.point.load import load_point
from exam_kit.store.accounts import Account
from exam_kit.store.ledger import Ledger

__all__ = ["account_state", "let_through", "register_in_force"]

log = logging.getLogger(__name__)


def register_in_force(ledger: Ledger) -> bool:
    """True once an appointment was ever entered: withdrawing it does not open the gate again."""
    return next(iter(ledger.entries([RecordKind.APPOINTED])), None) is not None


def account_state(people: People, account: Account) -> PersonState | None:
    """Where whoever has this account stands today; None where nothing is asked of them."""
    register = people.register()
    if not register.in_force:
        return None
    card = register.of(person_of(account))
    checked = account.role in people.profile.checked_roles
    if card is None:
        return PersonState(Standing.NOT_APPOINTED, reason=unregistered(account.name)) if checked else None
    state = state_on(card, people.today, people.profile, account.role)
    return state if checked or state.standing is Standing.DISMISSED else None


def let_through(ledger: Ledger, account: Account, *, equipment: bool) -> None:
    """Refuse whoever the register does not let act; `equipment` is false for what only looks or stops.

    Raises:
        AccessDenied: they are not appointed, not briefed or dismissed; the reason says which, and the way out.
        PointInvalid: point.toml or the profile cannot be read, and it is about the equipment.
    """
    if not register_in_force(ledger):
        return
    try:
        people = People(ledger, load_point(ledger.home.point_file), load_people_profile(ledger.home))
    except PointInvalid as problem:
        if equipment:
            raise
        log.warning("who gives the order was not looked up in the register: %s", problem)
        return  # a file with a mistake must not keep a recording from being stopped
    state = account_state(people, account)
    if state is None or state.fit:
        return
    if equipment or state.standing is Standing.DISMISSED:
        raise AccessDenied(state.reason)
