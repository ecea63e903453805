"""What still waited for the disk when a file was closed, and was refused: it is not told as recorded."""

from __future__ import annotations

import errno
import os
import threading
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from exam_kit.cctv.disk import SegmentFile
from exam_kit.cctv.sealer import hash_file
from exam_kit.cctv.source import Source
from exam_kit.clock import from_iso
from tests.cctv_fixtures import make_clip
from tests.cctv_take import Take, film_of


@pytest.mark.parametrize(("number", "reason"), [(errno.ENOSPC, "disk_full"), (errno.EIO, "disk_failed")])
def test_a_tail_the_disk_refused_is_not_told_as_recorded(
    number: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses, ended = threading.Event(), threading.Event()
    real = SegmentFile._create

    class Medium(FileIO):
        def write(self, data: Any) -> int:
            if refuses.is_set():
                raise OSError(number, os.strerror(number))
            return super().write(data)

    def create(file: SegmentFile) -> FileIO:
        real(file).close()
        assert file.path is not None
        file._file = Medium(file.path, "rb+")
        return file._file

    def stand_still() -> None:
        assert ended.wait(20)
        refuses.set()

    monkeypatch.setattr(SegmentFile, "_create", create)
    clip = make_clip(tmp_path / "clip.mp4", seconds=4)
    with Take(tmp_path / "take", Source("HQ-1", clip.as_uri()), segment_s=60) as take:
        take.until("progress")  # two seconds are with the disk
        take.disk.later(stand_still)
        take.until("fault")  # the file has come to its end, the segment is closed
        ended.set()
        (closed,) = take.until("closed")
    path = take.footage / closed["path"]
    film = film_of(path)
    assert 1 < film.ends < 3.9
    told_s = (from_iso(closed["to"]) - from_iso(closed["from"])).total_seconds()
    assert told_s == pytest.approx(film.ends, abs=0.01)
    assert closed["frames"] == len(film.frames)
    assert closed["reason"] == reason
    assert hash_file(path) == (closed["bytes"], closed["sha256"])
