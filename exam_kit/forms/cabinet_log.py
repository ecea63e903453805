"""The cabinet log (opening and closing of the hardware unit's cabinet), in the columns of the published sample."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.sheet import Paper, day_text, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.access_row import LineKind
from exam_kit.journal.cabinet import ACT_LABELS, CabinetAct, CabinetLine, strange_seals
from exam_kit.journal.numbering import RowRef
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["COLUMNS", "cabinet_act_text", "cabinet_log_pdf", "cabinet_log_table", "remark_text", "seal_text"]

TITLE = N_("Log of opening and closing the cabinet of the hardware and software unit (PAK)")
SIGNATURES = (N_("Technical specialist"), N_("Head of the exam point"))

LONG = 500
"""A line with more text than this may run over to the next page; a shorter one stays whole."""

COLUMNS = {
    "number": N_("№"),
    "date": N_("Date"),
    "act": N_("Cabinet opened / closed"),
    "time": N_("Time, hh:mm"),
    "reason": N_("Reason"),
    "unit": N_("Unit found on / off"),
    "seal": N_("Seal №"),
    "initiator": N_("Initiator"),
    "operator_1": N_("Operator 1"),
    "operator_2": N_("Operator 2"),
    "name": N_("Full name"),
    "post": N_("Post"),
    "signature": N_("Signature"),
}
SEALS = {
    "seal": N_("Seal №"),
    "cabinet": N_("Cabinet"),
    "date": N_("Date"),
    "time": N_("Time, hh:mm"),
    "name": N_("Full name"),
    "signature": N_("Signature"),
}
UNIT = {True: N_("switched on"), False: N_("switched off")}


def cabinet_log_pdf(
    point: Point,
    day: ExamDay | dt.date | None,
    lines: Sequence[CabinetLine],
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The log as PDF, and under it the seals as they were put on. Struck lines name the one that took their place.

    `made_at` is now when left out; the same input gives the same bytes.
    """
    paper = Paper(point, language, head, day=day, made_at=made_at)
    strange = strange_seals(lines)
    data = paper.data(
        paper.say(TITLE),
        subtitle=paper.say(N_("A line is never altered: a correction is a new line with its own number.")),
        signatures=[signature(paper.say(role)) for role in SIGNATURES],
        columns=paper.words(COLUMNS),
        rows=[_row(paper, line, strange) for line in lines],
        empty=paper.say(N_("No lines.")),
        total=paper.say(
            N_("Lines: {lines}, of them in force: {standing}."),
            lines=len(lines),
            standing=sum(line.stands for line in lines),
        ),
        seals_title=paper.say(N_("Seals put on the cabinets")),
        seals_columns=paper.words(SEALS),
        seals=[_seal(paper, line) for line in lines if line.stands and line.act is CabinetAct.CLOSED],
    )
    return typeset("cabinet_log", data, paper.made_at)


def cabinet_log_table(point: Point, lines: Sequence[CabinetLine], language: str) -> list[list[str]]:
    """The same as rows of a table, the first of them the titles."""
    paper = Paper(point, language, Head(0, ""))
    say, strange = paper.say, strange_seals(lines)
    titles = [
        *(say(COLUMNS[name]) for name in ("number", "date")),
        say(N_("Cabinet")),
        *(say(COLUMNS[name]) for name in ("act", "time", "reason", "unit", "seal")),
        *(f"{say(COLUMNS[one])}: {say(COLUMNS[what])}" for one in _PEOPLE for what in ("name", "post")),
        say(N_("Countersigned by")),
        say(N_("Countersigned at")),
        say(N_("Corrections")),
        say(N_("Written by")),
        say(N_("Written at")),
        say(N_("Ledger entry №")),
        say(N_("Ledger entry hash")),
    ]
    return [titles, *(_cells(paper, line, strange) for line in lines)]


_PEOPLE = ("initiator", "operator_1", "operator_2")


