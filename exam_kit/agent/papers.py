"""The papers that travel with the footage: act, access and cabinet log, incident sheets, check protocol."""

from __future__ import annotations

import json
from datetime import datetime
from mimetypes import guess_extension

from exam_kit.archive.act import Document, HandoverAct
from exam_kit.checks.results import latest_run, told
from exam_kit.clock import Clock
from exam_kit.forms import access_log_pdf, check_protocol_pdf, handover_act_pdf, incident_pdf, room_calls_pdf
from exam_kit.forms.cabinet_log import cabinet_log_pdf
from exam_kit.forms.equipment_handover import handover_sheet_pdf
from exam_kit.forms.familiarisation import familiarisation_pdf
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_norms import load_norms
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_files import states_of
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.people import read_register
from exam_kit.journal.person import Person, person_of
from exam_kit.journal.room_call import RoomCalls
from exam_kit.point import ExamDay, Point
from exam_kit.store import Accounts, Checkpoint, Head, Ledger, Store
from exam_kit.store.evidence import UNKNOWN_KIND, KeptState, kind_of, read_evidence

__all__ = ["hand_over_documents"]


def hand_over_documents(
    home: Home, point: Point, day: ExamDay, store: Store, ledger: Ledger, clock: Clock, act: HandoverAct
) -> list[Document]:
    """What goes into the bag beside the footage, in the point's language; the check also as JSON."""
    language, head = point.language, ledger.signed(act.ledger_head)
    made = clock.now()
    categories = load_categories(home)
    people: dict[str, Person] = {account.login: person_of(account) for account in Accounts(store, ledger, clock).all()}
    rows = AccessLog(ledger, point, clock).rows(day.date)
    papers = [
        Document("act.pdf", handover_act_pdf(point, day, act, language, head, people=people)),
        Document("access-log.pdf", access_log_pdf(point, day, rows, language, head, made_at=made)),
    ]
    lines = CabinetLog(ledger, point, clock).lines(day.date)
    if lines:  # not every point has a cabinet under seal
        papers.append(Document("cabinet-log.pdf", cabinet_log_pdf(point, day, lines, language, head, made_at=made)))
    cards = read_register(ledger, point).people
    if cards:  # who was appointed, and by which order, beside what they did
        papers.append(Document("familiarisation.pdf", familiarisation_pdf(point, cards, language, head, made_at=made)))
    for sheet in Incidents(ledger, point, clock, categories).all(day.date):
        papers += _sheet_papers(home, point, sheet, language, head, made, categories)
    calls = RoomCalls(ledger, point, clock).all(day.date)
    if calls:
        papers.append(Document("room-calls.pdf", room_calls_pdf(point, day, calls, language, head, made_at=made)))
    equipment = Equipment(ledger, point, clock, load_norms(home))
    papers += [
        Document(
            f"equipment-{sheet.year}-{sheet.number:03d}.pdf",
            handover_sheet_pdf(point, sheet, equipment.norms, language, head, made_at=made),
        )
        for sheet in equipment.sheets(day.date)
    ]
    run = latest_run(store, day=str(day.date))
    if run is not None:
        found = told(store, run)
        papers.append(
            Document(
                "check-protocol.pdf", check_protocol_pdf(point, day, found, language, head, people=people, made_at=made)
            )
        )
        papers.append(Document("check.json", json.dumps(found, ensure_ascii=False, indent=1).encode()))
    return papers


def _sheet_papers(
    home: Home,
    point: Point,
    sheet: Incident,
    language: str,
    head: Head | Checkpoint,
    made: datetime,
    categories: Categories,
) -> list[Document]:
    """An incident sheet and its files, each by the beginning of the SHA-256 that the sheet names.

    A file that is missing or altered stays out: the sheet says so.
    """
    name = f"incident-{sheet.year}-{sheet.number:03d}"
    found = states_of(home, sheet.files)
    pdf = incident_pdf(point, sheet, language, head, made_at=made, categories=categories, found=found)
    papers = [Document(f"{name}.pdf", pdf)]
    for file in sheet.files:
        if found[file.sha256] is KeptState.WHOLE:
            content = read_evidence(home, file.sha256)
            kind = kind_of(content)
            ending = ".txt" if kind == UNKNOWN_KIND else guess_extension(kind) or ""
            papers.append(Document(f"{name}-{file.sha256[:12]}{ending}", content))
    return papers
