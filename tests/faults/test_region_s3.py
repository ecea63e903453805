"""The region takes bags in from a real store, OpenStack Swift: ``python -m tests.e2e.ordeal_region_s3`` in small."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.ordeal_region_s3 import Ordeal
from tests.s3.servers import Swift

pytestmark = pytest.mark.skipif(bool(Swift.missing()), reason=Swift.missing() or "runs")


def test_bags_are_fetched_and_judged_and_a_cut_line_is_no_fault_of_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    try:
        os.setxattr(folder, "user.try", b"1")
    except OSError:
        pytest.skip("the temporary folder's file system keeps no extended attributes, which Swift needs")
    with Swift(folder) as server:
        run = Ordeal(server, tmp_path, lambda _text: None, 30_000)
        run.short()
    assert run.broken == []
