"""The register of people: appointments, dismissals, briefings, receipts and duty, as entries over the ledger.

Nothing is edited: a correction or a withdrawal is a new entry that names the one it is about, and both are shown.
Rights are checked here, whoever calls. What stands about each person is folded by `people_card`, whether they may act
on a day is judged by `people_state`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exam_kit.clock import Clock
from exam_kit.errors import AccessDenied, RefusedEntry, m
from exam_kit.journal.numbering import point_key
from exam_kit.journal.people_card import (
    ADDED,
    CHANGED,
    KINDS,
    REMOVED,
    ROSTERED,
    WITHDRAWN,
    Card,
    Duty,
    Record,
    RecordKind,
    Register,
    fold,
)
from exam_kit.journal.people_profile import POINT_ROLES, PeopleProfile
from exam_kit.journal.people_state import Standing, state_on
from exam_kit.journal.person import authorise, clean, person_of
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account, find_account
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act, Role

__all__ = ["Amends", "People", "PersonDraft", "read_register"]


@dataclass(frozen=True)
class PersonDraft:
    """Who somebody is; `login` is empty for a person without an account."""

    name: str
    role: Role | str
    post: str = ""
    login: str = ""


@dataclass(frozen=True)
class Amends:
    """That an entry puts right an earlier one of its kind, and why."""

    seq: int
    why: str


def read_register(ledger: Ledger, point: Point) -> Register:
    """Everything that stands about the people of the point, folded from the ledger."""
    key = point_key(point)

    def carry(register: Register, entries: Iterable[Entry]) -> Register:
        return fold(register, entries, key)

    return folded(ledger, f"people of {key}", KINDS, carry, Register())


class People:
    """The register of one point.

    Every method that writes returns when the entry is on the disk, and raises `AccessDenied` when the person has no
    right to it, `RefusedEntry` when the rules of the register do not allow it. `number` is the № in the register.
    """

    def __init__(self, ledger: Ledger, point: Point, profile: PeopleProfile, clock: Clock | None = None) -> None:
        self.ledger = ledger
        self._point = point
        self._key = point_key(point)
        self._clock = clock or ledger.clock
        self.profile = profile

    @property
    def today(self) -> dt.date:
        """The date at the point."""
        return self._clock.now().astimezone(self._point.tz).date()

    def register(self) -> Register:
        """Everything that stands."""
        return read_register(self.ledger, self._point)

    def get(self, number: int) -> Card:
        """The person; RefusedEntry when there is none under this number."""
        card = self.register().cards.get(number)
        if card is None or card.removed:
            raise RefusedEntry(
                m("People: nobody stands under № {number}. See the number in the register.", number=number)
            )
        return card

    def add(self, draft: PersonDraft, actor: Account) -> Card:
        """Enter a person."""
        self._authorise(actor)
        with self.ledger.store.transaction():
            fields = self._particulars(draft, None)
            number = max(self.register().cards, default=0) + 1
            self._append(ADDED, number, actor, **fields)
            return self.get(number)

    def change(self, number: int, draft: PersonDraft, why: str, actor: Account) -> Card:
        """Correct a name, post, role or account."""
        self._authorise(actor)
        why = clean(why, "entry")
        with self.ledger.store.transaction():
            card = self.get(number)
            fields = self._particulars(draft, card)
            if fields["login"] != card.login and card.login and card.records:
                raise RefusedEntry(
                    m(
                        "{name}: the account '{login}' stays theirs, because entries hang on it. "
                        "An account belongs to one person: make a new one with 'exam-kit user add'.",
                        name=card.name,
                        login=card.login,
                    )
                )
            self._append(CHANGED, number, actor, why=why, **fields)
            return self.get(number)

    def remove(self, number: int, why: str, actor: Account) -> None:
        """Take out a person who was entered by mistake and about whom nothing stands."""
        self._authorise(actor)
        why = clean(why, "entry")
        with self.ledger.store.transaction():
            card = self.get(number)
            if any(one.standing for one in card.records):
                raise RefusedEntry(
                    m("{name}: entries stand about this person. Withdraw each of them first.", name=card.name)
                )
            self._append(REMOVED, number, actor, why=why)

    def appoint(
        self,
        number: int,
        order: str,
        date: dt.date,
        agreed: str,
        actor: Account,
        *,
        amends: Amends | None = None,
    ) -> Card:
        """Enter an order of appointment; `agreed` is with whom it was agreed."""
        fields = {"order": clean(order, "order"), "agreed": clean(agreed, "name", required=False)}
        return self._record(RecordKind.APPOINTED, number, date, actor, amends, **fields)

    def dismiss(self, number: int, order: str, date: dt.date, actor: Account, *, amends: Amends | None = None) -> Card:
        """Enter an order of dismissal, which holds from its date on."""
        return self._record(RecordKind.DISMISSED, number, date, actor, amends, order=clean(order, "order"))

    def brief(
        self,
        number: int,
        briefing: str,
        date: dt.date,
        given_by: str,
        actor: Account,
        *,
        until: dt.date | None = None,
        amends: Amends | None = None,
    ) -> Card:
        """Enter a briefing. It holds as long as the profile says, or until an earlier day."""
        kind = self.profile.by_code.get(briefing)
        if kind is None:
            raise RefusedEntry(
                m("Briefing: '{code}' is not a kind of the profile. Choose one from the list.", code=briefing)
            )
        latest = kind.valid_until(date)
        if until is not None and (until < date or (latest is not None and until > latest)):
            raise RefusedEntry(
                m(
                    "Briefing: it cannot hold until {until}. Write a day from {first} to {latest}, or leave it empty.",
                    until=f"{until:%d.%m.%Y}",
                    first=f"{date:%d.%m.%Y}",
                    latest=f"{latest:%d.%m.%Y}" if latest else "…",
                )
            )
        end = until or latest
        fields = {
            "briefing": briefing,
            "given_by": clean(given_by, "given_by"),
            "until": end.isoformat() if end else None,
        }
        return self._record(RecordKind.BRIEFED, number, date, actor, amends, **fields)

    def receive(self, number: int, account: Account) -> Card:
        """Confirm that one has received a copy, today: only the person, signed in or by their own PIN."""
        if account.disabled or account.role not in POINT_ROLES:
            authorise(account, Act.KEEP_PEOPLE)
        with self.ledger.store.transaction():
            card = self.get(number)
            if not card.login or card.login != account.login:
                raise AccessDenied(
                    m(
                        "{name}: only the person confirms the receipt of a copy, under their own account. "
                        "Without one they sign the printed sheet.",
                        name=card.name,
                    )
                )
            if card.last(RecordKind.RECEIVED):
                raise RefusedEntry(m("{name}: the receipt is confirmed already.", name=card.name))
            self._append(RecordKind.RECEIVED, number, account, date=self.today.isoformat())
            return self.get(number)

    def admit(self, number: int, why: str, actor: Account) -> Card:
        """Let somebody act today who is not appointed or not briefed; it ends with the local day."""
        self._authorise(actor)
        why = clean(why, "admit")
        with self.ledger.store.transaction():
            card = self.get(number)
            state = state_on(card, self.today, self.profile)
            if card.login == actor.login or card.person.same_as(person_of(actor)):
                raise RefusedEntry(m("{name}: nobody admits themselves. Another person must do it.", name=card.name))
            if state.standing is Standing.DISMISSED:
                raise RefusedEntry(state.reason)
            if state.admission:
                raise RefusedEntry(m("{name}: is admitted for today already.", name=card.name))
            self._append(RecordKind.ADMITTED, number, actor, date=self.today.isoformat(), why=why)
            return self.get(number)

    def withdraw(self, number: int, seq: int, why: str, actor: Account) -> Card:
        """Withdraw the entry `seq` about a person; it stays to be read."""
        self._authorise(actor)
        why = clean(why, "entry")
        with self.ledger.store.transaction():
            self._standing(self.get(number), seq)
            self._append(WITHDRAWN, number, actor, about=seq, why=why)
            return self.get(number)

    def roster(self, date: dt.date, people: Sequence[int], actor: Account) -> Duty:
        """Enter who is on duty on an exam day; the latest entry for the day holds."""
        self._authorise(actor)
        if self._point.day(date) is None:
            raise RefusedEntry(
                m("Duty: {date} is not an exam day of this point. Choose a day from the list.", date=f"{date:%d.%m.%Y}")
            )
        with self.ledger.store.transaction():
            numbers = [self.get(number).number for number in sorted(set(people))]
            body = {"point": self._key, "by": person_of(actor).as_dict(), "date": date.isoformat(), "people": numbers}
            self.ledger.append(ROSTERED, body, actor.login)
            return self.register().duties[date]

    def _record(
        self, kind: RecordKind, number: int, date: dt.date, actor: Account, amends: Amends | None, **fields: Any
    ) -> Card:
        self._authorise(actor)
        if date > self.today:
            raise RefusedEntry(
                m("{date}: this day is still to come. Enter what has been done, on its day.", date=f"{date:%d.%m.%Y}")
            )
        with self.ledger.store.transaction():
            card = self.get(number)
            if amends is not None:
                if self._standing(card, amends.seq).kind is not kind:
                    raise RefusedEntry(m("Entry {seq}: is of another kind. Withdraw it instead.", seq=amends.seq))
                fields |= {"corrects": amends.seq, "why": clean(amends.why, "entry")}
            self._append(kind, number, actor, date=date.isoformat(), **fields)
            return self.get(number)

    def _standing(self, card: Card, seq: int) -> Record:
        found = next((one for one in card.records if one.seq == seq and one.standing), None)
        if found is None:
            raise RefusedEntry(
                m("{name}: no entry {seq} stands about this person. Choose it from the list.", name=card.name, seq=seq)
            )
        return found

    def _authorise(self, actor: Account) -> None:
        """Who keeps the register has the right to, and is not dismissed in it."""
        authorise(actor, Act.KEEP_PEOPLE)
        card = self.register().of(person_of(actor))
        state = state_on(card, self.today, self.profile) if card else None
        if state is not None and state.standing is Standing.DISMISSED:
            raise AccessDenied(
                m("{name}: is dismissed and no longer keeps the register. Another person must do it.", name=actor.name)
            )

    def _particulars(self, draft: PersonDraft, present: Card | None) -> dict[str, str]:
        name, post = clean(draft.name, "name"), clean(draft.post, "post", required=False)
        role = next((one for one in POINT_ROLES if one == draft.role), None)
        if role is None:
            raise RefusedEntry(
                m("{name}: '{role}' is no role of a point. Choose one from the list.", name=name, role=draft.role)
            )
        login = draft.login.strip()
        if login and find_account(self.ledger.store, login) is None:
            raise RefusedEntry(
                m("{name}: there is no account '{login}'. Choose one from the list.", name=name, login=login)
            )
        register = self.register()
        for other in (register.by_name(name), register.by_login(login)):
            if other is not None and (present is None or other.number != present.number):
                raise RefusedEntry(
                    m(
                        "{name}: {other} stands in the register under № {number} with this name or account. "
                        "Go on with that entry; of two people called alike, add to the name what tells them apart.",
                        name=name,
                        other=other.name,
                        number=other.number,
                    )
                )
        return {"name": name, "post": post, "role": role.value, "login": login}

    def _append(self, kind: str, number: int, actor: Account, **fields: Any) -> Entry:
        body = {"point": self._key, "no": number, "by": person_of(actor).as_dict(), **fields}
        return self.ledger.append(str(kind), body, actor.login)
