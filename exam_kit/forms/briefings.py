"""The list of trainings and briefings, what is missing on the day it is printed, and who was admitted all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exam_kit.forms.familiarisation import kept_by
from exam_kit.forms.sheet import Paper, day_text
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.people_card import Card, Record, RecordKind
from exam_kit.journal.people_profile import PeopleProfile
from exam_kit.journal.people_state import briefings
from exam_kit.point import Point
from exam_kit.store import Checkpoint, Head

__all__ = ["briefings_pdf"]

TITLE = N_("List of trainings and briefings")
COLUMNS = {
    "number": N_("№"),
    "name": N_("Full name"),
    "kind": N_("Briefing"),
    "date": N_("Date"),
    "by": N_("Given by"),
    "until": N_("Valid until"),
    "signature": N_("Signature of the briefed person"),
}
ADMITTED = {
    "title": N_("Admitted for one day without appointment or briefing"),
    "date": N_("Day"),
    "name": N_("Full name"),
    "why": N_("Reason"),
    "by": N_("Admitted by"),
}


def briefings_pdf(
    point: Point,
    cards: Sequence[Card],
    profile: PeopleProfile,
    language: str,
    head: Head | Checkpoint,
    *,
    made_at: datetime | None = None,
) -> bytes:
    """The list as PDF. What has run out or was never given on the day it is made stands in it as missing."""
    paper = Paper(point, language, head, made_at=made_at)
    today = paper.local(paper.made_at).date()
    source = paper.say(
        N_("Requirements: {season}, as of {dated}. {source}"),
        season=profile.season, dated=day_text(profile.dated), source=profile.source.text(language),
    )  # fmt: skip
    data = paper.data(
        paper.say(TITLE),
        more=[(paper.say(N_("As of")), day_text(today))],
        signatures=kept_by(paper),
        columns=paper.words(COLUMNS),
        people=[_person(paper, card, profile, today) for card in cards],
        admitted=paper.words(ADMITTED) | {"rows": [row for card in cards for row in _admissions(paper, card)]},
        source=source,
        empty=paper.say(N_("Nobody is entered.")),
    )
    return typeset("briefings", data, paper.made_at)


def _person(paper: Paper, card: Card, profile: PeopleProfile, today: dt.date) -> dict[str, Any]:
    given = [one for one in card.records if one.kind is RecordKind.BRIEFED]
    rows = [_row(paper, one, profile, today) for one in sorted(given, key=lambda one: (one.date, one.seq))]
    known = {one.briefing for one in briefings(card, today)} | {one.briefing for one in given if one.standing}
    missing = "" if card.last(RecordKind.DISMISSED) else paper.say(N_("missing on {date}"), date=day_text(today))
    rows += [
        {"kind": one.label.text(paper.language), "date": missing, "by": "", "until": "", "void": False, "remark": "",
         "missing": True}
        for one in profile.needed(card.role)
        if one.code not in known and missing
    ]  # fmt: skip
    return {"number": str(card.number), "name": card.name, "post": card.post, "rows": rows}


def _row(paper: Paper, record: Record, profile: PeopleProfile, today: dt.date) -> dict[str, Any]:
    said = []
    if record.corrected_by is not None:
        said.append(paper.say(N_("corrected by entry {seq}"), seq=record.corrected_by))
    if record.corrects is not None:
        said.append(paper.say(N_("in place of entry {seq}: {why}"), seq=record.corrects, why=record.why))
    if record.withdrawn_by is not None:
        text = N_("withdrawn by entry {seq}: {why}")
        said.append(paper.say(text, seq=record.withdrawn_by, why=record.withdrawn_why))
    run_out = record.standing and record.until is not None and record.until < today
    if run_out:
        said.append(paper.say(N_("run out")))
    return {
        "kind": profile.label(record.briefing, paper.language),
        "date": day_text(record.date),
        "by": record.given_by,
        "until": day_text(record.until) if record.until else paper.say(N_("without limit")),
        "void": not record.standing,
        "remark": "; ".join(said),
        "missing": run_out,
    }


def _admissions(paper: Paper, card: Card) -> list[list[str]]:
    found = [one for one in card.records if one.kind is RecordKind.ADMITTED]
    rows = []
    for one in found:
        why = one.why
        if one.withdrawn_by is not None:
            text = N_("withdrawn by entry {seq}: {why}")
            why = f"{why}; {paper.say(text, seq=one.withdrawn_by, why=one.withdrawn_why)}"
        rows.append(
            [day_text(one.date), card.name, why, f"{one.by.name}, {one.by.post}" if one.by.post else one.by.name]
        )
    return rows
