"""The machine dies while copying. Nothing that differs is accepted, and hardly anything is copied twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exam_kit.archive import verify_bag
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, record
from tests.conftest import POINT_TOML

KILLS = int(os.environ.get("EXAM_KIT_KILLS", "6"))
ROOT = Path(__file__).parents[2]


def start(home: Home, destination: Path, *before: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.archive_day", str(home.root), str(destination)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def verified(store: Store) -> int:
    return int(store.query("SELECT count(*) AS n FROM archive_file WHERE state = 'verified'")[0]["n"])


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_killed_at_random_points_and_taken_up_again(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    sources = record(store, ledger, home, count=12 + 2 * KILLS, size=600_000)
    destination = tmp_path / "drive"
    destination.mkdir()
    noise = random.Random(7)
    kills = 0
    seen = 0
    while kills < KILLS:
        process = start(home, destination)
        goal = seen + noise.randint(0, 3)
        deadline = time.monotonic() + 60
        while process.poll() is None and verified(store) < goal and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(noise.random() * 0.02)  # the kill falls anywhere within a file
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        now = verified(store)
        assert now >= seen, "an acknowledged file was lost"
        seen = now
    assert kills >= min(KILLS, 4)
    result = archive(store, ledger, home, point, destination, clock)
    assert result.bag is not None and result.files == len(sources) and not result.failed
    assert verify_bag(result.bag).outcome == "whole"
    assert seen > 0, "nothing was ever acknowledged before a kill"
    begun = (home.root / "starts.txt").read_text().splitlines()
    last = len(sources) - len(set(begun))  # what the last run, in this process, copied without being noted
    twice = len(begun) - len(set(begun))
    print(f"{kills} kills, {len(sources)} files, {twice} begun twice, {last} in the last run, {seen} kept at the end")
    assert twice <= kills, "more than one file a kill was copied twice"


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
