"""A point adds its own check: one small file, found through an entry point, and no change to the kit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exam_kit.checks import Fact, probe
from exam_kit.checks.registry import get_probe
from exam_kit.home import kit_root

PROBE = """from exam_kit.checks import At, Fact, probe


@probe("school.generator", readings={"litres": ("", "fuel, litres")})
def generator(at: At, *, port: str) -> Fact:
    said = at.command("echo", "42.5").answer()
    return Fact({"litres": float(said)}, {"port": port, "said": said})
"""

RUN = """
from pathlib import Path
from exam_kit.checks import CheckContext, run_checks
from exam_kit.checks.profile import read_profile
from exam_kit.home import Home
from exam_kit.point import Secrets, read_point
from exam_kit.store import open_store
from tests.conftest import POINT_TOML

texts = '{ ru = "т", en = "t", lv = "t" }'
profile = read_profile(
    f'season = "t"\\nvalid_from = 2026-01-01\\nsource = "t"\\nbudget_s = 9\\ntitle = {texts}\\n'
    '[[checks]]\\nid = "fuel"\\nprobe = "school.generator"\\nargs = { port = "/dev/ttyUSB0" }\\nseverity = "major"\\n'
    f'timeout_s = 5\\nexpect.fail = [{{ of = "litres", below = 20 }}]\\ntitle = {texts}\\nfix = {texts}\\n', "own")
home = Home.at(Path("home"))
context = CheckContext(read_point(POINT_TOML), home, open_store(home), Secrets(home, file_only=True))
print(run_checks(profile, context).results[0].state.value)
"""


def test_a_check_of_ones_own(tmp_path: Path) -> None:
    assert len(PROBE.splitlines()) <= 15
    (tmp_path / "school_checks.py").write_text(PROBE)
    package = tmp_path / "school_checks-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: school-checks\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[exam_kit.checks]\ngenerator = school_checks\n")
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{kit_root()}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "ok", done.stderr


def test_two_probes_may_not_share_a_name() -> None:
    assert get_probe("disk.free") is not None
    with pytest.raises(ValueError, match=r"disk\.free"):

        @probe("disk.free")
        def mine(at: object) -> Fact:
            return Fact({})
