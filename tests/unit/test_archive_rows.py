"""Which job a destination takes up, and what its rows remember of what failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.archive.act import Carrier
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, cancelled_after, record


@pytest.fixture
def drives(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Serial numbers of the drives, by the name of the folder they are mounted at."""
    serials: dict[str, str] = {}
    monkeypatch.setattr(
        "exam_kit.archive.job_copy.carrier_at", lambda path: Carrier("removable", str(path), serial=serials[path.name])
    )
    return serials


def test_drives_that_change_places_keep_their_copies(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path, drives: dict[str, str]
) -> None:
    record(store, ledger, home)
    usb, usb1, other = tmp_path / "usb", tmp_path / "usb1", tmp_path / "other"
    drives |= {"usb": "AAA", "usb1": "BBB"}

    def two(place: Path) -> str:
        with cancelled_after(2) as cancelled:
            return archive(store, ledger, home, point, place, clock, cancelled=cancelled).job

    first, second = two(usb), two(usb1)
    usb.rename(other)
    usb1.rename(usb)
    other.rename(usb1)
    drives |= {"usb": "BBB", "usb1": "AAA"}
    assert archive(store, ledger, home, point, usb1, clock).job == first
    assert archive(store, ledger, home, point, usb, clock).job == second


def test_another_drive_in_the_same_place_begins_its_own_copy(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path, drives: dict[str, str]
) -> None:
    record(store, ledger, home)
    place = tmp_path / "usb"
    drives["usb"] = "AAA"
    with cancelled_after(2) as cancelled:
        begun = archive(store, ledger, home, point, place, clock, cancelled=cancelled)
    (place / "77_0001_20260528_COR-ENTR_copy1.part").rename(tmp_path / "in the drawer")
    drives["usb"] = "BBB"
    made = archive(store, ledger, home, point, place, clock)
    assert (made.job != begun.job, made.copy, made.files) == (True, 2, 6)
    (tmp_path / "in the drawer").rename(place / "77_0001_20260528_COR-ENTR_copy1.part")
    drives["usb"] = "AAA"
    again = archive(store, ledger, home, point, place, clock)
    assert (again.job, again.copy) == (begun.job, 1)


def test_a_copy_that_was_sealed_before_the_ledger_knew_tells_what_failed(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    recordings = record(store, ledger, home)
    recordings[0].write_bytes(b"another")
    place = tmp_path / "usb"
    first = archive(store, ledger, home, point, place, clock)
    assert len(first.failed) == 1
    with store.transaction() as connection:  # as a kill between the bag's name and the ledger leaves it
        connection.execute("UPDATE archive_job SET state = 'sealing', ended_at = NULL")
    again = archive(store, ledger, home, point, place, clock)
    assert (again.job, again.files, again.failed) == (first.job, 5, first.failed)
    assert [entry.body["failed"] for entry in ledger.entries(["archive.finished"])] == [1, 1]
