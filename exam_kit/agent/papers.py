"""The papers that travel with the footage: act, access log, incident sheets, check protocol."""

from __future__ import annotations

import json

from exam_kit.archive import Document, HandoverAct
from exam_kit.checks import latest_run
from exam_kit.checks.report import run_dict
from exam_kit.clock import Clock
from exam_kit.forms import access_log_pdf, check_protocol_pdf, handover_act_pdf, incident_pdf
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.incidents import Incidents
from exam_kit.point import ExamDay, Point
from exam_kit.store import Ledger, Store

__all__ = ["hand_over_documents"]


def hand_over_documents(
    point: Point, day: ExamDay, store: Store, ledger: Ledger, clock: Clock, act: HandoverAct
) -> list[Document]:
    """What goes into the bag beside the footage, in the point's language; the check also as JSON."""
    language, head = point.language, ledger.head()
    made = clock.now()
    rows = AccessLog(ledger, point, clock).rows(day.date)
    papers = [
        Document("act.pdf", handover_act_pdf(point, day, act, language, head)),
        Document("access-log.pdf", access_log_pdf(point, day, rows, language, head, made)),
    ]
    papers += [
        Document(f"incident-{sheet.year}-{sheet.number:03d}.pdf", incident_pdf(point, sheet, language, head, made))
        for sheet in Incidents(ledger, point, clock).all(day.date)
    ]
    run = latest_run(store, day=str(day.date))
    if run is not None:
        found = run_dict(run)
        papers.append(Document("check-protocol.pdf", check_protocol_pdf(point, day, found, language, head, made)))
        papers.append(Document("check.json", json.dumps(found, ensure_ascii=False, indent=1).encode()))
    return papers
