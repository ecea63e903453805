"""`exam-kit station …` from the stick to the matrix, as the specialist types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam_kit.cli import main
from exam_kit.home import Home
from tests.conftest import POINT_TOML
from tests.stations import STATIONS_TOML, profile_text


@pytest.fixture
def laptop(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    toml = POINT_TOML.replace('profile = "demo"', 'profile = "stations"').replace("[[days]]", STATIONS_TOML)
    home.point_file.write_text(toml, encoding="utf-8")
    home.profiles.mkdir()
    (home.profiles / "stations.toml").write_text(profile_text(), encoding="utf-8")
    return home


def told(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out)


def test_from_the_stick_to_the_matrix(laptop: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stick = tmp_path / "stick"
    assert main(["station", "kit", str(stick), "--wheels", str(tmp_path), "--json"]) == 0
    made = told(capsys)
    assert isinstance(made, dict)
    assert made["python"] is False

    assert main(["check", "--station", "print-1", "--kit", str(stick), "--json"]) == 5
    checked = told(capsys)
    assert isinstance(checked, dict)
    assert Path(checked["file"]).parent == stick / "results"

    assert main(["station", "take", str(stick), "--json"]) == 0
    assert main(["station", "take", str(stick)]) == 0
    assert "was taken in before" in capsys.readouterr().out
    assert main(["station", "take", checked["file"]]) == 68
    assert "taken in already" in capsys.readouterr().out

    assert main(["station", "show", "--json"]) == 0
    shown = told(capsys)
    assert isinstance(shown, dict)
    rows = {row["station"]: row for row in shown["stations"]}
    assert (rows["PRINT-1"]["missing"], rows["SCAN-1"]["missing"]) == (False, True)
    assert rows["PRINT-1"]["verdict"] == "ready_with_remarks"

    assert main(["station", "withdraw", made["key"], "--why", "lost"]) == 0
    assert main(["station", "sticks"]) == 0
    assert "withdrawn" in capsys.readouterr().out
    assert main(["check", "--station", "SCAN-1", "--kit", str(stick), "--send", "https://127.0.0.1:9/"]) == 70
    assert main(["station", "take", str(stick)]) == 63
    assert "withdrawn" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["station", "take", "nowhere.txt"], 14),
        (["station", "withdraw", "0123", "--why", "lost"], 2),
        (["check", "--station", "PRINT-1"], 2),
        (["check", "--station", "PRINT-1", "--kit", "nowhere"], 11),
        (["check", "--kit", "nowhere"], 2),
        (["station", "listen", "--address", "192.0.2.77"], 13),
    ],
)
def test_what_cannot_be_done_has_its_code(
    laptop: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
