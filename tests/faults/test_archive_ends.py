"""An archive killed after each step of its rows, its ledger and its names, and taken up: the ordeal's short form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pyrage import x25519

from exam_kit.home import Home
from tests.s3.direct import make_home

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")
ROOT = Path(__file__).parents[2]
AT_THE_END = ("mark", "append", "rename", "keep_papers", "seal", "state")


def a_day(folder: Path) -> Home:
    """Four recordings, one of them damaged."""
    home = make_home(folder, pieces=2)
    damaged = next(home.footage.rglob("*.mp4"))
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    return home


def cut_off(home: Home, place: str, *words: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "tests.e2e.ordeal_ends", str(home.root), place, *words]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert made.stdout, made.stderr
    told = json.loads(made.stdout)
    return told["cuts"], told["broken"]


@pytest.mark.parametrize("encrypted", [False, True])
def test_cut_off_after_any_step_it_is_made_once_and_whole(tmp_path: Path, encrypted: bool) -> None:
    home, stick = a_day(tmp_path), tmp_path / "stick"
    stick.mkdir()
    if encrypted:
        age = f'\n[region_centre]\nage = "{x25519.Identity.generate().to_public()}"\n'
        home.point_file.write_text(home.point_file.read_text(encoding="utf-8") + age, encoding="utf-8")
    cuts, broken = cut_off(home, str(stick), "--most", "4", "--only", *AT_THE_END)
    assert broken == [] and cuts >= 7 + encrypted
