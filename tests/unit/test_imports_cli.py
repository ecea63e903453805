"""`exam-kit footage import` and `fetch`: a look first, then an order that the agent carries out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from exam_kit.cctv.segments import segments
from exam_kit.cli import main
from exam_kit.home import Home
from exam_kit.store import open_store
from tests.conftest import POINT_TOML
from tests.unit.test_imports import film, put
from tests.unit.test_imports_nvr import FILM, PASSWORD, Device, device

__all__ = ["device"]


@pytest.fixture(autouse=True)
def here(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    return home


def test_a_look_takes_nothing_and_an_offset_takes_the_files_in(
    here: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "card"
    put(card, "20260528_100000.avi", film("avi"))
    put(card, "20260528_100100.mp4", b"half")
    words = ["footage", "import", str(card), "--camera", "HQ-1"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "20260528_100000.avi: 2026-05-28 10:00:00–10:00:04 (the file's name)" in said
    assert "20260528_100100.mp4: cannot be read as video" in said
    assert "Files that can be taken: 1." in said
    assert not list(here.footage.rglob("*.avi"))
    assert main([*words, "--offset-s", "-3", "--why", "09:59:57 in the picture", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["taken"] == {"20260528_100000.avi": "2026-05-28/HQ-1/77_0001_20260528_7777_HQ-1_095957-100001.avi"}
    store = open_store(here)
    assert [(one.reason, one.file(here).read_bytes()) for one in segments(store)] == [("imported", film("avi"))]
    store.close()
    assert main([*words, "--offset-s", "-3"]) == 0
    assert "There is nothing new to take." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["{folder}/none", "--camera", "HQ-1"], "no such folder"),
        (["{folder}", "--camera", "NO-1"], "no such camera"),
        (["{folder}", "--camera", "HQ-1", "--zone", "Nowhere/At-all"], "no such time zone"),
    ],
)
def test_what_is_given_wrongly_is_said(
    words: list[str], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["footage", "import", *(word.format(folder=tmp_path) for word in words)]) != 0
    assert code in capsys.readouterr().err


@pytest.mark.parametrize("maker", ["hikvision", "dahua"])
def test_what_a_recorder_has_is_fetched_and_said_never_to_have_run(
    maker: str, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    out = tmp_path / "fetched"
    out.mkdir()
    words = ["--maker", maker, "--address", f"http://127.0.0.1:{device.port}", "--user", "viewer", "--channel", "2"]
    times = ["--from", "2026-05-28 10:00:00", "--to", "2026-05-28 11:00:00", "--into", str(out)]
    assert main(["footage", "fetch", *words, *times]) == 0
    said = capsys.readouterr()
    assert "Never run on the real device" in said.out
    assert PASSWORD not in said.out + said.err
    suffix = ".mp4" if maker == "hikvision" else ".dav"
    assert sorted(path.name for path in out.iterdir()) == [
        f"ch02_20260528100000_20260528101500{suffix}", f"ch02_20260528101500_20260528103000{suffix}",
    ]  # fmt: skip
    assert {path.read_bytes() for path in out.iterdir()} == {FILM}


@pytest.mark.parametrize("address", ["recorder", "http://viewer:secret@127.0.0.1", "rtsp://127.0.0.1"])
def test_an_address_with_a_name_in_it_or_none_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
    words = ["--maker", "dahua", "--address", address, "--user", "viewer", "--channel", "1"]
    times = ["--from", "2026-05-28 10:00:00", "--to", "2026-05-28 11:00:00", "--into", str(tmp_path)]
    assert main(["footage", "fetch", *words, *times]) != 0
    said = capsys.readouterr().err
    assert "http://HOST" in said
    assert "secret" not in said
