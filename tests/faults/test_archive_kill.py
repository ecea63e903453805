"""In which order the copy syncs. That it survives being killed is shown by `test_archive_ordeal`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exam_kit.home import Home
from exam_kit.store import Ledger, Store
from tests.archive_day import record
from tests.conftest import POINT_TOML

ROOT = Path(__file__).parents[2]


def start(home: Home, destination: Path, *before: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.archive_day", str(home.root), str(destination)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_syncs_come_in_the_order_that_survives_a_power_cut(
    home: Home, store: Store, ledger: Ledger, tmp_path: Path
) -> None:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    record(store, ledger, home, cameras=("ENTR-1",), count=1)
    trace = tmp_path / "trace"
    calls = "trace=openat,fsync,fdatasync,rename,renameat,renameat2"
    process = start(home, tmp_path, "strace", "-f", "-y", "-qq", "-o", str(trace), "-e", calls)
    _out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    name = "77_0001_20260528_ENTR_ENTR-1_050000-050100.mp4"
    steps = []
    for line in trace.read_text(errors="replace").splitlines():
        if "fsync(" in line and f"{name}.part>" in line:
            steps.append("fsync part")
        elif "openat(" in line and f"{name}.part" in line and "O_RDONLY" in line:
            steps.append("read back")
        elif "rename" in line and f"{name}.part" in line:
            steps.append("rename")
        elif "fsync(" in line and f"{name}>" in line:
            steps.append("fsync file")
        elif "fsync(" in line and "data/entrance>" in line:
            steps.append("fsync folder")
        elif "fsync(" in line and "copy-journal.txt>" in line and "fsync folder" in steps:
            steps.append("fsync journal")
        elif "sync(" in line and "exam-kit.db-wal>" in line and steps[-1:] == ["fsync journal"]:
            steps.append("fsync row")
    expected = ["fsync part", "read back", "rename", "fsync file", "fsync folder", "fsync journal", "fsync row"]
    assert steps[: len(expected)] == expected
