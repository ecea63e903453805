"""The ordeal of the region in its short form; the long one is ``python -m tests.e2e.ordeal_region``."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.ordeal_region import faults_of, kill_intake, play


def test_the_table_says_exactly_what_was_done(tmp_path: Path) -> None:
    story = play(tmp_path)
    assert faults_of(story) == []
    assert story.codes == {"intake": 24, "status": 25}
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_killed_intakes_leave_nothing_half_taken(tmp_path: Path) -> None:
    counted = kill_intake(tmp_path, 2, 400_000)
    assert (counted["half taken"], counted["not taken in the end"]) == (0, 0)
    assert counted["kills"] + counted["ended before the kill"] == 2
