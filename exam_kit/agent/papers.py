"""The papers that travel with the footage: act, access and cabinet log, incident sheets, check protocol."""

from __future__ import annotations

import json

from exam_kit.archive.act import Document, HandoverAct
from exam_kit.checks.results import latest_run, told
from exam_kit.clock import Clock
from exam_kit.forms import access_log_pdf, check_protocol_pdf, handover_act_pdf, incident_pdf
from exam_kit.forms.cabinet_log import cabinet_log_pdf
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.person import Person, person_of
from exam_kit.point import ExamDay, Point
from exam_kit.store import Accounts, Ledger, Store

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
    papers += [
        Document(
            f"incident-{sheet.year}-{sheet.number:03d}.pdf",
            incident_pdf(point, sheet, language, head, made_at=made, categories=categories),
        )
        for sheet in Incidents(ledger, point, clock, categories).all(day.date)
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
