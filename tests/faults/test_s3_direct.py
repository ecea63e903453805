"""The archive straight into a real store (OpenStack Swift on loopback), beside drives and alone, killed and resumed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exam_kit.archive.kept_papers import kept_deficiencies
from exam_kit.archive.s3 import StoreFault, bags_there, verify_in_store
from exam_kit.archive.s3.uploads import state_file
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from tests.s3.direct import ADDRESS, PREFIX, archive_to, killed, make_home, name_store, wire_of
from tests.s3.line import Line, Put
from tests.s3.servers import Swift

pytestmark = pytest.mark.skipif(bool(Swift.missing()), reason=Swift.missing() or "runs")

ROOT = Path(__file__).parents[2]
THREADS = 4


def whole(home: Home, address: str) -> None:
    """The bag is whole, and its recordings are byte for byte those that were recorded."""
    name = address.rpartition("/")[2]
    wire = wire_of(home)
    store = open_store(home)
    report = verify_in_store(wire, name, home, key=Ledger(store, home).public_key, download=True)
    rows = {Path(row["path"]).name: row["sha256"] for row in store.query("SELECT path, sha256 FROM segment")}
    store.close()
    assert (report.outcome, report.signature) == ("whole", "valid"), report.text()
    found = {}
    for key, size, etag in wire.listing(f"{PREFIX}/{name}/data/"):
        if key.endswith(".mp4"):
            found[key.rpartition("/")[2]] = hashlib.sha256(b"".join(wire.read(key, size, etag))).hexdigest()
    assert found == rows


def entries(home: Home, kind: str) -> list[dict[str, Any]]:
    store = open_store(home)
    try:
        return [dict(entry.body) for entry in Ledger(store, home).entries([kind])]
    finally:
        store.close()


def test_a_drive_and_a_store_in_one_run(swift: Swift, tmp_path: Path) -> None:
    home, stick = make_home(tmp_path, size=500_000), tmp_path / "stick"
    stick.mkdir()
    swift.make_bucket("both")
    name_store(home, swift, swift.endpoint, "both")
    told: list[Any] = []
    result = archive_to(home, [stick, ADDRESS], 7, progress=told.append)
    assert [(copy.state, copy.copy, copy.files) for copy in result.copies] == [("finished", 1, 2), ("finished", 2, 2)]
    there = result.copies[1]
    assert there.address == f"{ADDRESS}/77_0001_20260528_COR-ENTR_copy2" and there.bag is None
    whole(home, there.address)
    assert {share.destination for now in told for share in now.copies} == {str(stick), ADDRESS}
    assert there.act is not None and there.act.carrier.kind == "store" and swift.endpoint in there.act.carrier.label
    assert there.proofs == {"downloaded": sum(there.proofs.values())} and there.read_back_bytes > there.bytes
    assert (home.reports / "sent" / "77_0001_20260528_COR-ENTR_copy2@region.json").is_file()
    assert kept_deficiencies(home, there.job) == there.act.deficiencies
    assert list((home.store.parent / "sending").rglob("*.*")) == []
    again = archive_to(home, [stick, ADDRESS], 7)
    assert [copy.job for copy in again.copies] == [copy.job for copy in result.copies]
    assert again.copies[1].as_dict()["bag"] == there.address
    assert [body["destination"] for body in entries(home, "archive.finished")] == [1, 2]


@pytest.mark.parametrize(
    ("bucket", "size", "when"),
    [
        ("killed-1", 5_400_000, lambda puts: len(puts) >= 3),  # each in two parts
        ("killed-2", 20_000, lambda puts: any(put.target.endswith("coverage.json") for put in puts)),
    ],
)
def test_killed_and_started_again(
    swift: Swift, tmp_path: Path, bucket: str, size: int, when: Callable[[list[Put]], bool]
) -> None:
    home = make_home(tmp_path, pieces=1, size=size)
    line = Line(swift.port)
    swift.make_bucket(bucket)
    name_store(home, swift, line.endpoint, bucket)
    killed(home, lambda: when(line.puts))
    begun = [put.target for put in line.puts]
    assert when(line.puts) and entries(home, "archive.finished") == []
    result = archive_to(home, [ADDRESS], 1)
    line.close()
    assert result.state == "finished" and result.copies[0].copy == 1
    again = {put.target for put in line.puts[len(begun) :]} & set(begun)
    assert len(again) <= THREADS
    assert line.puts[-1].target.endswith("tagmanifest-sha256.txt")
    name_store(home, swift, swift.endpoint, bucket)
    assert bags_there(wire_of(home)) == {"77_0001_20260528_COR-ENTR_copy1": True}
    whole(home, result.copies[0].address)


def test_a_store_that_is_away_holds_no_drive_back_and_is_served_later(swift: Swift, tmp_path: Path) -> None:
    home, stick = make_home(tmp_path), tmp_path / "stick"
    stick.mkdir()
    dead = Line(1)
    dead.close()
    swift.make_bucket("later")
    name_store(home, swift, dead.endpoint, "later")
    result = archive_to(home, [ADDRESS, stick], 3)
    assert [copy.state for copy in result.copies] == ["failed", "finished"]
    assert "does not answer" in str(result.copies[0].error) and result.copies[1].copy == 1
    name_store(home, swift, swift.endpoint, "later")
    result = archive_to(home, [ADDRESS, stick], 3)
    assert [copy.state for copy in result.copies] == ["finished", "finished"]
    assert len(list(stick.iterdir())) == 1
    whole(home, result.copies[0].address)


def test_a_recording_that_changed_is_named_and_the_others_are_sent(swift: Swift, tmp_path: Path) -> None:
    home = make_home(tmp_path)
    swift.make_bucket("changed")
    name_store(home, swift, swift.endpoint, "changed")
    path = next(home.footage.rglob("*.mp4"))
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    result = archive_to(home, [ADDRESS])
    assert (result.state, result.files) == ("finished", 1)
    assert [one.path.rpartition("/")[2] for one in result.failed] == [path.name]
    assert result.act is not None and any(path.name in str(one) for one in result.act.deficiencies)
    found = verify_in_store(wire_of(home), result.copies[0].address.rpartition("/")[2], home)
    assert found.outcome == "whole"


def test_cancelled_and_taken_up_again(swift: Swift, tmp_path: Path) -> None:
    home = make_home(tmp_path)
    line = Line(swift.port)
    swift.make_bucket("cancelled")
    name_store(home, swift, line.endpoint, "cancelled")
    result = archive_to(home, [ADDRESS], 5, cancelled=lambda: len(line.puts) >= 2)
    assert result.state == "cancelled"
    result = archive_to(home, [ADDRESS], 5)
    line.close()
    name_store(home, swift, swift.endpoint, "cancelled")
    assert (result.state, result.copies[0].copy) == ("finished", 1)
    assert [body["bag"][-1] for body in entries(home, "archive.resumed")] == ["1"]
    whole(home, result.copies[0].address)


@pytest.mark.parametrize(
    ("retention", "more", "said"),
    [
        ("compliance", {}, "not proved that the store holds it"),
        ("compliance", {"keep": None}, "no rule says which"),
    ],
)
def test_a_lock_that_cannot_be_kept_is_refused(
    swift: Swift, tmp_path: Path, retention: str, more: dict[str, Any], said: str
) -> None:
    home = make_home(tmp_path)
    name_store(home, swift, swift.endpoint, "refused", retention=retention)
    with pytest.raises(Exception, match=said):
        archive_to(home, [ADDRESS], **more)


def test_a_lost_staging_folder_gives_the_copy_up_and_makes_another(
    swift: Swift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path)
    swift.make_bucket("staging")
    name_store(home, swift, swift.endpoint, "staging")

    def cut(*_arguments: object, **_more: object) -> None:
        raise OSError(5, "the machine stops here")

    monkeypatch.setattr("exam_kit.archive.s3.store_copy.verify_in_store", cut)
    with pytest.raises(Exception, match="the machine stops here"):
        archive_to(home, [ADDRESS])
    monkeypatch.undo()
    for path in sorted((home.store.parent / "sending").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(Exception, match="makes another copy"):
        archive_to(home, [ADDRESS])
    result = archive_to(home, [ADDRESS])
    assert (result.state, result.copies[0].copy) == ("finished", 2)
    whole(home, result.copies[0].address)
    assert json.dumps(result.as_dict())


def test_a_line_that_breaks_at_the_last_look_is_not_the_bags_fault(
    swift: Swift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, dead = make_home(tmp_path), Line(1)
    dead.close()
    swift.make_bucket("last-look")
    name_store(home, swift, dead.endpoint, "last-look")
    nobody = wire_of(home)
    name_store(home, swift, swift.endpoint, "last-look")
    monkeypatch.setattr(
        "exam_kit.archive.s3.store_copy.verify_in_store",
        lambda _wire, *arguments, **more: verify_in_store(nobody, *arguments, **more),
    )
    with pytest.raises(StoreFault, match="does not answer"):
        archive_to(home, [ADDRESS])
    monkeypatch.undo()
    result = archive_to(home, [ADDRESS])
    assert (result.state, result.copies[0].copy) == ("finished", 1)  # nothing is sent anew
    whole(home, result.copies[0].address)


@pytest.mark.parametrize("what", ["other bytes", "taken away", "forgotten here"])
def test_what_is_not_there_as_it_was_proved_is_not_signed_for(
    swift: Swift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A bag that was sealed and not finished is taken up; its recordings lay out of our hands meanwhile."""
    home, bucket = make_home(tmp_path), f"meanwhile-{what.partition(' ')[0]}"
    swift.make_bucket(bucket)
    name_store(home, swift, swift.endpoint, bucket)

    def cut(*_arguments: object, **_more: object) -> None:
        raise OSError(5, "the machine stops here")

    monkeypatch.setattr("exam_kit.archive.s3.store_copy.verify_in_store", cut)
    with pytest.raises(Exception, match="the machine stops here"):
        archive_to(home, [ADDRESS])
    monkeypatch.undo()
    wire = wire_of(home)
    key, size = next((key, size) for key, size, _etag in wire.listing(PREFIX) if key.endswith(".mp4"))
    if what == "other bytes":
        wire.call("put_object", Key=key, Body=b"x" * size, ContentLength=size)
    elif what == "taken away":
        wire.call("delete_object", Key=key)
    else:
        state_file(home).unlink()
    with pytest.raises(Exception, match="makes another copy"):
        archive_to(home, [ADDRESS])
    assert entries(home, "archive.finished") == []
    result = archive_to(home, [ADDRESS])
    assert (result.state, result.copies[0].copy) == ("finished", 2)
    whole(home, result.copies[0].address)


