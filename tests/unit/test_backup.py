"""Backups of the store: made beside a writer, proved, put back with the present one set aside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from exam_kit.agent.backups import FAILED, BackupDuty
from exam_kit.cli import main
from exam_kit.clock import FakeClock
from exam_kit.errors import StoreError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, open_store
from exam_kit.store.backup import MADE, _copy, backups_in, make_backup, verify_backup
from exam_kit.store.enrol import to_enrol
from exam_kit.store.rekey import change_keys
from exam_kit.store.restore import RESTORED, home_keys, restore_backup
from exam_kit.store.seal import SealKey
from exam_kit.store.verify import read_anchors, verify_database

SCREENS = """
import sys
from pathlib import Path
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store

home = Home.at(Path(sys.argv[1]))
ledger = Ledger(open_store(home), home)
print(ledger.head().seq, flush=True)
sys.stdin.read()
ledger.append("agent.started", {}, "agent")
print(ledger.head().seq)
"""
"""A program that has the database open while the test goes on, and writes once more when its input ends."""


def filled(ledger: Ledger, entries: int) -> None:
    for number in range(entries):
        ledger.append("access.row", {"number": number}, "specialist")


def test_a_backup_made_under_a_writer_is_whole_and_holds_no_secret(home: Home) -> None:
    ledger = Ledger(open_store(home), home)
    filled(ledger, 3)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            filled(ledger, 1)
        ledger.store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [make_backup(ledger, home, home.backups, 2, "agent") for _copy in range(3)]
    finally:
        stop.set()
        writer.join()
    assert [backup.path for backup in backups_in(home.backups)] == [backup.path for backup in made[1:]]
    assert verify_backup(made[-1].path).whole
    assert len(list(ledger.entries([MADE]))) == 3
    secrets = (home.keys / "ledger.key").read_bytes(), (home.keys / "seal.key").read_bytes()[20:52]
    for file in made[-1].path.iterdir():
        assert not any(secret in file.read_bytes() for secret in secrets), file
        assert file.name in {"exam-kit.db", "ledger.pub", "backup.json", "point.toml"}


def test_another_points_copies_and_a_spoilt_one_in_the_folder_are_left_alone(
    ledger: Ledger, home: Home, clock: FakeClock, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    other_home = Home.at(tmp_path / "other")
    other = Ledger(open_store(other_home), other_home)
    filled(other, 1)
    theirs = make_backup(other, other_home, shared, 1, "agent")
    other.store.close()
    spoilt = shared / "exam-kit-20200101T000000.000000Z"
    spoilt.mkdir()
    (spoilt / "backup.json").write_text("{")
    filled(ledger, 1)
    older = make_backup(ledger, home, shared, 1, "agent")
    clock.advance(60)
    made = make_backup(ledger, home, shared, 1, "agent")
    assert not older.path.exists()
    assert {backup.path for backup in backups_in(shared)} == {theirs.path, made.path}
    assert spoilt.exists()


def test_a_disk_that_takes_no_copy_is_told_as_such(ledger: Ledger, home: Home, tmp_path: Path) -> None:
    filled(ledger, 1)
    with pytest.raises(StoreError, match="refused"):
        _copy(ledger, tmp_path / "nowhere" / "exam-kit.db")


def test_a_changed_backup_is_found_and_not_put_back(ledger: Ledger, home: Home, clock: FakeClock) -> None:
    filled(ledger, 3)
    made = make_backup(ledger, home, home.backups, 2, "agent")
    whole = (made.path / "exam-kit.db").read_bytes()
    (made.path / "exam-kit.db").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert [finding.kind for finding in verify_backup(made.path).findings][-1] == "backup changed"
    with pytest.raises(StoreError, match="not whole"):
        restore_backup(home, made.path, clock, "head")
    with pytest.raises(StoreError, match="is not a backup"):
        verify_backup(home.root)
    assert ledger.head().seq == 5


def test_a_copy_of_somebody_else_is_not_put_back(ledger: Ledger, home: Home, clock: FakeClock, tmp_path: Path) -> None:
    """The same words, made anew with other keys: whole by the key inside it, and none of this home's."""
    filled(ledger, 3)
    ledger.store.close()
    before = home.store.read_bytes()
    other_home = Home.at(tmp_path / "other")
    other = Ledger(open_store(other_home), other_home)
    filled(other, 3)
    forged = make_backup(other, other_home, tmp_path / "second", 2, "agent")
    theirs = other.public_key
    other.store.close()
    assert verify_backup(forged.path).whole, "by its own word"
    with pytest.raises(StoreError, match="its key is none of this home's"):
        restore_backup(home, forged.path, clock, "head")
    assert home.store.read_bytes() == before
    assert not (home.root / "aside").exists()
    fresh = Home.at(tmp_path / "fresh")
    fresh.create()
    with pytest.raises(StoreError, match="no key of its own yet"):
        restore_backup(fresh, forged.path, clock, "head")
    entry, _aside = restore_backup(fresh, forged.path, clock, "head", [theirs])
    assert entry.kind == RESTORED


