"""Too little room for the plan is said before the disk is full, once, and taken back when there is room."""

from __future__ import annotations

from collections import namedtuple
from datetime import timedelta

import pytest

from exam_kit.agent.disk_watch import DiskWatch, room
from exam_kit.cctv.recorder import RESERVE_BYTES
from exam_kit.cctv.status import CameraStatus
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import Incidents
from exam_kit.point import Point
from exam_kit.store import Ledger

Usage = namedtuple("Usage", "total used free")


def test_the_present_bit_rate_counts_against_what_is_still_planned(point: Point, clock: FakeClock) -> None:
    # 08:00 in Moscow: until 15:55 and 14:25 for the others; the room from 09:00 to 14:05.
    hours = {"HQ-1": 7 + 55 / 60, "R1-1": 5 + 5 / 60, "COR1-1": 6 + 25 / 60, "ENTR-1": 6 + 25 / 60}
    planned = sum(hours.values()) * 3600 * 2e6 / 8
    found = room(point, {}, int(planned * 1.1), clock.now(), red=1.0, amber=1.2)
    assert found.need_bytes == pytest.approx(planned)
    assert (found.level, found.left_s) == ("low", None)
    statuses = {"HQ-1": CameraStatus("HQ-1", state="recording", bitrate=4e6)}
    found = room(point, statuses, int(planned * 1.1), clock.now(), red=1.0, amber=1.2)
    assert found.need_bytes == pytest.approx(planned + hours["HQ-1"] * 3600 * 2e6 / 8)
    assert found.level == "short"
    assert found.left_s == pytest.approx(planned * 1.1 * 8 / 4e6)


def test_without_a_plan_only_a_full_disk_is_short(point: Point, clock: FakeClock) -> None:
    later = clock.now() + timedelta(days=2)
    assert room(point, {}, 1, later, red=1.0, amber=1.2).level == "ok"
    assert room(point, {}, 0, later, red=1.0, amber=1.2).level == "short"


def test_a_change_is_a_ledger_entry_and_too_little_an_incident(
    point: Point, home: Home, ledger: Ledger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = DiskWatch(point, home, ledger, clock)
    need = room(point, {}, 0, clock.now(), red=1.0, amber=1.2).need_bytes
    for share in (2.0, 1.1, 0.9, 0.9, 2.0):
        free = int(need * share) + RESERVE_BYTES
        monkeypatch.setattr("shutil.disk_usage", lambda _path, free=free: Usage(10**13, 0, free))
        watch.look({})
    assert [entry.kind for entry in ledger.entries(prefix="disk.")] == ["disk.low", "disk.short", "disk.ok"]
    (sheet,) = Incidents(ledger, point, clock, load_categories(home)).all()
    assert sheet.restored_at is not None
