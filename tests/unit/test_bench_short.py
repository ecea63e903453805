"""Short forms of the benchmarks: they run, and what they compare is true. Nothing here looks at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


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
