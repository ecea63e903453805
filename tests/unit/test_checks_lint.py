"""Own checks from one file, and the lint that lists every mistake at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks import CheckContext, State, load_profile, run_checks
from exam_kit.checks.lint import lint
from exam_kit.checks.own import own_files, own_folder
from exam_kit.checks.profile import read_profile
from exam_kit.checks.registry import get_probe
from exam_kit.cli import main
from exam_kit.clock import FakeClock
from exam_kit.errors import PointInvalid, UsageError
from exam_kit.home import Home, kit_root
from exam_kit.point import Point, Secrets
from exam_kit.point.reasons import reason
from exam_kit.store import Store

TEXTS = '{ ru = "т", en = "t", lv = "t" }'
HEAD = f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {TEXTS}\n'
KEY = (
    f'[[checks]]\nid = "key"\nprobe = "ledger.key"\nseverity = "minor"\ntimeout_s = 5\ntitle = {TEXTS}\nfix = {TEXTS}\n'
    'expect.fail = [{ of = "usable", is = false }]\n'
)

OWN = """from exam_kit.checks import At, Fact, check


@check(
    "generator",
    severity="major",
    fail=[{"of": "litres", "below": 20}],
    readings={"litres": ("", "fuel, litres")},
    title={"ru": "Топливо генератора", "en": "Fuel of the generator", "lv": "Ģeneratora degviela"},
    fix={"ru": "Долейте топливо.", "en": "Refuel it.", "lv": "Papildiniet degvielu."},
)
def generator(at: At) -> Fact:
    said = at.command("echo", "12.5").answer()
    return Fact({"litres": float(said)}, {"said": said})
