"""What stands on an incident sheet, in words: for the paper and for the spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.sheet import Paper, day_text
from exam_kit.i18n import N_
from exam_kit.journal.categories import Categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incident_files import STATE_LABELS
from exam_kit.journal.incident_fold import taken_of
from exam_kit.journal.incident_parts import DECISION_LABELS, LINE_LABELS, WAY_LABELS, Event, Hand, Taken
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.questions import Answer
from exam_kit.store.evidence import KeptState

__all__ = ["FIELDS", "decision_text", "event_text", "file_lines", "hand_line", "incident_fields", "lasted", "who"]

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
    "links": N_("Checks, gaps, room calls, equipment"),
    "hands": N_("In whose hands"),
    "answers": N_("Answers to the questions"),
    "closed": N_("Closed at, by"),
    "signed": N_("Signed off by"),
}
"""The sheet's fields in their order; on paper the measures, answers and hands stand in tables of their own."""


def incident_fields(
    paper: Paper, incident: Incident, categories: Categories, found: Mapping[str, KeptState] | None = None
) -> dict[str, str]:
    """Every field of the sheet in words, by its name in `FIELDS`; empty where nothing is known.

    `found` says what became of the kept files, by their SHA-256; without it nothing is said of that.
    """
    date = paper.local(incident.detected_at).date()
    gap_from, gap_to = paper.clock(incident.gap_from, beside=date), paper.clock(incident.gap_to, beside=date)
    told = (
        f"{who(Person.from_dict(event.data['to']))} — {paper.clock(event.at, beside=date)}"
        for event in incident.events("reported")
    )
    closed = incident.closed_by
    files = [" ".join((name, sha256, state)).strip() for name, sha256, state in file_lines(paper, incident, found)]
    answers = [f"{answer.question(paper.language)}: {answer.text(paper.language)}" for answer in incident.answers]
    return {
        "place": _place(paper, incident),
        "category": categories.label(incident.category, paper.language),
        "detected": f"{day_text(date)} {paper.clock(incident.detected_at)}, {who(incident.detected_by)}",
        "reported": "; ".join(told),
        "description": incident.description,
        "replaced": incident.replaced_with,
        "gap": f"{gap_from} – {gap_to}" if gap_from or gap_to else "",
        "candidates": "" if incident.candidates is None else str(incident.candidates),
        "minutes": "" if incident.minutes_added is None else str(incident.minutes_added),
        "decision": "; ".join(decision_text(paper, taken) for taken in incident.decisions),
        "restored": paper.clock(incident.restored_at, beside=date),
        "duration": lasted(paper, incident.duration_s),
        "evidence": "; ".join((*incident.evidence, *files)),
        "log_rows": _lines(paper, incident.log_rows),
        "links": _links(paper, incident),
        "hands": "; ".join(", ".join(part for part in hand_line(paper, hand) if part) for hand in incident.hands),
        "answers": "; ".join(answers),
        "closed": f"{paper.moment(incident.closed_at)}, {who(closed)}: {incident.conclusion}" if closed else "",
        "signed": _signed(paper, incident),
    }


def file_lines(paper: Paper, incident: Incident, found: Mapping[str, KeptState] | None) -> list[tuple[str, str, str]]:
    """Name, SHA-256 and state of each kept file; the state is empty where nobody looked."""
    states = found or {}
    return [
        (one.name, one.sha256, paper.say(STATE_LABELS[states[one.sha256]]) if one.sha256 in states else "")
        for one in incident.files
    ]


def hand_line(paper: Paper, hand: Hand) -> tuple[str, str, str, str, str]:
    """Line, person, from, to, why; one that lasts has no end."""
    return (
        paper.say(LINE_LABELS[hand.line]),
        who(hand.person) if hand.person else paper.say(N_("nobody named")),
        paper.moment(hand.since),
        paper.moment(hand.until),
        hand.why,
    )


def decision_text(paper: Paper, taken: Taken) -> str:
    """A decision in words: what, by whom, when, and who agreed."""
    said = paper.say(DECISION_LABELS[taken.decision])
    if taken.text:
        said = f"{said} ({taken.text})"
    said = f"{said} — {who(taken.by)}, {paper.moment(taken.at)}"
    if taken.agreed is None:
        return said
    agreed = who(taken.agreed.person)
    if taken.agreed.at is not None and taken.agreed.way is not None:
        agreed = f"{agreed} ({paper.clock(taken.agreed.at)}, {paper.say(WAY_LABELS[taken.agreed.way])})"
    return paper.say(N_("{decision}, agreed by {name}"), decision=said, name=agreed)


