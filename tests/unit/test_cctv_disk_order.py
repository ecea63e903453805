"""What must reach the medium before what, so that a power cut leaves a file that plays."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from exam_kit.cctv.disk import Disk, SegmentFile


def test_the_index_is_on_the_medium_before_the_head_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, on_medium = tmp_path / "segment.mp4", list[bytes]()
    real = getattr(os, "fdatasync", os.fsync)

    def noted(fd: int) -> None:
        real(fd)
        on_medium.append(path.read_bytes())

    monkeypatch.setattr(os, "fdatasync", noted, raising=False)
    disk = Disk(tmp_path)
    file = SegmentFile(disk, "CAM-1", lambda _number: path, lambda _path: None)
    file.write(b"fragmented head, fragment")
    file.hand_over()
    file.write(b", index")
    file.seek(0)
    file.write(b"ordinary  ")
    file.hand_over()
    file.end(lambda: None)
    disk.close()
    file.settle()
    assert file.fault is None
    assert on_medium == [b"fragmented head, fragment, index"]
    assert path.read_bytes() == b"ordinary   head, fragment, index"


def test_a_head_is_not_touched_when_the_index_cannot_be_secured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refused, raising=False)
    disk = Disk(tmp_path)
    file = SegmentFile(disk, "CAM-1", lambda _number: tmp_path / "segment.mp4", lambda _path: None)
    file.write(b"fragmented head, index")
    file.seek(0)
    file.write(b"ordinary  ")
    file.hand_over()
    file.end(lambda: None)
    disk.close()
    file.settle()
    assert isinstance(file.fault, OSError)
    assert (tmp_path / "segment.mp4").read_bytes() == b"fragmented head, index"


def test_another_cameras_video_does_not_wait_for_a_file_that_is_being_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slow(_fd: int) -> None:
        asked.set()
        assert answered.wait(20)

    monkeypatch.setattr(os, "fdatasync", slow, raising=False)
    disk = Disk(tmp_path)
    ending = SegmentFile(disk, "CAM-1", lambda _number: tmp_path / "one.mp4", lambda _path: None)
    ending.write(b"head, index")
    ending.seek(0)
    ending.write(b"HEAD")
    ending.hand_over()
    seal = threading.Thread(target=ending.settle)
    ending.end(seal.start)
    assert asked.wait(20)
    other = SegmentFile(disk, "CAM-2", lambda _number: tmp_path / "two.mp4", lambda _path: None)
    other.write(b"video")
    other.hand_over()
    written = threading.Event()
    other.end(written.set)
    assert written.wait(20)
    assert (tmp_path / "two.mp4").read_bytes() == b"video"
    answered.set()
    seal.join(20)
    disk.close()
    other.settle()
    assert (tmp_path / "one.mp4").read_bytes() == b"HEAD, index"
