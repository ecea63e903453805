"""The commands that docs/archive.md gives to whoever does not have this program, run exactly as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyrage import x25519

from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, record

DOC = Path(__file__).resolve().parents[2] / "docs" / "archive.md"
LACKING = [tool for tool in ("bash", "sha256sum", "openssl", "age") if not shutil.which(tool)]

pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}")


def commands(heading: str) -> str:
    """The first block of commands under a heading of the page."""
    section = DOC.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert found is not None, heading
    return found[1]


def ran(script: str, folder: Path) -> str:
    """All that the commands print; every one of them must end well."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": tools},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout + said.stderr


def test_a_bag_is_checked_by_tools_of_others(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, count=2)
    clock.advance(3600)
    drive = tmp_path / "drive"
    result = archive(store, ledger, home, point, drive, clock)
    assert result.bag is not None and result.bag.name in commands("Checking a bag without this program")
    said = ran(commands("Checking a bag without this program"), drive)
    assert "is valid" in said and "Verified Successfully" in said
    video = next(result.bag.rglob("*.mp4"))
    video.write_bytes(b"changed")
    with pytest.raises(AssertionError, match="invalid"):
        ran(commands("Checking a bag without this program"), drive)


def test_an_encrypted_bag_is_opened_by_age_itself(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    identity = x25519.Identity.generate()
    centre = point.region_centre.model_copy(update={"age": str(identity.to_public())})
    record(store, ledger, home, count=2)
    clock.advance(3600)
    drive = tmp_path / "drive"
    result = archive(
        store, ledger, home, point.model_copy(update={"region_centre": centre}), drive, clock, encrypt=True
    )
    assert result.bag is not None
    (drive / "region.key").write_text(f"{identity}\n")
    script = re.sub(r"sealed-[0-9a-f]{12}_copy1", result.bag.name, commands("Encrypted bags"))
    assert "is valid" in ran(script, drive)
    inside = commands("Checking a bag without this program").replace("77_0001_20260528_COR-ENTR_copy1", "opened")
    said = ran(inside, drive)
    assert "Verified Successfully" in said
    assert len(list((drive / "opened").rglob("*.mp4"))) == 4
