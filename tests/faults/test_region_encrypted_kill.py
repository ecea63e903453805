"""kill -9 while an encrypted bag is opened on its way in; the long form is ``tests.e2e.ordeal_region --encrypted``."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.ordeal_region import KILL_FAULTS, kill_intake


def test_a_killed_opening_is_taken_up_and_leaves_nothing_in_the_clear(tmp_path: Path) -> None:
    counted = kill_intake(tmp_path, 3, 600_000, seed=5, encrypted=True)
    assert counted["kills"] + counted["ended before the kill"] == 3
    assert {name: counted[name] for name in KILL_FAULTS} == dict.fromkeys(KILL_FAULTS, 0)
