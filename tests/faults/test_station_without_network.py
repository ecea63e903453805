"""A station's check on a bare Python, where there is no network at all."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exam_kit.checks.model import State
from exam_kit.checks.probes import __path__ as probes_path
from exam_kit.checks.station import Refusal, ResultRefused
from exam_kit.clock import Clock, SystemClock
from tests.stations import Site, later


def without_network() -> list[str]:
    """How to run a program in a network namespace with nothing in it; skips the test where that is not allowed."""
    for words in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
            return words
    pytest.skip("this system does not let us make a network namespace")


def check(stick: Path, *words: str, within: list[str]) -> subprocess.CompletedProcess[str]:
    # -I -S: no environment, no site-packages; only the standard library and what lies on the stick.
    command = [*within, sys.executable, "-I", "-S", str(stick / "check_station.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60)


def test_made_without_any_network_and_taken_in(tmp_path: Path) -> None:
    within = without_network()
    clock = SystemClock()
    site = Site.at(tmp_path / "laptop", clock)
    stick = site.stick(tmp_path / "stick").folder
    devices = subprocess.run([*within, "cat", "/proc/net/dev"], capture_output=True, text=True).stdout
    assert [line.split(":")[0].strip() for line in devices.splitlines()[2:]] == ["lo"]

    done = check(stick, "SCAN-1", "--language", "en", within=within)
    assert done.returncode == 0, done.stderr
    (path,) = (stick / "results").iterdir()
    assert str(path) in done.stdout
    data = path.read_bytes()

    elsewhere = Site.at(tmp_path / "elsewhere", clock, code="0002")
    elsewhere.stick(tmp_path / "another-stick")
    cases: list[tuple[Refusal, Site, Clock, bytes]] = [
        (Refusal.STALE, site, later(clock, days=2), data),
        (Refusal.FOREIGN, elsewhere, clock, data),
        *((Refusal.CHANGED, site, clock, one) for one in one_byte_changed(data, 200)),
    ]
    for reason, where, when, what in cases:
        with pytest.raises(ResultRefused) as refused:
            where.take(what, clock=when)
        assert refused.value.reason is reason

    taken = site.take(data)
    found = {result.check: (result.state, dict(result.fact.values)) for result in taken.run.results}
    assert {name: state for name, (state, _values) in found.items()} == dict.fromkeys(
        ("memory", "cpu", "zone", "channel"), State.OK
    )
    assert found["channel"][1]["reached"] != "answer"
    with pytest.raises(ResultRefused) as refused:
        site.take(data)
    assert refused.value.reason is Refusal.REPEATED


def one_byte_changed(data: bytes, times: int) -> list[bytes]:
    chance = random.Random(2026)
    changed = []
    for place in sorted(chance.sample(range(len(data)), times)):
        copy = bytearray(data)
        copy[place] ^= chance.randrange(1, 256)
        changed.append(bytes(copy))
    return changed


def test_a_station_says_what_it_lacks_instead_of_passing(tmp_path: Path) -> None:
    """Where a package is not on the stick, its checks are unknown, and all others still answer."""
    site = Site.at(tmp_path / "laptop", SystemClock())
    stick = site.stick(tmp_path / "stick").folder
    for module in ("cpu", "memory"):
        path = stick / "app" / "exam_kit" / "checks" / "probes" / f"{module}.py"
        future = "from __future__ import annotations\n"
        path.write_text(path.read_text().replace(future, future + "import a_package_that_is_not_here\n"))
    text = (stick / "kit.json").read_text()
    (stick / "check_station.py").write_text(
        (stick / "check_station.py").read_text().replace("wrong = list(changed())", "wrong = []")
    )
    (stick / "kit.json").write_text(text[: text.index('"files"')] + '"files": {}}')
    done = check(stick, "PRINT-1", "--language", "en", within=[])
    assert done.returncode == 4, done.stderr
    (path,) = (stick / "results").iterdir()
    taken = site.take(path.read_bytes())
    facts = {result.check: result for result in taken.run.results}
    assert facts["memory"].state is State.UNKNOWN
    assert facts["memory"].fact.evidence["missing"] == "a_package_that_is_not_here"
    assert facts["zone"].state is State.OK


def test_a_changed_stick_stops_before_its_code_runs(tmp_path: Path) -> None:
    site = Site.at(tmp_path / "laptop", SystemClock())
    stick = site.stick(tmp_path / "stick").folder
    (stick / "app" / "exam_kit" / "errors.py").write_text("raise SystemExit('the changed file was run')\n")
    done = check(stick, "PRINT-1", within=[])
    assert done.returncode == 11
    assert done.stderr.count("app/exam_kit/errors.py") == 3
    assert "was run" not in done.stderr
    assert not list((stick / "results").iterdir())


# Probes that only the laptop is asked: they look at its journal, its cameras and its home.
LAPTOP = {"camera", "camera_clock", "camera_stream", "camera_view", "ledger", "kit"}


def test_probes_load_with_the_standard_library_and_psutil(tmp_path: Path) -> None:
    """A new probe that needs a package at its import would be unknown on every station."""
    site = Site.at(tmp_path / "laptop", SystemClock())
    stick = site.stick(tmp_path / "stick").folder
    names = sorted(path.stem for folder in probes_path for path in Path(folder).glob("[a-z]*.py"))
    program = f"""
import importlib, pathlib, sys
sys.path[:0] = [{str(stick / "app")!r}, *map(str, pathlib.Path({str(stick / "packages")!r}).glob("*"))]
for name in {names!r}:
    try:
        importlib.import_module("exam_kit.checks.probes." + name)
    except ImportError as problem:
        print(name, problem.name)
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heavy = {line.split()[0] for line in done.stdout.splitlines()}
    assert heavy <= LAPTOP, done.stdout