"""


@pytest.fixture
def folder(home: Home) -> Path:
    home.profiles.mkdir()
    (home.profiles / "mine.toml").write_text(HEAD + KEY, encoding="utf-8")
    own_folder(home).mkdir()
    return own_folder(home)


def states(home: Home, point: Point, store: Store, clock: FakeClock) -> dict[str, str]:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return {one.check: one.state.value for one in run_checks(load_profile("mine", home), context).results}


def test_one_file_of_fifteen_lines_adds_a_check(
    folder: Path, home: Home, point: Point, store: Store, clock: FakeClock
) -> None:
    plain = load_profile("mine", home).hash
    assert len(OWN.splitlines()) <= 15
    (folder / "generator.py").write_text(OWN, encoding="utf-8")
    found = states(home, point, store, clock)
    assert found == {"key": found["key"], "generator": "fail"}
    sealed = load_profile("mine", home).hash
    assert sealed != plain  # by what a run was judged: the file as well
    (folder / "generator.py").write_text(OWN.replace("12.5", "42.5"), encoding="utf-8")
    assert states(home, point, store, clock)["generator"] == "ok"
    assert load_profile("mine", home).hash not in (plain, sealed)
    (folder / "generator.py").unlink()
    assert list(states(home, point, store, clock)) == ["key"]
    assert load_profile("mine", home).hash == plain
    assert get_probe("own.generator") is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def broken(:\n", "line 1"),
        ("\n1 / 0\n", "line 2: ZeroDivisionError"),
        ("raise SystemExit(3)\n", "SystemExit"),
        ("import a_module_that_is_not_there\n", "ModuleNotFoundError"),
        ("x = 1\n", "neither a check nor a probe"),
        (OWN.replace('"generator"', '"key"'), "key"),  # an id of the profile
        (OWN.replace('"major"', '"grave"'), "severity"),
        (OWN.replace('"lv": "Papildiniet degvielu."', '"lv": ""'), "fix.lv"),
        (OWN.replace('"litres", "below"', '"liters", "below"'), "liters"),
        (
            'from exam_kit.checks import Fact, probe\n\n@probe("disk.free")\ndef free(at):\n    return Fact()\n',
            "two probes",
        ),
    ],
)
def test_a_broken_file_costs_its_own_check_only(
    folder: Path, home: Home, point: Point, store: Store, clock: FakeClock, source: str, said: str
) -> None:
    (folder / "bad file.py").write_text(source, encoding="utf-8")
    (folder / "generator.py").write_text(OWN.replace('"generator"', '"fuel"'), encoding="utf-8")
    found = states(home, point, store, clock)
    assert found["own-bad-file"] == State.UNKNOWN
    assert found["fuel"] == "fail"
    reports = {Path(report.path).name: report for report in lint([], home)}
    text = "\n".join(str(mistake) for mistake in reports["bad file.py"].mistakes)
    if said == "key":
        text += "".join(str(mistake) for mistake in reports["mine.toml"].mistakes)
    assert said in text
    assert not reports["generator.py"].mistakes


def test_a_profile_that_uses_a_broken_probe_still_runs(
    folder: Path, home: Home, point: Point, store: Store, clock: FakeClock
) -> None:
    use = KEY.replace('"key"', '"oil"').replace("ledger.key", "school.oil").replace("usable", "low")
    (home.profiles / "mine.toml").write_text(HEAD + KEY + use, encoding="utf-8")
    good = (
        "from exam_kit.checks import Fact, probe\n\n"
        '@probe("school.oil", readings={"low": ("", "")})\ndef oil(at) -> Fact:\n    return Fact({"low": True})\n'
    )
    (folder / "oil.py").write_text(good, encoding="utf-8")
    assert states(home, point, store, clock)["oil"] == "ok"
    (folder / "oil.py").write_text(good + "1 / 0\n", encoding="utf-8")
    found = states(home, point, store, clock)
    assert (found["oil"], found["own-oil"]) == ("unknown", "unknown")
    (folder / "oil.py").write_text(good, encoding="utf-8")
    assert states(home, point, store, clock)["oil"] == "ok"


BAD = (
    HEAD.replace("budget_s = 60", "budget_s = 3")
    + KEY
    + KEY.replace("ledger.key", "ledger.kye")
    + KEY.replace('"key"', '"texts"').replace(f"fix = {TEXTS}", 'fix = { ru = "т", en = "почини", lv = " " }')
    + KEY.replace('"key"', '"args"').replace("timeout_s", "args = { no = 1 }\ntimeout_s").replace(', lv = "t"', "")
)


def test_every_mistake_at_once(home: Home, folder: Path) -> None:
    (home.profiles / "bad.toml").write_text(BAD, encoding="utf-8")
    (report,) = lint(["bad"], home)
    listing = "\n".join(str(mistake) for mistake in report.mistakes)
    for part in (
        "this id stands 2 times",
        "there is no probe 'ledger.kye'",
        "checks (args).title.lv",
        "checks (args).fix.lv",
        "has no arg 'no'",
        "budget_s: 3 s are not enough",
        "checks (texts).fix.en: has Cyrillic letters",
        "checks (texts).fix.lv: is blank",
    ):
        assert part in listing, part


def test_what_goes_wrong_only_together(home: Home, folder: Path) -> None:
    (folder / "slow.py").write_text(
        OWN.replace('severity="major"', 'severity="major", timeout_s=120'), encoding="utf-8"
    )
    reports = {Path(report.path).name: [str(one) for one in report.mistakes] for report in lint([], home)}
    assert reports["slow.py"] == []
    assert any("budget_s" in mistake for mistake in reports["mine.toml"])


def test_what_can_be_named(home: Home, folder: Path, tmp_path: Path) -> None:
    (folder / "generator.py").write_text(OWN, encoding="utf-8")
    assert [Path(one.path).name for one in lint(["demo", "generator", str(home.profiles)], home)] == [
        "demo.toml",
        "generator.py",
        "mine.toml",
    ]
    (tmp_path / "x.toml").write_text("a = = 1", encoding="utf-8")
    (report,) = lint([str(tmp_path / "x.toml")], home)
    assert "line 1" in str(report.mistakes[0])
    with pytest.raises(UsageError):
        lint(["nothing"], home)


def test_the_shipped_profiles_have_no_mistakes(home: Home) -> None:
    reports = lint([], home)
    assert len(reports) >= 2
    assert [mistake for report in reports for mistake in report.mistakes] == []


def test_the_command(home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    assert main(["--language", "en", "lint"]) == 0
    assert "no mistakes" in capsys.readouterr().out
    (folder / "bad.py").write_text("1 / 0\n", encoding="utf-8")
    assert main(["--language", "lv", "lint", "--json"]) == 10
    told = json.loads(capsys.readouterr().out)
    assert told["mistakes"] == 1
    assert "ZeroDivisionError" in told["files"][-1]["mistakes"][0]


def test_a_file_that_never_ends_is_given_up(folder: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exam_kit.checks.own.LOADING_S", 0.2)
    (folder / "ends.py").write_text("import threading\nthreading.Event().wait(3)\n", encoding="utf-8")
    (file,) = own_files(home)
    assert "not read through" in file.fault


BROKEN_PACKAGE = """
from pathlib import Path
from exam_kit.checks.lint import lint
from exam_kit.checks.profile import load_profile
from exam_kit.home import Home, kit_root

