"""Short forms of the benchmarks: they run, and what they compare is true. Nothing here looks at a time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.archive_disks import why_not_throttled
from bench.archive_peers import peers
from bench.archive_report import Outcome, goals
from bench.archive_routes import Measured, Ours, Route


def test_the_thirty_checks_hold_warm_and_cold(tmp_path: Path) -> None:
    """The benchmark ends with an error when one of the thirty is not ok, warm or cold."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.checks", "--alone", "--rounds", "2", "--cache", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr + told.stdout
    assert re.search(r"warm ours +median .* n 8\)", told.stdout), told.stdout
    assert re.search(r"cold ours +median .* n 2\)", told.stdout), told.stdout


@pytest.mark.parametrize("disk", ["this", "throttled"])
def test_the_archive_stands_beside_a_plain_copy_and_leaves_nothing(tmp_path: Path, disk: str) -> None:
    """The benchmark ends with an error when a copy is not complete or ours is not a sealed bag."""
    reason = why_not_throttled() if disk == "throttled" else ""
    if reason:
        pytest.skip(f"no throttled drive: {reason}")
    figures, place, limits = tmp_path / "figures.json", tmp_path / "here", _limits_of_no_disk()
    told = subprocess.run(
        [sys.executable, "-m", "bench.archive", "--quick", "--disks", disk, "--json", figures, "--folder", place],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr + told.stdout
    (outcome,) = json.loads(figures.read_text())["outcomes"]
    assert outcome["turns"].keys() == {"cp", "ours"}
    for name, (turn,) in outcome["turns"].items():
        assert turn["copies_bytes"] == outcome["bytes"] == 6 << 20
        assert f"{turn['seconds']:.2f}" in told.stdout, name
    if disk == "throttled":
        assert outcome["turns"]["ours"][0]["verify_read"] >= outcome["bytes"], "read from the drive, not from memory"
    assert list(place.iterdir()) == []
    backing = [file.read_text() for file in Path("/sys/block").glob("loop*/loop/backing_file")]
    assert not [file for file in backing if str(place) in file]
    assert _limits_of_no_disk() <= limits


def _limits_of_no_disk() -> set[str]:
    """Throttles on loop devices that nothing is attached to."""
    rules = [rule.split()[0] for file in Path("/sys/fs/cgroup/blkio").glob("*_bps_device") for rule in file.open()]
    loops = {rule for rule in rules if rule.startswith("7:")}
    return {loop for loop in loops if not Path(f"/sys/dev/block/{loop}/loop/backing_file").exists()}


def test_the_goals_of_the_archive_say_met_and_missed(tmp_path: Path) -> None:
    def turn(seconds: float, *, cpu_s: float = 1.5, copies: int = 1) -> Measured:
        return Measured(seconds, 0.0, cpu_s, 100 << 20, 2 * 10**9 * copies, 2 * 10**9 * copies)

    routes: dict[str, Route] = {**peers(tmp_path, tmp_path, ["cp", "sha256sum"]), "ours": Ours("ours", [0])}
    turns = {"cp": [turn(30.0)] * 3, "sha256sum": [turn(40.0)] * 3, "ours": [turn(20.5), turn(21.0), turn(99.0)]}
    outcome = Outcome("a drive", True, 2 * 10**9, 90, [20.0, 20.0, 20.0], turns, routes)
    assert [goal.met for goal in goals(outcome)] == [True, True, True, True, True, True]
    slow = {**turns, "ours": [turn(23.0, cpu_s=2.0)]}
    found = goals(replace(outcome, turns=slow))
    assert [goal.met for goal in found] == [False, False, False, False, True, True]
    assert "1.15  (goal at most 1.05: MISSED)" in str(found[0])
