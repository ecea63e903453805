"""The sealed bag: what is in it, who can validate it, and what verification says of every kind of damage."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exam_kit.archive import Progress, kept_message, verify_bag
from exam_kit.archive.bag import MANIFEST, SIGNATURE, TAGMANIFEST
from exam_kit.clock import FakeClock
from exam_kit.errors import ArchiveError
from exam_kit.home import Home
from exam_kit.point import Point, Zone
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.keys import SigningKey
from tests.archive_day import add_piece, archive, record


@pytest.fixture
def bag(home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path) -> Path:
    record(store, ledger, home, cameras=("COR1-1", "ENTR-1", "R1-1"))
    clock.advance(3600)
    result = archive(store, ledger, home, point, tmp_path / "носитель", clock)
    assert result.bag is not None
    return result.bag


def files(bag: Path) -> list[str]:
    return sorted(path.relative_to(bag).as_posix() for path in bag.rglob("*") if path.is_file())


def test_what_is_in_it(bag: Path, store: Store, ledger: Ledger) -> None:
    assert bag.name == "77_0001_20260528_COR-ENTR_copy1"
    found = files(bag)
    assert sum(path.startswith("data/corridor/") for path in found) == 3
    assert not [path for path in found if "_R1-1_" in path], "a room nobody chose"
    assert {"data/documents/акт приёма-передачи.pdf", "data/ledger.jsonl", "coverage.json"} <= set(found)
    info = dict(line.split(": ", 1) for line in (bag / "bag-info.txt").read_text(encoding="utf-8").splitlines())
    assert info["Source-Organization"] == "Школа-образец"
    assert info["External-Identifier"] == "77-0001-20260528"
    assert info["Exam-Subject"] == "Математика"
    assert info["Bagging-Date"] == "2026-05-28"
    assert info["Keep-Until"] == "2027-03-01"
    coverage = json.loads((bag / "coverage.json").read_text(encoding="utf-8"))
    assert [camera["recorded_s"] for camera in coverage["cameras"]] == [180.0, 180.0]
    [entry] = ledger.entries(["archive.finished"])
    assert entry.body["bag_hash"] == hashlib.sha256((bag / TAGMANIFEST).read_bytes()).hexdigest()
    [job] = store.query("SELECT * FROM archive_job")
    assert (job["state"], job["done_files"], job["seq"]) == ("finished", 6, entry.seq)
    assert {row["state"] for row in store.query("SELECT state FROM archive_file")} == {"verified"}


def test_tools_of_others_agree(bag: Path) -> None:
    tool = Path(sys.executable).with_name("bagit.py")
    said = subprocess.run([sys.executable, tool, "--validate", str(bag)], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--quiet", "-c", MANIFEST], cwd=bag, check=True)
    if shutil.which("openssl"):
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "signature/point.pub", "-rawin"]
        said = subprocess.run(
            [*command, "-in", TAGMANIFEST, "-sigfile", SIGNATURE], cwd=bag, capture_output=True, text=True
        )
        assert "Verified Successfully" in said.stdout + said.stderr


def test_whole(bag: Path, ledger: Ledger) -> None:
    report = verify_bag(bag, key=ledger.public_key)
    assert (report.outcome, report.exit_code, report.signature, report.chain) == ("whole", 0, "valid", "whole")
    assert report.read_bytes >= report.bytes > 0 and report.files == 6 + 3
    assert json.loads(json.dumps(report.as_dict()))["outcome"] == "whole"
    assert verify_bag(bag).signature == "valid_own_key"
    quick = verify_bag(bag, quick=True)
    assert quick.whole and quick.read_bytes < report.read_bytes
    assert "quick" in quick.text("en")


def test_one_flipped_bit_in_any_file_is_named(bag: Path) -> None:
    noise = random.Random(3)
    for path in files(bag):
        whole = (bag / path).read_bytes()
        for _time in range(3):
            broken = bytearray(whole)
            bit = noise.randrange(len(broken) * 8)
            broken[bit // 8] ^= 1 << bit % 8
            (bag / path).write_bytes(broken)
            report = verify_bag(bag)
            assert report.exit_code == 20 and report.named(path), (path, bit, report.text("en"))
        (bag / path).write_bytes(whole)
    assert verify_bag(bag).whole


def test_any_removed_file_is_named_and_so_is_a_stranger(bag: Path) -> None:
    for path in files(bag):
        whole = (bag / path).read_bytes()
        (bag / path).unlink()
        for quick in (False, True):
            report = verify_bag(bag, quick=quick)
            assert report.exit_code == 21 and report.named(path), (path, report.text("en"))
        (bag / path).write_bytes(whole[:-1])
        assert verify_bag(bag, quick=True).named(path), path
        (bag / path).write_bytes(whole)
    (bag / "data" / "corridor" / "Thumbs.db").write_bytes(b"x")
    report = verify_bag(bag)
    assert report.exit_code == 22 and report.named("data/corridor/Thumbs.db")


def reseal(bag: Path, key: SigningKey | None) -> None:
    """What a forger does: recompute the lists, and sign with the key at hand."""
    lines = []
    for line in (bag / TAGMANIFEST).read_text().splitlines():
        name = line[66:]
        lines.append(f"{hashlib.sha256((bag / name).read_bytes()).hexdigest()}  {name}\n")
    (bag / TAGMANIFEST).write_text("".join(lines))
    if key is not None:
        (bag / SIGNATURE).write_bytes(key.sign((bag / TAGMANIFEST).read_bytes()))


def rehash(bag: Path, path: str) -> None:
    lines = (bag / MANIFEST).read_text().splitlines()
    new = hashlib.sha256((bag / path).read_bytes()).hexdigest()
    (bag / MANIFEST).write_text("".join(f"{new if line[66:] == path else line[:64]}  {line[66:]}\n" for line in lines))


def test_changed_and_rehashed_without_the_key(bag: Path) -> None:
    video = next(path for path in files(bag) if path.endswith(".mp4"))
    (bag / video).write_bytes(b"forged")
    rehash(bag, video)
    reseal(bag, None)
    report = verify_bag(bag)
    assert (report.exit_code, report.signature, report.chain) == (20, "invalid", "broken")
    assert report.named(SIGNATURE) and report.named(video)


def test_changed_rehashed_and_signed_with_a_key_of_his_own(bag: Path, ledger: Ledger, tmp_path: Path) -> None:
    own = SigningKey.load_or_create(tmp_path / "forger")
    (bag / "signature" / "point.pub").write_bytes(own.public.pem())
    reseal(bag, own)
    assert verify_bag(bag, key=ledger.public_key).signature == "foreign"
    assert verify_bag(bag, key=ledger.public_key).exit_code == 20
    report = verify_bag(bag)
    assert report.chain == "broken", "the ledger inside was opened with another key than the one in the bag"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_not_a_bag(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "thing")
    report = verify_bag(tmp_path / "thing")
    assert (report.outcome, report.exit_code) == ("not_a_bag", 23)


def test_second_run_is_copy_two_with_its_own_number(
    bag: Path, home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    result = archive(store, ledger, home, point, bag.parent, clock)
    assert result.bag is not None and result.bag.name.endswith("_copy2") and result.copy == 2
    assert result.act is not None and result.act.number == "77-0001-20260528-2"
    assert verify_bag(result.bag).whole and verify_bag(bag).whole


def test_sealed_but_the_machine_died_before_the_ledger_knew(
    bag: Path, home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    with store.transaction() as connection:
        connection.execute("UPDATE archive_job SET state = 'sealing', ended_at = NULL")
    result = archive(store, ledger, home, point, bag.parent, clock)
    assert (result.state, result.bag, result.copy, result.files) == ("finished", bag, 1, 6)
    video = next(bag.rglob("*.mp4"))
    video.write_bytes(b"forged")
    with store.transaction() as connection:
        connection.execute("UPDATE archive_job SET state = 'sealing', ended_at = NULL")
    with pytest.raises(ArchiveError, match="not whole any more"):
        archive(store, ledger, home, point, bag.parent, clock)
    assert archive(store, ledger, home, point, bag.parent, clock).copy == 2


def test_what_is_lacking_is_said(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, cameras=("ENTR-1",), count=2)
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO segment (camera, day, path, from_at) VALUES ('ENTR-1', '2026-05-28', 'x/open.mp4', ?)",
            ("2026-05-28T05:02:00.000000Z",),
        )
        connection.execute(
            "INSERT INTO gap (camera, from_at, to_at, cause) VALUES ('ENTR-1', ?, NULL, 'camera_unreachable')",
            ("2026-05-28T05:10:00.000000Z",),
        )
    clock.advance(1800)
    result = archive(store, ledger, home, point, tmp_path / "drive", clock, keep=None)
    said = [str(lacking) for lacking in result.deficiencies]
    assert said == [
        "COR1-1: nothing was recorded on this day.",
        "ENTR-1: the piece from 08:02:00 is not closed yet; it is not in this copy. Stop the recording, then archive "
        "once more.",
        "ENTR-1: 480 s of the planned time have neither a recording nor a logged gap.",
        "ENTR-1: a gap since 08:10:00 is still open.",
        "The keep-until date is not set. Put the rule into the profile.",
    ]
    assert result.act is not None
    gaps = [(gap.camera, gap.cause) for gap in result.act.gaps]
    assert gaps == [("COR1-1", "not_recorded"), ("ENTR-1", "not_recorded"), ("ENTR-1", "camera_unreachable")]
    with pytest.raises(ArchiveError, match="no closed recording"):
        archive(store, ledger, home, point, tmp_path / "drive", clock, zones=[Zone.HEADQUARTERS])


def test_time_after_the_heads_stop_is_not_lacking(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, cameras=("ENTR-1",), count=2)
    clock.advance(120)
    body = {"camera": "ENTR-1", "order": 7, "ordered_by": "head", "why": "the exam is over"}
    ledger.append("recording.stopped", body, "specialist")
    clock.advance(1800)
    result = archive(store, ledger, home, point, tmp_path / "drive", clock, zones=[Zone.ENTRANCE])
    assert result.deficiencies == ()
    assert result.act is not None and result.act.gaps == ()


def test_progress_tells_how_far_and_a_failure_is_kept_translatable(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    seen: list[Progress] = []
    archive(store, ledger, home, point, tmp_path / "drive", clock, progress=seen.append)
    assert [p.done_files for p in seen if p.phase == "copying" and p.file] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].phase == "sealing" and seen[-1].done_bytes == seen[-1].bytes

    def refuse(_act: object) -> list[object]:
        raise OSError(28, "no space for the papers")

    with pytest.raises(ArchiveError, match="documents"):
        archive(store, ledger, home, point, tmp_path / "drive", clock, documents=refuse)  # type: ignore[arg-type]
    message = kept_message(store.query("SELECT detail FROM archive_job WHERE state = 'failed'")[0]["detail"])
    assert message is not None and "no space for the papers" in message.text("en")
    assert "Документы" in message.text("ru") and "Arhīva" in message.text("lv")


def test_an_exam_across_midnight_is_one_bag(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    late = point.days[0].model_copy(update={"start": dt.time(22, 0), "duration_min": 180.0})
    night = point.model_copy(update={"days": (late,)})
    midnight = dt.datetime(2026, 5, 28, 21, 0, tzinfo=dt.UTC)
    minute = dt.timedelta(minutes=1)
    for name, start in (("before", midnight - minute), ("after", midnight + 5 * minute)):
        add_piece(store, ledger, home, "ENTR-1", f"{name}.mp4", name.encode() * 999, start, start + minute)
    with store.transaction() as connection:
        connection.execute("UPDATE segment SET day = '2026-05-29' WHERE path LIKE '%after%'")
    clock.advance(18 * 3600)
    result = archive(store, ledger, home, night, tmp_path / "drive", clock, zones=[Zone.ENTRANCE])
    assert result.act is not None
    assert [Path(file.path).name for file in result.act.files] == ["before.mp4", "after.mp4"]


def test_a_bag_of_another_key_is_not_taken_for_the_one_that_was_sealed(
    bag: Path, home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    other = Home.at(tmp_path / "other")
    other.create()
    elsewhere = open_store(other)
    stranger = Ledger(elsewhere, other, clock)
    record(elsewhere, stranger, other, seed=2)
    made = archive(elsewhere, stranger, other, point, tmp_path / "drive", clock)
    elsewhere.close()
    assert made.bag is not None and made.bag.name == bag.name
    shutil.rmtree(bag)
    shutil.copytree(made.bag, bag)
    with store.transaction() as connection:
        connection.execute("UPDATE archive_job SET state = 'sealing', ended_at = NULL")
    with pytest.raises(ArchiveError, match="not whole any more"):
        archive(store, ledger, home, point, bag.parent, clock)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files where the kernel tells them")
def test_nothing_in_a_bag_is_open_when_it_gets_its_name(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Windows renames no folder in which a file is open."""
    record(store, ledger, home)
    really, held, renamed = Path.rename, set[str](), list[str]()

    def noted(path: Path, to: Path) -> Path:
        links = (fd for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())
        held.update(name for fd in links if (name := str(fd.readlink())).startswith(f"{path}/"))
        renamed.append(path.name)
        return really(path, to)

    monkeypatch.setattr(Path, "rename", noted)
    assert archive(store, ledger, home, point, tmp_path / "drive", clock).state == "finished"
    assert renamed and held == set()
