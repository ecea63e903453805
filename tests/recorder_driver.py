"""An agent in small: holds a `Recorder`, records all cameras it is given, ends in order when stdin closes.

Reads one JSON line: ``{"home": PATH, "urls": {CAMERA: URL}, "user": NAME, "segment_s": 5, "sound": false}``. Passwords
come from the home's secrets, as in the real agent.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from pathlib import Path

from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.status import Desired
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Ledger, open_store
from tests.cctv_fixtures import USER, point_of


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    home, clock = Home.at(Path(wanted["home"])), SystemClock()
    store = open_store(home)
    ledger = Ledger(store, home, clock)
    point = point_of(wanted["urls"], user=wanted.get("user", USER), sound=wanted.get("sound", False))
    secrets = Secrets(home, file_only=True)
    recorder = Recorder(point, home, store, ledger, clock, secrets, segment_s=wanted.get("segment_s", 5.0))
    for line in recorder.recover():
        logging.info("recovered: %s", line)
    recorder.set_desired({camera: Desired("smirnov", "petrova", "test", 1) for camera in wanted["urls"]})
    ended = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    while not ended.wait(0.2):
        recorder.tick()
    recorder.close("test ended")


if __name__ == "__main__":
    main()