def test_a_database_that_refuses_leaves_no_thread_behind(
    swift: Swift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, line = make_home(tmp_path, pieces=8), Line(swift.port, rate_bps=30_000)
    swift.make_bucket("refused")
    name_store(home, swift, line.endpoint, "refused")

    def refuse(*_arguments: object) -> None:
        raise StoreError(m("Database: full."))

    monkeypatch.setattr("exam_kit.archive.job_rows.JobRows.acknowledge", refuse)
    with pytest.raises(StoreError, match="full"):
        archive_to(home, [ADDRESS])
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("s3-", "archive-"))] == []
    monkeypatch.undo()
    line.close()
    name_store(home, swift, swift.endpoint, "refused")
    result = archive_to(home, [ADDRESS])
    assert (result.state, result.copies[0].copy) == ("finished", 1)
    whole(home, result.copies[0].address)


def test_the_command_line_orders_a_drive_and_a_store_and_verifies_there(swift: Swift, tmp_path: Path) -> None:
    home, stick = make_home(tmp_path), tmp_path / "stick"
    stick.mkdir()
    swift.make_bucket("ordered")
    name_store(home, swift, swift.endpoint, "ordered")

    def kit(*words: str) -> subprocess.CompletedProcess[str]:
        keys = {"EXAM_KIT_HOME": str(home.root), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        command = [sys.executable, "-m", "exam_kit", "--language", "en", *words]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **keys}, capture_output=True, text=True, timeout=120, check=False
        )

    unknown = kit("archive", "--day", "2026-05-28", "--to", "s3://elsewhere")
    assert unknown.returncode == 2 and "point.toml has: s3://region" in unknown.stderr
    made = kit("archive", "--day", "2026-05-28", "--to", str(stick), "--to", ADDRESS, "--by", "head", "--json")
    assert made.returncode == 0, made.stderr
    copies = json.loads(made.stdout)["copies"]
    assert [copy["state"] for copy in copies] == ["finished", "finished"]
    assert (copies[0]["destination"], copies[1]["destination"]) == (str(stick), ADDRESS)
    whole(home, copies[1]["bag"])
