"""What a run that was cut off at its very end left behind is cleared away by the next; what is still needed stays. And
what is told when one copy of several fails by something that is not its destination's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exam_kit.archive.job_rows import JobRows
from exam_kit.archive.s3.uploads import state_file
from exam_kit.archive.selection import Asked
from exam_kit.archive.stores import SCHEME, staging_folder
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.errors import ArchiveError
from exam_kit.home import Home
from exam_kit.point import Point, load_point
from exam_kit.store import Ledger, Store, open_store
from tests.archive_day import BORDERS, DAY, archive, record
from tests.s3.direct import ADDRESS, archive_to, make_home, name_store


class Nobody:
    """A store that nobody asks for anything but its keys."""

    access, secret = "access", "secret"


@pytest.mark.parametrize("part", ["", ".part"])
@pytest.mark.parametrize(
    ("state", "stays"),
    [("finished", False), ("given_up", False), ("failed", True), ("cancelled", True), ("running", True)],
)
def test_only_what_has_ended_for_good_is_cleared_away(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path,
    state: str, stays: bool, part: str,
) -> None:  # fmt: skip
    record(store, ledger, home)
    folder, rows = staging_folder(home, "region"), JobRows(store, clock)
    job = rows.new_at(point, DAY, Asked(tuple(BORDERS)), f"{SCHEME}region", folder, ())
    rows.mark(job, state)
    staged = folder / f"{job.bag.name}{part}" / "data" / "documents"
    unknown = folder / "77_0001_20260528_COR-ENTR_copy9"
    for place in (staged, unknown):
        place.mkdir(parents=True)
        (place / "act.pdf").write_bytes(b"%PDF")
    archive(store, ledger, home, point, tmp_path / "stick", clock)
    assert staged.exists() == stays and unknown.exists()


def test_a_damaged_memory_of_uploads_fails_the_copy_in_the_store_alone(tmp_path: Path) -> None:
    """The drive's copy is finished and said to be: an order that failed as a whole would hide it."""
    home, stick = make_home(tmp_path), tmp_path / "stick"
    stick.mkdir()
    name_store(home, Nobody(), "http://127.0.0.1:1", "copies")
    store = open_store(home)
    point = load_point(home.point_file)
    JobRows(store, SystemClock()).new_at(point, DAY, Asked(tuple(BORDERS)), ADDRESS, staging_folder(home, "region"), ())
    store.close()
    state_file(home).write_bytes(b"no database\n" * 1000)
    result = archive_to(home, [stick, ADDRESS], 4)
    assert [copy.state for copy in result.copies] == ["finished", "failed"]
    assert "state of uploads cannot be kept" in str(result.copies[1].error)


def test_each_destination_of_which_none_could_be_begun_says_why(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    with pytest.raises(ArchiveError) as told:
        archive(store, ledger, home, point, tmp_path / "one", clock, also_to=[tmp_path / "two"], make=False)
    said = told.value.text("en").splitlines()
    assert [str(tmp_path / name) in line for name, line in zip(("one", "two"), said, strict=True)] == [True, True]


def test_one_reason_for_all_is_said_once(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    with pytest.raises(ArchiveError) as told:
        archive(store, ledger, home, point, tmp_path / "one", clock, also_to=[tmp_path / "two"], encrypt=True)
    assert told.value.text("en").count("no age recipient") == 1


def test_why_a_copy_ended_is_kept_in_every_language_while_the_others_go_on(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    (tmp_path / "there").mkdir()
    told: list[dict[str, Any]] = []
    archive(
        store, ledger, home, point, tmp_path / "none", clock, also_to=[tmp_path / "there"], make=False,
        progress=lambda now: told.append(now.as_dict()),
    )  # fmt: skip
    failed, other = told[-1]["copies"]
    assert [
        word in failed["said"][language] for language, word in (("ru", "такой папки нет"), ("lv", "mapes nav"))
    ] == [
        True,
        True,
    ]
    assert "there is no such folder" in failed["said"]["en"] and other["said"] == {}
