"""Orders on the screen: who may give them, and how far each has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exam_kit.agent import orders
from exam_kit.i18n import N_
from exam_kit.store import Account, Act, may
from exam_kit.store.accounts import all_accounts
from exam_kit.ui.seat import Seat

__all__ = ["ORDER_STATES", "give", "may_give", "people_with"]

ORDER_STATES = {
    "new": ("ask", N_("waiting")),
    "taken": ("ask", N_("under way")),
    "done": ("good", N_("done")),
    "failed": ("bad", N_("failed")),
    "cancelled": ("none", N_("cancelled")),
}
"""Tone and English key of each state of an order."""


def may_give(seat: Seat, kind: str) -> bool:
    """True when the person's role may give this kind of order."""
    return any(seat.may(act) for act in orders.RIGHTS[kind])


def give(seat: Seat, kind: str, body: Mapping[str, Any], *, ordered_by: str, why: str) -> int:
    """Give an order under the person's own name; its number.

    Raises:
        AccessDenied: the role may not give it, or the register of people does not let them act.
        UsageError: nobody is named as the one who ordered it.
    """
    return orders.give(seat.ledger, kind, body, actor=seat.account.login, ordered_by=ordered_by, why=why.strip())


def people_with(seat: Seat, act: Act) -> list[Account]:
    """Accounts whose role has the right to `act`, by name."""
    found = [one for one in all_accounts(seat.store) if may(one.role, act) and not one.disabled]
    return sorted(found, key=lambda one: one.name)
