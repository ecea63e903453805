"""The ledger's anchors, keys and copies on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from exam_kit.archive.bag import LEDGER
from exam_kit.cli import main
from exam_kit.home import Home
from exam_kit.store import Ledger
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.ledger import entry_hash
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


def test_a_copy_and_a_print_part_ways_at_an_entry(log: Any, home: Home, ledger: Ledger, tmp_path: Path) -> None:
    """What somebody has who comes with a sheet of paper: the line under its code, however it was typed off."""
    _code, early = log("anchor")
    for number in range(3):
        ledger.append("access.row", {"number": number}, "specialist")
    copy = tmp_path / "copy.jsonl"
    log("export", str(copy))
    _code, printed = log("anchor")
    ledger.append("access.row", {"number": 9}, "specialist")
    _code, late = log("anchor")
    code, said = log("verify", str(copy), "--anchor", "  " + printed.replace(" ", "  "))
    assert code == 0, said
    assert "Agrees with the print or anchor of entry № 8, signed 20" in said
    code, said = log("verify", str(copy), "--anchor", late)
    assert code == 30
    assert "Entries 9 to 9 are missing" in said

    lines = copy.read_text(encoding="utf-8").splitlines()
    previous = lines[6].split(" ", 1)[0].split("\t")[0]
    for place in range(6, 9):  # the chain made anew from entry 6 on, as a thief without the seal's keys would
        head, record = lines[place].split("\t")
        data = json.loads(record) | {"actor": "somebody"}
        data["prev"] = previous if place > 6 else data["prev"]
        record = rfc8785.dumps(data).decode()
        previous = entry_hash(ledger.id, record)
        lines[place] = f"{previous} {head.split(' ')[1]}\t{record}"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said = log("verify", str(copy), "--anchor", early, "--anchor", printed)
    assert code == 30
    assert "Agrees with the print or anchor of entry № 5" in said
    assert "the chain was rewritten between entries 6 and 8" in said
    code, said = log("verify", str(copy), "--against", str(home.store))
    assert "Entry 6: here and in" in said


def test_a_bag_and_an_export_are_anchors(log: Any, home: Home, ledger: Ledger, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    log("export", str(bag / LEDGER))
    ledger.append("access.row", {"number": 9}, "specialist")
    for given in (bag, bag / LEDGER):
        code, said = log("verify", "--anchor", str(given))
        assert code == 0
        assert "Agrees with the print or anchor of entry № 5" in said
    older = tmp_path / "older.jsonl"
    older.write_bytes((bag / LEDGER).read_bytes())
    log("export", str(bag / LEDGER))
    code, said = log("verify", str(older), "--anchor", str(bag))
    assert code == 30
    assert "Entries 6 to 6 are missing" in said


def test_the_first_key_is_asked_for_until_the_region_has_it(
    log: Any, home: Home, ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = log("verify")
    assert code == 0
    assert "The first key of the seal, from entry № 1 on, lies on this machine still." in said
    assert log("rekey", "--why", "a new season", "--by", "the head")[0] == 0
    assert [one["entry"] for one in json.loads(log("verify", "--json")[1])["remarks"]] == [1, 7]
    code, said = log("enrol", "--to", str(tmp_path / "first.txt"))
    assert "Another first key waits, from entry № 7 on." in said
    code, said = log("enrol", "--to", str(tmp_path / "second.txt"))
    assert "Another" not in said
    assert [Enrolment.load(tmp_path / name).start for name in ("first.txt", "second.txt")] == [1, 7]
    assert json.loads(log("verify", "--json")[1])["remarks"] == []


def test_a_chain_is_proved_though_the_seals_key_cannot_be_read(log: Any, home: Home) -> None:
    (home.keys / "seal.key").unlink()
    (home.keys / "seal.key").mkdir()
    code, said = log("verify")
    assert code == 0
    assert "seal.key: the key of the ledger's seal cannot be read" in said