def event_text(paper: Paper, event: Event) -> str:
    """What a line of the timeline says, its data in words."""
    data = event.data
    if event.kind == "reported":
        told = who(Person.from_dict(data["to"]))
        return f"{told}: {event.text}" if event.text else told
    if event.kind == "decided":
        return decision_text(paper, taken_of(event))
    if event.kind == "noted":
        return "; ".join(_noted(paper, name, value) for name, value in sorted(data["fields"].items()))
    if event.kind == "answered":
        given = (Answer.of(one, event.by, event.at) for one in data["answers"])
        return "; ".join(f"{one.question(paper.language)}: {one.text(paper.language)}" for one in given)
    if event.kind == "handed":
        to = paper.say(LINE_LABELS[data["to"]])
        to = f"{to}, {who(Person.from_dict(data['person']))}" if data["person"] else to
        return f"{to}: {event.text}" if event.text else to
    if event.kind == "attached":
        names = ", ".join(one["name"] for one in data["files"])
        return f"{names}: {event.text}" if event.text else names
    return event.text


_NOTED = {"replaced_with": "replaced", "minutes_added": "minutes"}
_LINKS = {"checks": N_("Checks"), "gaps": N_("Gaps"), "equipment": N_("Equipment, inventory №")}


def _noted(paper: Paper, name: str, value: Any) -> str:
    if name in ("gap_from", "gap_to"):
        label = N_("Recording gap from") if name == "gap_from" else N_("Recording gap to")
        return f"{paper.say(label)}: {paper.moment(datetime.fromisoformat(value))}"
    label = paper.say(_LINKS[name]) if name in _LINKS else paper.say(FIELDS[_NOTED.get(name, name)])
    if name == "log_rows":
        return f"{label}: {_lines(paper, [RowRef.of(ref) for ref in value])}"
    if name == "gaps":
        value = [_gap(paper, Outage.of(one)) for one in value]
    return f"{label}: {', '.join(value) if isinstance(value, list) else value}"


def _links(paper: Paper, incident: Incident) -> str:
    said = [
        (N_("Checks"), list(incident.checks)),
        (N_("Gaps"), [_gap(paper, gap) for gap in incident.gaps]),
        (N_("Room calls"), [_lines(paper, incident.calls)] if incident.calls else []),
        (N_("Equipment, inventory №"), list(incident.equipment)),
    ]
    return "; ".join(f"{paper.say(label)}: {', '.join(values)}" for label, values in said if values)


def _gap(paper: Paper, gap: Outage) -> str:
    ends = paper.clock(gap.back_at, seconds=True) if gap.back_at else "…"
    return f"{gap.camera} {paper.moment(gap.lost_at)[:10]} {paper.clock(gap.lost_at, seconds=True)}–{ends}"


def _lines(paper: Paper, refs: Sequence[RowRef]) -> str:
    return ", ".join(f"{paper.say(N_('№'))} {ref.number}" for ref in refs)


def _signed(paper: Paper, incident: Incident) -> str:
    if incident.signed_off is not None:
        return f"{who(incident.signed_off)} — {paper.moment(incident.closed_at)}"
    return "" if incident.is_open else paper.say(N_("nobody: it was closed before sign-offs were kept"))


def _place(paper: Paper, incident: Incident) -> str:
    point, said = paper.point, []
    if len(incident.cameras) > 1:
        cameras = paper.say(N_("cameras: {codes}"), codes=", ".join(incident.cameras))
        rooms = {camera.room for camera in point.cameras if camera.id in incident.cameras}
        return f"{_room(paper, incident)}, {cameras}" if rooms == {incident.room} else cameras
    if incident.room:
        said.append(_room(paper, incident))
    if incident.camera:
        said.append(paper.say(N_("camera {code}"), code=incident.camera))
    if incident.station:
        said.append(paper.say(N_("station {code}"), code=incident.station))
    return ", ".join(said)


def _room(paper: Paper, incident: Incident) -> str:
    name = paper.point.room(incident.room).name if paper.point.has_room(incident.room) else ""
    return paper.say(N_("room {code}"), code=f"{incident.room} ({name})" if name else incident.room)


def who(person: Person) -> str:
    """Name and post, as forms name people."""
    return f"{person.name}, {person.post}" if person.post else person.name


def lasted(paper: Paper, seconds: float | None) -> str:
    """A duration in minutes and seconds; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return paper.say(N_("{minutes} min {seconds} s"), minutes=minutes, seconds=rest)
