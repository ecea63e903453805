"""The lock files: read for this machine and for others, and in step with the project."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from exam_kit.home import kit_root
from tools.install.lockfile import Pin, needed, read_lock, target_environment

ROOT = kit_root()
LOCKS = ["requirements.lock", "requirements-test.lock"]

SAMPLE = """\
# a comment
both==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
old==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:cc
win-only==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:dd
linux-only==4.0 ; sys_platform == 'linux' and platform_machine == 'x86_64' \\
    --hash=sha256:ee
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.lock"
    path.write_text(SAMPLE, encoding="utf-8")
    return path


def test_a_lock_is_read(sample: Path) -> None:
    first, second, *_rest = read_lock(sample)
    assert first == Pin("both", "1.0", "", ("sha256:aa", "sha256:bb"))
    assert second.marker == "python_full_version < '3.12'"
    assert first.line() == "both==1.0 --hash=sha256:aa --hash=sha256:bb"


def test_a_line_that_is_no_pin_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text("loose>=1.0\n")
    with pytest.raises(ValueError, match="line 1"):
        read_lock(path)


@pytest.mark.parametrize(
    ("platform", "python", "expected"),
    [
        ("win_amd64", "3.12", {"both", "win-only"}),
        ("win_amd64", "3.11", {"both", "old", "win-only"}),
        ("linux_x86_64", "3.13", {"both", "linux-only"}),
        ("linux_aarch64", "3.13", {"both"}),
    ],
)
def test_markers_are_those_of_the_target_and_not_of_this_machine(
    sample: Path, platform: str, python: str, expected: set[str]
) -> None:
    assert {pin.name for pin in needed(read_lock(sample), target_environment(platform, python))} == expected
    command = [sys.executable, "-m", "tools.install.lockfile", str(sample), platform, python]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    assert {line.split("==")[0] for line in printed.splitlines()} == expected
    assert ";" not in printed


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    pins = read_lock(ROOT / lock)
    assert pins
    assert all(pin.hashes and all(value.startswith("sha256:") for value in pin.hashes) for pin in pins)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_place_to_fetch_from(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_satisfies_the_project(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"]) + project["build-system"]["requires"]
    if lock == LOCKS[1]:
        wanted += project["project"]["optional-dependencies"]["test"]
    pins: dict[str, list[str]] = {}
    for pin in read_lock(ROOT / lock):
        pins.setdefault(canonicalize_name(pin.name), []).append(pin.version)
    for text in wanted:
        requirement = Requirement(text)
        versions = pins.get(canonicalize_name(requirement.name), [])
        assert versions, f"{text}: not in {lock}"
        assert all(requirement.specifier.contains(version) for version in versions), text


def test_the_test_lock_has_the_same_versions() -> None:
    product = {(pin.name, pin.version, pin.marker) for pin in read_lock(ROOT / LOCKS[0])}
    assert product <= {(pin.name, pin.version, pin.marker) for pin in read_lock(ROOT / LOCKS[1])}
