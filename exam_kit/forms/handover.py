"""The act of handing footage over (акт приёма-передачи видеозаписей) on paper."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exam_kit.archive.act import ActFile, ActGap, Carrier, HandoverAct
from exam_kit.archive.delivered import Delivery
from exam_kit.archive.receipt import OUTCOME_LABELS
from exam_kit.cctv.status import CAUSES
from exam_kit.forms.sheet import Paper, day_text, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.person import Person
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["handover_act_pdf"]

TITLE = N_("Footage hand-over act № {number}")

COLUMNS = {
    "number": N_("№"),
    "files": N_("Files"),
    "camera": N_("Camera"),
    "place": N_("Place"),
    "from": N_("From"),
    "to": N_("To"),
    "size": N_("Size, bytes"),
    "sha256": "SHA-256",
    "file": N_("File"),
    "gaps": N_("Gaps"),
}

CARRIER_LABELS = {
    "removable": N_("removable drive"),
    "folder": N_("folder on a disk"),
    "network": N_("network storage"),
    "store": N_("object store (S3)"),
}


def handover_act_pdf(
    point: Point,
    day: ExamDay | dt.date | None,
    act: HandoverAct,
    language: str,
    head: Head | Checkpoint,
    *,
    people: Mapping[str, Person] | None = None,
    made_at: datetime | None = None,
    delivery: Delivery | None = None,
) -> bytes:
    """The act as PDF. `people` gives names and posts for the logins in the act; made when the act was, if left out.
    `delivery` is the region's receipt, in an act that is printed anew after it came."""
    paper = Paper(point, language, head, day=day or act.exam_date, made_at=made_at or act.made_at)
    known = people or {}
    carrier = act.carrier
    kind = paper.say(CARRIER_LABELS[carrier.kind]) if carrier.kind in CARRIER_LABELS else carrier.kind
    more = [
        (paper.say(N_("Carrier")), ", ".join(part for part in (kind, carrier.label, carrier.filesystem) if part)),
        *_marks_of(paper, carrier),
        (paper.say(N_("Copy")), str(act.copy)),
        (paper.say(N_("Bag")), act.bag),
        *([(paper.say(N_("Encrypted, on the carrier as")), act.sealed_as)] if act.sealed_as else []),
        *([(paper.say(N_("Supplement to")), act.supplement_to)] if act.supplement_to else []),
        (paper.say(N_("Keep until")), day_text(act.keep_until) if act.keep_until else "________________"),
        *([(paper.say(N_("Received by the region")), _received(paper, delivery))] if delivery else []),
    ]
    data = paper.data(
        paper.say(TITLE, number=act.number),
        more=more,
        signatures=[
            _signed(paper.say(N_("Handed over by")), act.handed_by, known),
            _signed(paper.say(N_("In the presence of")), act.witness, known),
            signature(paper.say(N_("Received by"))),
        ],
        columns=paper.words(COLUMNS),
        cameras=[_camera(paper, camera, act) for camera in sorted(act.cameras, key=_counted)],
        files=[_file(paper, number, file, act) for number, file in enumerate(act.files, 1)],
        empty=paper.say(N_("No files.")),
        totals=_totals(paper, act),
        words=paper.words(
            {
                "gaps": N_("Gaps in the recording"),
                "deficiencies": N_("Deficiencies"),
                "none": N_("none"),
                "annex": N_("Annex: list of files"),
            }
        ),
        gaps=[_gap(paper, gap, act.exam_date) for gap in act.gaps],
        deficiencies=[deficiency.text(language) for deficiency in act.deficiencies],
    )
    return typeset("handover", data, paper.made_at)


def _marks_of(paper: Paper, carrier: Carrier) -> list[tuple[str, str]]:
    """What tells this carrier from any other: a drive has numbers, a store an address, and perhaps a lock."""
    if carrier.kind != "store":
        return [
            (paper.say(N_("Serial №")), carrier.serial or "________________"),
            (paper.say(N_("Seal №")), carrier.seal or "________________"),
        ]
    lock = day_text(dt.date.fromisoformat(carrier.locked_until)) if carrier.locked_until else paper.say(N_("no lock"))
    return [(paper.say(N_("Address")), carrier.path), (paper.say(N_("Deletion locked until")), lock)]


def _received(paper: Paper, delivery: Delivery) -> str:
    outcome = paper.say(OUTCOME_LABELS[delivery.outcome]) if delivery.outcome in OUTCOME_LABELS else delivery.outcome
    when = f"{day_text(paper.local(delivery.received_at).date())} {paper.clock(delivery.received_at)}"
    said = N_("{when}, {outcome}; entry {entry} of the ledger")
    return paper.say(said, when=when, outcome=outcome, entry=delivery.entry)


def _signed(role: str, login: str, people: Mapping[str, Person]) -> dict[str, str]:
    person = people.get(login)
    return signature(role, person.name, person.post) if person else signature(role, login)


def _file(paper: Paper, number: int, file: ActFile, act: HandoverAct) -> dict[str, Any]:
    return {
        "number": str(number),
        "camera": file.camera,
        "place": file.place,
        "from": paper.clock(file.start, beside=act.exam_date, seconds=True),
        "to": paper.clock(file.end, beside=act.exam_date, seconds=True),
        "size": paper.number(file.bytes, 0),
        "sha256": file.sha256,
        "path": file.path.rpartition("/")[2],
        "gaps": "; ".join(_span(paper, gap, act.exam_date) for gap in act.gaps_in(file)),
    }


def _counted(camera: str) -> list[tuple[int, str]]:
    """The order in which people count cameras: R2-1 before R10-1."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", camera)]


def _camera(paper: Paper, camera: str, act: HandoverAct) -> list[str]:
    files, gaps = [file for file in act.files if file.camera == camera], act.gaps_of(camera)
    closed = [gap.seconds for gap in gaps if gap.seconds is not None]
    lost = paper.say(N_(" ({seconds} s)"), seconds=paper.number(sum(closed))) if closed else ""
    if len(closed) < len(gaps):
        lost += " + …"
    return [
        camera,
        ", ".join(sorted({file.place for file in files})),
        paper.clock(min(file.start for file in files), beside=act.exam_date, seconds=True),
        paper.clock(max(file.end for file in files), beside=act.exam_date, seconds=True),
        str(len(files)),
        paper.number(sum(file.bytes for file in files), 0),
        f"{len(gaps)}{lost}" if gaps else paper.say(N_("none")),
    ]


def _span(paper: Paper, gap: ActGap, date: dt.date) -> str:
    until = paper.clock(gap.end, beside=date, seconds=True) or "…"
    return f"{paper.clock(gap.start, beside=date, seconds=True)}–{until}"


def _gap(paper: Paper, gap: ActGap, date: dt.date) -> str:
    cause = paper.say(CAUSES[gap.cause]) if gap.cause in CAUSES else gap.cause
    lasted = "" if gap.seconds is None else paper.say(N_(" ({seconds} s)"), seconds=paper.number(gap.seconds))
    return f"{gap.camera}: {_span(paper, gap, date)}{lasted} — {cause}"


def _totals(paper: Paper, act: HandoverAct) -> str:
    return paper.say(
        N_("In all: files {files}, cameras {cameras}, {hours} h of footage, {bytes} bytes ({gigabytes} GB)."),
        files=len(act.files),
        cameras=len(act.cameras),
        hours=paper.number(act.total_s / 3600, 2),
        bytes=paper.number(act.total_bytes, 0),
        gigabytes=paper.number(act.total_bytes / 1e9, 2),
    )
