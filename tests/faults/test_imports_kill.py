"""An import killed at any moment goes on: every file is there once, whole, with its row."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exam_kit.cctv.imports import Chosen, ImportAsked, take_import
from exam_kit.cctv.sealer import hash_file
from exam_kit.cctv.segments import segments
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.conftest import POINT_TOML

CHILD = """
import json, sys
from pathlib import Path
from exam_kit.cctv.imports import Chosen, ImportAsked, take_import
from exam_kit.home import Home
from exam_kit.point import read_point
from exam_kit.store import Ledger, open_store
home, card, point = Home.at(Path(sys.argv[1])), Path(sys.argv[2]), read_point(sys.stdin.read())
files = tuple(Chosen.of(one) for one in json.loads((card / "files.json").read_text()))
asked = ImportAsked(card, "HQ-1", files, 0.0, "anna", "", "anna")
print("ready", flush=True)
store = open_store(home)
take_import(Ledger(store, home), home, point, asked, keep_free_bytes=0)
"""
COUNT, SIZE, KILLS = 12, 3_000_000, 8


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_killed_at_random_moments_it_goes_on_and_nothing_is_twice_or_half(
    home: Home, store: Store, ledger: Ledger, point: Point, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    card.mkdir()
    noise = random.Random(4)
    begun = datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
    files = []
    for number in range(COUNT):
        (card / f"{number}.mp4").write_bytes(noise.randbytes(SIZE))
        start = begun + timedelta(minutes=number)
        files.append(Chosen(f"{number}.mp4", SIZE, start, start + timedelta(minutes=1), 60, "name"))
    (card / "files.json").write_text(json.dumps([one.as_dict() for one in files]))
    for kill in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(home.root), str(card)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(POINT_TOML.encode())
        child.stdin.close()
        child.stdout.readline()
        while child.poll() is None and len(segments(store)) <= kill:  # each a file further on than the last
            time.sleep(0.002)
        time.sleep(noise.uniform(0.0, 0.03))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    asked = ImportAsked(card, "HQ-1", tuple(files), 0.0, "anna", "", "anna")
    result = take_import(ledger, home, point, asked, keep_free_bytes=0)
    assert result.faults == {}
    assert len(result.taken) + len(result.already) == COUNT
    rows = segments(store, "HQ-1")
    assert [row.start for row in rows] == [one.start for one in files]
    for row, one in zip(rows, files, strict=True):
        assert (hash_file(row.file(home))[1], hash_file(card / one.path)[1]) == (row.sha256, row.sha256)
    assert len(list(ledger.entries(("segment.imported",)))) == COUNT
    assert len([path for path in home.footage.rglob("*") if path.is_file()]) == COUNT
