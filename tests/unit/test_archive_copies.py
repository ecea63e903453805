"""Several copies in one run: each destination its own bag, journal, rows and end."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exam_kit.archive import Progress, verify_bag
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.engine import Target, copy_all
from exam_kit.archive.medium import BLOCK, MediumReader, MediumWriter
from exam_kit.archive.pipeline import Failed, Pipeline
from exam_kit.archive.sink import CopyTask, FolderSink, Proof
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.errors import ArchiveError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, cancelled_after, record

MB = 1 << 20


def test_two_copies_in_one_run(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    told: list[Progress] = []
    result = archive(store, ledger, home, point, tmp_path / "a", clock, also_to=[tmp_path / "b"], progress=told.append)
    assert [copy.copy for copy in result.copies] == [1, 2]
    assert [copy.destination for copy in result.copies] == [tmp_path / "a", tmp_path / "b"]
    for copy in result.copies:
        assert copy.bag is not None and copy.bag.name.endswith(f"_copy{copy.copy}") and copy.files == 6
        assert verify_bag(copy.bag).outcome == "whole"
    assert result.bag == result.copies[0].bag
    jobs = store.query("SELECT id, state, done_files FROM archive_job ORDER BY id")
    assert [(job["state"], job["done_files"]) for job in jobs] == [("finished", 6), ("finished", 6)]
    assert len(list(ledger.entries(["archive.finished"]))) == 2
    assert {share.destination for now in told for share in now.copies} == {str(tmp_path / "a"), str(tmp_path / "b")}
    assert told[-1].as_dict()["copies"][1]["phase"] == "sealing"


def test_a_source_is_read_once_for_all(
    home: Home, store: Store, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = record(store, ledger, home)
    rows = store.query("SELECT path, bytes, sha256 FROM segment ORDER BY path")
    tasks = [CopyTask(Path(row["path"]).name, home.footage / row["path"], row["bytes"], row["sha256"]) for row in rows]
    opened: list[str] = []
    really = os.open

    def noted(path: str | Path, *arguments: int) -> int:
        if Path(path) in sources:
            opened.append(str(path))
        return really(path, *arguments)

    monkeypatch.setattr(os, "open", noted)
    targets = [target(tmp_path / name, tasks) for name in "abc"]
    copy_all(targets, clock=SystemClock(), cancelled=lambda: False)
    assert sorted(opened) == sorted(map(str, sources))
    assert [one.tally.verified for one in targets] == [6, 6, 6]


def test_a_destination_that_breaks_drops_out(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, size=2 * MB)
    good, bad = tmp_path / "good", tmp_path / "bad"

    def take_away(now: Progress) -> None:
        part = next(bad.glob("*.part"), None)
        if part is not None and now.done_files:
            part.rename(tmp_path / "gone")

    result = archive(store, ledger, home, point, bad, clock, also_to=[good], progress=take_away)
    assert [copy.state for copy in result.copies] == ["failed", "finished"]
    assert isinstance(result.copies[0].error, ArchiveError) and "carrier is gone" in str(result.copies[0].error)
    assert result.bag is not None and result.bag.is_relative_to(good) and result.copy == 2
    (tmp_path / "gone").rename(bad / "77_0001_20260528_COR-ENTR_copy1.part")
    again = archive(store, ledger, home, point, bad, clock)
    assert again.copy == 1 and again.files == 6 and again.bag is not None
    assert verify_bag(again.bag).outcome == "whole"


def test_a_destination_that_is_none_does_not_keep_the_others(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    (tmp_path / "there").mkdir()
    result = archive(store, ledger, home, point, tmp_path / "none", clock, also_to=[tmp_path / "there"], make=False)
    assert [copy.state for copy in result.copies] == ["failed", "finished"]
    assert "there is no such folder" in str(result.copies[0].error) and result.copy == 1
    with pytest.raises(ArchiveError, match="there is no such folder"):
        archive(store, ledger, home, point, tmp_path / "none", clock, make=False)


def test_each_destination_gets_what_it_lacks(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    a, b = tmp_path / "a", tmp_path / "b"
    with cancelled_after(2) as cancelled:
        first = archive(store, ledger, home, point, a, clock, cancelled=cancelled)
    assert first.state == "cancelled"
    had = len(list(a.rglob("*.mp4")))
    told: list[Progress] = []
    result = archive(store, ledger, home, point, a, clock, also_to=[b], progress=told.append)
    assert [(copy.state, copy.files, copy.copy) for copy in result.copies] == [("finished", 6, 1), ("finished", 6, 2)]
    assert any(share.phase == "proving" and share.files == had for now in told for share in now.copies)


class SlowSink(FolderSink):
    """Takes nothing until it is let."""

    let: threading.Event

    def write(self, data: memoryview) -> None:
        assert self.let.wait(60)
        super().write(data)

    def pulse(self) -> int | None:
        return None  # what other programs do on this disk is not the test's


def target(root: Path, tasks: list[CopyTask], kind: type[FolderSink] = FolderSink) -> Target:
    root.mkdir()
    before = Progress("copying", len(tasks), 0, sum(task.bytes for task in tasks), 0)
    return Target(tasks, kind(root), CopyJournal(root), root, before, lambda _tasks: None, lambda _failed: None)


def test_a_slow_destination_holds_the_others_only_by_the_buffers(
    home: Home, store: Store, ledger: Ledger, tmp_path: Path
) -> None:
    record(store, ledger, home, size=MB)  # six files of little more than 1 MiB: less than the buffers hold
    rows = store.query("SELECT path, bytes, sha256 FROM segment ORDER BY path")
    tasks = [CopyTask(Path(row["path"]).name, home.footage / row["path"], row["bytes"], row["sha256"]) for row in rows]
    quick, slow = target(tmp_path / "quick", tasks), target(tmp_path / "slow", tasks, SlowSink)
    assert isinstance(slow.sink, SlowSink)
    let = slow.sink.let = threading.Event()

    def watch(now: Progress) -> None:
        if now.done_files == 6:
            let.set()  # only when the quick one has everything may the slow one write its first byte

    quick.progress = watch
    copy_all([quick, slow], clock=SystemClock(), cancelled=lambda: False)
    assert (quick.tally.verified, slow.tally.verified) == (6, 6)


def test_a_pause_holds_the_reading_and_nothing_is_lost(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, size=8 * MB)  # more than the buffers hold
    asked = 0

    def paused() -> bool:
        nonlocal asked
        asked += 1
        return asked < 8

    result = archive(store, ledger, home, point, tmp_path / "a", clock, paused=paused)
    assert asked >= 8 and result.files == 6 and result.bag is not None
    assert verify_bag(result.bag).outcome == "whole"


def test_a_run_can_be_cancelled_while_it_is_paused(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home, size=MB)
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    result = archive(store, ledger, home, point, tmp_path / "a", clock, paused=lambda: True, cancelled=cancelled)
    assert result.state == "cancelled" and not list((tmp_path / "a").rglob("*.mp4"))


def test_a_destination_that_hangs_ends_and_the_others_go_on(
    home: Home, store: Store, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exam_kit.archive.lane.STALLED_S", 1.0)
    record(store, ledger, home, size=3 * MB, count=5)  # more than the buffers hold
    rows = store.query("SELECT path, bytes, sha256 FROM segment ORDER BY path")
    tasks = [CopyTask(Path(row["path"]).name, home.footage / row["path"], row["bytes"], row["sha256"]) for row in rows]
    good, hung = target(tmp_path / "good", tasks), target(tmp_path / "hung", tasks, SlowSink)
    assert isinstance(hung.sink, SlowSink)
    let = hung.sink.let = threading.Event()
    copy_all([good, hung], clock=SystemClock(), cancelled=lambda: False)
    let.set()
    assert good.tally.verified == 10 and good.problem is None
    assert hung.tally.verified == 0 and "does not answer any more" in str(hung.problem)


def test_many_small_files_share_the_journals_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = CopyJournal(tmp_path)
    synced = 0
    really = os.fsync

    def counted(fd: int) -> None:
        nonlocal synced
        synced += 1
        really(fd)

    monkeypatch.setattr(os, "fsync", counted)
    with journal.together():
        for number in range(50):
            journal.verified(f"data/{number}", number, "0" * 64, None)
        assert synced == 0
    assert synced == 1
    journal.close()
    assert len(CopyJournal(tmp_path).proved) == 50


def test_what_is_under_way_at_a_cancel_is_given_up(tmp_path: Path) -> None:
    content = bytes(64 * MB)  # more than the buffers hold
    (tmp_path / "source").write_bytes(content)
    task = CopyTask("a.mp4", tmp_path / "source", len(content), hashlib.sha256(content).hexdigest())
    copy = target(tmp_path / "copy", [task])
    copy_all([copy], clock=SystemClock(), cancelled=(tmp_path / "copy" / "a.mp4.part").exists)
    left = [path.stat().st_size for path in (tmp_path / "copy").glob("a.mp4*")]
    assert left in ([], [len(content)]), "a torn file was left behind"
    again = target(tmp_path / "again", [task])
    copy_all([again], clock=SystemClock(), cancelled=lambda: False)
    assert again.tally.verified == 1


def test_a_bad_sector_names_its_place_and_the_other_files_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = []
    for name in ("a.mp4", "bad.mp4", "c.mp4"):
        content = name.encode() * MB
        (tmp_path / name).write_bytes(content)
        tasks.append(CopyTask(name, tmp_path / name, len(content), hashlib.sha256(content).hexdigest()))

    class Dying(MediumReader):
        """A disk that gives the first block of one file and no more."""

        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self.left = 1 if path.name == "bad.mp4" else 1000

        def fill(self, room: memoryview) -> int:
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().fill(room)

    monkeypatch.setattr("exam_kit.archive.pipeline.MediumReader", Dying)
    failed: list[Failed] = []
    copy = target(tmp_path / "copy", tasks)
    copy.failed = failed.append
    copy_all([copy], clock=SystemClock(), cancelled=lambda: False)
    assert copy.tally.verified == 2 and copy.problem is None
    assert [failure.task.path for failure in failed] == ["bad.mp4"]
    assert f"after its first {BLOCK} bytes" in str(failed[0].message)
    assert sorted(path.name for path in (tmp_path / "copy").glob("*.mp4*")) == ["a.mp4", "c.mp4"]


class TornSink(SlowSink):
    """Fails at reading back while its writing hangs."""

    def prove(self, task: CopyTask, stopped: Callable[[], bool] = lambda: False, xxh3: str = "") -> Proof:
        time.sleep(0.5)  # meanwhile every buffer is on its way here
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_one_that_fails_at_reading_back_while_its_writing_hangs_keeps_no_buffers(
    home: Home, store: Store, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exam_kit.archive.lane.STALLED_S", 3.0)
    record(store, ledger, home, size=MB, count=6)  # more files than there are buffers
    rows = store.query("SELECT path, bytes, sha256 FROM segment ORDER BY path")
    tasks = [CopyTask(Path(row["path"]).name, home.footage / row["path"], row["bytes"], row["sha256"]) for row in rows]
    good, torn = target(tmp_path / "good", tasks), target(tmp_path / "torn", tasks, TornSink)
    assert isinstance(torn.sink, TornSink)
    let = torn.sink.let = threading.Event()
    (tmp_path / "torn" / tasks[0].path).write_bytes(tasks[0].source.read_bytes())  # is read back at once
    copy_all([good, torn], clock=SystemClock(), cancelled=lambda: False)
    let.set()
    assert good.tally.verified == 12 and good.problem is None
    assert torn.tally.verified == 0 and torn.problem is not None


def test_a_medium_that_works_slowly_is_not_accused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, sink = Pipeline(), FolderSink(tmp_path)
    pulses = iter([7, 8, 8])
    monkeypatch.setattr(sink, "pulse", lambda: next(pulses))
    lane = pipeline.lane(sink, CopyJournal(tmp_path))
    lane._since["accept"] = time.monotonic() - 1000.0  # one sync, for a quarter of an hour
    assert not lane.hangs() and not lane.hangs()
    lane._worked -= 1000.0
    assert lane.hangs(), "nothing moved since"
    lane._since["accept"] = time.monotonic() - 2000.0
    monkeypatch.setattr(sink, "pulse", time.monotonic_ns)
    assert lane.hangs(), "for ever nothing is waited for"
    lane._since["accept"] = None
    pipeline.stop()


def test_a_drive_that_is_written_to_has_a_pulse(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)
    before = sink.pulse()
    if before is None:
        pytest.skip("the temporary folder lies on no block device")
    task = CopyTask("a", tmp_path / "a", MB, "")
    sink.begin(task.path)
    sink.write(memoryview(bytes(MB)))
    sink.finish()
    sink.settle(task.path)
    after = sink.pulse()
    assert after is not None and after > before


def test_a_long_pause_is_no_hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline()
    sink = FolderSink(tmp_path)
    monkeypatch.setattr(sink, "pulse", lambda: None)
    lane = pipeline.lane(sink, CopyJournal(tmp_path))
    lane._since["prove"] = time.monotonic() - 1000.0
    assert lane.hangs()
    pipeline.pause(True)
    assert not lane.hangs()
    pipeline.pause(False)
    assert not lane.hangs(), "it was asked before the pause, and has had no time since"
    pipeline.stop()


def test_a_destination_that_cannot_even_be_looked_at_does_not_keep_the_others(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    record(store, ledger, home)
    really = Path.is_dir

    def dead(path: Path) -> bool:
        if path == tmp_path / "dead":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))  # pulled, and still mounted
        return really(path)

    for place in ("dead", "there"):
        (tmp_path / place).mkdir()
    monkeypatch.setattr(Path, "is_dir", dead)
    result = archive(store, ledger, home, point, tmp_path / "dead", clock, also_to=[tmp_path / "there"], make=False)
    assert [copy.state for copy in result.copies] == ["failed", "finished"]
    assert "the carrier" in str(result.copies[0].error)
    with pytest.raises(ArchiveError, match="the carrier"):
        archive(store, ledger, home, point, tmp_path / "dead", clock, make=False)


def test_a_file_that_failed_to_close_is_not_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be another file's by then."""
    writer = MediumWriter(tmp_path / "file")
    closed: list[int] = []

    def refused(fd: int) -> None:
        closed.append(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    really = os.close
    monkeypatch.setattr(os, "close", refused)
    with pytest.raises(OSError, match="error"):
        writer.close()
    writer.close()
    monkeypatch.undo()
    assert len(closed) == 1
    really(closed[0])
