"""How long the disk lasts at the present bit rate, against what is still planned: said before it is full.

Footage is never deleted to make room. The bounds are those of the profile's check of the free space (`disk.free`).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from exam_kit.cctv.recorder import RESERVE_BYTES
from exam_kit.cctv.status import CameraStatus
from exam_kit.checks import load_profile
from exam_kit.clock import Clock
from exam_kit.errors import PointInvalid, m
from exam_kit.home import Home
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.person import AGENT
from exam_kit.point import Point, camera_windows
from exam_kit.store import Ledger

__all__ = ["DiskWatch", "Room", "room"]

log = logging.getLogger(__name__)

AHEAD = timedelta(hours=24)
"""Windows that begin later are another day's: there is time to make room."""
KEY = "disk"

Level = Literal["ok", "low", "short"]


@dataclass(frozen=True)
class Room:
    """What the footage's disk holds out. `left_s` is None while nothing records, `ratio` (space to need) without a
    plan."""

    free_bytes: int
    need_bytes: int
    left_s: float | None
    ratio: float | None
    level: Level


def room(
    point: Point,
    statuses: Mapping[str, CameraStatus],
    free_bytes: int,
    now: datetime,
    *,
    red: float,
    amber: float,
) -> Room:
    """Space against plan. `free_bytes`: what recording may use. A camera that records counts with its present bit
    rate, another one with the rate of point.toml."""
    running_bps = need_bits = 0.0
    for camera in point.cameras:
        status = statuses.get(camera.id)
        records = status is not None and status.state == "recording" and status.bitrate > 0
        rate_bps = status.bitrate if status is not None and records else camera.bitrate_mbps * 1e6
        running_bps += rate_bps if records else 0.0
        for window in camera_windows(point, camera):
            if window.end > now and window.start < now + AHEAD:
                need_bits += rate_bps * (window.end - max(window.start, now)).total_seconds()
    need_bytes = int(need_bits / 8)
    ratio = free_bytes / need_bytes if need_bytes else None
    full = free_bytes <= 0 or (ratio is not None and ratio < red)
    level: Level = "short" if full else "low" if ratio is not None and ratio < amber else "ok"
    return Room(free_bytes, need_bytes, free_bytes * 8 / running_bps if running_bps else None, ratio, level)


class DiskWatch:
    """Looks now and then; a change for better or worse is a ledger entry, too little room opens an incident."""

    def __init__(self, point: Point, home: Home, ledger: Ledger, clock: Clock) -> None:
        self._point, self._home, self._ledger, self._clock = point, home, ledger, clock
        self._incidents = Incidents(ledger, point, clock, load_categories(home))
        self._red, self._amber = self._bounds()
        self._level: Level = "ok"

    def _bounds(self) -> tuple[float, float]:
        """The profile's, (red, amber). Without them, red is where the space no longer suffices for the plan."""
        found = {"fail": 1.0, "warn": 1.0}
        try:
            checks = load_profile(self._point.profile, self._home).checks
        except PointInvalid as problem:
            log.error("%s", problem.text("en"))
            return 1.0, 1.0
        for check in checks:
            if check.probe == "disk.free":
                for level in found:
                    for rule in getattr(check.expect, level):
                        if rule.of == "ratio" and rule.condition == "below":
                            found[level] = float(rule.bound)
        return found["fail"], found["warn"]

    def look(self, statuses: Mapping[str, CameraStatus]) -> Room:
        """How it stands now; what changed is written down.

        Raises:
            OSError: the disk cannot be asked.
            StoreError: it could not be written down; look again.
        """
        free = shutil.disk_usage(self._home.footage).free - RESERVE_BYTES
        found = room(self._point, statuses, free, self._clock.now(), red=self._red, amber=self._amber)
        if found.level != self._level:
            self._ledger.append(f"disk.{found.level}", asdict(found), "agent")
            self._level = found.level
        if found.level == "short":
            self._open(found)
        elif (sheet := self._incidents.find_open(KEY)) is not None and sheet.restored_at is None:
            text = m("The disk has room for the plan again.").text(self._point.language)
            self._incidents.restored(sheet.number, AGENT, year=sheet.year, text=text)
        return found

    def _open(self, found: Room) -> None:
        text = m(
            "The disk has {free:.1f} GB left for footage, {need:.1f} GB are still planned. "
            "Nothing is deleted by itself: archive what is finished and make room, or take another disk.",
            free=max(found.free_bytes, 0) / 1e9,
            need=found.need_bytes / 1e9,
        )
        draft = IncidentDraft("other", text.text(self._point.language), self._clock.now())
        self._incidents.open_for(KEY, draft)
