"""The power-loss lab: its replay of a log, and in short the runs that `python -m lab.power` does at length."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from exam_kit.archive.copy_journal import JOURNAL
from exam_kit.home import Home
from lab import kernel, machine
from lab.copy import CopyExperiment
from lab.experiment import Found
from lab.ledger import LedgerExperiment
from lab.trial import Trial
from lab.write_log import DISCARD, FLUSH, FUA, MARK, Cut, Image, WriteLog, chosen, cuts, torn

SECTOR = 512
needs_machine = pytest.mark.skipif(
    bool(machine.missing()) or not os.environ.get("EXAM_KIT_LAB"),
    reason=f"takes minutes; set EXAM_KIT_LAB=1 to run it. The machine: {machine.missing() or 'ready'}",
)


def sector(letter: bytes) -> bytes:
    return letter * SECTOR


def log_of(path: Path, acts: list[tuple[int, int, bytes]]) -> WriteLog:
    """A log as the kernel writes it; acts are (flags, sector, data), a mark's data is its text."""
    body = b""
    for flags, number, data in acts:
        if flags & MARK:
            head = struct.pack("<QQQQ", number, 0, flags, len(data)) + data
            body += head.ljust(SECTOR, b"\0")
        else:
            body += struct.pack("<QQQQ", number, len(data) // SECTOR, flags, 0).ljust(SECTOR, b"\0")
            body += b"" if flags & DISCARD else data
    path.write_bytes(struct.pack("<QQQI", 0x6A736677736872, 1, len(acts), SECTOR).ljust(SECTOR, b"\0") + body)
    return WriteLog(path)


@pytest.fixture
def log(tmp_path: Path) -> WriteLog:
    return log_of(
        tmp_path / "log",
        [
            (MARK, 0, b"begun:0"),
            (0, 0, sector(b"a")),
            (0, 1, sector(b"b")),
            (FLUSH, 0, b""),
            (MARK, 0, b"kept:1"),
            (FUA, 2, sector(b"c")),
            (DISCARD, 0, sector(b"a")),
            (0, 1, sector(b"d")),
            (FLUSH, 0, b""),
            (MARK, 0, b"kept:2"),
            (MARK, 0, b"dm-log-writes-end"),
        ],
    )


def image_at(tmp_path: Path, log: WriteLog, wanted: list[Cut]) -> list[bytes]:
    """The first three sectors at every cut."""
    base = tmp_path / "base"
    base.write_bytes(sector(b"-") * 3)
    image = Image(base, tmp_path / "image", log)
    seen = []
    for cut in wanted:
        image.forward(cut)
        data = image.path.read_bytes()
        seen.append(b"".join(data[at * SECTOR : at * SECTOR + 1] for at in range(3)))
    image.close()
    return seen


def test_the_disk_is_what_had_been_written_by_then(tmp_path: Path, log: WriteLog) -> None:
    every = cuts(log)
    assert image_at(tmp_path, log, every) == [b"---", b"a--", b"ab-", b"abc", b"\0bc", b"\0dc"]
    assert [log.marks(cut.promised) for cut in every] == [
        ["begun:0"],
        ["begun:0"],
        ["begun:0", "kept:1"],
        ["begun:0", "kept:1"],
        ["begun:0", "kept:1"],
        ["begun:0", "kept:1", "kept:2"],
    ]


def test_what_no_flush_had_secured_may_be_there_in_part(tmp_path: Path, log: WriteLog) -> None:
    wanted = [Cut(1, 1, torn=(2,)), Cut(5, 5)]
    assert image_at(tmp_path, log, wanted) == [b"-b-", b"ab-"]  # and is whole once the flush is done
    parts = {cut.torn for seed in range(40) for cut in torn(log, random.Random(seed)) if cut.entries == 1}
    assert parts == {(), (1,), (2,), (1, 2)}
    assert all(not log.marks(cut.promised)[1:] for cut in torn(log, random.Random(1)) if cut.entries == 1)


def test_points_are_chosen_in_order_and_alike_for_one_seed(log: WriteLog) -> None:
    every = cuts(log)
    first, again = chosen(every, 3, random.Random(9)), chosen(every, 3, random.Random(9))
    assert first == again == sorted(first, key=lambda cut: cut.entries)
    assert chosen(every, 0, random.Random(9)) == every == chosen(every, 99, random.Random(9))


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(SECTOR))
    with pytest.raises(ValueError, match="not a log"):
        WriteLog(tmp_path / "log")


