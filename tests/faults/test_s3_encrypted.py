"""An encrypted copy straight into a real store (Swift on loopback): what it tells, killed, and opened again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from exam_kit.archive import verify_bag
from exam_kit.archive.age_open import open_bag
from exam_kit.archive.s3 import bags_there, verify_in_store
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from tests.s3.direct import ADDRESS, PREFIX, archive_to, killed, make_home, name_store, wire_of
from tests.s3.line import Line, Put, part_of
from tests.s3.servers import Swift

pytestmark = pytest.mark.skipif(bool(Swift.missing()), reason=Swift.missing() or "runs")
THREADS = 4
TELLING = ("77_0001", "20260528", "2026-05-28", "COR1", "ENTR", "corridor")


@pytest.fixture
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


def whole(home: Home, address: str, identity: x25519.Identity, folder: Path, lost: int = 0) -> dict[str, Any]:
    """The bag lies there whole, tells nothing, and inside it are the recordings as they were at birth; its entry."""
    name, wire, store = address.rpartition("/")[2], wire_of(home), open_store(home)
    ledger = Ledger(store, home)
    report = verify_in_store(wire, name, home, key=ledger.public_key, download=True)
    assert (report.outcome, report.signature, report.encrypted) == ("whole", "valid", True), report.text()
    fetched = folder / name
    for key, size, etag in wire.listing(f"{PREFIX}/{name}/"):
        path = fetched / key.removeprefix(f"{PREFIX}/{name}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(wire.read(key, size, etag)))
        seen = key.removeprefix(PREFIX).encode() + (b"" if path.suffix == ".age" else path.read_bytes())
        assert [word for word in TELLING if word.encode() in seen] == []
    rows = store.query("SELECT path, sha256 FROM segment ORDER BY path")
    (body,) = [dict(entry.body) for entry in ledger.entries(["archive.finished"]) if entry.body["sealed_as"] == name]
    opened = open_bag(fetched, [identity], folder, key=ledger.public_key)
    store.close()
    assert (opened.outcome, opened.bag_hash) == ("whole", body["bag_hash"])
    assert verify_bag(fetched).bag_hash == body["sealed_hash"] == report.bag_hash
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(opened.path).rglob("*.mp4")}
    born = {Path(row["path"]).name: row["sha256"] for row in rows}
    assert found.items() <= born.items() and len(found) == len(born) - lost == body["files"]
    assert not list((home.store.parent / "sending").rglob("*.*"))
    return body


def test_a_drive_and_a_store_both_encrypted(swift: Swift, identity: x25519.Identity, tmp_path: Path) -> None:
    home, stick = make_home(tmp_path, pieces=2, size=300_000), tmp_path / "stick"
    stick.mkdir()
    swift.make_bucket("both")
    name_store(home, swift, swift.endpoint, "both", age=str(identity.to_public()))
    damaged = next(home.footage.rglob("*.mp4"))
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    result = archive_to(home, [stick, ADDRESS], 7)
    assert [(copy.state, copy.copy, copy.files) for copy in result.copies] == [("finished", 1, 3), ("finished", 2, 3)]
    there = result.copies[1]
    assert [one.path.rpartition("/")[2] for one in there.failed] == [damaged.name]
    assert there.act is not None and there.act.sealed_as == there.address.rpartition("/")[2]
    assert there.act.bag == "77_0001_20260528_COR-ENTR_copy2" and there.act.carrier.kind == "store"
    body = whole(home, there.address, identity, tmp_path, lost=1)
    assert (body["bag"], body["bag_hash"]) == (there.act.bag, there.bag_hash)
    assert archive_to(home, [stick, ADDRESS], 7).copies[1].address == there.address
    assert bags_there(wire_of(home)) == {there.act.sealed_as: True}


@pytest.mark.parametrize(
    ("bucket", "size", "when"),
    [
        ("killed-parts", 5_400_000, lambda puts: len(puts) >= 3),  # each in two parts
        ("killed-lists", 20_000, lambda puts: any(put.target.endswith("bag-info.txt") for put in puts)),
    ],
)
def test_killed_and_started_again(
    swift: Swift, identity: x25519.Identity, tmp_path: Path, bucket: str, size: int, when: Callable[[list[Put]], bool]
) -> None:
    home, line = make_home(tmp_path, size=size), Line(swift.port)
    swift.make_bucket(bucket)
    age = str(identity.to_public())
    name_store(home, swift, line.endpoint, bucket, age=age)
    killed(home, lambda: when(line.puts))
    begun = len(line.puts)
    assert when(line.puts)
    result = archive_to(home, [ADDRESS], 1)
    line.close()
    assert (result.state, result.copies[0].copy) == ("finished", 1)
    before = {part_of(put) for put in line.puts[:begun]}
    assert len(before.intersection(part_of(put) for put in line.puts[begun:])) <= THREADS
    assert line.puts[-1].target.endswith("tagmanifest-sha256.txt")
    name_store(home, swift, swift.endpoint, bucket, age=age)
    whole(home, result.copies[0].address, identity, tmp_path)
    assert not swift.client().list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_what_was_sent_and_is_not_known_any_more_is_not_signed_for(
    swift: Swift, identity: x25519.Identity, tmp_path: Path
) -> None:
    home, line = make_home(tmp_path), Line(swift.port)
    swift.make_bucket("unknown")
    age = str(identity.to_public())
    name_store(home, swift, line.endpoint, "unknown", age=age)
    assert archive_to(home, [ADDRESS], 5, cancelled=lambda: len(line.puts) >= 1).state == "cancelled"
    line.close()
    name_store(home, swift, swift.endpoint, "unknown", age=age)
    (journal,) = (home.store.parent / "sending").rglob("copy-journal.txt")
    journal.unlink()
    with pytest.raises(Exception, match="makes another copy"):
        archive_to(home, [ADDRESS], 5)
    assert not list((home.store.parent / "sending").glob("*/*"))
    result = archive_to(home, [ADDRESS], 5)
    assert (result.state, result.copies[0].copy) == ("finished", 2)
    whole(home, result.copies[0].address, identity, tmp_path)
