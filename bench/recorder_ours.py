"""The recorder as the agent holds it, in a process of its own: ``python -m bench.recorder_ours``.

Reads one JSON line: ``{"home": PATH, "urls": {CAMERA: URL}, "segment_s": 60, "timings": {…},
"watched": false}``; records all cameras and ends in order when stdin closes. `watched`: as if screens
showed them all. Ticks as often as the agent does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

from exam_kit.cctv.live import looked_at
from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.status import Desired
from exam_kit.cctv.wire import Timings
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets, read_point
from exam_kit.store import Ledger, open_store

__all__ = ["main", "point_with"]

TICK_S = 0.2
HEAD = """
region = "77"
region_name = "Bench"
code = "0001"
name = "Bench"
address = "-"
timezone = "Europe/Moscow"
profile = "demo"
check_lead_min = 120
check_window_min = 60
[recording.headquarters]
lead_min = 165
tail_min = 120
[recording.room]
lead_min = 60
tail_min = 10
[recording.corridor]
lead_min = 120
tail_min = 30
[recording.entrance]
lead_min = 120
tail_min = 30
[[rooms]]
code = "7777"
zone = "headquarters"
[[rooms]]
code = "0001"
zone = "room"
"""


def point_with(urls: dict[str, str]) -> Point:
    """A point with these cameras, all in one room."""
    return read_point(
        HEAD
        + "".join(
            f'[[cameras]]\nid = "{camera}"\nroom = "0001"\nurl = "{url}"\nbitrate_mbps = 4\n'
            for camera, url in urls.items()
        )
    )


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    home, clock = Home.at(Path(wanted["home"])), SystemClock()
    home.create()
    store = open_store(home)
    recorder = Recorder(
        point_with(wanted["urls"]), home, store, Ledger(store, home, clock), clock, Secrets(home, file_only=True),
        segment_s=wanted["segment_s"],
        timings=replace(Timings.for_cameras(len(wanted["urls"])), **wanted.get("timings", {})),
    )  # fmt: skip
    recorder.recover()
    recorder.set_desired({camera: Desired("bench", "bench", "bench", 1) for camera in wanted["urls"]})
    ended = threading.Event()

    def wait_for_the_end() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            continue
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    while not ended.wait(TICK_S):
        recorder.tick()
        for camera in wanted["urls"] if wanted.get("watched") else ():
            looked_at(home.live / f"{camera}.jpg")
    recorder.close("bench ended")


if __name__ == "__main__":
    main()
