"""The duty roster on paper: who is on duty on which exam day, in force by which order, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.familiarisation import kept_by, order_text
from exam_kit.forms.sheet import Paper, day_text
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.people_card import Card, RecordKind, Register
from exam_kit.journal.people_duty import duty_warnings, on_duty
from exam_kit.journal.people_profile import PeopleProfile
from exam_kit.journal.people_state import STANDING_LABELS, state_on
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head
from exam_kit.store.rights import ROLE_LABELS

__all__ = ["duty_roster_pdf"]

TITLE = N_("Duty roster of the exam days")
COLUMNS = {
    "day": N_("Exam day"),
    "role": N_("On duty as"),
    "name": N_("Full name, post"),
    "order": N_("Appointment order: date, №"),
    "state": N_("State on that day"),
    "signature": N_("Signature"),
}


def duty_roster_pdf(
    point: Point,
    days: Sequence[ExamDay],
    register: Register,
    profile: PeopleProfile,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The roster of `days` as PDF, with every warning the screen shows."""
    paper = Paper(point, language, head, made_at=made_at)
    data = paper.data(
        paper.say(TITLE),
        signatures=kept_by(paper),
        columns=paper.words(COLUMNS),
        days=[_day(paper, day, register, profile) for day in sorted(days, key=lambda one: one.date)],
        empty=paper.say(N_("No exam days are set up.")),
    )
    return typeset("duty_roster", data, paper.made_at)


def _day(paper: Paper, day: ExamDay, register: Register, profile: PeopleProfile) -> dict[str, Any]:
    duty = register.duties.get(day.date)
    entered = N_("entered by {name}, {time}, entry {seq}")
    return {
        "date": day_text(day.date),
        "subject": f"{day.subject}, {day.start:%H:%M}",
        "entered": paper.say(entered, name=duty.by.name, time=paper.moment(duty.at), seq=duty.seq) if duty else "",
        "people": [_person(paper, card, day, profile) for card in on_duty(register, day.date)],
        "warnings": [one.text(paper.language) for one in duty_warnings(register, day.date, profile)],
    }


def _person(paper: Paper, card: Card, day: ExamDay, profile: PeopleProfile) -> dict[str, str]:
    state = state_on(card, day.date, profile)
    order = card.last(RecordKind.APPOINTED)
    said = paper.say(STANDING_LABELS[state.standing])
    if state.admission is not None:
        admitted = N_("admitted for the day by {name}: {why}")
        said = f"{said}; {paper.say(admitted, name=state.admission.by.name, why=state.admission.why)}"
    return {
        "role": paper.say(ROLE_LABELS[card.role]),
        "name": card.name,
        "post": card.post,
        "order": order_text(paper, order) if order else "—",
        "state": said,
    }
