"""A later bag with the parts that were delivered later: only what the first lacks, and how the two stand together."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from exam_kit.archive import verify_bag
from exam_kit.archive.bag_find import bags_at
from exam_kit.archive.selection import Asked
from exam_kit.archive.supplement import relate
from exam_kit.archive.supplement_choice import next_supplement
from exam_kit.clock import FakeClock
from exam_kit.errors import ArchiveError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import BEGIN, BORDERS, DAY, add_piece, archive, record

ASKED = Asked(tuple(BORDERS))


def _late(store: Store, ledger: Ledger, home: Home, number: int) -> None:
    start = BEGIN + dt.timedelta(minutes=10 + number)
    content = f"delivered later {number}".encode() * 500
    add_piece(store, ledger, home, "COR1-1", f"late-{number}.mp4", content, start, start + dt.timedelta(minutes=1))


def test_only_what_the_first_lacks(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    assert next_supplement(store, DAY, ASKED) == 0
    record(store, ledger, home)
    clock.advance(3600)
    with pytest.raises(ArchiveError, match="Archive first"):
        archive(store, ledger, home, point, drive, clock, supplement=1)
    first = archive(store, ledger, home, point, drive, clock)
    assert first.bag is not None and next_supplement(store, DAY, ASKED) == 1
    with pytest.raises(ArchiveError, match="have every recording there is"):
        archive(store, ledger, home, point, drive, clock, supplement=1)
    _late(store, ledger, home, 0)
    made = archive(store, ledger, home, point, drive, clock, supplement=1)
    assert made.bag is not None and made.bag.name == "77_0001_20260528_COR-ENTR-ADD1_copy1"
    assert [path.name for path in made.bag.rglob("*.mp4")] == ["late-0.mp4"]
    assert made.act is not None and made.act.supplement_to == first.bag.name
    told = json.loads((made.bag / "coverage.json").read_text(encoding="utf-8"))
    assert told["supplement_to"] == first.bag.name
    [body] = [entry.body for entry in ledger.entries(["archive.finished"]) if "supplement_to" in entry.body]
    assert body["supplement_to"] == first.bag.name
    # Another copy of the same supplement, and a second one that repeats neither.
    again = archive(store, ledger, home, point, drive, clock, supplement=1)
    assert again.bag is not None and again.bag.name.endswith("ADD1_copy2")
    assert next_supplement(store, DAY, ASKED) == 2
    _late(store, ledger, home, 1)
    second = archive(store, ledger, home, point, drive, clock, supplement=2)
    assert second.bag is not None and [path.name for path in second.bag.rglob("*.mp4")] == ["late-1.mp4"]


def test_how_the_two_stand_together(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    record(store, ledger, home, count=2)
    clock.advance(3600)
    first = archive(store, ledger, home, point, drive, clock)
    _late(store, ledger, home, 0)
    made = archive(store, ledger, home, point, drive, clock, supplement=1)
    assert first.bag is not None and made.bag is not None
    alone = verify_bag(made.bag)
    assert alone.whole and alone.supplement_to == f"{first.bag.name} {first.bag_hash}"
    assert f"supplement to {first.bag.name}; that bag was not looked at" in alone.text("en")

    def relation() -> str:
        reports = [verify_bag(bag) for bag in bags_at(drive)]
        relate(reports)
        [said] = [report.relation for report in reports if report.supplement_to]
        return said

    assert relation() == "found"
    video = next(first.bag.rglob("*.mp4"))
    kept = video.read_bytes()
    video.write_bytes(b"changed")
    assert relation() == "damaged"
    video.write_bytes(kept)
    (first.bag / "tagmanifest-sha256.txt").write_bytes(b"another bag")
    assert relation() == "differs"
    first.bag.rename(tmp_path / "elsewhere")
    assert relation() == "absent"


def test_what_only_a_later_copy_has_is_in_the_supplement_to_the_first(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    record(store, ledger, home, count=1)
    clock.advance(3600)
    first = archive(store, ledger, home, point, drive, clock)
    _late(store, ledger, home, 0)
    assert archive(store, ledger, home, point, drive, clock).copy == 2  # holds the late piece; the first does not
    _late(store, ledger, home, 1)
    made = archive(store, ledger, home, point, drive, clock, supplement=1)
    assert first.bag is not None and made.bag is not None and made.act is not None
    assert made.act.supplement_to == first.bag.name
    assert sorted(path.name for path in made.bag.rglob("*.mp4")) == ["late-0.mp4", "late-1.mp4"]


@pytest.mark.parametrize("number", [-1, 2, 7])
def test_a_supplement_has_the_next_number_or_one_that_was_made(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path, number: int
) -> None:
    record(store, ledger, home, count=1)
    archive(store, ledger, home, point, tmp_path / "one", clock)
    _late(store, ledger, home, 0)
    with pytest.raises(ArchiveError, match="the next one is number 1"):
        archive(store, ledger, home, point, tmp_path / "two", clock, supplement=number)
    assert archive(store, ledger, home, point, tmp_path / "two", clock, supplement=1).files == 1
