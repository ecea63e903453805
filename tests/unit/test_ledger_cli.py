"""The ledger's anchors, keys and copies on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exam_kit.cli import main
from exam_kit.home import Home
from exam_kit.store import Ledger
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.seal import Enrolment, SealKey


@pytest.fixture
def log(home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    for number in range(4):
        ledger.append("access.row", {"number": number}, "specialist")

    def run(*words: str) -> tuple[int, str]:
        code = main(["log", *words])
        return code, capsys.readouterr().out

    return run


def test_an_anchor_is_a_line_for_a_stick_and_a_code(log: Any, home: Home, ledger: Ledger, tmp_path: Path) -> None:
    stick = tmp_path / "anchors.txt"
    code, line = log("anchor", "--to", str(stick))
    assert (code, stick.read_text(encoding="utf-8")) == (0, line)
    made = Checkpoint.parse(line)
    assert (made.seq, made.hash, made.signed_by(ledger.public_key)) == (5, ledger.head().hash, True)
    assert len(line) < 300
    code, drawn = log("anchor", "--qr")
    assert code == 0
    assert "█" in drawn
    log("anchor", "--qr", str(tmp_path / "anchor.svg"))
    assert "<svg" in (tmp_path / "anchor.svg").read_text(encoding="utf-8")
    code, said = log("verify", "--anchor", str(stick), "--anchor", line.strip())
    assert code == 0, said
    code, said = log("verify", "--anchor", line.strip().replace(made.hash, "0" * 64))
    assert code == 30
    assert "entry 5 is not signed" in said


def test_the_first_key_is_handed_over_once(log: Any, home: Home, tmp_path: Path) -> None:
    kept = tmp_path / "enrolment.txt"
    assert "waits" in log("enrol")[1]
    assert log("enrol", "--to", str(kept))[0] == 0
    assert kept.stat().st_mode & 0o777 == 0o600
    assert Enrolment.load(kept).start == 1
    assert SealKey(home.keys).waiting == []
    assert main(["log", "enrol"]) == 19
    code, said = log("verify", "--seal", str(kept), "--json")
    assert (code, json.loads(said)["sealed"]) == (0, 6)


def test_keys_are_made_new_and_the_ledger_goes_on(log: Any, home: Home, ledger: Ledger, tmp_path: Path) -> None:
    before, first, second = ledger.public_key.fingerprint, tmp_path / "first.txt", tmp_path / "second.txt"
    log("enrol", "--to", str(first))
    assert log("rekey", "--why", "a new season", "--by", "the head")[0] == 0
    log("enrol", "--to", str(second))
    ledger.append("access.row", {"number": 9}, "specialist")
    made = ledger.checkpoint()
    assert made is not None
    assert made.key != before
    code, said = log("verify", "--seal", str(first), "--seal", str(second))
    assert code == 0, said
    code, said = log("verify", "--seal", str(first))
    assert code == 30
    assert "begins anew" in said
    (home.keys / "ledger.key").unlink()
    (home.keys / "ledger.pub").unlink()
    again = Ledger(ledger.store, home)
    assert log("rekey", "--why", "the key was lost", "--by", "the head")[0] == 0
    assert [entry.kind for entry in again.entries(prefix="ledger.key")] == ["ledger.key_changed", "ledger.key_lost"]
    assert log("verify")[0] == 0


def test_two_copies_part_ways_at_an_entry(log: Any, home: Home, ledger: Ledger, tmp_path: Path) -> None:
    earlier, later = tmp_path / "earlier.jsonl", tmp_path / "later.jsonl"
    log("export", str(earlier))
    ledger.append("access.row", {"number": 9}, "specialist")
    log("export", str(later))
    code, said = log("verify", "--against", str(earlier))
    assert code == 0
    assert "agrees up to entry 5" in said
    code, said = log("verify", str(earlier), "--against", str(later))
    assert code == 30
    assert "Entry 6: is missing here" in said
    lines = later.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace('"number":1', '"number":7')
    later.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said = log("verify", "--against", str(later), "--json")
    assert [(finding["kind"], finding["entry"]) for finding in json.loads(said)["findings"]] == [("copies differ", 3)]
    assert json.loads(said)["findings"][0]["at"].endswith("Z")
