"""An incident sheet (лист нештатной ситуации), and how it is read back from the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.journal.incident_cameras import CCTV_LOST, Outage, ended
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.store.ledger import Entry

__all__ = [
    "DECISION_LABELS",
    "EVENT_LABELS",
    "KINDS",
    "Decision",
    "Event",
    "Incident",
    "IncidentDraft",
    "Taken",
    "fold",
]

OPENED = "incident.opened"
KINDS = (
    OPENED,
    "incident.step",
    "incident.reported",
    "incident.noted",
    "incident.restored",
    "incident.recurred",
    "incident.lost",
    "incident.back",
    "incident.decided",
    "incident.closed",
)

EVENT_LABELS = {
    "opened": N_("detected"),
    "step": N_("measure"),
    "reported": N_("reported"),
    "noted": N_("noted"),
    "restored": N_("restored"),
    "recurred": N_("happened again"),
    "lost": N_("camera does not record"),
    "back": N_("camera no longer missing"),
    "decided": N_("decision"),
    "closed": N_("closed"),
}


class Decision(StrEnum):
    """What was decided about the exam."""

    GO_ON = "go_on"
    MAKE_UP_TIME = "make_up_time"
    MOVE_CANDIDATES = "move_candidates"
    STOP_EXAM = "stop_exam"


DECISION_LABELS = {
    Decision.GO_ON: N_("the exam goes on"),
    Decision.MAKE_UP_TIME: N_("lost time is made up"),
    Decision.MOVE_CANDIDATES: N_("candidates are moved to another room or station"),
    Decision.STOP_EXAM: N_("the exam is stopped"),
}


@dataclass(frozen=True)
class IncidentDraft:
    """What is known when an incident is opened. Moments are aware; `room`, `camera`, `station` are codes or empty.

    `detected_by` is who noticed it, when that is not the one who writes. `outages` are those of the cameras, where more
    is known of them than that `camera` is lost since `gap_from`.
    """

    category: str
    description: str
    detected_at: datetime
    detected_by: Person | None = None
    room: str = ""
    camera: str = ""
    station: str = ""
    gap_from: datetime | None = None
    log_rows: tuple[RowRef, ...] = ()
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True)
class Event:
    """One line of the timeline: what kind, when it happened, what it says, who wrote it and when."""

    kind: str
    at: datetime
    text: str
    by: Person
    written_at: datetime
    seq: int
    data: dict[str, Any]

    @property
    def label(self) -> str:
        """English key of the kind's name; translate it where it is shown."""
        return EVENT_LABELS[self.kind]


@dataclass(frozen=True)
class Taken:
    """A decision with who took it and, where the exam is stopped, who agreed."""

    decision: Decision
    text: str
    by: Person
    agreed_by: Person | None
    at: datetime


@dataclass(frozen=True)
class Incident:
    """A sheet as it stands now; `timeline` holds all that was written, in the order it was written. Moments UTC."""

    year: int
    number: int
    category: str
    description: str
    detected_at: datetime
    detected_by: Person
    room: str
    camera: str
    station: str
    opened_by: Person
    opened_at: datetime
    seq: int
    hash: str
    timeline: tuple[Event, ...]
    key: str = ""
    replaced_with: str = ""
    gap_from: datetime | None = None
    gap_to: datetime | None = None
    candidates: int | None = None
    minutes_added: int | None = None
    evidence: tuple[str, ...] = ()
    log_rows: tuple[RowRef, ...] = ()
    outages: tuple[Outage, ...] = ()
    decisions: tuple[Taken, ...] = ()
    running_since: datetime | None = None
    restored_at: datetime | None = None
    conclusion: str = ""
    closed_by: Person | None = None
    closed_at: datetime | None = None

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def cameras(self) -> tuple[str, ...]:
        """The affected cameras, in the order in which they were first lost."""
        return tuple(dict.fromkeys(outage.camera for outage in self.outages))

    @property
    def away(self) -> frozenset[str]:
        """Those of them that are not back yet."""
        return frozenset(outage.camera for outage in self.outages if outage.back_at is None)

    @property
    def decision(self) -> Taken | None:
        """The latest decision."""
        return self.decisions[-1] if self.decisions else None

    @property
    def stopped(self) -> bool:
        return self.decision is not None and self.decision.decision is Decision.STOP_EXAM

    @property
    def duration_s(self) -> float | None:
        """From detection to restoration; None while it lasts."""
        return None if self.restored_at is None else (self.restored_at - self.detected_at).total_seconds()

    def events(self, kind: str) -> tuple[Event, ...]:
        """The timeline's lines of one kind: `reported`, `step`, …"""
        return tuple(event for event in self.timeline if event.kind == kind)