def test_a_copy_from_before_a_change_of_the_keys_is_this_homes(ledger: Ledger, home: Home, clock: FakeClock) -> None:
    filled(ledger, 3)
    made = make_backup(ledger, home, home.backups, 2, "agent")
    old = to_enrol(ledger, home)
    change_keys(ledger, home, "planned", "head")
    filled(ledger, 2)
    changed = to_enrol(ledger, home)[-1]
    assert len(home_keys(home)) == 2
    ledger.store.close()
    _entry, aside = restore_backup(home, made.path, clock, "head")
    kept = [path.read_text(encoding="utf-8") for path in aside.glob("enrolment*.txt")]
    assert kept == [changed.text()], "the first key of what was set aside goes with it"
    again = Ledger(open_store(home), home)
    assert to_enrol(again, home)[: len(old)] == old
    again.store.close()


def test_nothing_is_put_back_under_a_program_that_has_the_database_open(
    ledger: Ledger, home: Home, clock: FakeClock
) -> None:
    filled(ledger, 3)
    made = make_backup(ledger, home, home.backups, 2, "agent")
    ledger.store.close()
    with subprocess.Popen(
        [sys.executable, "-c", SCREENS, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as screens:
        assert screens.stdout is not None
        assert screens.stdout.readline() == "5\n"
        with pytest.raises(StoreError, match="another program has the database open"):
            restore_backup(home, made.path, clock, "head")
        assert not (home.root / "aside").exists()
        assert screens.communicate(timeout=60)[0] == "6\n", "nothing of it was lost"
    entry, _aside = restore_backup(home, made.path, clock, "head")
    again = Ledger(open_store(home), home)
    assert next(iter(again.entries([RESTORED]))).body["before"]["seq"] == 6
    assert entry.seq == again.head().seq
    again.store.close()


def test_a_damaged_database_is_replaced_though_it_cannot_be_asked(ledger: Ledger, home: Home, clock: FakeClock) -> None:
    filled(ledger, 3)
    made = make_backup(ledger, home, home.backups, 2, "agent")
    ledger.store.close()
    home.store.write_bytes(b"\0" * 8192)
    entry, aside = restore_backup(home, made.path, clock, "head")
    assert entry.body["before"] is None
    assert (aside / "exam-kit.db").read_bytes() == b"\0" * 8192


def test_a_stop_in_the_middle_leaves_a_store_in_its_place(
    ledger: Ledger, home: Home, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(ledger, 3)
    made = make_backup(ledger, home, home.backups, 2, "agent")
    filled(ledger, 2)
    ledger.store.close()
    whole, replace = home.store.read_bytes(), Path.replace

    def stop(path: Path, target: Path) -> Path:
        if target == home.store:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(home, made.path, clock, "head")
    assert home.store.read_bytes() == whole
    clock.advance(1)
    _entry, aside = restore_backup(home, made.path, clock, "head")
    assert (aside / "exam-kit.db").read_bytes() == whole
    assert home.store.read_bytes() != whole


def test_what_a_kill_left_unfinished_goes_after_a_day(ledger: Ledger, home: Home, clock: FakeClock) -> None:
    filled(ledger, 1)
    dead, fresh = home.backups / ".exam-kit-20260101T000000.000000Z.part", home.backups / ".exam-kit-new.part"
    anchor, other = home.anchors / "checkpoint-00000001.77-88.part", home.anchors / "checkpoint-00000001.txt"
    for folder in (dead, fresh):
        folder.mkdir(parents=True)
        (folder / "exam-kit.db").write_bytes(b"half")
    for file in (anchor, other):
        file.write_text("half")
    now = clock.now().timestamp()
    for path, age_h in ((dead, 25), (fresh, 23), (anchor, 25), (other, 25)):
        os.utime(path, (now - age_h * 3600, now - age_h * 3600))
    make_backup(ledger, home, home.backups, 2, "agent")
    assert [path.exists() for path in (dead, fresh, anchor, other)] == [False, True, False, True]


def test_a_restored_backup_goes_on_and_anchors_know_it(ledger: Ledger, home: Home, clock: FakeClock) -> None:
    filled(ledger, 3)
    (first,) = SealKey(home.keys).waiting
    made = make_backup(ledger, home, home.backups, 2, "agent")
    filled(ledger, 6)
    later = ledger.checkpoint()
    assert later is not None
    ledger.store.close()
    entry, aside = restore_backup(home, made.path, clock, "head")
    assert (aside / "exam-kit.db").exists()
    store = open_store(home)
    again = Ledger(store, home)
    restored = next(iter(again.entries([RESTORED])))
    assert restored.seq == entry.seq
    assert restored.body["before"] == {"seq": later.seq, "hash": later.hash}
    filled(again, 2)
    store.close()
    assert verify_database(home.store, ledger.public_key, read_anchors(home.anchors)).whole
    found = verify_database(home.store, ledger.public_key, [later.text()], [first]).findings
    assert {finding.kind for finding in found} == {"seal begun anew", "tail missing"}
    assert min(finding.seq for finding in found if finding.seq) == made.entries + 1


def test_after_the_loss_of_a_disk_the_ledger_goes_on_and_is_not_accused(
    ledger: Ledger, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    filled(ledger, 3)
    made = make_backup(ledger, home, tmp_path / "second", 2, "agent")
    monkeypatch.setenv("EXAM_KIT_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    assert main(["backup", "restore", str(made.path)]) != 0, "the key inside a copy proves nothing"
    key = tmp_path / "kept-elsewhere.pub"
    key.write_bytes(ledger.public_key.pem())
    assert main(["backup", "restore", str(made.path), "--key", str(key)]) == 0
    assert main(["log", "anchor"]) == 19, "its key is not the ledger's"
    assert main(["log", "rekey", "--why", "the disk was lost", "--by", "the head"]) == 0
    assert main(["log", "anchor"]) == 0
    assert main(["log", "verify"]) == 0


def test_the_command_makes_proves_and_restores(
    ledger: Ledger, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    filled(ledger, 3)
    assert main(["backup", "make", str(tmp_path / "second")]) == 0
    (made,) = backups_in(tmp_path / "second")
    assert main(["backup", "verify", str(made.path)]) == 0
    filled(ledger, 3)
    assert main(["log", "anchor", "--to", str(tmp_path / "anchors.txt")]) == 0
    capsys.readouterr()
    monkeypatch.setenv("EXAM_KIT_HOME", str(tmp_path / "nowhere"))
    assert main(["backup", "verify", str(made.path)]) == 0
    assert "key inside the copy only" in capsys.readouterr().out
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    assert main(["backup", "verify", str(made.path), "--anchor", str(tmp_path / "anchors.txt")]) == 30
    assert f"Entries {made.entries + 1} to 8 are missing" in capsys.readouterr().out
    ledger.store.close()
    assert main(["backup", "restore", str(made.path)]) == 0
    assert main(["log", "verify"]) == 0
    assert main(["log", "verify", "--anchor", str(tmp_path / "anchors.txt")]) == 30


def test_the_agent_makes_one_a_day_and_after_the_exam(
    home: Home, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    point = point.model_copy(update={"backups": point.backups.model_copy(update={"folder": str(second), "keep": 3})})
    store = open_store(home)
    ledger = Ledger(store, home, clock)
    filled(ledger, 2)
    duty = BackupDuty(point, home, ledger)

    def tick() -> list[int]:
        duty.tick()
        duty.close(30)
        return [len(backups_in(folder)) for folder in duty.folders]

    assert tick() == [1, 0]
    assert [entry.body["folder"] for entry in ledger.entries([FAILED])] == [str(second)]
    assert duty.anchor() is not None
    second.mkdir()
    assert tick() == [1, 0]  # not asked again at once
    clock.advance(timedelta(hours=1, minutes=1).total_seconds())
    assert tick() == [1, 1]
    assert tick() == [1, 1]
    clock.advance(timedelta(days=1).total_seconds())
    assert tick() == [2, 2]
    made = duty.anchor()
    assert made is not None
    duty.anchor()
    assert (second / "anchors.txt").read_text(encoding="utf-8") == made.line() + "\n"
    shutil.rmtree(second)
    store.close()
