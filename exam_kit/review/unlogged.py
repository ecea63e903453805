"""What happened in the days asked for and has no line of the access log beside it."""

from __future__ import annotations

import datetime as dt
from datetime import datetime, timedelta

from exam_kit.cctv.segments import gaps
from exam_kit.cctv.status import CAUSES
from exam_kit.errors import Message, m
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.unlogged import Silence, cabinets_without_row, gaps_without_row
from exam_kit.point import Point
from exam_kit.store import Ledger

__all__ = ["MOST_DAYS", "Bare", "without_a_line"]

MOST_DAYS = 31
"""A longer time is looked through in pieces: the whole of a long log would be held against each gap."""

Bare = tuple[datetime, datetime | None, Message]
"""From, to (None while it lasts, the same for a moment), and what it was."""


def without_a_line(ledger: Ledger, point: Point, since: dt.date, until: dt.date) -> list[Bare]:
    """Recording gaps and opened cabinets of these local dates (both included) without a line, oldest first."""
    now = ledger.clock.now()
    begin = datetime.combine(since, datetime.min.time(), point.tz)
    finish = min(datetime.combine(until, datetime.min.time(), point.tz) + timedelta(days=1), now)
    places = {camera.id: camera.room for camera in point.cameras}
    silent = [
        Silence((gap.camera,), (places[gap.camera],), gap.start, gap.end, gap.cause)
        for gap in gaps(ledger.store, start=begin, end=finish)
        if gap.camera in places
    ]
    opened = [line for line in CabinetLog(ledger, point).lines() if since <= line.date <= until]
    if not silent and not opened:
        return []
    book, rules = AccessLog(ledger, point).book(), point.access_log
    found: list[Bare] = [(one.start, one.end, _gap(one)) for one in gaps_without_row(silent, book, rules, now)]
    found += [
        (
            one.at,
            one.at,
            m(
                "cabinet {cabinet} opened: {reason} (cabinet log, line {number})",
                cabinet=one.cabinet,
                reason=one.reason,
                number=one.number,
            ),
        )
        for one in cabinets_without_row(opened, book, rules)
    ]
    return sorted(found, key=lambda bare: bare[0])


def _gap(gap: Silence) -> Message:
    cause = m(CAUSES.get(gap.cause, gap.cause))
    return m("recording gap, cameras {cameras}: {cause}", cameras=", ".join(gap.cameras), cause=cause)