home = Home.at(Path("home"))
profile = load_profile("mine", home)
print(profile.check("fuel").probe, [str(mistake) for report in lint([], home) for mistake in report.mistakes])
"""


def test_a_package_that_cannot_be_loaded_does_not_keep_a_profile_from_running(tmp_path: Path) -> None:
    (tmp_path / "school_checks.py").write_text(
        'from exam_kit.checks import probe\n\n@probe("school.fuel")\ndef fuel(at):\n    pass\n\n1 / 0\n',
        encoding="utf-8",
    )
    package = tmp_path / "school_checks-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: school-checks\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[exam_kit.checks]\nfuel = school_checks\n")
    profiles = tmp_path / "home" / "profiles"
    profiles.mkdir(parents=True)
    use = KEY.replace('"key"', '"fuel"').replace("ledger.key", "school.fuel")
    (profiles / "mine.toml").write_text(HEAD + KEY + use, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BROKEN_PACKAGE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{kit_root()}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("school.fuel ["), done.stderr
    assert "ZeroDivisionError" in done.stdout


ILL = """
season = 3
valid_from = "yesterday"
source = ""
budget_s = 900
title = "one"
more = 1
waivers = { most_severity = "grave", longest_h = 0 }
stations = { result_max_age_h = "x" }
[[checks]]
id = "Not An Id"
probe = 7
roles = "laptop"
severity = "terrible"
timeout_s = true
args = 1
title = { ru = "т", en = "t" }
expect = { fail = 5 }
[[checks]]
id = "list"
probe = "manual.confirm"
roles = ["cook"]
severity = "minor"
timeout_s = nan
title = { ru = "т", en = "t", lv = "ť" }
fix = { ru = "т", en = "t", lv = "ť" }
[[checks]]
id = "offset"
probe = "clock.offset"
args = { servers = "one" }
severity = "minor"
timeout_s = 1
title = { ru = "т", en = "t", lv = "ť" }
fix = { ru = "т", en = "t", lv = "ť" }
"""


def test_what_is_wrong_with_a_value_is_said_in_the_readers_language() -> None:
    with pytest.raises(PointInvalid) as found:
        read_profile(ILL, "ill")
    english = [one.text("en") for one in found.value.details]
    assert len(english) > 15
    for pydantics in ("Input should", "Field required", "Extra inputs", "valid string", "validation"):
        assert pydantics not in "\n".join(english)
    for language in ("ru", "lv"):
        said = [one.text(language) for one in found.value.details]
        assert [one for one, plain in zip(said, english, strict=True) if one == plain] == []


def test_a_reason_nobody_thought_of_keeps_its_technical_word() -> None:
    told = reason({"type": "url_parsing", "loc": (), "msg": "no host", "input": "x"})
    assert told.text("en") == "cannot be used (url_parsing: no host); correct it"
    assert "url_parsing" in told.text("ru")
    assert told.text("lv") != told.text("en")
