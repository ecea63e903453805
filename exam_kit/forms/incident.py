"""The incident sheet (лист нештатной ситуации) on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.sheet import Paper, day_text, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.incident import DECISION_LABELS, EVENT_LABELS, Event, Incident, Taken
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Checkpoint, Head

__all__ = ["FIELDS", "decision_text", "event_text", "incident_fields", "incident_pdf"]

TITLE = N_("Incident sheet № {number}")

FIELDS = {
    "place": N_("Place, camera, station"),
    "category": N_("Category"),
    "detected": N_("Detected at, by"),
    "reported": N_("Reported to whom, at"),
    "description": N_("Description"),
    "replaced": N_("Replaced with (inventory №)"),
    "gap": N_("Recording gap from – to"),
    "candidates": N_("Candidates affected"),
    "minutes": N_("Minutes to be added"),
    "decision": N_("Decision and who took it"),
    "restored": N_("Restored at"),
    "duration": N_("Duration"),
    "evidence": N_("Evidence"),
    "log_rows": N_("Lines of the access log"),
    "closed": N_("Closed at, by"),
}
"""The sheet's fields in their order; the measures, step by step, stand in a table of their own."""


def incident_pdf(
    point: Point,
    incident: Incident,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
    categories: Categories | None = None,
) -> bytes:
    """The sheet as PDF, as it stands now. `categories` are the shipped ones when left out."""
    known = categories or load_categories()
    date = incident.detected_at.astimezone(point.tz).date()
    paper = Paper(point, language, head, day=date, made_at=made_at)
    fields = incident_fields(paper, incident, known)
    category = known.by_code.get(incident.category)
    closed = incident.closed_by
    data = paper.data(
        paper.say(TITLE, number=f"{incident.number}/{incident.year}"),
        subtitle="" if closed else paper.say(N_("not closed yet")),
        signatures=[
            signature(paper.say(N_("Technical specialist"))),
            signature(paper.say(N_("Head of the exam point"))),
            signature(paper.say(N_("Commission member"))),
        ],
        fields=[[paper.say(label), fields[name]] for name, label in FIELDS.items()],
        words=paper.words(
            {
                "first": N_("First actions"),
                "measures": N_("Measures, step by step"),
                "time": N_("Time"),
                "what": N_("What"),
                "text": N_("Content"),
                "by": N_("Written by"),
                "entry": N_("Entry"),
            }
        ),
        first=list(category.first.text(language)) if category else [],
        steps=[_step(paper, event, date) for event in incident.timeline],
    )
    return typeset("incident", data, paper.made_at)


def incident_fields(paper: Paper, incident: Incident, categories: Categories) -> dict[str, str]:
    """Every field of the sheet in words, by its name in `FIELDS`; empty where nothing is known."""
    date = paper.local(incident.detected_at).date()
    gap_from, gap_to = paper.clock(incident.gap_from, beside=date), paper.clock(incident.gap_to, beside=date)
    told = (
        f"{_who(Person.from_dict(event.data['to']))} — {paper.clock(event.at, beside=date)}"
        for event in incident.events("reported")
    )
    closed = incident.closed_by
    return {
        "place": _place(paper, incident),
        "category": categories.label(incident.category, paper.language),
        "detected": f"{day_text(date)} {paper.clock(incident.detected_at)}, {_who(incident.detected_by)}",
        "reported": "; ".join(told),
        "description": incident.description,
        "replaced": incident.replaced_with,
        "gap": f"{gap_from} – {gap_to}" if gap_from or gap_to else "",
        "candidates": "" if incident.candidates is None else str(incident.candidates),
        "minutes": "" if incident.minutes_added is None else str(incident.minutes_added),
        "decision": "; ".join(decision_text(paper, taken) for taken in incident.decisions),
        "restored": paper.clock(incident.restored_at, beside=date),
        "duration": _duration(paper, incident.duration_s),
        "evidence": "; ".join(incident.evidence),
        "log_rows": _lines(paper, [ref.number for ref in incident.log_rows]),
        "closed": f"{paper.moment(incident.closed_at)}, {_who(closed)}: {incident.conclusion}" if closed else "",
    }


def decision_text(paper: Paper, taken: Taken) -> str:
    """A decision in words: what, by whom, when, and who agreed."""
    said = paper.say(DECISION_LABELS[taken.decision])
    if taken.text:
        said = f"{said} ({taken.text})"
    said = f"{said} — {_who(taken.by)}, {paper.moment(taken.at)}"
    if taken.agreed_by:
        said = paper.say(N_("{decision}, agreed by {name}"), decision=said, name=_who(taken.agreed_by))
    return said


def event_text(paper: Paper, event: Event) -> str:
    """What a line of the timeline says, its data in words."""
    data = event.data
    if event.kind == "reported":
        told = _who(Person.from_dict(data["to"]))
        return f"{told}: {event.text}" if event.text else told
    if event.kind == "decided":
        agreed = Person.from_dict(data["agreed_by"]) if data["agreed_by"] else None
        return decision_text(paper, Taken(data["decision"], event.text, event.by, agreed, event.at))
    if event.kind == "noted":
        return "; ".join(_noted(paper, name, value) for name, value in sorted(data["fields"].items()))
    return event.text


_NOTED = {"replaced_with": "replaced", "minutes_added": "minutes"}


def _noted(paper: Paper, name: str, value: Any) -> str:
    if name in ("gap_from", "gap_to"):
        label = N_("Recording gap from") if name == "gap_from" else N_("Recording gap to")
        return f"{paper.say(label)}: {paper.moment(datetime.fromisoformat(value))}"
    label = paper.say(FIELDS[_NOTED.get(name, name)])
    if name == "log_rows":
        return f"{label}: {_lines(paper, [number for _year, number in value])}"
    return f"{label}: {', '.join(value) if isinstance(value, list) else value}"


def _lines(paper: Paper, numbers: Sequence[int]) -> str:
    return ", ".join(f"{paper.say(N_('№'))} {number}" for number in numbers)


def _step(paper: Paper, event: Event, date: dt.date) -> list[str]:
    return [
        paper.clock(event.at, beside=date),
        paper.say(EVENT_LABELS[event.kind]),
        event_text(paper, event),
        event.by.name,
        str(event.seq),
    ]


def _place(paper: Paper, incident: Incident) -> str:
    point, said = paper.point, []
    if len(incident.cameras) > 1:
        return paper.say(N_("cameras: {codes}"), codes=", ".join(incident.cameras))
    if incident.room:
        name = point.room(incident.room).name if point.has_room(incident.room) else ""
        said.append(paper.say(N_("room {code}"), code=f"{incident.room} ({name})" if name else incident.room))
    if incident.camera:
        said.append(paper.say(N_("camera {code}"), code=incident.camera))
    if incident.station:
        said.append(paper.say(N_("station {code}"), code=incident.station))
    return ", ".join(said)


def _who(person: Person) -> str:
    return f"{person.name}, {person.post}" if person.post else person.name


def _duration(paper: Paper, seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return paper.say(N_("{minutes} min {seconds} s"), minutes=minutes, seconds=rest)
