"""`exam-kit verify` and `exam-kit open`: one bag or a carrier of several, for people, for programs, as a page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from pyrage import x25519

from exam_kit.cli import main
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, record


@pytest.fixture
def drive(home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path) -> Path:
    """A carrier with one bag, `ledger.pub` beside it."""
    record(store, ledger, home, count=2)
    clock.advance(3600)
    archive(store, ledger, home, point, tmp_path / "drive", clock)
    (tmp_path / "ledger.pub").write_bytes(ledger.public_key.pem())
    return tmp_path / "drive"


def test_a_carrier_with_several_bags(drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = ["--key", str(tmp_path / "ledger.pub")]
    assert main(["--language", "en", "verify", str(drive), *key]) == 0
    assert "valid, made with the given key" in capsys.readouterr().out
    [bag] = drive.iterdir()
    second = Path(shutil.copytree(bag, drive / "second"))
    (next(second.rglob("*.mp4"))).unlink()
    assert main(["verify", str(bag), *key]) == 0
    assert main(["verify", str(drive), *key]) == 21
    (drive / "third.part").mkdir()
    (drive / "third.part" / "copy-journal.txt").write_text("")
    capsys.readouterr()
    assert main(["verify", str(drive), "--json", *key]) == 23, "an unfinished copy is the worst of the three"
    told = json.loads(capsys.readouterr().out)
    assert [one["outcome"] for one in told["bags"]] == ["whole", "missing", "not_a_bag"]
    assert [one["chain"] for one in told["bags"]] == ["whole", "broken_here", "unknown"]
    assert told["exit_code"] == 23
    assert main(["verify", str(bag), "--quick", "--json", *key]) == 0
    assert json.loads(capsys.readouterr().out)["chain"] == "listed"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", ["ЦЕЛ: каждый файл", "Что записано", "по плану, но записи нет и перерыв не учтён"]),
        ("en", ["WHOLE: every file", "What is recorded", "planned, neither recorded nor logged"]),
        ("lv", ["VESELS: katrs fails", "Kas ierakstīts", "plānots, bet nav ne ieraksta"]),
    ],
)
def test_the_page_stands_alone(drive: Path, tmp_path: Path, language: str, words: list[str]) -> None:
    file = tmp_path / "report.html"
    assert main(["--language", language, "verify", str(drive), "--html", str(file)]) == 0
    page = file.read_text(encoding="utf-8")
    assert [word for word in words if word not in page] == []
    assert f'<html lang="{language}">' in page
    assert not re.search(r"https?:|src=|<link|<script|@import|url\((?!#)", page), "no address leads out of the page"
    assert page.count('class="lanes"') == 1 and page.count("<tr><td>COR1-1</td>") == 1


def test_an_encrypted_bag_is_opened(
    home: Home,
    store: Store,
    ledger: Ledger,
    point: Point,
    clock: FakeClock,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    identity = x25519.Identity.generate()
    centre = point.region_centre.model_copy(update={"age": str(identity.to_public())})
    record(store, ledger, home, count=1)
    clock.advance(3600)
    sealed = archive(
        store, ledger, home, point.model_copy(update={"region_centre": centre}), tmp_path / "d", clock, encrypt=True
    ).bag
    (tmp_path / "region.key").write_text(f"{identity}\n")
    command = ["open", str(sealed), "--identity", str(tmp_path / "region.key"), "--to", str(tmp_path / "opened")]
    assert main(["--language", "en", *command]) == 0
    said = capsys.readouterr()
    assert "77_0001_20260528_COR-ENTR_copy1" in said.out and str(identity) not in said.out + said.err
    (tmp_path / "region.key").write_text("AGE-SECRET-KEY-1NONSENSE\n")
    assert main(["--language", "en", *command]) == 18
    assert "NONSENSE" not in capsys.readouterr().err
