"""The incident sheet (лист нештатной ситуации) on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from datetime import datetime

from exam_kit.forms.incident_words import FIELDS, event_text, file_lines, hand_line, incident_fields, lasted
from exam_kit.forms.sheet import Paper, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_parts import EVENT_LABELS, Event, Hand
from exam_kit.point import Point
from exam_kit.store import Checkpoint, Head
from exam_kit.store.evidence import KeptState

__all__ = ["incident_pdf"]

TITLE = N_("Incident sheet № {number}")
IN_TABLES = ("hands", "answers")
"""Fields that are tables on paper."""


def incident_pdf(
    point: Point,
    incident: Incident,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
    categories: Categories | None = None,
    found: Mapping[str, KeptState] | None = None,
) -> bytes:
    """The sheet as PDF, as it stands now. `categories` are the shipped ones when left out; `found` says what became
    of the kept files."""
    known = categories or load_categories()
    date = incident.detected_at.astimezone(point.tz).date()
    paper = Paper(point, language, head, day=date, made_at=made_at)
    fields = incident_fields(paper, incident, known, found)
    fields["evidence"] = "; ".join((*incident.evidence, *(one.name for one in incident.files)))
    category = known.by_code.get(incident.category)
    # What was not answered yet stands on an open sheet too, with room to write.
    asked = category.questions if category and incident.is_open else ()
    questions = {one.code: [one.label.text(language), ""] for one in asked}
    questions |= {one.code: [one.question(language), one.text(language)] for one in incident.answers}
    data = paper.data(
        paper.say(TITLE, number=f"{incident.number}/{incident.year}"),
        subtitle="" if incident.closed_by else paper.say(N_("not closed yet")),
        signatures=[
            signature(paper.say(N_("Technical specialist"))),
            signature(paper.say(N_("Head of the exam point"))),
            signature(paper.say(N_("Commission member"))),
        ],
        fields=[[paper.say(label), fields[name]] for name, label in FIELDS.items() if name not in IN_TABLES],
        words=paper.words(
            {
                "first": N_("First actions"),
                "measures": N_("Measures, step by step"),
                "time": N_("Time"),
                "what": N_("What"),
                "text": N_("Content"),
                "by": N_("Written by"),
                "entry": N_("Entry"),
                "questions": N_("Answers to the questions"),
                "hands": N_("In whose hands"),
                "line": N_("Support line"),
                "person": N_("Person"),
                "from": N_("From"),
                "to": N_("To"),
                "lasted": N_("How long"),
                "why": N_("Why handed over"),
                "files": N_("Photos and files"),
                "file": N_("File"),
                "state": N_("State"),
            }
        ),
        first=list(category.first.text(language)) if category else [],
        steps=[_step(paper, event, date) for event in incident.timeline],
        answers=list(questions.values()),
        hands=[_hand(paper, hand) for hand in incident.hands],
        files=[list(line) for line in file_lines(paper, incident, found)],
    )
    return typeset("incident", data, paper.made_at)


def _hand(paper: Paper, hand: Hand) -> list[str]:
    line, person, since, until, why = hand_line(paper, hand)
    return [line, person, since, until, lasted(paper, hand.seconds(paper.made_at)), why]


def _step(paper: Paper, event: Event, date: dt.date) -> list[str]:
    return [
        paper.clock(event.at, beside=date),
        paper.say(EVENT_LABELS[event.kind]),
        event_text(paper, event),
        event.by.name,
        str(event.seq),
    ]
