"""What a run that was cut off at its very end left behind is cleared away by the next; what is still needed stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.archive.job_rows import JobRows
from exam_kit.archive.selection import Asked
from exam_kit.archive.stores import SCHEME, staging_folder
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import BORDERS, DAY, archive, record


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
