"""What a set of processes takes, and what of the frames sent is in their files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import psutil

from bench.recorder_stream import number_in

__all__ = ["Count", "Usage", "count", "numbers", "usage"]

SAMPLE_S = 5.0
MIB = 1 << 20
HEAD_BYTES = 600
"""The frame's number stands within this much of its beginning (after the parameter sets of a keyframe)."""


@dataclass(frozen=True)
class Usage:
    """CPU in percent of one core over the window, user and system; the largest sums of memory seen, MiB."""

    cpu_percent: float
    rss_mib: float
    pss_mib: float


def usage(processes: Sequence[psutil.Process], seconds: float) -> Usage:
    """Watch these processes for so long. A process that ends meanwhile raises psutil.NoSuchProcess.

    PSS shares what several processes have in common among them, RSS counts it for each.
    """
    began, spent = time.monotonic(), _cpu_s(processes)
    rss = pss = 0.0
    while (left := began + seconds - time.monotonic()) > 0:
        time.sleep(min(left, SAMPLE_S))
        now = [_memory(process.pid) for process in processes]
        rss, pss = max(rss, sum(r for r, _p in now)), max(pss, sum(p for _r, p in now))
    return Usage(100 * (_cpu_s(processes) - spent) / (time.monotonic() - began), rss / MIB, pss / MIB)


def _cpu_s(processes: Iterable[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def _memory(pid: int) -> tuple[int, int]:
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        found[name] = int(value) * 1024
    return found["Rss:"], found["Pss:"]


@dataclass(frozen=True)
class Count:
    """Frames of one camera: sent to it, found in its files, missing there, found twice or never sent."""

    sent: int
    kept: int
    missing: int
    strange: int


def numbers(files: Iterable[Path]) -> list[int]:
    """The numbers of all frames in these files, -1 for one without; an empty file has none."""
    found = []
    for path in files:
        try:
            container = av.open(str(path))
        except av.error.InvalidDataError:
            continue
        with container:
            for packet in container.demux(video=0):
                if packet.size:
                    number = number_in(bytes(memoryview(packet)[:HEAD_BYTES]))
                    found.append(-1 if number is None else number)
    return found


def count(first: int, last: int, files: Iterable[Path]) -> Count:
    """Which of the frames `first` … `last` are in these files.

    The last one is not asked for: no receiver of H.264 knows that a frame is complete before the next one begins, and
    none came.
    """
    found = numbers(files)
    wanted, kept = set(range(first, last)), set(found)
    strange = len(found) - len(kept) + len(kept - wanted - {last})
    return Count(len(wanted), len(wanted & kept), len(wanted - kept), strange)
