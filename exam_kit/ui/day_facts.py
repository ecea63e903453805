"""The day's facts, read from the rooms that own them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from exam_kit.agent import orders
from exam_kit.checks.model import Run
from exam_kit.checks.results import latest_run
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.incidents import Incidents
from exam_kit.point import ExamDay, check_due, exam_end, exam_start, zone_windows
from exam_kit.ui.camera_facts import CameraFact, camera_facts
from exam_kit.ui.next_step import DayFacts
from exam_kit.ui.seat import Seat

__all__ = ["Picture", "archive_orders", "take_picture"]


@dataclass(frozen=True)
class Picture:
    """Everything the day's screen shows, read once."""

    facts: DayFacts
    run: Run | None
    cameras: Sequence[CameraFact]
    incidents: Sequence[Incident]
    rows: Sequence[AccessRow]
    archive: orders.Order | None


@functools.cache
def categories() -> Categories:
    """The shipped categories: counting sheets needs their book, not their texts."""
    return load_categories()


def archive_orders(seat: Seat, day: ExamDay) -> list[orders.Order]:
    """Orders to archive this exam day, newest first."""
    return [order for order in orders.recent(seat.store, "archive") if order.body.get("day") == str(day.date)]


def take_picture(seat: Seat, day: ExamDay) -> Picture:
    """The day as it stands now."""
    run = latest_run(seat.store, day=str(day.date))
    cameras = camera_facts(seat)
    incidents = Incidents(seat.ledger, seat.point, categories=categories()).all(day.date)
    log = AccessLog(seat.ledger, seat.point)
    rows = log.rows(day.date)
    archives = archive_orders(seat, day)
    windows = zone_windows(seat.point, day)
    used = {seat.point.zone_of(camera) for camera in seat.point.cameras}
    starts = [window.start for zone, window in windows.items() if zone in used]
    facts = DayFacts(
        now=seat.now,
        check_due=check_due(seat.point, day)[0],
        first_recording=min(starts, default=None),
        exam_start=exam_start(seat.point, day),
        exam_end=exam_end(seat.point, day),
        verdict=run.verdict.value if run and run.verdict else None,
        checking=bool(orders.open_orders(seat.store, "check")),
        missing=sum(camera.missing(seat.now) for camera in cameras),
        recording=sum(camera.recording for camera in cameras),
        open_incidents=sum(sheet.is_open for sheet in incidents),
        archived=any(order.state == "done" for order in archives),
        archiving=any(order.open for order in archives),
        open_rows=sum(row.open for row in rows),
    )
    return Picture(facts, run, cameras, incidents, rows, archives[0] if archives else None)
