"""The familiarisation sheet (лист ознакомления), in the columns of the mission."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.sheet import Paper, day_text, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.people_card import Card, Record, RecordKind
from exam_kit.point import Point
from exam_kit.store import Checkpoint, Head

__all__ = ["familiarisation_pdf", "kept_by", "order_text", "record_cells"]

TITLE = N_("Familiarisation sheet of the people of the exam point")
COLUMNS = {
    "number": N_("№"),
    "name": N_("Full name"),
    "received": N_("Date and signature on receiving a copy"),
    "appointed": N_("Appointment order: date, №"),
    "dismissed": N_("Dismissal order: date, №"),
}
KEEPERS = (N_("Head of the exam point"), N_("Commission member"))
"""Who keeps the register, and signs its papers."""


def familiarisation_pdf(
    point: Point, cards: Sequence[Card], language: str, head: Head | Checkpoint, *, made_at: datetime | None = None
) -> bytes:
    """The sheet as PDF; entries that were corrected or withdrawn are struck and say by which entry."""
    paper = Paper(point, language, head, made_at=made_at)
    data = paper.data(
        paper.say(TITLE),
        subtitle=paper.say(N_("An entry is never altered: a correction is a new entry beside it.")),
        signatures=kept_by(paper),
        columns=paper.words(COLUMNS),
        rows=[_row(paper, card) for card in cards],
        empty=paper.say(N_("Nobody is entered.")),
    )
    return typeset("familiarisation", data, paper.made_at)


def kept_by(paper: Paper) -> list[dict[str, str]]:
    """The signature lines of the register's papers."""
    return [signature(paper.say(role)) for role in KEEPERS]


def _row(paper: Paper, card: Card) -> dict[str, Any]:
    return {
        "number": str(card.number),
        "name": card.name,
        "post": card.post,
        "received": record_cells(paper, card, RecordKind.RECEIVED),
        "appointed": record_cells(paper, card, RecordKind.APPOINTED),
        "dismissed": record_cells(paper, card, RecordKind.DISMISSED),
    }


def record_cells(paper: Paper, card: Card, kind: RecordKind) -> list[dict[str, Any]]:
    """Each entry of this kind as the template draws it: text, remark, and whether it is struck."""
    found = [one for one in card.records if one.kind is kind]
    return [{"text": order_text(paper, one), "remark": _remark(paper, one), "void": not one.standing} for one in found]


def order_text(paper: Paper, record: Record) -> str:
    """28.05.2026, № 12; only the date of what is done without an order."""
    return f"{day_text(record.date)}, {paper.say(N_('№'))} {record.order}" if record.order else day_text(record.date)


def _remark(paper: Paper, record: Record) -> str:
    """By whom and with which entry; for a receipt that is the person's own electronic signature."""
    said = []
    if record.kind is RecordKind.RECEIVED:
        told = paper.say(N_("el. {time}, entry {seq}"), time=paper.clock(record.at), seq=record.seq)
        said.append(f"{record.by.name}, {told}")
    elif record.agreed:
        said.append(paper.say(N_("agreed with {name}"), name=record.agreed))
    if record.corrects is not None:
        said.append(paper.say(N_("in place of entry {seq}: {why}"), seq=record.corrects, why=record.why))
    if record.corrected_by is not None:
        said.append(paper.say(N_("corrected by entry {seq}"), seq=record.corrected_by))
    if record.withdrawn_by is not None:
        text = N_("withdrawn by entry {seq}: {why}")
        said.append(paper.say(text, seq=record.withdrawn_by, why=record.withdrawn_why))
    return "; ".join(said)
