"""Carriers and sources that fail in the middle: one clear message, what was verified stays, nothing false passes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from exam_kit.archive import Progress, verify_bag
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.engine import copy_files
from exam_kit.archive.pipeline import Failed
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.errors import AlreadyRunning, ArchiveError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import add_piece, archive, cancelled_after, record

MB = 1 << 20


@pytest.fixture
def small_drive(tmp_path: Path) -> Iterator[Path]:
    """A mounted file system of 24 MiB."""
    drive = tmp_path / "drive"
    drive.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(drive)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting needs Linux and root")
    yield drive
    subprocess.run(["umount", "-l", str(drive)], capture_output=True)


def test_too_small_a_carrier_is_known_before_copying(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, small_drive: Path
) -> None:
    record(store, ledger, home, count=5, size=MB)
    with pytest.raises(ArchiveError, match="not enough space"):
        archive(store, ledger, home, point, small_drive, clock)
    assert not list(small_drive.rglob("*.mp4*"))


def test_full_in_the_middle_then_goes_on(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, small_drive: Path
) -> None:
    record(store, ledger, home, count=3, size=MB)
    hog = small_drive / "hog"

    def fill(progress: Progress) -> None:
        if progress.done_files >= 1 and not hog.exists():
            with suppress(OSError), hog.open("wb", buffering=0) as filler:
                while filler.write(bytes(65536)):
                    pass

    with pytest.raises(ArchiveError, match="the carrier is full") as caught:
        archive(store, ledger, home, point, small_drive, clock, progress=fill)
    assert "They stay" in caught.value.text("en")
    job = store.query("SELECT * FROM archive_job")[0]
    assert job["state"] == "failed" and job["done_files"] >= 1
    hog.unlink()
    result = archive(store, ledger, home, point, small_drive, clock)
    assert result.job == job["id"] and result.bag is not None and result.files == 6
    assert verify_bag(result.bag).outcome == "whole"
    assert [entry.kind for entry in ledger.entries(prefix="archive.")] == [
        "archive.started",
        "archive.stopped",
        "archive.resumed",
        "archive.finished",
    ]


def test_pulled_in_the_middle_writes_nothing_to_the_system_disk(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, small_drive: Path
) -> None:
    record(store, ledger, home, count=3, size=MB)

    def pull(progress: Progress) -> None:
        if progress.done_files >= 1:
            subprocess.run(["umount", "-l", str(small_drive)], capture_output=True)

    with pytest.raises(ArchiveError, match="the carrier is gone"):
        archive(store, ledger, home, point, small_drive, clock, progress=pull)
    assert not list(small_drive.iterdir())


def test_read_only_carrier(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, small_drive: Path
) -> None:
    record(store, ledger, home, count=1)
    subprocess.run(["mount", "-o", "remount,ro", str(small_drive)], check=True)
    with pytest.raises(ArchiveError, match="cannot be written"):
        archive(store, ledger, home, point, small_drive, clock)


def test_missing_carrier_is_not_made_up(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, count=1)
    with pytest.raises(ArchiveError, match="there is no such folder"):
        archive(store, ledger, home, point, tmp_path / "nowhere", clock, make=False)
    with pytest.raises(ArchiveError, match="inside the recorder's own footage"):
        archive(store, ledger, home, point, home.footage / "copy", clock)


def _append(path: Path) -> None:
    with path.open("ab") as grown:
        grown.write(b"more")


def _rewrite(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_append, "another size"),
        (_rewrite, "not the one whose hash was logged"),
        (lambda path: path.unlink(), "cannot be read"),
    ],
    ids=["appended", "rewritten", "removed"],
)
def test_a_recording_that_is_not_what_it_was_fails_alone(
    home: Home,
    store: Store,
    ledger: Ledger,
    point: Point,
    clock: FakeClock,
    tmp_path: Path,
    damage: Callable[[Path], None],
    said: str,
) -> None:
    sources = record(store, ledger, home)
    damage(sources[1])
    result = archive(store, ledger, home, point, tmp_path / "drive", clock)
    assert [Path(failed.path).name for failed in result.failed] == [sources[1].name]
    assert said in str(result.failed[0].message)
    assert result.files == len(sources) - 1 and result.bag is not None
    assert any(said in str(lacking) for lacking in result.deficiencies)
    assert verify_bag(result.bag).outcome == "whole"
    assert not list(result.bag.rglob(sources[1].name + "*"))


class GrowingSink(FolderSink):
    """Appends to the source while its copy is being written."""

    source: Path

    def write(self, data: memoryview) -> None:
        super().write(data)
        _append(self.source)


class LyingSink(FolderSink):
    """A medium that flips one bit of what it stores, `times` times."""

    times = 1

    def finish(self) -> None:
        path = self.part(self._open_path)
        super().finish()
        if self.times:
            self.times -= 1
            _rewrite(path)


def _copy(sink: FolderSink, tasks: list[CopyTask], failed: list[Failed], done: list[str]) -> int:
    journal = CopyJournal(sink.root)
    tally = copy_files(
        tasks,
        sink,
        journal,
        before=Progress("copying", len(tasks), 0, sum(task.bytes for task in tasks), 0),
        clock=SystemClock(),
        acknowledged=lambda task: done.append(task.path),
        failed=failed.append,
        progress=lambda _progress: None,
        cancelled=lambda: False,
    )
    journal.close()
    return tally.verified


@pytest.fixture
def tasks(home: Home, store: Store, ledger: Ledger) -> list[CopyTask]:
    record(store, ledger, home, cameras=("ENTR-1",), count=3, size=3 * MB)
    rows = store.query("SELECT path, bytes, sha256 FROM segment ORDER BY path")
    return [
        CopyTask(f"data/entrance/{Path(row['path']).name}", home.footage / row["path"], row["bytes"], row["sha256"])
        for row in rows
    ]


def test_source_growing_while_it_is_copied(tmp_path: Path) -> None:
    root, source = tmp_path / "copy", tmp_path / "source.mp4"
    root.mkdir()
    content = bytes(48 * MB)  # more than the buffers hold, so the reader cannot be done before the first write
    source.write_bytes(content)
    task = CopyTask("data/entrance/source.mp4", source, len(content), hashlib.sha256(content).hexdigest())
    sink = GrowingSink(root)
    sink.source = source
    failed: list[Failed] = []
    done: list[str] = []
    _copy(sink, [task], failed, done)
    assert [failure.task for failure in failed] == [task] and not done
    assert "changed while it was copied" in str(failed[0].message)
    assert not list(root.rglob("*.mp4*"))


@pytest.mark.parametrize(("times", "lost"), [(1, 0), (2, 1)])
def test_a_bit_flipped_between_write_and_read_back(
    tasks: list[CopyTask], tmp_path: Path, times: int, lost: int
) -> None:
    root = tmp_path / "copy"
    root.mkdir()
    sink = LyingSink(root)
    sink.times = times
    failed: list[Failed] = []
    done: list[str] = []
    _copy(sink, tasks[:1], failed, done)
    assert len(failed) == lost and len(done) == 1 - lost
    if lost:
        assert "gave back other bytes" in str(failed[0].message)
        assert not list(root.rglob("*.mp4*"))


def test_a_verified_file_that_rots_before_the_seal_is_copied_again(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    drive = tmp_path / "drive"
    with cancelled_after(3) as cancelled:
        result = archive(store, ledger, home, point, drive, clock, cancelled=cancelled)
    assert result.state == "cancelled"
    row = store.query("SELECT path FROM archive_file WHERE state = 'verified'")[0]
    _rewrite(next(drive.glob("*.part")) / row["path"])
    result = archive(store, ledger, home, point, drive, clock)
    assert result.bag is not None and result.files == 6 and not result.failed
    assert verify_bag(result.bag).outcome == "whole"


def test_names_that_differ_only_by_case_are_one_file_on_a_stick(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    add_piece(store, ledger, home, "ENTR-1", "a.mp4", b"first")
    add_piece(store, ledger, home, "ENTR-1", "A.mp4", b"second")
    result = archive(store, ledger, home, point, tmp_path / "drive", clock)
    assert result.files == 1 and "differs only by case" in str(result.failed[0].message)
    assert result.bag is not None and verify_bag(result.bag).outcome == "whole"


def test_one_job_is_worked_on_once(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)

    def again(_progress: Progress) -> None:
        archive(store, ledger, home, point, tmp_path / "drive", clock)

    with pytest.raises(AlreadyRunning, match="already being made"):
        archive(store, ledger, home, point, tmp_path / "drive", clock, progress=again)


def test_a_system_disk_that_takes_no_lock_file_is_told(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, count=1)
    home.run.rename(tmp_path / "elsewhere")
    home.run.write_bytes(b"")
    with pytest.raises(ArchiveError, match="system's own disk"):
        archive(store, ledger, home, point, tmp_path / "drive", clock)
