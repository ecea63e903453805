"""A worker whose agent does not read, and whose disk stands still: recording goes on, nothing is lost."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.recorder import Cameras
from bench.recorder_meter import count
from bench.recorder_stream import Picture, make_stream
from exam_kit.cctv.disk import Disk, SegmentFile
from exam_kit.cctv.names import Label
from exam_kit.cctv.source import Source
from exam_kit.cctv.wire import CameraOrder, Timings, WorkerConfig
from exam_kit.home import Home

Until = Callable[..., None]
SMALL = Picture(width=320, height=240, fps=25, gop=25, bitrate_bps=300_000)
linux = pytest.mark.skipif(sys.platform != "linux", reason="pipes and file systems of Linux")


class Worker:
    """A worker process and nobody who reads what it says, until asked to."""

    def __init__(self, home: Home, urls: dict[str, str], segment_s: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exam_kit.cctv.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        config = WorkerConfig(str(home.footage), str(home.live), str(home.run), segment_s, 0, Timings(picture_s=0))
        lines = [config.to_json()]
        for camera, url in urls.items():
            label = Label("77", "0001", "0001", camera, "Europe/Moscow")
            lines.append({"do": "start", "camera": CameraOrder(Source(camera, url), label).to_json()})
        for line in lines:
            self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def end(self) -> list[dict[str, Any]]:
        """Let it close; all it has said from the beginning."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        said = [json.loads(line) for line in self.process.stdout]
        self.process.stdout.close()
        assert self.process.wait(20) == 0
        return said


def kept(home: Home, camera: str) -> list[Path]:
    return sorted(home.footage.glob(f"*/{camera}/*.mp4"))


@linux
def test_an_agent_suspended_for_long_stops_no_recording(home: Home, tmp_path: Path, until: Until) -> None:
    make_stream(tmp_path / "stream", SMALL, seconds=1)
    with Cameras(tmp_path / "stream", ["a", "b"], SMALL) as cameras:
        worker = Worker(home, cameras.urls, segment_s=0.5)
        # Many times what its pipe holds has been said by then.
        until(lambda: min(len(kept(home, name)) for name in "ab") >= 6, 30)
        sent = cameras.hush()
        time.sleep(0.7)
        said = worker.end()
    closed = [event["path"] for event in said if event["event"] == "closed"]
    assert len(json.dumps(said)) > 4096 * 1.5
    files = {path.relative_to(home.footage).as_posix() for name in "ab" for path in kept(home, name)}
    assert set(closed) == files, "every file was reported although nobody read for so long"
    assert len(closed) == len(set(closed))
    # The cameras were silent at the end, so that what they sent can be counted; nothing else was the matter.
    assert {event["cause"] for event in said if event["event"] == "fault"} <= {"stream_stalled"}
    for one in sent:
        assert count(one["first"], one["last"], kept(home, one["mount"])).missing == 0


@pytest.fixture
def freezable(home: Home, tmp_path: Path) -> Iterator[Path]:
    """The footage folder on a file system of its own that can be frozen."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a file system cannot be mounted here (needs root on Linux)")
    image = tmp_path / "disk.img"
    with image.open("wb") as target:
        target.truncate(64 << 20)
    steps = [
        ["mkfs.ext4", "-q", "-F", str(image)],
        ["mount", "-o", "loop", str(image), str(home.footage)],
    ]
    for step in steps:
        if subprocess.run(step, capture_output=True, check=False).returncode != 0:
            pytest.skip(f"{step[0]} does not work here")
    yield home.footage
    subprocess.run(["fsfreeze", "-u", str(home.footage)], capture_output=True, check=False)
    subprocess.run(["umount", "-l", str(home.footage)], check=True)


@linux
def test_a_disk_that_stands_still_for_seconds_costs_no_frame(
    freezable: Path, home: Home, tmp_path: Path, until: Until
) -> None:
    """Frozen across the end of a file and the beginning of the next; the camera's connection stays the same one."""
    make_stream(tmp_path / "stream", SMALL, seconds=1)
    with Cameras(tmp_path / "stream", ["a"], SMALL) as cameras:
        worker = Worker(home, cameras.urls, segment_s=2.0)
        until(lambda: kept(home, "a"), 20)
        subprocess.run(["fsfreeze", "-f", str(freezable)], check=True)
        time.sleep(3)
        before = {path: path.stat().st_size for path in kept(home, "a")}
        subprocess.run(["fsfreeze", "-u", str(freezable)], check=True)
        until(lambda: len(kept(home, "a")) > len(before) + 1, 20)
        (sent,) = cameras.hush()
        time.sleep(0.7)
        said = worker.end()
    assert sum(before.values()) > 0, "something was recorded before"
    assert {event["cause"] for event in said if event["event"] == "fault"} <= {"stream_stalled"}, "silent at the end"
    found = count(sent["first"], sent["last"], kept(home, "a"))
    assert (found.missing, found.strange, sent["dropped"]) == (0, 0, 0)
    assert found.sent > 25 * 3


def test_what_the_disk_cannot_take_is_refused_beyond_a_bound(tmp_path: Path, until: Until) -> None:
    """Too much for its share of memory: a fault of this file, of no other camera; what was taken before is written."""
    disk = Disk(tmp_path, held_bytes=3000)
    goes_on = threading.Event()

    def stand_still() -> None:
        assert goes_on.wait(20)

    disk.later(stand_still)
    file = SegmentFile(disk, "a", lambda number: tmp_path / f"a{number}", lambda _path: None)
    other = SegmentFile(disk, "b", lambda number: tmp_path / f"b{number}", lambda _path: None)
    for _time in range(4):
        file.write(b"x" * 1000)
        file.hand_over()
    other.write(b"y")
    other.hand_over()
    assert file.fault is not None
    assert file.overflowed
    assert other.fault is None
    with pytest.raises(TimeoutError):
        disk.mind("a")
    goes_on.set()
    disk.close()
    assert (tmp_path / "a1").read_bytes() == b"x" * 3000
    assert (tmp_path / "b1").read_bytes() == b"y"
    disk.mind("a")
