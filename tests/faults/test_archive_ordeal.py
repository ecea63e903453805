"""The short form of `python -m tests.e2e.ordeal_copy`, and that its judge sees what it must see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, record
from tests.e2e.ordeal_copy_day import Day, Outcome
from tests.e2e.ordeal_copy_kill import Left, again
from tests.e2e.ordeal_copy_table import Row, read_rows

ROOT = Path(__file__).parents[2]
SHORT = {
    "kill -9, 2 destinations=this computer's disk": 4,
    "kill -9, encrypted, 2 destinations=this computer's disk": 4,
    "a system call fails=this computer's disk": 6,
    "a bit flipped before the read-back=ext4": 1,
    "one of two destinations: device gone=ext4": 1,
}
"""Rows of the table, and how many faults each counts here."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    if sys.platform != "linux":
        pytest.skip("the ordeal forks, kills and mounts as Linux does")
    target = tmp_path_factory.mktemp("ordeal") / "rows.json"
    command = [sys.executable, "-m", "tests.e2e.ordeal_copy", "--kills", "4", "--times", "1", "--calls", "6", "--here"]
    done = subprocess.run(
        [*command, "--json", str(target), "--only", *SHORT], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert target.exists(), done.stderr
    return {f"{row.fault}={row.where}": row for row in read_rows(target.read_text())}


@pytest.mark.parametrize("name", SHORT)
def test_nothing_acknowledged_is_lost_and_nothing_that_differs_is_accepted(rows: dict[str, Row], name: str) -> None:
    row = rows[name]
    if row.why_not:
        pytest.skip(row.why_not)
    assert row.wrong == []
    assert row.times == SHORT[name]
    assert row.looked_for > 0


@pytest.mark.parametrize("harm", ["none", "byte", "gone", "row"])
def test_the_judge_sees_what_differs(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path, harm: str
) -> None:
    record(store, ledger, home, cameras=("ENTR-1",), count=2)
    drive = tmp_path / "drive"
    assert archive(store, ledger, home, point, drive, clock).state == "finished"
    copies = sorted(drive.rglob("*.mp4"))
    match harm:
        case "byte":
            content = bytearray(copies[0].read_bytes())
            content[77] ^= 1
            copies[0].write_bytes(content)
        case "gone":
            copies[0].unlink()
        case "row":
            with store.transaction() as connection:
                connection.execute("UPDATE archive_file SET path = replace(path, '0500', '0700')")
    day = Day(tmp_path)
    day.home = home
    day.learn()
    day.truth |= {name.replace("0500", "0700"): fact for name, fact in day.truth.items()}
    truth = day.judge(drive)
    assert truth.acknowledged == (2 if harm != "row" else 3)
    words = {"none": set(), "byte": {"lost", "differs", "verify"}, "gone": {"lost", "verify"}, "row": {"lost"}}[harm]
    assert {word for word in ("lost", "differs", "verify") if any(word in said for said in truth.wrong)} == words


def test_work_done_twice_is_counted_by_kill_and_destination(tmp_path: Path) -> None:
    def counted(*began: Path) -> list[str]:
        row = Row("kill", "here")
        left = {
            a / "1.mp4": Left(1, 500),
            a / "2.mp4": Left(1, 500),
            a / "3.mp4": Left(2, 500),
            b / "1.mp4": Left(1, 9),
        }
        again(Outcome("finished", began=began), left, {(str(a / "bag"), "data/9.mp4")}, row, [a, b])
        return row.wrong

    a, b = tmp_path / "a", tmp_path / "b"
    assert counted(a / "1.mp4", a / "3.mp4", b / "1.mp4", b / "2.mp4") == []
    assert counted(a / "1.mp4", a / "2.mp4") == ["2 files copied again for one kill"]
    assert counted(b / "2.mp4", b / "2.mp4") == ["2.mp4: copied twice in one run"]
    assert counted(a / "9.mp4") == ["9.mp4: acknowledged and copied again"]
    assert counted(b / "9.mp4") == []
