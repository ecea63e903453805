"""The lines of each book in one shape, in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exam_kit.forms.access_log import action_text, remark_text
from exam_kit.forms.cabinet_log import cabinet_act_text, seal_text
from exam_kit.forms.cabinet_log import remark_text as cabinet_remark
from exam_kit.forms.incident_words import event_text
from exam_kit.forms.sheet import Paper
from exam_kit.i18n import N_
from exam_kit.journal.access_row import AccessRow, LineKind
from exam_kit.journal.cabinet import CabinetLine
from exam_kit.journal.categories import Categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.room_call import RoomCall
from exam_kit.journal.rooms import format_rooms

__all__ = [
    "STANDING_LABELS",
    "Beside",
    "Line",
    "Standing",
    "access_line",
    "cabinet_line",
    "call_line",
    "incident_line",
]


class Standing(StrEnum):
    """What has become of a line."""

    SIGNED = "signed"
    WAITS = "waits"
    OPEN = "open"
    VOID = "void"
    NOTE = "note"


STANDING_LABELS = {
    Standing.SIGNED: N_("signed"),
    Standing.WAITS: N_("not signed yet"),
    Standing.OPEN: N_("goes on"),
    Standing.VOID: N_("no longer stands"),
    Standing.NOTE: "",
}


@dataclass(frozen=True)
class Beside:
    """A gap in a recording at the time of a line."""

    camera: str
    start: datetime
    end: datetime | None
    cause: str


@dataclass(frozen=True)
class Line:
    """One line as it stands now, in the reader's language. `cameras` are those it is about, where it names them."""

    year: int
    number: int
    date: dt.date
    start: datetime
    end: datetime | None
    rooms: tuple[str, ...]
    what: str
    remark: str
    people: tuple[Person, ...]
    signed_by: Person | None
    signed_at: datetime | None
    standing: Standing
    seq: int
    hash: str
    cameras: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()

    @property
    def rooms_text(self) -> str:
        return format_rooms(self.rooms)


def access_line(paper: Paper, row: AccessRow) -> Line:
    if row.void:
        standing = Standing.VOID
    elif row.kind is LineKind.WITHDRAWAL and not row.countersigned:
        standing = Standing.NOTE
    elif row.open:
        standing = Standing.OPEN
    else:
        standing = Standing.SIGNED if row.countersigned else Standing.WAITS
    people = (row.person,) if row.writer.same_as(row.person) else (row.person, row.writer)
    return Line(
        row.year,
        row.number,
        row.date,
        row.start,
        None if row.kind is LineKind.WITHDRAWAL else row.end,
        row.rooms,
        action_text(paper, row),
        remark_text(paper, row),
        people,
        row.countersigned.person if row.countersigned else None,
        row.countersigned.at if row.countersigned else None,
        standing,
        row.seq,
        row.hash,
    )


def incident_line(paper: Paper, sheet: Incident, categories: Categories) -> Line:
    known = categories.by_code.get(sheet.category)
    title = known.label.text(paper.language) if known else sheet.category
    place = ", ".join(one for one in (sheet.camera, sheet.station) if one)
    said = []
    for event in sheet.timeline[1:]:
        text = event_text(paper, event)
        label = paper.say(event.label)
        said.append(f"{paper.clock(event.at)} {label}{': ' + text if text else ''}")
    people = tuple(dict.fromkeys([sheet.detected_by, *(event.by for event in sheet.timeline)]))
    return Line(
        sheet.year,
        sheet.number,
        paper.local(sheet.detected_at).date(),
        sheet.detected_at,
        sheet.restored_at,
        (sheet.room,) if sheet.room else (),
        f"{title}{' (' + place + ')' if place else ''}: {sheet.description}",
        "; ".join(said),
        people,
        sheet.closed_by,
        sheet.closed_at,
        Standing.OPEN if sheet.is_open else Standing.SIGNED,
        sheet.seq,
        sheet.hash,
        sheet.cameras or ((sheet.camera,) if sheet.camera else ()),
    )


def cabinet_line(paper: Paper, line: CabinetLine, strange: Mapping[RowRef, str]) -> Line:
    """A line of the cabinet log; `strange` as `strange_seals` gives it."""
    if line.void:
        standing = Standing.VOID
    elif line.stands:
        standing = Standing.SIGNED if line.countersigned else Standing.WAITS
    else:
        standing = Standing.NOTE
    seal = seal_text(paper, line, strange)
    return Line(
        line.year,
        line.number,
        line.date,
        line.at,
        None,
        (),
        f"{line.cabinet}: {cabinet_act_text(paper, line)} — {line.reason}{'; ' + seal if seal else ''}",
        cabinet_remark(paper, line),
        tuple(dict.fromkeys((line.initiator, *line.operators, line.writer))),
        line.countersigned.person if line.countersigned else None,
        line.countersigned.at if line.countersigned else None,
        standing,
        line.seq,
        line.hash,
    )


def call_line(paper: Paper, call: RoomCall) -> Line:
    """A call to a room."""
    said = []
    if call.arrived_at:
        said.append(paper.say(N_("arrived {time}"), time=paper.clock(call.arrived_at)))
    if call.done:
        said.append(call.done)
    if call.incident:
        said.append(paper.say(N_("incident № {number}"), number=call.incident.number))
    if call.withdrawn:
        said.append(paper.say(N_("withdrawn: {why}"), why=call.withdrawn))
    standing = Standing.VOID if call.withdrawn else Standing.OPEN if call.is_open else Standing.NOTE
    return Line(
        call.year,
        call.number,
        paper.local(call.called_at).date(),
        call.called_at,
        call.left_at,
        (call.room,) if call.room else (),
        f"{call.caller}: {call.what}" if call.caller else call.what,
        "; ".join(said),
        (call.by,),
        None,
        None,
        standing,
        call.seq,
        call.hash,
    )
