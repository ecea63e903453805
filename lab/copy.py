"""The archive's copy under power cuts: a file that was acknowledged is whole, whatever the carrier's file system."""

from __future__ import annotations

import functools
import hashlib
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

from pyrage import DecryptError, decrypt, x25519

from exam_kit.archive.age_sink import EncryptingSink, SealedJournal
from exam_kit.archive.copy_journal import JOURNAL, CopyJournal, readable
from exam_kit.archive.engine import copy_files
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.clock import SystemClock
from lab.experiment import Found

__all__ = ["CopyExperiment"]

SEED = 5
IDENTITY = x25519.Identity.from_str("AGE-SECRET-KEY-1E5PRP0GUCPYW4QA83FSXPYA6DNGTDKE4C3S04V0DANPXS6K9DS3Q7LPH08")
SECRET = bytes(32)
"""A key for these experiments only, the same in the emulated machine and outside."""
SIZES = (0, 1, 511, 4095, 4096, 4097, 20_000, 65_536, 300_000, 1_500_001)
"""Bytes; around the sizes of sectors, pages and clusters."""


class CopyExperiment:
    """A small tree of files of odd sizes is copied to a folder on the carrier, encrypted if that is asked for."""

    size_mb = 40

    def __init__(self, files: int = 30, *, encrypted: bool = False, careless: bool = False) -> None:
        self._files, self._encrypted = files, encrypted
        self._careless = careless

    def prepare(self, work: Path) -> None:
        chance = random.Random(SEED)  # noqa: S311 - contents of files, not secrets
        for number in range(self._files):
            path = self._source(work, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(chance.randbytes(SIZES[number % len(SIZES)]))

    def run(self, disk: Path, work: Path, mark: Callable[[str], None]) -> None:
        root = disk / "copy"
        root.mkdir()
        tasks = self._tasks(work)
        numbers = {task.path: number for number, task in enumerate(tasks)}
        if self._careless:
            with patch("os.fsync"), patch("os.O_DIRECT", 0), patch("exam_kit.archive.medium._DIRECT", 0):
                self._copy(tasks, root, lambda task: mark(f"file:{numbers[task.path]}"))
        else:
            self._copy(tasks, root, lambda task: mark(f"file:{numbers[task.path]}"))

    def check(self, disk: Path, work: Path, marks: list[str], found: Found) -> None:
        tasks = {task.path: task for task in self._tasks(work)}
        names = list(tasks)
        promised = {names[int(mark.split(":")[1])] for mark in marks}
        found.counts["acknowledged files looked for"] += len(promised)
        root = disk / "copy"
        lies = self._names(root, list(tasks.values()))
        journal = journaled(root)
        proved = {path for path, name in lies.items() if name in journal}
        for path in sorted(promised):
            state = self._state(root / lies[path], tasks[path])
            if state != "whole":
                found.breach(f"acknowledged files {state}", f"{path} ({tasks[path].bytes} bytes)")
            if path not in proved:
                found.breach("acknowledged files missing in the copy's journal", path)
        for path in sorted(proved - promised):
            state = self._state(root / lies[path], tasks[path])
            if state != "whole":
                found.breach(f"journaled files {state}", f"{path} ({tasks[path].bytes} bytes)")

    def _names(self, root: Path, tasks: Sequence[CopyTask]) -> dict[str, str]:
        """Path → the name it has on the carrier."""
        if not self._encrypted or not os.path.isdir(root):  # noqa: PTH112 - False also for a folder that FAT cannot read
            return {task.path: task.path for task in tasks}
        sink = _sealing(root, tasks)
        return {task.path: sink.name(task.path) for task in tasks}

    def _state(self, path: Path, task: CopyTask) -> str:
        try:
            data = path.read_bytes()
            if self._encrypted:
                data = decrypt(data, [IDENTITY])
        except FileNotFoundError:
            return "lost"
        except OSError:
            return "unreadable"
        except DecryptError:
            return "wrong"
        return "whole" if hashlib.sha256(data).hexdigest() == task.sha256 else "wrong"

    def _copy(self, tasks: list[CopyTask], root: Path, acknowledged: Callable[[CopyTask], None]) -> None:
        sink: FolderSink | EncryptingSink = FolderSink(root)
        journal: CopyJournal
        if self._encrypted:
            sink = _sealing(root, tasks)
            journal = SealedJournal(root, sink)
        else:
            journal = CopyJournal(root)
        total = sum(task.bytes for task in tasks)
        tally = copy_files(
            tasks,
            sink,
            journal,
            before=Progress("copy", len(tasks), 0, total, 0),
            clock=SystemClock(),
            acknowledged=acknowledged,
            failed=lambda _failed: None,
            progress=lambda _progress: None,
            cancelled=lambda: False,
        )
        journal.close()
        if tally.verified != len(tasks):
            raise RuntimeError(f"{tally.verified} of {len(tasks)} files were copied")

    @functools.cache  # noqa: B019 - lives as long as the experiment does
    def _tasks(self, work: Path) -> list[CopyTask]:
        made = []
        for number in range(self._files):
            source = self._source(work, number)
            data = source.read_bytes()
            path = f"data/day {number % 3}/Запись № {number} — room 0001.mp4"
            made.append(CopyTask(path, source, len(data), hashlib.sha256(data).hexdigest()))
        return made

    @staticmethod
    def _source(work: Path, number: int) -> Path:
        return work / "source" / f"{number:03d}"


def journaled(root: Path) -> set[str]:
    """Files that the copy's journal acknowledges, read as the next run would read it, from a copy of its own."""
    try:
        data = readable(root / JOURNAL)
    except OSError:
        return set()  # a folder of which FAT had written only the name
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / JOURNAL).write_bytes(data)
        journal = CopyJournal(Path(folder))
        journal.close()
        return set(journal.proved)


def _sealing(root: Path, tasks: Sequence[CopyTask]) -> EncryptingSink:
    sink = EncryptingSink(FolderSink(root), IDENTITY.to_public(), SECRET)
    sink.expect(tasks)
    return sink
