"""The short form of `python -m bench.recorder`: what the cameras sent is in the files, frame by frame."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import recorder_kills
from bench.recorder import LIVE, run
from bench.recorder_stream import Loop, Picture, make_stream, number_in, read_stream

SMALL = Picture(width=640, height=360, fps=25, gop=25, bitrate_bps=600_000)


@pytest.mark.skipif(sys.platform != "linux", reason="CPU and memory are read from /proc")
def test_every_frame_that_the_cameras_sent_is_in_the_files(tmp_path: Path) -> None:
    (turn,) = run(tmp_path, streams=4, seconds=6, segment_s=3.0, picture=SMALL, names=[LIVE], say=lambda _row: None)
    assert turn.sent > 4 * 25 * 6
    assert (turn.kept, turn.missing, turn.strange, turn.dropped) == (turn.sent, 0, 0, 0)
    assert turn.again == 0, "each camera was asked once"
    assert not list(tmp_path.glob("round*")), "the footage is gone"


def test_a_frame_is_known_by_its_number_round_after_round(tmp_path: Path) -> None:
    make_stream(tmp_path / "stream", SMALL, seconds=1)
    loop = Loop(read_stream(tmp_path / "stream"), SMALL)
    assert [loop.is_key(number) for number in (0, 1, 25, 51)] == [True, False, True, False]
    for number in (0, 7, 25, 32, 100_000):
        assert number_in(loop.wire(number)) == number
    assert loop.wire(7)[40:] != loop.wire(32)[40:], "the same picture bears another number"
    assert number_in(b"no frame of ours") is None


@pytest.mark.skipif(sys.platform != "linux", reason="the bench reads /proc")
def test_a_killed_worker_loses_only_the_end(tmp_path: Path) -> None:
    found = recorder_kills.run(tmp_path, kills=2, streams=2, segment_s=2.0, seed=1, picture=SMALL)
    assert len(found.lost_s) == 4, "two connections, each killed twice"
    assert found.missing == 0, "what is lost is the end of a connection and nothing before it"
    assert found.files >= 6