def _cells(paper: Paper, line: CabinetLine, strange: Mapping[RowRef, str]) -> list[str]:
    signed = line.countersigned
    people = [cell for one in (line.initiator, *line.operators) for cell in (one.name, one.post)]
    return [
        str(line.number),
        day_text(line.date),
        line.cabinet,
        cabinet_act_text(paper, line),
        paper.clock(line.at),
        line.reason,
        paper.say(UNIT[line.unit_on]),
        seal_text(paper, line, strange),
        *people,
        signed.person.name if signed else "",
        paper.moment(signed.at) if signed else "",
        remark_text(paper, line),
        line.writer.name,
        paper.moment(line.written_at),
        str(line.seq),
        line.hash,
    ]


def _row(paper: Paper, line: CabinetLine, strange: Mapping[RowRef, str]) -> dict[str, Any]:
    withdrawal = line.kind is LineKind.WITHDRAWAL
    first, second = line.operators
    return {
        "number": str(line.number),
        "void": line.void,
        "long": len(line.reason) + len(line.why) > LONG,
        "date": day_text(line.date),
        "act": cabinet_act_text(paper, line),
        "cabinet": line.cabinet,
        "time": paper.clock(line.at),
        "reason": "" if withdrawal else line.reason,
        "remark": remark_text(paper, line),
        "unit": "" if withdrawal else paper.say(UNIT[line.unit_on]),
        "seal": "" if withdrawal else seal_text(paper, line, strange),
        "initiator": [line.writer.name, line.writer.post] if withdrawal else [line.initiator.name, line.initiator.post],
        "operators": ["", ""] if withdrawal else [first.name, second.name],
        "mark": _written(paper, line),
        "countersigned": _countersigned(paper, line),
    }


def _seal(paper: Paper, line: CabinetLine) -> dict[str, Any]:
    return {
        "seal": line.seal,
        "cabinet": line.cabinet,
        "date": day_text(line.date),
        "time": paper.clock(line.at),
        "operators": [one.name for one in line.operators],
    }


def cabinet_act_text(paper: Paper, line: CabinetLine) -> str:
    """What the line says was done."""
    if line.withdraws:
        return paper.say(N_("line № {number} is withdrawn"), number=line.withdraws.number)
    return paper.say(ACT_LABELS[line.act])


def seal_text(paper: Paper, line: CabinetLine, strange: Mapping[RowRef, str]) -> str:
    """The seal's number and what was found of it."""
    if line.act is CabinetAct.CLOSED:
        return paper.say(N_("{seal}, put on"), seal=line.seal)
    said = N_("{seal}, whole, removed") if line.seal_whole else N_("{seal}, DAMAGED, removed")
    text = paper.say(said, seal=line.seal)
    if line.ref in strange:
        return paper.say(N_("{found}; the one put on was {expected}"), found=text, expected=strange[line.ref])
    return text


def remark_text(paper: Paper, line: CabinetLine) -> str:
    """Which line this one puts right and why, and which one put this one right."""
    said = []
    if line.corrects:
        said.append(paper.say(N_("in place of line № {number}: {why}"), number=line.corrects.number, why=line.why))
    if line.withdraws:
        said.append(line.why)
    if line.corrected_by:
        said.append(paper.say(N_("corrected by line № {number}"), number=line.corrected_by.number))
    if line.withdrawn_by:
        said.append(paper.say(N_("withdrawn by line № {number}"), number=line.withdrawn_by.number))
    return "; ".join(said)


def _written(paper: Paper, line: CabinetLine) -> str:
    mark = paper.say(N_("el. {time}, entry {seq}"), time=paper.clock(line.written_at), seq=line.seq)
    return paper.say(N_("written by {name}: {mark}"), name=line.writer.name, mark=mark)


def _countersigned(paper: Paper, line: CabinetLine) -> str:
    if line.countersigned is None:
        return ""
    mark = paper.say(N_("el. {time}, entry {seq}"), time=paper.clock(line.countersigned.at), seq=line.countersigned.seq)
    return paper.say(N_("countersigned by {name}: {mark}"), name=line.countersigned.person.name, mark=mark)
