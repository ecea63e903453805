"""`exam-kit solutions`: found, exported and imported at the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam_kit.cli import main
from exam_kit.home import Home
from tests.conftest import POINT_TOML


@pytest.fixture
def point_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return _home(tmp_path / "first", "0001", monkeypatch)


def _home(root: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> Home:
    root.mkdir()
    (root / "point.toml").write_text(POINT_TOML.replace('code = "0001"\nname', f'code = "{code}"\nname', 1), "utf-8")
    monkeypatch.setenv("EXAM_KIT_HOME", str(root))
    return Home.at(root)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["--language", "en", "solutions", *arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_search_answers_in_text_and_as_json(point_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = run(capsys, "search", "камеры", "не", "пишут")
    assert code == 0
    assert "base/cctv_not_recording" in told.splitlines()[0]
    assert "1. Note the time" in told
    code, told, _ = run(capsys, "search", "paper jam", "--most", "1", "--json")
    (found,) = json.loads(told)
    assert (code, found["id"], found["language"]) == (0, "base/printer_fails", "en")
    assert run(capsys, "search", "🙂")[1].strip() == "Nothing fits. Say it in other words."


def test_an_export_is_taken_over_once(
    point_home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.json"
    assert run(capsys, "export", str(file))[0] == 0
    assert json.loads(file.read_bytes())["point"] == "77-0001"
    code, _, said = run(capsys, "export", str(file))
    assert (code, "is there already" in said) == (19, True)
    _home(tmp_path / "second", "0002", monkeypatch)
    code, told, _ = run(capsys, "import", str(file), "--json")
    assert (code, json.loads(told)["changes"]) == (0, False), "only shipped solutions: nothing to take"


def test_garbage_is_refused_with_the_books_own_exit_code(
    point_home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "garbage.json"
    file.write_bytes(b"\x00garbage")
    for more in ([], ["--look"]):
        code, _, said = run(capsys, "import", str(file), *more)
        assert code == 19
        assert said.startswith("garbage.json: is not a file of solutions")