@pytest.mark.skipif(kernel.find() is None or shutil.which("cpio") is None, reason="no kernel for the lab, or no cpio")
def test_the_machine_starts_from_what_cpio_can_read(tmp_path: Path) -> None:
    found = kernel.find()
    assert found is not None
    listed = subprocess.run(["cpio", "-t"], input=kernel.initramfs(found), capture_output=True, check=True)
    names = listed.stdout.decode().split()
    assert {"init", "bin/busybox", "modules/dm-log-writes.ko", "modules/exfat.ko"} <= set(names)


@pytest.mark.parametrize("harm", ["none", "entry", "anchor", "key"])
def test_the_ledgers_check_sees_what_is_lost(tmp_path: Path, harm: str) -> None:
    experiment, marks, found = LedgerExperiment(appends=52), list[str](), Found()
    experiment.run(tmp_path, tmp_path, marks.append)
    home = Home.at(tmp_path / "home")
    match harm:
        case "entry":
            marks.append(f"entry:{len(marks) + 2}:{'0' * 64}")
        case "anchor":
            next(iter(home.anchors.iterdir())).unlink()
        case "key":
            shutil.rmtree(home.keys)
    experiment.check(tmp_path, tmp_path, marks, found)
    assert found.counts["acknowledged entries looked for"] == 52 + (harm == "entry")
    assert (
        set(found.broken)
        == {
            "none": set(),
            "entry": {"acknowledged entries lost or changed"},
            "anchor": {"acknowledged checkpoints lost or torn"},
            "key": {"signing keys lost or changed", "seals lost or ahead of the entries", "chains not whole"},
        }[harm]
    ), found


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("harm", ["none", "file", "byte", "journal"])
def test_the_copys_check_sees_what_is_lost(tmp_path: Path, harm: str, encrypted: bool) -> None:
    experiment, marks, found = CopyExperiment(files=6, encrypted=encrypted), list[str](), Found()
    experiment.prepare(tmp_path)
    experiment.run(tmp_path, tmp_path, marks.append)
    pattern = "*.age" if encrypted else "*.mp4"
    copied = sorted((tmp_path / "copy" / "data").rglob(pattern), key=lambda path: path.stat().st_size)
    match harm:
        case "file":
            copied[0].unlink()
        case "byte":
            copied[-1].write_bytes(bytes(copied[-1].stat().st_size))
        case "journal":
            (tmp_path / "copy" / JOURNAL).write_bytes(b"")
    experiment.check(tmp_path, tmp_path, marks, found)
    assert found.counts["acknowledged files looked for"] == 6
    assert (
        dict(found.broken)
        == {
            "none": {},
            "file": {"acknowledged files lost": 1},
            "byte": {"acknowledged files wrong": 1},
            "journal": {"acknowledged files missing in the copy's journal": 6},
        }[harm]
    ), found


def test_what_was_found_comes_out_of_the_machine_as_it_was() -> None:
    found = Found()
    found.counts["cuts"] += 2
    found.at_most("seconds lost", 1.5)
    found.breach("files lost", "data/№ 1.mp4")
    assert Found.read(found.written()) == found


@needs_machine
def test_no_acknowledged_entry_is_lost_and_the_careless_control_loses_some(tmp_path: Path) -> None:
    for careless in (False, True):
        work = tmp_path / f"careless {careless}"
        work.mkdir()
        trial = Trial("ledger", points=40, careless=careless, options={"appends": 24})
        found = trial.run(work, timeout_s=300)
        assert found.counts["cuts"] == 40
        assert found.counts["acknowledged entries looked for"] > 0
        assert bool(found.broken) is careless, found
