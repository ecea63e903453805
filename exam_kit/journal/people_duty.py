"""What is wrong with the duty roster of a day. Pure."""

from __future__ import annotations

import datetime as dt

from exam_kit.errors import Message, m
from exam_kit.journal.people_card import Card, Register
from exam_kit.journal.people_profile import POINT_ROLES, PeopleProfile
from exam_kit.journal.people_state import Standing, state_on
from exam_kit.store.rights import ROLE_LABELS

__all__ = ["duty_warnings", "on_duty"]


def on_duty(register: Register, day: dt.date) -> list[Card]:
    """Who is on duty on `day`, the technical specialists first."""
    duty = register.duties.get(day)
    cards = [register.cards[number] for number in duty.people] if duty else []
    return sorted((one for one in cards if not one.removed), key=lambda one: (POINT_ROLES.index(one.role), one.number))


def duty_warnings(register: Register, day: dt.date, profile: PeopleProfile) -> list[Message]:
    """Too few of a role, and people on duty who are not appointed, not briefed or dismissed on that day."""
    date = f"{day:%d.%m.%Y}"
    people = on_duty(register, day)
    if not people:
        return [
            m(
                "Duty on {date}: nobody is entered. The head of the point or a commission member enters the roster.",
                date=date,
            )
        ]
    states = {one.number: state_on(one, day, profile) for one in people}
    there = [one for one in people if states[one.number].standing is not Standing.DISMISSED]
    found = []
    for role in POINT_ROLES:
        need, have = profile.roster.get(role, 0), sum(one.role is role for one in there)
        if have < need:
            found.append(
                m(
                    "Duty on {date}: {role}: {have} of {need}. Put more people on duty, or tell the commission.",
                    date=date,
                    role=m(ROLE_LABELS[role]),
                    have=have,
                    need=need,
                )
            )
    return [*found, *(state.reason for state in states.values() if not state.fit)]
