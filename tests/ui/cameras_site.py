"""A home whose cameras tests may break: its own server, footage that plays, and rows that stand for the agent's."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np

from exam_kit.agent.status import beat
from exam_kit.cctv.status import CameraStatus, camera_statuses
from exam_kit.clock import SystemClock, iso
from exam_kit.home import Home
from exam_kit.point import Point, load_point
from exam_kit.store import Ledger, Store, open_store
from tests.ui import prepared
from tests.ui.site import Site, start

__all__ = ["CamerasSite", "moving_picture", "serving", "still_picture"]


@dataclass
class CamerasSite:
    """The served home, and what the agent would write into it."""

    site: Site
    home: Home
    point: Point
    store: Store
    ledger: Ledger
    alive: threading.Event

    def now(self) -> datetime:
        return SystemClock().now()

    def show(self, camera: str, state: str, *, lost_at: datetime | None = None, fault: str | None = None) -> None:
        """The state of a camera, as the recorder writes it down."""
        status = camera_statuses(self.store)[camera]
        status.gap_since, status.fault = lost_at, fault
        with self.store.transaction() as connection:
            connection.execute(
                "UPDATE camera_state SET state = ?, since = ?, info = ? WHERE camera = ?",
                (state, iso(lost_at or self.now()), json.dumps(status.info()), camera),
            )

    def all_recording(self) -> None:
        for camera in self.point.cameras:
            self.show(camera.id, "recording")

    def picture(self, camera: str, content: bytes, age_s: float = 0.0) -> None:
        """The latest picture of a camera, made so many seconds ago."""
        path = self.home.live / f"{camera}.jpg"
        path.write_bytes(content)
        made = (self.now() - timedelta(seconds=age_s)).timestamp()
        os.utime(path, (made, made))


@contextmanager
def serving(root: Path, clip: bytes) -> Iterator[CamerasSite]:
    """Six cameras at eleven on an exam day, all of them recording, with an agent that seems to live."""
    home = Home.at(root)
    home.create()
    point = prepared.write_point(home, hour=11)
    store = open_store(home)
    ledger = Ledger(store, home)
    prepared.add_people(store, ledger)
    prepared.add_footage(home, store, point, clip)
    with store.transaction() as connection:
        connection.execute("DELETE FROM camera_state")
        for camera in point.cameras:
            now = iso(SystemClock().now())
            status = CameraStatus(camera.id, fps=25.0, bitrate=2.1e6, width=1920, height=1080, codec="h264")
            connection.execute(
                "INSERT INTO camera_state (camera, state, since, seen_at, desired, info) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    camera.id,
                    "recording",
                    now,
                    now,
                    "null",
                    json.dumps(status.info()),
                ),
            )
    alive, ended = threading.Event(), threading.Event()
    alive.set()

    def live() -> None:
        while not ended.wait(1):
            if alive.is_set():
                beat(home, SystemClock())

    beating = threading.Thread(target=live, daemon=True)
    beating.start()
    beat(home, SystemClock())
    site = start(home)
    try:
        yield CamerasSite(site, home, load_point(home.point_file), store, ledger, alive)
    finally:
        ended.set()
        beating.join()
        site.process.terminate()
        site.process.wait(20)
        store.close()


def moving_picture(path: Path, seconds: int) -> bytes:
    """An H.264 file of grey frames, four a second, a keyframe a second: small, and it plays."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=4, options={"preset": "ultrafast", "g": "4"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(4 * seconds):
            picture = np.full((96, 160, 3), 40 + number % 160, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


def still_picture() -> bytes:
    """A small JPEG."""
    return bytes(cv2.imencode(".jpg", np.full((36, 64, 3), 120, dtype=np.uint8))[1])
