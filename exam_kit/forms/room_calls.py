"""Room calls on paper and as a table, in the columns of the field guide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exam_kit.clock import SystemClock
from exam_kit.forms.exports import as_csv
from exam_kit.forms.sheet import DUTY_SIGNATURES, Paper, day_text, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.room_call import RoomCall
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["COLUMNS", "room_calls_csv", "room_calls_pdf"]

COLUMNS = {
    "number": N_("№"),
    "date": N_("Date"),
    "room": N_("Room"),
    "called": N_("Called at"),
    "arrived": N_("Arrived at"),
    "what": N_("What"),
    "done": N_("Done"),
    "left": N_("Left at"),
    "by": N_("Written by"),
}


def room_calls_pdf(
    point: Point,
    day: ExamDay | dt.date | None,
    calls: Sequence[RoomCall],
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The calls as PDF; of one day when `day` is given."""
    paper = Paper(point, language, head, day=day, made_at=made_at)
    duration = [call.waited_s for call in calls if call.waited_s is not None and not call.withdrawn]
    total = paper.say(N_("Calls: {count}"), count=sum(not call.withdrawn for call in calls))
    if duration:
        waited = paper.say(
            N_("from call to arrival: {mean} min on average, {longest} min at most"),
            mean=paper.number(sum(duration) / len(duration) / 60),
            longest=paper.number(max(duration) / 60),
        )
        total = f"{total}; {waited}"
    data = paper.data(
        paper.say(N_("Journal of room calls")),
        signatures=[signature(paper.say(role)) for role in DUTY_SIGNATURES[:2]],
        columns=paper.words(COLUMNS),
        rows=[_row(paper, call) for call in calls],
        empty=paper.say(N_("No room calls.")),
        total=total,
    )
    return typeset("room_calls", data, paper.made_at)


def room_calls_csv(point: Point, calls: Sequence[RoomCall], language: str) -> bytes:
    """The same columns for a spreadsheet, with the ledger entry of each call."""
    paper = Paper(point, language, Head(0, ""), made_at=SystemClock().now())
    titles = [*paper.words(COLUMNS).values(), paper.say(N_("Ledger entry №")), paper.say(N_("Ledger entry hash"))]
    rows = [
        [
            *_cells(paper, call, "; ".join(part for part in (_done(paper, call), _withdrawn(paper, call)) if part)),
            str(call.seq),
            call.hash,
        ]
        for call in calls
    ]
    return as_csv([titles, *rows])


def _row(paper: Paper, call: RoomCall) -> dict[str, Any]:
    return {
        "cells": _cells(paper, call, _done(paper, call)),
        "void": bool(call.withdrawn),
        "remark": _withdrawn(paper, call),
    }


def _done(paper: Paper, call: RoomCall) -> str:
    sheet = paper.say(N_("incident sheet № {number}"), number=call.incident.number) if call.incident else ""
    return "; ".join(part for part in (call.done, sheet) if part)


def _withdrawn(paper: Paper, call: RoomCall) -> str:
    return paper.say(N_("withdrawn: {why}"), why=call.withdrawn) if call.withdrawn else ""


def _cells(paper: Paper, call: RoomCall, done: str) -> list[str]:
    date = paper.local(call.called_at).date()
    return [
        str(call.number),
        day_text(date),
        call.room,
        paper.clock(call.called_at),
        paper.clock(call.arrived_at, beside=date),
        f"{call.what} ({call.caller})" if call.caller else call.what,
        done,
        paper.clock(call.left_at, beside=date),
        call.by.name,
    ]
