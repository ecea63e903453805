"""kill -9 while two processes append: the short form of `tests.e2e.ordeal_append`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.ordeal_append import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")


def test_what_was_acknowledged_survives_kills_of_both_writers(tmp_path: Path) -> None:
    ordeal = run(tmp_path, kills=12, seed=5)
    assert ordeal.wrong == []
    assert len(ordeal.promised) >= ordeal.kills
    assert ordeal.lines
