"""The demo's register of people: made-up orders and briefings, so that its specialist may act as on a real day."""

from __future__ import annotations

from exam_kit.agent.demo_point import ACCOUNTS
from exam_kit.home import Home
from exam_kit.journal.people import People, PersonDraft
from exam_kit.journal.people_card import Card, RecordKind
from exam_kit.journal.people_profile import POINT_ROLES, load_people_profile
from exam_kit.journal.people_state import state_on
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role
from exam_kit.store.accounts import find_account

__all__ = ["make_people"]

CHAIR = next(name for _login, name, role, _post in ACCOUNTS if role is Role.COMMISSION_HEAD)
WITHOUT_ACCOUNT = ("Второй член ГЭК Демо-ППЭ", Role.COMMISSION_MEMBER, "член ГЭК")


def make_people(home: Home, point: Point, ledger: Ledger) -> None:
    """Enter whoever is missing, appoint and brief them, and put them on duty; what stands already is left alone."""
    people = People(ledger, point, load_people_profile(home))
    keepers = [account for login in ("head", "member") if (account := find_account(ledger.store, login))]
    everybody = [
        *((name, role, post, login) for login, name, role, post in ACCOUNTS if role in POINT_ROLES),
        (*WITHOUT_ACCOUNT, ""),
    ]
    with ledger.store.transaction():
        for name, role, post, login in everybody:
            keeper = next(one for one in keepers if one.login != login)
            card = people.register().by_name(name) or people.add(PersonDraft(name, role, post, login), keeper)
            _appoint(people, card, keeper)
        numbers = [card.number for card in people.register().people]
        for day in point.days:
            if day.date not in people.register().duties:
                people.roster(day.date, numbers, keepers[0])


def _appoint(people: People, card: Card, keeper: Account) -> None:
    if not card.records:
        people.appoint(card.number, f"ДЕМО-{card.number}", people.today, CHAIR, keeper)
        account = find_account(people.ledger.store, card.login) if card.login else None
        if account is not None:
            people.receive(card.number, account)
    if people.get(card.number).last(RecordKind.APPOINTED):
        state = state_on(people.get(card.number), people.today, people.profile)
        for code in (*state.missing, *state.run_out):
            people.brief(card.number, code, people.today, keeper.name, keeper)
