"""Room for names on FAT and exFAT. That it helps is shown under power cuts: `python -m lab.power copy --every`."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from exam_kit.archive import folder_room
from exam_kit.archive.folder_room import grows_unsafely, make_room, slots
from exam_kit.archive.medium import file_system
from exam_kit.archive.sink import CopyTask, FolderSink


def test_the_kind_of_file_system_is_known(tmp_path: Path) -> None:
    assert file_system(Path("/proc").stat().st_dev) == "proc"
    assert file_system(os.makedev(4095, 77)) == ""
    assert not grows_unsafely(tmp_path.stat().st_dev)


@pytest.mark.parametrize(
    ("name", "fat", "exfat"),
    [("a", 2, 3), ("Запись № 1 — коридор.mp4.part", 4, 4), ("x" * 255, 21, 19), ("😀" * 100, 17, 16)],
)
def test_no_name_takes_more_than_is_reckoned(name: str, fat: int, exfat: int) -> None:
    assert slots(name) >= max(fat, exfat)


def test_names_are_made_and_removed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough of them; a folder that has room already is left alone."""
    opened: list[str] = []
    real = os.open

    def noted(path: Path, flags: int, mode: int = 0o777) -> int:
        opened.append(Path(path).name)
        return real(path, flags, mode)

    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "COR1-1.mp4").write_bytes(b"x")
    names = [f"COR1-1_{number:04}.mp4.part" for number in range(500)]
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", noted)
        make_room(folder, names)
    made = [name for name in opened if name.endswith("x")]
    assert sum(-(-len(name) // 15) for name in made) >= sum(2 * slots(name) for name in names)
    assert max(map(len, made)) <= 255 and len({name[:6] for name in made}) == len(made)
    assert os.listdir(folder) == ["COR1-1.mp4"]
    opened.clear()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", noted)
        make_room(folder, [], spare=folder.stat().st_size // 32 - 2 - slots("COR1-1.mp4"))
    assert not [name for name in opened if name.endswith("x")]


def test_a_folder_that_cannot_grow_so_far_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT has a most of 65,536 entries a folder: the doubled room of many files may be over it, they are not."""
    real, made = os.open, 0

    def full(path: Path, flags: int, mode: int = 0o777) -> int:
        nonlocal made
        filler = str(path).endswith("x")
        made += filler
        if filler and made > 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    make_room(tmp_path, [f"{number}.mp4" for number in range(1000)])
    assert made == 8
    assert os.listdir(tmp_path) == []


def test_what_a_power_cut_left_of_it_is_removed(tmp_path: Path) -> None:
    filler = tmp_path / "000003.exam-kit-room.".ljust(255, "x")
    kept = tmp_path / "000003.exam-kit-room.mp4"
    filler.touch()
    kept.touch()
    make_room(tmp_path, [], spare=0)
    assert os.listdir(tmp_path) == [kept.name]


def test_a_copy_to_such_a_carrier_makes_its_folders_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_room, "_UNSAFE", {file_system(tmp_path.stat().st_dev)})
    root = tmp_path / "stick" / "bag.part"
    root.mkdir(parents=True)
    sink = FolderSink(root)
    tasks = [
        CopyTask(f"data/{zone}/{number}.mp4", tmp_path / "source", 3, hashlib.sha256(b"abc").hexdigest())
        for zone in ("corridor", "entrance")
        for number in range(3)
    ]
    sink.prepare(tasks)
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*")) == [
        "data",
        "data/corridor",
        "data/entrance",
    ]
    assert os.listdir(root.parent) == ["bag.part"]
    for task in tasks:
        sink.begin(task.path)
        sink.write(memoryview(b"abc"))
        sink.finish()
        sink.settle(task.path)
        assert sink.prove(task).same
        sink.accept(task.path)
    sink.prepare(tasks)
    assert len(list(root.rglob("*.mp4"))) == 6
