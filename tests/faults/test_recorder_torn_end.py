"""A recording that a power cut ended in the middle of a fragment's description, or of the index."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from exam_kit.cctv.disk import SegmentFile
from exam_kit.cctv.recovery import inspect, take_in
from exam_kit.cctv.source import Source
from exam_kit.cctv.torn_end import drop_torn_end, torn_end
from exam_kit.point import Point
from tests.cctv_fixtures import make_clip
from tests.cctv_take import Take, film_of


@pytest.fixture
def unsettled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, int]:
    """A recording with its index, in the moment before its head is changed; and how many frames it has."""
    kept: list[bytes] = []
    real = SegmentFile.settle

    def settle(file: SegmentFile) -> None:
        if file.path is not None:
            kept.append(file.path.read_bytes())
        real(file)

    monkeypatch.setattr(SegmentFile, "settle", settle)
    clip = make_clip(tmp_path / "clip.mp4", seconds=3)
    with Take(tmp_path / "take", Source("HQ-1", clip.as_uri()), segment_s=60) as take:
        (closed,) = take.until("closed")
    return kept[0], len(film_of(take.footage / closed["path"]).frames)


def played(path: Path) -> str:
    line = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    return subprocess.run([*line, str(path)], capture_output=True, text=True, check=False).stdout.strip()


def test_a_description_of_which_the_end_is_missing_costs_no_frame_before_it(
    unsettled: tuple[bytes, int], tmp_path: Path, point: Point
) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    content, frames = unsettled
    index = content.rindex(b"moov") - 4
    fragment = content.rindex(b"moof") - 4
    assert content.index(b"moov") < fragment < index  # the first one stands in the head
    (tmp_path / "before.mp4").write_bytes(content[:fragment])
    before = inspect(tmp_path / "before.mp4").frames
    assert 0 < before < frames
    row = {"camera": "HQ-1", "from_at": "2026-05-28T07:00:00Z", "path": "day/HQ-1/x-open.mp4"}
    torn = [(cut, fragment, before) for cut in (fragment + 8, fragment + 40, fragment + 60)]
    torn += [(cut, index, frames) for cut in (index + 8, (index + len(content)) // 2, len(content) - 1)]
    refused = 0
    for cut, begins, whole in torn:
        footage = tmp_path / str(cut)
        file = footage / row["path"]
        file.parent.mkdir(parents=True)
        file.write_bytes(content[:cut])
        assert torn_end(file) == begins
        refused += played(file) != str(whole)  # as it lies there
        assert inspect(file).frames == whole
        done = take_in(footage, point, row, row["path"])
        assert done["frames"] == whole
        assert played(footage / done["path"]) == str(whole)
    assert refused, "players read all of them as they were: this is not needed"


def test_anything_else_is_left_as_it_is(unsettled: tuple[bytes, int], tmp_path: Path) -> None:
    content, _frames = unsettled
    index = content.rindex(b"moov") - 4
    whole, without, middle = content, content[:index], content[: index - 5]
    for number, lies in enumerate((whole, without, middle, content[: index + 5], b"", b"\0" * 100, b"no film at all")):
        file = tmp_path / f"{number}.mp4"
        file.write_bytes(lies)
        assert not drop_torn_end(file)
        assert file.read_bytes() == lies
