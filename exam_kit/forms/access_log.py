"""The hardware access log on paper, in the columns of the published sample."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.sheet import DUTY_SIGNATURES, Paper, day_text, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.access_row import ACTION_LABELS, AccessAction, AccessRow, LineKind
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["COLUMNS", "access_log_pdf", "action_text", "remark_text"]

TITLE = N_("Log of access to the CCTV hardware and software unit (PAK)")

LONG = 500
"""A line with more text than this may run over to the next page; a shorter one stays whole."""

COLUMNS = {
    "number": N_("№"),
    "date": N_("Date"),
    "rooms": N_("Room(s) where the equipment stands"),
    "start": N_("Start, hh:mm"),
    "end": N_("End, hh:mm"),
    "action": N_("Action"),
    "person": N_("Person acting"),
    "responsible": N_("Person responsible for CCTV"),
    "name": N_("Full name"),
    "post": N_("Post"),
    "signature": N_("Signature"),
}


def access_log_pdf(
    point: Point,
    day: ExamDay | dt.date | None,
    rows: Sequence[AccessRow],
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The log as PDF. Lines that were corrected or withdrawn are struck and name the line that did so, and back.

    `day` stands in the head of the form; choose the lines with `AccessLog.rows`. `made_at` is now when left out; the
    same input gives the same bytes.
    """
    paper = Paper(point, language, head, day=day, made_at=made_at)
    standing = sum(not row.void and row.kind is not LineKind.WITHDRAWAL for row in rows)
    data = paper.data(
        paper.say(TITLE),
        subtitle=paper.say(N_("A line is never altered: a correction is a new line with its own number.")),
        signatures=[signature(paper.say(role)) for role in DUTY_SIGNATURES],
        columns=paper.words(COLUMNS),
        rows=[_row(paper, row) for row in rows],
        empty=paper.say(N_("No lines.")),
        total=paper.say(N_("Lines: {lines}, of them in force: {standing}."), lines=len(rows), standing=standing),
    )
    return typeset("access_log", data, paper.made_at)


def _row(paper: Paper, row: AccessRow) -> dict[str, Any]:
    withdrawal = row.kind is LineKind.WITHDRAWAL
    signed = row.countersigned
    responsible = row.responsible or (signed.person if signed else None)
    return {
        "number": str(row.number),
        "void": row.void,
        "long": len(row.text) + len(row.why) > LONG,
        "date": day_text(row.date),
        "rooms": row.rooms_text,
        "start": paper.clock(row.start),
        "end": "" if withdrawal else paper.clock(row.end, beside=row.date),
        "action": action_text(paper, row),
        "remark": remark_text(paper, row),
        "person": [row.person.name, row.person.post, _written(paper, row)],
        "responsible": [
            responsible.name if responsible else "",
            responsible.post if responsible else "",
            _countersigned(paper, row),
        ],
    }


def _written(paper: Paper, row: AccessRow) -> str:
    mark = _mark(paper, row.seq, row.written_at)
    if row.writer.same_as(row.person):
        return mark
    return paper.say(N_("written by {name}: {mark}"), name=row.writer.name, mark=mark)


def _mark(paper: Paper, seq: int, at: datetime) -> str:
    return paper.say(N_("el. {time}, entry {seq}"), time=paper.clock(at), seq=seq)


def _countersigned(paper: Paper, row: AccessRow) -> str:
    if row.countersigned is None:
        return ""
    mark = _mark(paper, row.countersigned.seq, row.countersigned.at)
    if row.responsible is None or row.responsible.same_as(row.countersigned.person):
        return mark
    return f"{row.countersigned.person.name}, {mark}"


def action_text(paper: Paper, row: AccessRow) -> str:
    """What the line says was done."""
    if row.withdraws:
        return paper.say(N_("line № {number} is withdrawn"), number=row.withdraws.number)
    label = paper.say(ACTION_LABELS[row.action])
    if row.action is AccessAction.OTHER:
        return row.text
    return f"{label}: {row.text}" if row.text else label


def remark_text(paper: Paper, row: AccessRow) -> str:
    """Which line this one puts right and why, which one put this one right, and the order behind it."""
    said = []
    if row.order is not None:
        said.append(paper.say(N_("order № {number}"), number=row.order))
    if row.corrects:
        said.append(paper.say(N_("in place of line № {number}: {why}"), number=row.corrects.number, why=row.why))
    if row.withdraws:
        said.append(row.why)
    if row.corrected_by:
        said.append(paper.say(N_("corrected by line № {number}"), number=row.corrected_by.number))
    if row.withdrawn_by:
        said.append(paper.say(N_("withdrawn by line № {number}"), number=row.withdrawn_by.number))
    return "; ".join(said)
