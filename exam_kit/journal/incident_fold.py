"""How sheets are read back from the ledger, those of older kits too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_cameras import CCTV_LOST, Outage, ended
from exam_kit.journal.incident_parts import Agreement, Decision, Event, Hand, Line, Taken, Way
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import AGENT, Person
from exam_kit.journal.questions import Answer
from exam_kit.store.evidence import KeptFile
from exam_kit.store.ledger import Entry

__all__ = ["KINDS", "OPENED", "fold", "taken_of"]

OPENED = "incident.opened"
KINDS = (
    OPENED,
    "incident.step",
    "incident.reported",
    "incident.noted",
    "incident.answered",
    "incident.handed",
    "incident.attached",
    "incident.restored",
    "incident.recurred",
    "incident.lost",
    "incident.back",
    "incident.decided",
    "incident.closed",
)


def fold(entries: Iterable[Entry], point: str, before: Iterable[Incident] = ()) -> dict[RowRef, Incident]:
    """The sheets of `point` with all that the entries say about them; `before` are sheets they go on from.

    Only a tampered ledger has words about a sheet that is not there. Its check names them; here they are passed over,
    so that incidents can be written all the same.
    """
    found: dict[RowRef, Incident] = {sheet.ref: sheet for sheet in before}
    for entry in entries:
        if entry.body.get("point") == point:
            ref = RowRef(entry.body["year"], entry.body["no"])
            if entry.kind == OPENED:
                found[ref] = _opened(entry)
            elif ref in found:
                found[ref] = _further(found[ref], entry)
    return found


def _event(entry: Entry) -> Event:
    body = entry.body
    by = Person.from_dict(body["by"])
    kind = entry.kind.removeprefix("incident.")
    return Event(kind, from_iso(body["at"]), body.get("text", ""), by, entry.at, entry.seq, body)


def _moment(text: str | None) -> datetime | None:
    return from_iso(text) if text else None


def _person(kept: Mapping[str, Any] | None) -> Person | None:
    return Person.from_dict(dict(kept)) if kept else None


def _opened(entry: Entry) -> Incident:
    body, event = entry.body, _event(entry)
    gap_from, outages = _moment(body["gap_from"]), tuple(map(Outage.of, body.get("outages", ())))
    if not outages and body["camera"] and body["category"] == CCTV_LOST:
        outages = (Outage(body["camera"], gap_from or event.at),)
    # From its detection it is the first line's; where the kit wrote it, nobody of it has taken it up yet.
    first = Hand(Line.FIRST, None if event.by.login == AGENT else event.by, event.at)
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
        hands=(first,),
        key=body["key"],
        gap_from=gap_from,
        log_rows=tuple(RowRef.of(ref) for ref in body["log_rows"]),
        checks=tuple(body.get("checks", ())),
        calls=tuple(RowRef.of(ref) for ref in body.get("calls", ())),
        outages=outages,
        running_since=event.at,
    )


def _further(sheet: Incident, entry: Entry) -> Incident:
    event = _event(entry)
    sheet = replace(sheet, timeline=(*sheet.timeline, event))
    body = event.data
    match event.kind:
        case "noted":
            return _noted(sheet, body["fields"])
        case "answered":
            return _answered(sheet, event)
        case "handed":
            now = Hand(Line(body["to"]), _person(body["person"]), event.at, event.text)
            return replace(sheet, hands=(*sheet.hands[:-1], replace(sheet.holder, until=event.at), now))
        case "attached":
            files = [KeptFile(**one) for one in body["files"]]
            return replace(sheet, files=_more(sheet.files, files))
        case "restored":
            gap_to = _moment(body.get("gap_to")) or sheet.gap_to
            return replace(sheet, restored_at=event.at, gap_to=gap_to, outages=ended(sheet.outages, event.at))
        case "recurred" | "lost":
            return _lost(sheet, event)
        case "back":
            return replace(sheet, outages=ended(sheet.outages, event.at, body["camera"]))
        case "decided":
            return replace(sheet, decisions=(*sheet.decisions, taken_of(event)))
        case "closed":
            return _closed(sheet, event, entry.at)
    return sheet


def taken_of(event: Event) -> Taken:
    """The decision that an event `decided` tells of."""
    body, agreed = event.data, None
    person = _person(body["agreed_by"])
    if person is not None:
        way = body.get("agreed_how")
        agreed = Agreement(person, _moment(body.get("agreed_at")), Way(way) if way else None)
    return Taken(Decision(body["decision"]), event.text, event.by, agreed, event.at)


def _closed(sheet: Incident, event: Event, at: datetime) -> Incident:
    restored = _moment(event.data["restored_at"])
    return replace(
        sheet,
        restored_at=restored,
        outages=ended(sheet.outages, restored or at),
        hands=(*sheet.hands[:-1], replace(sheet.holder, until=at)),
        conclusion=event.text,
        closed_by=event.by,
        closed_at=at,
        signed_off=_person(event.data.get("signed_off")),
    )


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


def _noted(sheet: Incident, fields: Mapping[str, Any]) -> Incident:
    return replace(
        _filled(sheet, fields),
        gap_from=_moment(fields.get("gap_from")) or sheet.gap_from,
        gap_to=_moment(fields.get("gap_to")) or sheet.gap_to,
        evidence=(*sheet.evidence, *fields.get("evidence", ())),
        log_rows=_more(sheet.log_rows, map(RowRef.of, fields.get("log_rows", ()))),
        checks=_more(sheet.checks, fields.get("checks", ())),
        gaps=_more(sheet.gaps, map(Outage.of, fields.get("gaps", ()))),
        equipment=_more(sheet.equipment, fields.get("equipment", ())),
    )


def _filled(sheet: Incident, fields: Mapping[str, Any]) -> Incident:
    """The fields that a person writes into the sheet, noted or by an answer."""
    return replace(
        sheet,
        replaced_with=fields.get("replaced_with", sheet.replaced_with),
        candidates=fields.get("candidates", sheet.candidates),
        minutes_added=fields.get("minutes_added", sheet.minutes_added),
    )


def _answered(sheet: Incident, event: Event) -> Incident:
    latest = {answer.code: answer for answer in sheet.answers}
    fills: dict[str, Any] = {}
    for kept in event.data["answers"]:
        latest[kept["code"]] = Answer.of(kept, event.by, event.at)
        if kept.get("fills"):
            fills[kept["fills"]] = kept["value"]
    return replace(_filled(sheet, fills), answers=tuple(latest.values()))


def _more(known: Sequence[Any], further: Iterable[Any]) -> tuple[Any, ...]:
    """What is named again stands once."""
    return tuple(dict.fromkeys((*known, *further)))
