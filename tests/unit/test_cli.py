"""Commands given wrongly, or while nobody serves them, end in words and never hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.cli import day, main
from exam_kit.home import Home
from tests.conftest import POINT_TOML


@pytest.fixture(autouse=True)
def here(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    return home


@pytest.mark.parametrize(
    "words",
    [
        ["log", "verify", "{folder}/nothing"],
        ["log", "verify", "{folder}"],
        ["user", "list", "--json", "{folder}/no/such/folder.json"],
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_message(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(folder=tmp_path) for word in words]) == 14
    said = capsys.readouterr().err
    assert str(tmp_path) in said and "cannot be used" in said and "Traceback" not in said


def test_an_order_nobody_serves_does_not_keep_the_terminal_for_ever(
    here: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(day, "NOBODY_S", 0.5)
    monkeypatch.setattr("threading.excepthook", lambda _problem: None)
    (here.run / "agent.lock").mkdir()  # no agent can start on this data
    assert main(["archive", "--day", "2026-05-28"]) == 1
    assert "nobody carries it out" in capsys.readouterr().err
