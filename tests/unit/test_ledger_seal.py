"""The seal: a key that moves on with every entry, survives what a ledger survives, and cannot be turned back."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from exam_kit.errors import StoreError
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from exam_kit.store.enrol import to_enrol
from exam_kit.store.export import export_to
from exam_kit.store.halves import LONG_ENTRIES
from exam_kit.store.keychange import change_body
from exam_kit.store.keys import SigningKey
from exam_kit.store.ledger import KEY_CHANGED, KEY_LOST, entry_hash
from exam_kit.store.rekey import change_keys
from exam_kit.store.seal import Enrolment, SealKey, SealState, evolved
from exam_kit.store.verify import read_anchors, verify_database, verify_export
from exam_kit.store.walk import walk
from tests.e2e.ordeal_tamper import attack_many, untouched
from tests.tamper import ATTACKS, Told, unprotected
from tests.tamper_forge import chain_from, private, resign
from tests.tamper_rows import canonical, record_of


def filled(ledger: Ledger, entries: int) -> None:
    for number in range(entries):
        ledger.append("access.row", {"number": number, "text": f"запись № {number}"}, "specialist")


def kinds(home: Home, ledger: Ledger, *seals: Enrolment) -> set[str]:
    report = verify_database(home.store, ledger.public_key, read_anchors(home.anchors), seals)
    return {finding.kind for finding in report.findings}


@pytest.fixture
def first(ledger: Ledger, home: Home) -> Enrolment:
    filled(ledger, 5)
    (waiting,) = SealKey(home.keys).waiting
    return waiting


def test_every_class_of_attack_is_found_and_untouched_ledgers_are_not_accused() -> None:
    tally = attack_many(3, range(len(ATTACKS)))
    assert tally.missed == []
    assert tally.made.total() > len(ATTACKS) * 0.9
    assert tally.named.total() >= tally.entries.total() * 0.95
    assert untouched(3, range(6)) == []


@pytest.mark.parametrize("kind", [KEY_LOST, KEY_CHANGED, "ledger.sealed", "ledger.opened"])
def test_a_forged_beginning_that_repeats_what_the_true_one_says_is_found(
    ledger: Ledger, home: Home, first: Enrolment, kind: str
) -> None:
    """It names the enrolled seal as its own, so that all after it would pass as begun anew, and proved by nobody."""
    ledger.checkpoint()
    key = (home.keys / "ledger.key").read_bytes()

    def forge(connection: sqlite3.Connection) -> Told:
        true = record_of(connection, 1)["body"]
        data = record_of(connection, 3) | {"kind": kind, "body": {"seal": true["seal"], "seal_from": 1}}
        connection.execute("UPDATE ledger SET record = ? WHERE seq = 3", (canonical(data),))
        chain_from(connection, 3, lambda seq, _digest, old: old if kind == KEY_CHANGED and seq == 3 else b"0" * 32)
        resign(connection, private(key))
        return Told(kind, 3)

    ledger.store.close()
    unprotected(home.store, forge)
    report = verify_database(home.store, ledger.public_key, seals=[first])
    assert "seal begun anew" in {finding.kind for finding in report.findings}
    assert min(finding.seq or 9 for finding in report.findings) == 3


def test_the_first_key_proves_every_entry_in_the_file_and_in_an_export(
    ledger: Ledger, home: Home, first: Enrolment
) -> None:
    assert Enrolment.parse(first.text()) == first
    report = verify_database(home.store, ledger.public_key, seals=[first])
    assert (report.whole, report.sealed, report.entries) == (True, 6, 6)
    path = home.root / "export.jsonl"
    export_to(ledger, path)
    assert verify_export(path, ledger.public_key, seals=[first]).sealed == 6
    text = path.read_text(encoding="utf-8").splitlines()
    digest, record = text[3].split("\t")
    text[3] = f"{digest[:-1]}{'0' if digest[-1] != '0' else '1'}\t{record}"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    assert [f.kind for f in verify_export(path, ledger.public_key, seals=[first]).findings] == ["seal broken"]


def test_the_key_stands_at_the_next_entry_and_no_older_one_is_left(
    ledger: Ledger, home: Home, first: Enrolment
) -> None:
    SealKey(home.keys).hand_over(first)
    kept = b"".join(path.read_bytes() for path in home.keys.iterdir())
    for position in range(first.start, 7):
        assert evolved(first.key, position - first.start) not in kept, position
    assert evolved(first.key, 7 - first.start) in kept
    assert first.text() not in "".join(path.read_text(errors="replace") for path in home.keys.iterdir())


def test_a_key_left_behind_by_a_crash_is_brought_up(ledger: Ledger, home: Home, first: Enrolment) -> None:
    (home.keys / "seal.key").unlink()
    SealKey(home.keys).move(SealState.first(first.key, first.start).at(3))
    filled(ledger, 2)
    assert kinds(home, ledger, first) == set()
    present = SealKey(home.keys).read()
    assert present is not None
    assert present.position == ledger.head().seq + 1


@pytest.mark.parametrize("slot", [0, 1])
def test_a_torn_slot_leaves_the_other(ledger: Ledger, home: Home, first: Enrolment, slot: int) -> None:
    with (home.keys / "seal.key").open("rb+") as file:
        file.seek(slot * 4096 + 20)
        file.write(b"torn")
    filled(ledger, 2)
    assert kinds(home, ledger, first) == set()


def test_a_rolled_back_transaction_does_not_move_the_key(ledger: Ledger, home: Home, first: Enrolment) -> None:
    def refused(_connection: sqlite3.Connection, _entry: object) -> None:
        raise RuntimeError

    for _try in range(2):
        with pytest.raises(RuntimeError):
            ledger.append("order.given", {}, "specialist", also=refused)
    with ledger.store.transaction():
        filled(ledger, 3)
    assert kinds(home, ledger, first) == set()


def test_a_lost_key_begins_anew_with_an_entry_that_the_region_sees(
    ledger: Ledger, home: Home, first: Enrolment
) -> None:
    SealKey(home.keys).hand_over(first)
    (home.keys / "seal.key").unlink()
    filled(ledger, 2)
    assert [entry.seq for entry in ledger.entries([KEY_LOST])] == [7]
    assert kinds(home, ledger, first) == {"seal begun anew"}
    (second,) = SealKey(home.keys).waiting
    assert kinds(home, ledger, first, second) == set()


def test_a_restored_older_ledger_is_seen_by_the_key_and_sealed_anew(
    home: Home, ledger: Ledger, first: Enrolment
) -> None:
    older = home.store.with_suffix(".older")
    with sqlite3.connect(older) as copy:
        ledger.store.connection.backup(copy)
    copy.close()
    filled(ledger, 4)
    ledger.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.store.close()
    home.store.write_bytes(older.read_bytes())
    present = SealKey(home.keys).read()
    assert present is not None
    report = verify_database(home.store, moved_to=present.position)
    assert [(finding.kind, finding.seq) for finding in report.findings] == [("rolled back", 7)]
    again = Ledger(open_store(home), home)
    again.append("agent.started", {}, "agent")
    assert [entry.body["why"] for entry in again.entries([KEY_LOST])] == [
        "the key has moved on to entry 11: an older ledger was put back"
    ]
    again.store.close()


def test_an_older_ledger_without_seals_is_sealed_from_now_on(home: Home, ledger: Ledger, first: Enrolment) -> None:
    connection = ledger.store.connection
    connection.execute("DROP TRIGGER ledger_no_update")
    connection.execute("UPDATE ledger SET seal = NULL")
    connection.execute("CREATE TRIGGER ledger_no_update" + _rest("ledger_no_update"))
    (home.keys / "seal.key").unlink()
    filled(ledger, 2)
    assert [(entry.kind, entry.seq) for entry in ledger.entries(["ledger.sealed"])] == [("ledger.sealed", 7)]


def _rest(name: str) -> str:
    from exam_kit.store.schema import LEDGER_SCHEMA

    return LEDGER_SCHEMA[name].partition(name)[2]


def test_both_keys_are_changed_by_an_entry_that_both_sign(ledger: Ledger, home: Home, first: Enrolment) -> None:
    old = SigningKey.load_or_create(home.keys)
    ledger.checkpoint()
    new = SigningKey.load_or_create(home.root / "new-keys")
    body = change_body(ledger.id, ledger.head().hash, old.public, new, old, why="planned")
    ledger.begin_seal(KEY_CHANGED, body, "head")
    assert SealKey(home.keys).waiting[0] == first
    (second,) = SealKey(home.keys).waiting[1:]
    ledger._key = new
    filled(ledger, 2)
    ledger.checkpoint()
    anchors = read_anchors(home.anchors)
    for key in (old.public, new.public):
        report = verify_database(home.store, key, anchors, [first, second])
        assert report.findings == []
        assert report.sealed == report.entries
    forged = change_body(ledger.id, ledger.head().hash, old.public, old, new, why="back")
    ledger.append(KEY_CHANGED, forged, "somebody")
    found = verify_database(home.store, old.public, anchors, [first, second]).findings
    assert [finding.kind for finding in found] == ["key change forged"]


def test_a_key_made_after_a_loss_needs_somebody_to_vouch_for_it(ledger: Ledger, home: Home, first: Enrolment) -> None:
    old = ledger.public_key
    new = SigningKey.load_or_create(home.root / "new-keys")
    ledger.append(KEY_LOST, change_body(ledger.id, ledger.head().hash, old, new, None, why="the laptop burned"), "head")
    ledger._key = new
    ledger.checkpoint()
    anchors = read_anchors(home.anchors)
    assert [f.kind for f in verify_database(home.store, old, anchors, [first]).findings] == ["key lost"]
    assert verify_database(home.store, [old, new.public], anchors, [first]).whole
    assert verify_database(home.store, new.public, anchors, [first]).whole


def test_a_long_chain_is_proved_in_two_parts_that_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LONG_ENTRIES > 1000
    monkeypatch.setattr("exam_kit.store.halves.LONG_ENTRIES", 10)
    home = Home.at(tmp_path / "long")
    ledger = Ledger(open_store(home), home)
    filled(ledger, 20)
    ledger.checkpoint()
    filled(ledger, 9)
    (first,) = SealKey(home.keys).waiting
    report = verify_database(home.store, ledger.public_key, read_anchors(home.anchors), [first])
    assert (report.whole, report.entries, report.sealed) == (True, 30, 30)
    ledger.store.close()
    with sqlite3.connect(home.store) as connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET record = replace(record, 'запись', 'Запись') WHERE seq = 25")
    connection.close()
    found = verify_database(home.store, ledger.public_key, read_anchors(home.anchors), [first]).findings
    assert ("entry changed", 25) in [(finding.kind, finding.seq) for finding in found]


def test_the_table_a_trigger_is_entered_under_is_part_of_the_protection(ledger: Ledger, home: Home) -> None:
    filled(ledger, 2)
    ledger.store.close()
    whole = home.store.read_bytes()
    home.store.write_bytes(whole.replace(b"ledger_no_updateledgerCREATE", b"ledger_no_updateledgeRCREATE"))
    assert home.store.read_bytes() != whole
    found = verify_database(home.store, ledger.public_key).findings
    assert [finding.kind for finding in found] == ["schema changed"]


@pytest.mark.parametrize(
    ("body", "canonical_form"),
    [
        ('{"a":1,"b":[0.5,1e+21,1e-7,9007199254740991]}', True),
        ('{"a":"5.0,","b":".0]"}', True),
        ('{"\U0001f600":1,"\ue000":2}', True),  # by UTF-16, in which RFC 8785 sorts
        ('{"b":1,"a":1}', False),
        ('{"a":[{"d":1,"c":1}]}', False),
        ('{"a":1,"a":1}', False),
        ('{"a":5.0}', False),
        ('{"a":-0.0}', False),
        ('{"a":1e2}', False),
        ('{"a":9007199254740993}', False),
        ('{"a":"\\u0041"}', False),
        ('{"a":"\\ud800"}', False),
        ('{"a": 1}', False),
        ("{}\x00", False),
    ],
)
def test_only_a_text_in_canonical_form_is_an_entry(body: str, canonical_form: bool) -> None:
    record = (
        '{"actor":"agent","at":"2026-05-28T05:00:00.000000Z","body":'
        f'{body},"boot":"b","kind":"access.row","mono":5.05,"prev":"","seq":2}}'
    ).encode()
    digest = entry_hash("7", record.decode()).encode()
    seen = walk([(2, record, digest, None)], first=2, ledger="7")
    assert (seen.fault is None) == canonical_form
    assert seen.fault is None or seen.fault.kind == "entry unreadable"


def test_first_keys_wait_side_by_side_until_each_is_handed_over(ledger: Ledger, home: Home, first: Enrolment) -> None:
    filled(ledger, 2)
    change_keys(ledger, home, "planned", "head")
    filled(ledger, 2)
    change_keys(ledger, home, "planned again", "head")
    waiting = to_enrol(ledger, home)
    assert waiting[0] == first
    assert [one.start for one in waiting] == [1, 10, 13]
    report = verify_database(home.store, ledger.public_key, seals=waiting)
    assert (report.whole, report.sealed) == (True, report.entries)
    SealKey(home.keys).hand_over(waiting[1])
    assert to_enrol(ledger, home) == [waiting[0], waiting[2]]


def test_a_first_key_of_a_change_that_was_rolled_back_is_not_asked_for(
    ledger: Ledger, home: Home, first: Enrolment
) -> None:
    for _try in range(2):
        with pytest.raises(RuntimeError), ledger.store.transaction():
            ledger.begin_seal(KEY_CHANGED, {"why": "planned"}, "head")
            raise RuntimeError
    assert len(SealKey(home.keys).waiting) == 2, "the next attempt takes the place of the failed one"
    assert to_enrol(ledger, home) == [first]


@pytest.mark.skipif(os.name == "nt", reason="a folder is read as a denied file there")
def test_a_key_that_cannot_be_read_is_told_and_begins_no_new_seal(ledger: Ledger, home: Home, first: Enrolment) -> None:
    SealKey(home.keys).hand_over(first)
    kept = (home.keys / "seal.key").rename(home.keys / "seal.kept")
    (home.keys / "seal.key").mkdir()
    with pytest.raises(StoreError, match=r"seal\.key: the key of the ledger's seal cannot be read"):
        filled(ledger, 1)
    (home.keys / "seal.key").rmdir()
    kept.rename(home.keys / "seal.key")
    filled(ledger, 1)
    assert list(ledger.entries([KEY_LOST])) == []
    assert kinds(home, ledger, first) == set()


def test_an_enrolment_from_beyond_the_end_proves_that_entries_are_missing(
    ledger: Ledger, home: Home, first: Enrolment
) -> None:
    older = home.root / "older.jsonl"
    export_to(ledger, older)
    change_keys(ledger, home, "planned", "head")
    both = to_enrol(ledger, home)
    found = verify_export(older, ledger.public_key, seals=both).findings
    assert [(finding.kind, finding.seq) for finding in found] == [("tail missing", 7)]
    assert verify_database(home.store, ledger.public_key, seals=both).whole
