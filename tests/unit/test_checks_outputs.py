"""A run for other programs: every format is read back by something that knows it, and nothing unknown passes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks.model import (
    Expectation,
    Fact,
    Outcome,
    Reason,
    Result,
    Rule,
    Run,
    Severity,
    State,
    Verdict,
    Waived,
    Waiver,
)
from exam_kit.checks.outputs import FORMATS, exit_code, nagios_unknown, write_out
from exam_kit.checks.report import run_dict
from exam_kit.checks.verdicts import overall
from exam_kit.cli import main
from exam_kit.i18n import LANGUAGES
from tests.conftest import POINT_TOML

AT = "2026-05-28T05:00:00.000000Z"
NASTY = 'a "b" <c> & # \\ \n | {d} \x01 é ф'
WAIVER = Waiver(7, "w", "", NASTY, "2026-05-28T09:00:00.000000Z", Severity.MAJOR, AT, "m", "Имя", "r", "p")
FACTS = {
    State.UNKNOWN: Fact.unknown(Reason.TIMEOUT),
    State.SKIP: Fact({}, {}, Outcome.SKIPPED, Reason.NOT_REQUIRED),
    State.PENDING: Fact.pending(),
}


def result(state: State) -> Result:
    texts = dict.fromkeys(LANGUAGES, f"{state.value} {NASTY}")
    fact = FACTS.get(state, Fact({"n": 1.5, "word": NASTY, "yes": True}))
    waived = Waived(WAIVER, State.FAIL) if state is State.WAIVED else None
    expect = Expectation(fail=(Rule("n", "below", 1),))
    made = Result(state.value, 'R"1', 0, "t.t", texts, texts, Severity.MAJOR, expect, {}, fact, state, (), AT, 0.25)
    return made._replace(waived=waived)


def run(*states: State) -> dict[str, Any]:
    results = tuple(result(state) for state in states)
    return run_dict(Run("r1", None, "p", "f" * 64, "agent", AT, AT, overall(results), results))


EVERY = run(*State)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_format_in_every_language(form: str, language: str) -> None:
    text = write_out(EVERY, form, language=language, point="77-0001")
    assert text.endswith("\n")
    assert text == write_out(EVERY, form, language=language, point="77-0001")


def test_json() -> None:
    assert json.loads(write_out(EVERY, "json", language="ru", point="77-0001")) == EVERY


def test_junit() -> None:
    suites = ET.fromstring(write_out(EVERY, "junit", language="en", point="77-0001"))
    (suite,) = suites
    assert {key: suite.attrib[key] for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "2",
        "skipped": "2",
    }
    found = {
        case.attrib["classname"].rpartition(".")[2]: [child.tag for child in case] for case in suite.iter("testcase")
    }
    assert found == {
        "ok": [],
        "warn": ["failure"],
        "fail": ["failure"],
        "unknown": ["error"],
        "skip": ["skipped"],
        "pending": ["error"],
        "waived": ["skipped"],
    }
    (skipped,) = [case[0] for case in suite.iter("testcase") if case.attrib["classname"].endswith("waived")]
    assert "Имя" in skipped.attrib["message"]


def test_tap_as_its_own_harness_reads_it(tmp_path: Path) -> None:
    prove = shutil.which("prove")
    if prove is None:
        pytest.skip("perl's prove is not installed")
    for states, passes in (((State.OK, State.SKIP, State.WAIVED), True), (tuple(State), False)):
        file = tmp_path / "run.tap"
        file.write_text(write_out(run(*states), "tap", language="en", point="77-0001"), encoding="utf-8")
        done = subprocess.run([prove, "-e", "cat", "-v", str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is passes, done.stdout + done.stderr
        if not passes:
            assert "Failed 4/7 subtests" in done.stdout
            assert "Parse errors" not in done.stdout


def test_tap_diagnostics_are_strings() -> None:
    for line in write_out(EVERY, "tap", language="ru", point="77-0001").splitlines():
        if line.startswith("  ") and line not in ("  ---", "  ..."):
            key, _sign, value = line.strip().partition(": ")
            assert isinstance(json.loads(value), str), key


@pytest.mark.parametrize(
    ("states", "verdict", "nagios", "own"),
    [
        ((State.OK, State.SKIP), Verdict.READY, 0, 0),
        ((State.OK, State.WARN), Verdict.READY_WITH_REMARKS, 1, 5),
        ((State.OK, State.UNKNOWN), Verdict.READY_WITH_REMARKS, 1, 5),
        ((State.OK, State.WAIVED), Verdict.READY_WITH_REMARKS, 1, 5),
        ((State.SKIP,), Verdict.INCOMPLETE, 3, 4),
    ],
)
def test_codes(states: tuple[State, ...], verdict: Verdict, nagios: int, own: int) -> None:
    found = run(*states)
    assert found["verdict"] == verdict
    assert [exit_code(found, form) for form in ("nagios", "json", "junit", "tap", "prometheus", "pdf")] == [nagios] + [
        own
    ] * 5
    word = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[nagios]
    assert write_out(found, "nagios", language="en", point="77-0001").startswith(f"EXAM-KIT {word} - 77-0001 ")


def test_a_failed_blocker_is_critical() -> None:
    found = {**EVERY, "verdict": "not_ready"}
    assert (exit_code(found, "nagios"), exit_code(found, "json")) == (2, 3)


def test_nagios_has_one_bar() -> None:
    lines = write_out(EVERY, "nagios", language="ru", point="77-0001").splitlines()
    assert [line.count("|") for line in lines] == [1] + [0] * 4
    assert re.fullmatch(r"(\w+=\d+;;;0;7 ?){7}", lines[0].split(" | ")[1])
    assert nagios_unknown("a\n| b") == "EXAM-KIT UNKNOWN - a / b\n"


SAMPLE = re.compile(r'exam_kit_\w+\{(\w+="(?:[^"\\\n]|\\["\\n])*",?)+\} -?[0-9.e+-]+')


def test_prometheus() -> None:
    text = write_out(EVERY, "prometheus", language="ru", point="77-0001")
    helped, typed = set(), set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            typed.add(line.split()[2])
        else:
            assert SAMPLE.fullmatch(line), line
            assert line.partition("{")[0] in typed
    assert helped == typed
    assert 'exam_kit_checks{point="77-0001",state="unknown"} 1' in text
    assert 'exam_kit_waiver_until_timestamp_seconds{point="77-0001",check="w",target=""} 1779958800.0' in text
    assert "Имя" not in text


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    monkeypatch.setenv("EXAM_KIT_HOME", str(tmp_path))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    assert main(["check", "--last", "--format", "nagios"]) == 3  # no point: a monitoring system must not read our 11
    assert capfdbinary.readouterr().out.startswith(b"EXAM-KIT UNKNOWN - ")
    (tmp_path / "point.toml").write_text(POINT_TOML, encoding="utf-8")
    assert main(["check", "--last"]) == 2
    assert main(["check", "--last", "--only", "cpu"]) == 2
    assert main(["check", "--format", "json", "--json"]) == 2
    (tmp_path / "profiles").mkdir()
    texts = '{ ru = "т", en = "t", lv = "t" }'
    (tmp_path / "profiles" / "demo.toml").write_text(
        f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {texts}\n[[checks]]\nid = "key"\n'
        'probe = "ledger.key"\nseverity = "blocker"\ntimeout_s = 5\nexpect.fail = [{ of = "usable", is = false }]\n'
        f"title = {texts}\nfix = {texts}\n",
        encoding="utf-8",
    )
    out = tmp_path / "answer"
    assert main(["check", "--format", "nagios", "--out", str(out)]) == 0
    assert out.read_text().startswith("EXAM-KIT OK - 77-0001 READY")
    for form, begins in (
        ("json", b"{"),
        ("junit", b"<?xml"),
        ("tap", b"TAP"),
        ("prometheus", b"# HELP"),
        ("pdf", b"%PDF"),
    ):
        assert main(["check", "--last", "--format", form, "--out", str(out)]) == 0
        assert out.read_bytes().startswith(begins)
    assert main(["check", "--last", "--max-age-h", "0.0000001"]) == 4
    assert main(["check", "--last", "--format", "json", "--out", str(tmp_path / "no" / "run")]) == 14