def fold(entries: Iterable[Entry], point: str, before: Iterable[Incident] = ()) -> dict[RowRef, Incident]:
    """The sheets of `point` with all that the entries say about them; `before` are sheets they go on from."""
    found: dict[RowRef, Incident] = {sheet.ref: sheet for sheet in before}
    for entry in entries:
        if entry.body.get("point") == point:
            ref = RowRef(entry.body["year"], entry.body["no"])
            found[ref] = _opened(entry) if entry.kind == OPENED else _further(found[ref], entry)
    return found


def _event(entry: Entry) -> Event:
    body = entry.body
    by = Person.from_dict(body["by"])
    kind = entry.kind.removeprefix("incident.")
    return Event(kind, from_iso(body["at"]), body.get("text", ""), by, entry.at, entry.seq, body)


def _moment(text: str | None) -> datetime | None:
    return from_iso(text) if text else None


def _opened(entry: Entry) -> Incident:
    body, event = entry.body, _event(entry)
    gap_from, outages = _moment(body["gap_from"]), tuple(map(Outage.of, body.get("outages", ())))
    if not outages and body["camera"] and body["category"] == CCTV_LOST:
        outages = (Outage(body["camera"], gap_from or event.at),)
    return Incident(
        year=body["year"],
        number=body["no"],
        category=body["category"],
        description=body["text"],
        detected_at=event.at,
        detected_by=Person.from_dict(body["detected_by"]),
        room=body["room"],
        camera=body["camera"],
        station=body["station"],
        opened_by=event.by,
        opened_at=entry.at,
        seq=entry.seq,
        hash=entry.hash,
        timeline=(event,),
        key=body["key"],
        gap_from=gap_from,
        log_rows=tuple(RowRef.of(ref) for ref in body["log_rows"]),
        outages=outages,
        running_since=event.at,
    )


def _further(sheet: Incident, entry: Entry) -> Incident:
    event = _event(entry)
    sheet = replace(sheet, timeline=(*sheet.timeline, event))
    body = event.data
    if event.kind == "noted":
        return _noted(sheet, body["fields"])
    if event.kind == "restored":
        gap_to = _moment(body.get("gap_to")) or sheet.gap_to
        return replace(sheet, restored_at=event.at, gap_to=gap_to, outages=ended(sheet.outages, event.at))
    if event.kind in ("recurred", "lost"):
        return _lost(sheet, event)
    if event.kind == "back":
        return replace(sheet, outages=ended(sheet.outages, event.at, body["camera"]))
    if event.kind == "decided":
        agreed = Person.from_dict(body["agreed_by"]) if body["agreed_by"] else None
        taken = Taken(Decision(body["decision"]), event.text, event.by, agreed, event.at)
        return replace(sheet, decisions=(*sheet.decisions, taken))
    if event.kind == "closed":
        return replace(
            sheet,
            restored_at=_moment(body["restored_at"]),
            outages=ended(sheet.outages, _moment(body["restored_at"]) or entry.at),
            conclusion=event.text,
            closed_by=event.by,
            closed_at=entry.at,
        )
    return sheet


def _lost(sheet: Incident, event: Event) -> Incident:
    """It happened again, or to one camera more. The clock starts anew where all had been well in between."""
    anew = event.kind == "recurred" or sheet.restored_at is not None
    since = event.at if anew else min(sheet.running_since or event.at, event.at)
    sheet = replace(sheet, restored_at=None, running_since=since)
    if not sheet.outages:
        return sheet
    again = Outage(event.data.get("camera", sheet.camera), event.at)
    sheet = replace(sheet, outages=(*sheet.outages, again))
    if "camera" not in event.data:
        return sheet  # by a kit that did not keep the end of the gap: only people noted one
    return replace(sheet, gap_from=min(sheet.gap_from or event.at, event.at), gap_to=None)


def _noted(sheet: Incident, fields: dict[str, Any]) -> Incident:
    rows = [ref for ref in map(RowRef.of, fields.get("log_rows", ())) if ref not in sheet.log_rows]
    return replace(
        sheet,
        replaced_with=fields.get("replaced_with", sheet.replaced_with),
        gap_from=_moment(fields.get("gap_from")) or sheet.gap_from,
        gap_to=_moment(fields.get("gap_to")) or sheet.gap_to,
        candidates=fields.get("candidates", sheet.candidates),
        minutes_added=fields.get("minutes_added", sheet.minutes_added),
        evidence=(*sheet.evidence, *fields.get("evidence", ())),
        log_rows=(*sheet.log_rows, *rows),
    )
