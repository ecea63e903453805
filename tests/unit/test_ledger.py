"""The ledger: what is appended stays, and what is changed is found."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from exam_kit.errors import StoreError
from exam_kit.home import Home
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.export import export_to
from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.ledger import Checkpoint
from exam_kit.store.verify import read_anchors, verify_database, verify_export


def filled(ledger: Ledger, entries: int = 30) -> None:
    for number in range(entries):
        ledger.append("access.row", {"number": number, "text": f"запись № {number}", "open": None}, "specialist")


def test_entries_come_back_as_they_were_written(ledger: Ledger) -> None:
    filled(ledger, 3)
    entries = list(ledger.entries(["access.row"]))
    assert [entry.body["number"] for entry in entries] == [0, 1, 2]
    assert [entry.seq for entry in ledger.entries()] == [1, 2, 3, 4]
    assert [entry.kind for entry in ledger.entries(prefix="ledger.")] == ["ledger.opened"]
    assert [entry.seq for entry in ledger.entries(after=3)] == [4]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger SET hash = 'x' WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 2",
        "INSERT OR REPLACE INTO ledger (seq, record, hash) VALUES (2, '{\"seq\":2}', 'x')",
        "INSERT INTO ledger (seq, record, hash) VALUES (99, '{\"seq\":99}', 'x')",
        "INSERT INTO ledger (seq, record, hash) SELECT max(seq) + 1, record, hash FROM ledger",
        "DELETE FROM checkpoint",
        "UPDATE checkpoint SET text = ''",
    ],
)
def test_the_database_itself_refuses_a_change(ledger: Ledger, home: Home, sql: str) -> None:
    filled(ledger, 3)
    ledger.checkpoint()
    with sqlite3.connect(home.store) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(sql)
    connection.close()


def test_an_entry_and_its_row_stand_or_fall_together(store: Store, ledger: Ledger) -> None:
    filled(ledger, 1)

    def broken(_connection: sqlite3.Connection, _entry: object) -> None:
        raise RuntimeError("the row was refused")

    with pytest.raises(RuntimeError):
        ledger.append("order.given", {}, "specialist", also=broken)
    assert ledger.head().seq == 2


def test_an_untouched_ledger_is_whole(ledger: Ledger, home: Home) -> None:
    filled(ledger)
    ledger.checkpoint()
    filled(ledger, 2)
    report = verify_database(home.store, ledger.public_key, read_anchors(home.anchors))
    assert report.whole, report.findings
    assert (report.entries, report.checkpoints, report.anchors) == (33, 1, 1)
    path = home.root / "ledger.jsonl"
    assert export_to(ledger, path) == 33
    assert verify_export(path, ledger.public_key).whole


def test_an_empty_ledger_proves_nothing(store: Store, ledger: Ledger, home: Home) -> None:
    assert not verify_database(home.store, ledger.public_key).whole


def test_an_export_with_pasted_separators_is_whole(ledger: Ledger, home: Home) -> None:
    ledger.append("order.given", {"why": "one\u2028two\u2029three\u0085four\x0bfive\x1csix\r\nseven"}, "head")
    export = home.root / "export.txt"
    export_to(ledger, export)
    report = verify_export(export, ledger.public_key)
    assert (report.whole, [str(finding.message) for finding in report.findings]) == (True, [])


def test_every_changed_line_of_an_export_is_found(ledger: Ledger, home: Home) -> None:
    filled(ledger, 10)
    path = home.root / "ledger.jsonl"
    export_to(ledger, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    anchor = read_anchors(home.anchors)
    for number in range(1, len(lines)):
        for changed in (
            lines[:number] + lines[number + 1 :],
            [*lines[:number], lines[number][:-3] + 'xy"', *lines[number + 1 :]],
        ):
            path.write_text("\n".join(changed) + "\n", encoding="utf-8")
            assert not verify_export(path, ledger.public_key, anchor).whole, number


def test_a_chain_recomputed_without_the_key_is_found_by_a_kept_checkpoint(ledger: Ledger, home: Home) -> None:
    filled(ledger, 5)
    kept = ledger.checkpoint()
    assert kept is not None
    other = Home.at(home.root / "forged")
    forged = Ledger(open_store(other), other)
    forged._key = SigningKey.load_or_create(home.root / "other-keys")
    filled(forged, 9)
    forged.checkpoint()
    report = verify_database(other.store, ledger.public_key, [kept.text()])
    assert {finding.kind for finding in report.findings} >= {"foreign key", "checkpoint forged", "foreign checkpoint"}


def test_a_checkpoint_reads_back_as_it_was_printed(ledger: Ledger) -> None:
    filled(ledger, 1)
    made = ledger.checkpoint()
    assert made is not None
    assert Checkpoint.parse(made.text()) == made
    assert made.signed_by(ledger.public_key)
    assert ledger.checkpoint() == made


def test_a_file_that_is_no_ledger_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello", encoding="utf-8")
    with pytest.raises(StoreError, match="not a ledger export"):
        verify_export(path)
    with pytest.raises(StoreError, match="no such file"):
        verify_database(tmp_path / "none.db")
    assert verify_database(path).findings[0].kind == "database damaged"
    with pytest.raises(StoreError, match="no readable Ed25519 public key"):
        VerifyKey.load(path)


def _append(root: Path, name: str, entries: int) -> None:
    home = Home.at(root)
    ledger = Ledger(open_store(home), home)
    for number in range(entries):
        ledger.append("access.row", {"number": number}, name)


def test_processes_that_append_at_once_make_one_chain(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(home.root, f"writer-{n}", 60)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    store = open_store(home)
    ledger = Ledger(store, home)
    report = verify_database(home.store, ledger.public_key)
    assert report.whole, report.findings
    assert report.entries == 181
    for number in range(3):
        mine = [entry.body["number"] for entry in ledger.entries(["access.row"]) if entry.actor == f"writer-{number}"]
        assert mine == list(range(60))
    store.close()
