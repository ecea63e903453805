"""Whether a person may act on the equipment on a given day, why not, and the way out. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from exam_kit.errors import Message, m
from exam_kit.i18n import N_
from exam_kit.journal.people_card import Card, Record, RecordKind
from exam_kit.journal.people_profile import PeopleProfile
from exam_kit.store.rights import Role

__all__ = ["STANDING_LABELS", "PersonState", "Standing", "briefings", "state_on", "unregistered"]


class Standing(StrEnum):
    """Where somebody stands on a day."""

    BRIEFED = "briefed"
    UNBRIEFED = "unbriefed"
    NOT_APPOINTED = "not_appointed"
    DISMISSED = "dismissed"


STANDING_LABELS = {
    Standing.BRIEFED: N_("appointed and briefed"),
    Standing.UNBRIEFED: N_("briefing missing"),
    Standing.NOT_APPOINTED: N_("not appointed"),
    Standing.DISMISSED: N_("dismissed"),
}


NOTHING = Message("")


@dataclass(frozen=True)
class PersonState:
    """`missing` are codes of briefings that were never given, `run_out` of those that no longer hold.

    `admission` is the standing admission for that very day; it never covers a dismissal. `reason` says what is
    wrong and the way out; empty template when nothing is.
    """

    standing: Standing
    missing: tuple[str, ...] = ()
    run_out: tuple[str, ...] = ()
    admission: Record | None = None
    reason: Message = NOTHING

    @property
    def fit(self) -> bool:
        """True when nothing stands against acting on the equipment on that day."""
        return self.standing is Standing.BRIEFED or self.admission is not None


def state_on(card: Card, day: dt.date, profile: PeopleProfile, *roles: Role) -> PersonState:
    """Where the person stands on `day`; `roles` beside the one of the register, where an account has another."""
    dismissal = _until(card, day, RecordKind.DISMISSED)
    appointment = _until(card, day, RecordKind.APPOINTED)
    # On one and the same date the dismissal wins: of two readings, the one that lets nobody act who should not.
    if dismissal and (appointment is None or appointment.date <= dismissal.date):
        return PersonState(Standing.DISMISSED, reason=_dismissed(card, dismissal))
    admission = next((one for one in card.standing(RecordKind.ADMITTED) if one.date == day), None)
    if appointment is None:
        return PersonState(Standing.NOT_APPOINTED, admission=admission, reason=_not_appointed(card, day))
    missing: list[str] = []
    run_out: list[str] = []
    given = {one.briefing for one in card.standing(RecordKind.BRIEFED) if one.date <= day}
    holding = {one.briefing for one in briefings(card, day)}
    for needed in profile.needed(card.role, *roles):
        if needed.code not in holding:
            (run_out if needed.code in given else missing).append(needed.code)
    if missing or run_out:
        lacking = tuple(missing), tuple(run_out)
        reason = _unbriefed(card, profile, *lacking)
        return PersonState(Standing.UNBRIEFED, *lacking, admission=admission, reason=reason)
    return PersonState(Standing.BRIEFED)


def briefings(card: Card, day: dt.date) -> list[Record]:
    """The briefings that hold on `day`."""
    return [
        one for one in card.standing(RecordKind.BRIEFED) if one.date <= day and (one.until is None or day <= one.until)
    ]


def unregistered(name: str) -> Message:
    """What is said of somebody with an account who is not in the register that is kept."""
    return m(
        "{name}: is not in the register of people, and only appointed and briefed people act on the equipment. "
        "The head of the point or a commission member enters the appointment and the briefings, "
        "or admits them for today with a reason.",
        name=name,
    )


def _until(card: Card, day: dt.date, kind: RecordKind) -> Record | None:
    return next((one for one in reversed(card.standing(kind)) if one.date <= day), None)


def _dismissed(card: Card, dismissal: Record) -> Message:
    return m(
        "{name}: dismissed on {date} by order № {order}, and somebody dismissed does not act on the equipment. "
        "If that was entered by mistake, the head of the point or a commission member withdraws the entry.",
        name=card.name,
        date=f"{dismissal.date:%d.%m.%Y}",
        order=dismissal.order,
    )


def _not_appointed(card: Card, day: dt.date) -> Message:
    return m(
        "{name}: no appointment holds on {date}, and only appointed and briefed people act on the equipment. "
        "The head of the point or a commission member enters the order of appointment, "
        "or admits them for today with a reason.",
        name=card.name,
        date=f"{day:%d.%m.%Y}",
    )


def _unbriefed(card: Card, profile: PeopleProfile, missing: tuple[str, ...], run_out: tuple[str, ...]) -> Message:
    parts = []
    if missing:
        parts.append(m("not given: {briefings}", briefings=profile.named(missing)))
    if run_out:
        parts.append(m("run out: {briefings}", briefings=profile.named(run_out)))
    which = parts[0] if len(parts) == 1 else m("{one}; {other}", one=parts[0], other=parts[1])
    return m(
        "{name}: briefing {which}. Only briefed people act on the equipment. "
        "The head of the point or a commission member enters the briefing when it was given, "
        "or admits them for today with a reason.",
        name=card.name,
        which=which,
    )
