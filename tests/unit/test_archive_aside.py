"""Recordings put aside for a slow destination while the drives are written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from exam_kit.archive.aside import Aside
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.engine import Target, copy_all
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.clock import SystemClock

MB = 1 << 20


def tasks_in(folder: Path, sizes: list[int]) -> list[CopyTask]:
    made = []
    for number, size in enumerate(sizes):
        content = bytes([65 + number]) * size
        path = folder / f"{number}.mp4"
        path.write_bytes(content)
        made.append(CopyTask(path.name, path, size, hashlib.sha256(content).hexdigest()))
    return made


def copied(folder: Path, tasks: list[CopyTask], aside: Aside) -> Target:
    root = folder / "copy"
    root.mkdir()
    before = Progress("copying", len(tasks), 0, sum(task.bytes for task in tasks), 0)
    target = Target(tasks, FolderSink(root), CopyJournal(root), root, before, lambda _tasks: None, lambda _failed: None)
    copy_all([target], clock=SystemClock(), cancelled=lambda: False, aside=aside)
    aside.close()
    return target


def test_what_has_room_comes_past_and_the_rest_is_left_to_be_read(tmp_path: Path) -> None:
    tasks = tasks_in(tmp_path, [3 * MB, 5 * MB, 2 * MB, 9 * MB, MB])
    aside = Aside()
    aside.want(tasks, lambda task: task.bytes < 9 * MB, 6 * MB)
    assert copied(tmp_path, tasks, aside).tally.verified == 5
    coming = [task for task in aside.coming() if task is not None]
    had = {task.path: aside.data_of(task) for task in coming}
    assert sorted(had) == sorted(task.path for task in tasks)
    assert [path for path, data in had.items() if data is not None] == ["0.mp4", "2.mp4", "4.mp4"]
    assert coming[:3] == [tasks[0], tasks[2], tasks[4]]
    for task in tasks:
        data = had[task.path]
        assert data is None or hashlib.sha256(data).hexdigest() == task.sha256


def test_a_recording_that_did_not_pass_whole_is_read_again(tmp_path: Path) -> None:
    tasks = tasks_in(tmp_path, [MB, MB])
    aside = Aside()
    aside.want(tasks, lambda _task: True, 8 * MB)
    tasks[0].source.write_bytes(b"short")
    assert copied(tmp_path, tasks, aside).tally.failed == 1
    assert [(task, aside.data_of(task) is not None) for task in aside.coming() if task] == [
        (tasks[1], True),
        (tasks[0], False),
    ]


def test_a_destination_that_wants_nothing_is_given_nothing(tmp_path: Path) -> None:
    tasks = tasks_in(tmp_path, [MB])
    aside = Aside()
    assert copied(tmp_path, tasks, aside).tally.verified == 1
    assert list(aside.coming()) == []


def test_when_nothing_comes_past_the_slow_one_reads_for_itself(tmp_path: Path) -> None:
    tasks = tasks_in(tmp_path, [10, 20])
    aside = Aside()
    aside.want(tasks, lambda _task: True, MB)
    seen = list(aside.coming())  # nobody closes it
    assert [task for task in seen if task is not None] == tasks and seen[0] is None
