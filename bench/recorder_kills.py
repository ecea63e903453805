"""`python -m bench.recorder_kills --kills 50`: how much of what a camera sent is lost when its worker is killed.

A worker with four cameras is killed (SIGKILL) at random moments of short files. For every connection that ended so, the
frames that the server had sent are compared with those in the files: the end that is missing, in seconds of video, is
what was in the network, in the worker's memory and in its queue for the disk. Frames missing before that end would be a
fault.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.recorder import COPY_ONLY, Cameras
from bench.recorder_meter import numbers
from bench.recorder_rivals import Ours
from bench.recorder_stream import Picture, make_stream
from exam_kit.cctv.segments import segments
from exam_kit.home import Home
from exam_kit.store import open_store

__all__ = ["Losses", "main", "run"]

START_S = 60.0
LAST_FRAMES_S = 1.5


@dataclass(frozen=True)
class Losses:
    """Seconds of video lost at the end of each killed connection; frames missing before that; files without a frame."""

    lost_s: list[float]
    missing: int
    empty_files: int
    files: int


def run(
    folder: Path, *, kills: int, streams: int, segment_s: float, seed: int, picture: Picture | None = None
) -> Losses:
    """Record, kill, record on, and look at what is there in the end."""
    picture, chance = picture or Picture(), random.Random(seed)
    make_stream(folder / "stream.bin", picture)
    mounts = [f"cam{number}" for number in range(1, streams + 1)]
    ours = Ours("ours", folder / "home", segment_s, COPY_ONLY)
    with Cameras(folder / "stream.bin", mounts, picture) as cameras:
        ours.start(cameras.urls)
        for _kill in range(kills):
            _all_playing(cameras, streams)
            time.sleep(chance.uniform(0.3, 1.2 * segment_s))
            for worker in ours.processes()[1:]:
                worker.kill()
            _nobody_playing(cameras)
        _all_playing(cameras, streams)
        time.sleep(2)
        sent = cameras.hush()
        time.sleep(LAST_FRAMES_S)
        ours.stop()
    lost_s, missing = [], 0
    for mount in mounts:
        kept = set(numbers(ours.files(mount)))
        mine = sorted((one for one in sent if one["mount"] == mount), key=lambda one: int(one["first"]))
        for place, one in enumerate(mine):
            frames = range(one["first"], one["last"] + 1)
            whole_to = max((frame for frame in frames if frame in kept), default=one["first"] - 1)
            missing += sum(frame not in kept for frame in range(one["first"], whole_to))
            if place < len(mine) - 1:
                lost_s.append((one["last"] - whole_to) / picture.fps)
    store = open_store(Home.at(folder / "home"))
    rows = segments(store)
    store.close()
    return Losses(lost_s, missing, sum(row.frames == 0 for row in rows), len(rows))


def _all_playing(cameras: Cameras, streams: int) -> None:
    _wait(cameras, lambda playing: playing == streams)


def _nobody_playing(cameras: Cameras) -> None:
    _wait(cameras, lambda playing: playing == 0)


def _wait(cameras: Cameras, enough: Callable[[int], bool]) -> None:
    ends = time.monotonic() + START_S
    while not enough(cameras.playing()):
        if time.monotonic() > ends:
            raise SystemExit(f"the cameras did not settle within {START_S} s")
        time.sleep(0.02)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.recorder_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--segment", type=float, default=3.0, help="length of a file, seconds")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="exam-kit-bench-"))
    try:
        found = run(folder, kills=asked.kills, streams=asked.streams, segment_s=asked.segment, seed=asked.seed)
    finally:
        shutil.rmtree(folder)
    cuts = statistics.quantiles(found.lost_s, n=20)
    print(f"connections killed: {len(found.lost_s)}; files: {found.files}, without a frame: {found.empty_files}")
    print(f"frames missing before the end: {found.missing}")
    print(
        f"lost at the end, s: median {statistics.median(found.lost_s):.2f}, 95 % at most {cuts[-1]:.2f}, "
        f"worst {max(found.lost_s):.2f}; a second or more: {sum(lost >= 1 for lost in found.lost_s)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
