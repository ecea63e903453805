"""`python -m bench.recorder`: many real RTSP cameras recorded by ours and by one ffmpeg process a camera.

Every frame carries a number; after each turn the files are read and what the server sent is looked for in them. CPU and
memory are those of all processes of the contender, over a window in which every camera is being recorded. Nothing is
kept: each contender's files go when they are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.recorder_meter import Usage, count, usage
from bench.recorder_rivals import Contender, Ffmpeg, OpenCv, Ours
from bench.recorder_stream import Picture, make_stream

__all__ = ["Turn", "main", "run"]

SETTLE_S = 4.0
LAST_FRAMES_S = 1.5
START_S = 60.0
COPY_ONLY = {"live_s": 0.0, "picture_s": 0.0}


class Cameras:
    """The server of `bench.recorder_cameras`."""

    def __init__(self, stream: Path, mounts: Sequence[str], picture: Picture) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.recorder_cameras"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        wanted = {"stream": str(stream), "mounts": list(mounts), "picture": asdict(picture)}
        self._port = self._ask(json.dumps(wanted))["port"]
        self.urls = {mount: f"rtsp://127.0.0.1:{self._port}/{mount}" for mount in mounts}

    def playing(self) -> int:
        return int(self._ask("playing")["playing"])

    def hush(self) -> list[dict[str, Any]]:
        """Send nothing more; what was sent to whom."""
        return list(self._ask("hush")["sent"])

    def hang_up(self) -> None:
        self._ask("hang up")

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Cameras:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


@dataclass(frozen=True)
class Turn:
    """What one contender did. Frames over all cameras; `dropped` were never sent, since it did not take them in time;
    `again` counts connections beyond one a camera."""

    name: str
    streams: int
    usage: Usage
    sent: int
    kept: int
    missing: int
    strange: int
    dropped: int
    again: int
    remarks: str


def measure(contender: Contender, stream: Path, picture: Picture, streams: int, seconds: float) -> Turn:
    """One contender's turn: all cameras recorded, then watched for `seconds`, then counted."""
    mounts = [f"cam{number:02d}" for number in range(1, streams + 1)]
    with Cameras(stream, mounts, picture) as cameras:
        contender.start(cameras.urls)
        wanted = 1 if isinstance(contender, OpenCv) else streams
        ends = time.monotonic() + START_S
        while cameras.playing() < wanted:
            if time.monotonic() > ends:
                for process in contender.processes():
                    process.kill()
                raise SystemExit(f"{contender.name}: only {cameras.playing()} of {wanted} cameras after {START_S} s")
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        used = usage(contender.processes(), seconds)
        sent = cameras.hush()
        time.sleep(LAST_FRAMES_S)
        if contender.ends_with_stream:
            cameras.hang_up()
        contender.stop()
    frames = kept = missing = strange = 0
    if not isinstance(contender, OpenCv):
        for one in sent:
            found = count(one["first"], one["last"], contender.files(one["mount"]))
            frames, kept = frames + found.sent, kept + found.kept
            missing, strange = missing + found.missing, strange + found.strange
    return Turn(
        contender.name, wanted, used, frames, kept, missing, strange,
        sum(one["dropped"] for one in sent), len(sent) - wanted, contender.remarks(),
    )  # fmt: skip


COPY, HEALTH, LIVE, FFMPEG, OPENCV = ALL = (
    "ours, copy only",
    "ours, health",
    "ours, health, all watched",
    Ffmpeg.name,
    OpenCv.name,
)


def contender(name: str, folder: Path, segment_s: float) -> Contender:
    """The contender of this name, its footage in `folder`."""
    if name == FFMPEG:
        return Ffmpeg(folder, segment_s)
    if name == OPENCV:
        return OpenCv()
    return Ours(name, folder, segment_s, COPY_ONLY if name == COPY else {}, watched=name == LIVE)


def run(
    folder: Path,
    *,
    streams: int,
    seconds: float,
    segment_s: float = 60.0,
    picture: Picture | None = None,
    names: Sequence[str] = ALL,
    rounds: int = 1,
    say: Callable[[str], None] = print,
) -> list[Turn]:
    """These contenders in turn, `rounds` times; what is on the disk at once is one contender's footage."""
    picture = picture or Picture()
    stream = folder / "stream.bin"
    make_stream(stream, picture)
    turns = []
    for number in range(rounds):
        for name in names:
            place = folder / f"round{number}"
            watched_s = min(seconds, 20.0) if name == OPENCV else seconds
            turn = measure(contender(name, place, segment_s), stream, picture, streams, watched_s)
            turns.append(turn)
            say(row(turn))
            shutil.rmtree(place, ignore_errors=True)
    return turns


def row(turn: Turn) -> str:
    frames = f"{turn.kept}/{turn.sent}" if turn.sent else "–"
    return (
        f"{turn.name:<28}{turn.streams:>4}{turn.usage.cpu_percent:>8.1f}{turn.usage.rss_mib:>9.0f}"
        f"{turn.usage.pss_mib:>9.0f}  {frames:>17}{turn.missing:>8}{turn.dropped:>8}{turn.strange:>8}  {turn.remarks}"
    )


def ratios(turns: Sequence[Turn]) -> list[str]:
    """Ours, copy only, over ffmpeg: the mean of the rounds."""
    ours = [turn.usage for turn in turns if turn.name == COPY]
    theirs = [turn.usage for turn in turns if turn.name == FFMPEG]
    if not ours or not theirs:
        return []

    def ratio(what: Callable[[Usage], float]) -> float:
        return (sum(map(what, ours)) / len(ours)) / (sum(map(what, theirs)) / len(theirs))

    return [
        f"CPU, ours / ffmpeg: {ratio(lambda used: used.cpu_percent):.2f} (goal: at most 1.10)",
        f"memory, ours / ffmpeg: {ratio(lambda used: used.rss_mib):.2f} RSS, "
        f"{ratio(lambda used: used.pss_mib):.2f} PSS (goal: at most 0.25)",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.recorder", description=__doc__)
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--segment", type=float, default=60.0, help="length of a file, seconds")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", action="append", choices=ALL, help="this contender; may be given again")
    parser.add_argument("--folder", type=Path, help="where the footage goes for a while; a temporary folder otherwise")
    asked = parser.parse_args(arguments)
    picture = Picture()
    with tempfile.TemporaryDirectory(prefix="exam-kit-bench-", dir=asked.folder) as folder:
        needed = asked.streams * picture.bitrate_bps / 8 * (asked.seconds + 20)
        free = shutil.disk_usage(folder).free
        print(f"footage of one contender: {needed / 1e9:.1f} GB; free: {free / 1e9:.1f} GB")
        if free < 1.2 * needed:
            print("not enough space", file=sys.stderr)
            return 1
        print(
            f"{asked.streams} cameras {picture.width}×{picture.height} at {picture.fps}/s, "
            f"{picture.bitrate_bps / 1e6:g} Mbit/s; {asked.seconds:g} s; {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        print(f"{'':<28}{'n':>4}{'CPU %':>8}{'RSS MiB':>9}{'PSS MiB':>9}  {'frames':>17}{'missing':>8}{'unsent':>8}"
              f"{'strange':>8}")  # fmt: skip
        turns = run(
            Path(folder), streams=asked.streams, seconds=asked.seconds, segment_s=asked.segment,
            names=asked.only or ALL, rounds=asked.rounds,
        )  # fmt: skip
    print(*ratios(turns), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
