"""What happened in the days asked for and has no line of the access log beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.cctv.segments import gaps
from exam_kit.cctv.status import CAUSES
from exam_kit.errors import Message, m
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.cabinet import CabinetLine
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.unlogged import Silence, cabinets_without_row, gaps_without_row
from exam_kit.point import Point, Zone
from exam_kit.store import Ledger

__all__ = ["MOST_DAYS", "Bare", "without_a_line"]

MOST_DAYS = 31
"""A longer time is looked through in pieces: the whole of a long log would be held against each gap."""


@dataclass(frozen=True)
class Bare:
    """An event: in which rooms, from, to (None while it lasts, the same for a moment), and what it was.

    `key` tells it from the others of its day.
    """

    key: str
    rooms: tuple[str, ...]
    start: datetime
    end: datetime | None
    what: Message


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
    book, rules, cabinets_at = AccessLog(ledger, point).book(), point.access_log, _at_headquarters(point)
    found = [_gap(one) for one in gaps_without_row(silent, book, rules, now)]
    found += [_opening(one, cabinets_at) for one in cabinets_without_row(opened, book, rules, cabinets_at)]
    return sorted(found, key=lambda bare: bare.start)


def _at_headquarters(point: Point) -> tuple[str, ...]:
    return tuple(room.code for room in point.rooms if room.zone is Zone.HEADQUARTERS) or (point.rooms[0].code,)


def _gap(gap: Silence) -> Bare:
    cause = m(CAUSES.get(gap.cause, gap.cause))
    what = m("recording gap, cameras {cameras}: {cause}", cameras=", ".join(gap.cameras), cause=cause)
    return Bare(f"{gap.cameras[0]}-{gap.start:%H%M%S%f}", gap.rooms, gap.start, gap.end, what)


def _opening(line: CabinetLine, rooms: tuple[str, ...]) -> Bare:
    what = m(
        "cabinet {cabinet} opened: {reason} (cabinet log, line {number})",
        cabinet=line.cabinet,
        reason=line.reason,
        number=line.number,
    )
    return Bare(str(line.number), rooms, line.at, line.at, what)
