"""Encrypted copies: what the carrier tells, what the region's key opens, what happens after a crash half-way."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyrage import decrypt, x25519

from exam_kit.archive import verify_bag
from exam_kit.archive.age_open import identities_in, open_bag
from exam_kit.archive.age_sink import EncryptingSink, SealedJournal, secret_of
from exam_kit.archive.age_stream import AgeStream, recipient_of
from exam_kit.archive.copy_journal import JOURNAL
from exam_kit.archive.engine import Target, copy_all
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.clock import FakeClock
from exam_kit.errors import ArchiveError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from exam_kit.store.keys import SigningKey
from tests.archive_day import archive, record


@pytest.fixture
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture
def for_region(point: Point, identity: x25519.Identity) -> Point:
    centre = point.region_centre.model_copy(update={"age": str(identity.to_public())})
    return point.model_copy(update={"region_centre": centre})


@pytest.fixture
def sealed(home: Home, store: Store, ledger: Ledger, for_region: Point, clock: FakeClock, tmp_path: Path) -> Path:
    record(store, ledger, home, cameras=("COR1-1", "ENTR-1"))
    clock.advance(3600)
    result = archive(store, ledger, home, for_region, tmp_path / "drive", clock, encrypt=True)
    assert result.bag is not None
    return result.bag


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, (3 << 20) + 5])
def test_any_length_comes_out_as_it_went_in(identity: x25519.Identity, size: int) -> None:
    out = bytearray()
    stream = AgeStream(identity.to_public(), out.extend)
    plain = os.urandom(size)
    stream.push(memoryview(plain))
    stream.finish()
    assert decrypt(bytes(out), [identity]) == plain
    assert stream.bytes == len(out)


def test_a_full_medium_is_told_to_who_writes(identity: x25519.Identity) -> None:
    def full(_data: memoryview) -> None:
        raise OSError(28, "no space left on device")

    stream = AgeStream(identity.to_public(), full)
    with pytest.raises(OSError, match="no space"):
        for _number in range(64):
            stream.push(memoryview(bytes(1 << 20)))
    stream.abandon()


def test_no_recipient() -> None:
    with pytest.raises(ArchiveError, match="not one"):
        recipient_of("age1nonsense")


def test_the_carrier_tells_nothing(sealed: Path, ledger: Ledger, point: Point) -> None:
    names = "\n".join(str(path.relative_to(sealed.parent)) for path in sealed.rglob("*"))
    telling = [point.name, "77_0001", "77-0001", "20260528", "2026-05-28", "COR1", "ENTR", "Математика", "corridor"]
    plain = b"".join(
        path.read_bytes() for path in sealed.rglob("*") if path.is_file() and path.suffix != ".age"
    ).decode("utf-8", errors="replace")
    assert [word for word in telling if word in names or word in plain] == []
    report = verify_bag(sealed, key=ledger.public_key)
    assert (report.outcome, report.signature, report.chain, report.encrypted) == ("whole", "valid", "sealed", True)
    tool = Path(sys.executable).with_name("bagit.py")
    said = subprocess.run([sys.executable, tool, "--validate", str(sealed)], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_opened_it_is_a_bag_like_any_other(
    sealed: Path, identity: x25519.Identity, ledger: Ledger, tmp_path: Path
) -> None:
    to = tmp_path / "region"
    to.mkdir()
    seen: list[tuple[int, int]] = []
    report = open_bag(sealed, [identity], to, key=ledger.public_key, progress=lambda *at: seen.append(at))
    assert (report.outcome, report.signature, report.chain) == ("whole", "valid", "whole")
    assert report.path == str(to / "77_0001_20260528_COR-ENTR_copy1")
    assert (to / "77_0001_20260528_COR-ENTR_copy1" / "coverage.json").exists()
    assert seen[-1][0] <= seen[-1][1]
    [entry] = ledger.entries(["archive.finished"])
    assert (entry.body["bag_hash"], entry.body["bag"]) == (report.bag_hash, "77_0001_20260528_COR-ENTR_copy1")
    assert entry.body["sealed_as"] == sealed.name
    assert entry.body["sealed_hash"] == verify_bag(sealed, quick=True).bag_hash
    with pytest.raises(ArchiveError, match="is there already"):
        open_bag(sealed, [identity], to)


def test_another_key_opens_nothing(sealed: Path, tmp_path: Path) -> None:
    to = tmp_path / "to"
    to.mkdir()
    with pytest.raises(ArchiveError, match="does not open with this key"):
        open_bag(sealed, [x25519.Identity.generate()], to)
    assert not list(to.iterdir())


def test_a_changed_ciphertext_is_found_with_and_without_the_key(
    sealed: Path, identity: x25519.Identity, tmp_path: Path
) -> None:
    victim = max(sealed.glob("data/*.age"), key=lambda path: path.stat().st_size)
    broken = bytearray(victim.read_bytes())
    broken[-50] ^= 4
    victim.write_bytes(broken)
    report = verify_bag(sealed)
    assert report.exit_code == 20 and report.named(f"data/{victim.name}")
    to = tmp_path / "to"
    to.mkdir()
    with pytest.raises(ArchiveError, match="or was changed"):
        open_bag(sealed, [identity], to)


def test_an_open_file_in_an_encrypted_bag_is_named(sealed: Path) -> None:
    (sealed / "data" / "note.txt").write_bytes(b"who we are")
    assert verify_bag(sealed).exit_code == 22


def test_identity_files(tmp_path: Path, identity: x25519.Identity) -> None:
    file = tmp_path / "region.key"
    file.write_text(f"# created: today\n# public key: {identity.to_public()}\n{identity}\n")
    assert [str(one.to_public()) for one in identities_in(file)] == [str(identity.to_public())]
    file.write_text(str(identity)[:-3] + "XXX\n")
    with pytest.raises(ArchiveError) as told:
        identities_in(file)
    assert "AGE-SECRET-KEY-1" in str(told.value) and str(identity)[16:40] not in str(told.value)


@pytest.mark.skipif(not shutil.which("age"), reason="the age tool is not installed")
def test_the_age_tool_itself_opens_every_file(sealed: Path, identity: x25519.Identity, tmp_path: Path) -> None:
    file = tmp_path / "region.key"
    file.write_text(f"{identity}\n")
    index = subprocess.run(["age", "-d", "-i", file, "data/index.age"], cwd=sealed, capture_output=True, check=True)
    first, *lines = index.stdout.decode().splitlines()
    assert first == "exam-kit encrypted bag v1\t77_0001_20260528_COR-ENTR_copy1"
    assert len(lines) == len(list(sealed.glob("data/*.age"))) - 1
    for line in lines:
        name, _tab, path = line.partition("\t")
        opened = subprocess.run(["age", "-d", "-i", file, name], cwd=sealed, capture_output=True, check=True).stdout
        assert opened, path


def test_taken_up_after_a_crash_nothing_journaled_is_written_again(
    home: Home, clock: FakeClock, identity: x25519.Identity, tmp_path: Path
) -> None:
    noise = {f"data/room/{number}.mp4": os.urandom(200_000 + number) for number in range(6)}
    tasks = []
    for path, content in noise.items():
        source = tmp_path / Path(path).name
        source.write_bytes(content)
        tasks.append(CopyTask(path, source, len(content), hashlib.sha256(content).hexdigest()))
    part = tmp_path / "sealed.part"
    part.mkdir()
    secret = secret_of(SigningKey.load_or_create(home.keys), "77-0001-20260528-1")

    def run(tasks: Sequence[CopyTask]) -> tuple[int, list[str]]:
        sink = EncryptingSink(FolderSink(part), identity.to_public(), secret)
        sink.expect(tasks)
        journal = SealedJournal(part, sink)
        done: list[str] = []
        target = Target(
            tasks,
            sink,
            journal,
            part,
            Progress("copying", len(tasks), 0, 0, 0),
            lambda durable: done.extend(task.path for task in durable),
            lambda failed: pytest.fail(str(failed.message)),
        )
        copy_all([target], clock=clock, cancelled=lambda: False)
        journal.close()
        assert target.problem is None
        assert all(journal.acknowledges(task) for task in tasks)
        return target.tally.copied_bytes, done

    assert run(tasks[:4])[0] == sum(task.bytes for task in tasks[:4])
    written, done = run(tasks)
    assert written == sum(task.bytes for task in tasks[4:]) and sorted(done) == sorted(noise)
    names = {path.name for path in (part / "data").iterdir()}
    assert len(names) == 6
    # A last line torn by a power cut is no acknowledgement, and ciphertext nobody vouches for is written anew.
    journal = (part / JOURNAL).read_bytes()
    (part / JOURNAL).write_bytes(journal.rstrip(b"\n")[:-20])
    assert run(tasks)[0] > 0
    assert {path.name for path in (part / "data").iterdir()} == names
    # Bytes that rotted on the carrier are found by the ciphertext's own hash.
    victim = part / "data" / sorted(names)[0]
    broken = bytearray(victim.read_bytes())
    broken[500] ^= 1
    victim.write_bytes(broken)
    assert run(tasks)[0] > 0
    for task in tasks:
        name = EncryptingSink(FolderSink(part), identity.to_public(), secret)
        name.expect(tasks)
        assert decrypt((part / name.name(task.path)).read_bytes(), [identity]) == noise[task.path]


def test_an_encrypted_copy_has_a_number_of_its_own_among_all_copies(
    sealed: Path, home: Home, store: Store, ledger: Ledger, for_region: Point, clock: FakeClock
) -> None:
    plain = archive(store, ledger, home, for_region, sealed.parent, clock)
    again = archive(store, ledger, home, for_region, sealed.parent, clock, encrypt=True)
    assert sealed.name.endswith("_copy1") and (plain.copy, again.copy) == (2, 3)


def test_the_memory_of_an_encrypted_file_goes_with_it(identity: x25519.Identity) -> None:
    gc.disable()
    try:
        stream = AgeStream(identity.to_public(), bytearray().extend)
        stream.push(memoryview(bytes(1000)))
        stream.finish()
        pool = weakref.ref(stream._pool)
        del stream
        assert pool() is None
    finally:
        gc.enable()
