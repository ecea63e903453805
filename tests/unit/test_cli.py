"""Commands given wrongly, or while nobody serves them, end in words and never hang."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from exam_kit.cli import day, main
from exam_kit.home import Home
from exam_kit.store import open_store
from exam_kit.store.accounts import all_accounts
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


def test_an_account_has_a_name_that_journals_take(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("135790\n"))
    for name in (" ", "\u200b", "x" * 301):
        assert main(["user", "add", "spec", "--name", name, "--role", "specialist"]) != 0
    assert main(["user", "add", "spec", "--name", "Специа\u00adлист  Т. Т.", "--role", "specialist"]) == 0
    (account,) = all_accounts(open_store(home))
    assert account.name == "Специалист Т. Т."
