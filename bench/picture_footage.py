"""Footage to judge picture health on: a part to choose thresholds by, and a part that is only ever measured.

Development: the hall and the classroom of the shared films, and the demo's drawn places, under a made-up drift of
light. Held out: `bench.picture_rooms` by seeds nobody looked at, and `vtest.avi` (a fixed camera over a walkway with
passers-by, from Debian's package `opencv-doc`) where it lies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.picture_rooms import Room, burn_caption
from exam_kit.cctv.synthetic_scene import Scene

__all__ = ["Film", "Footage", "RoomFootage", "development", "held_out"]

Picture = NDArray[np.uint8]
FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "footage"
VTEST = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
SIZE = (640, 360)
HELD_OUT_SEED = 41_000
"""The first of the rooms nobody tuned on. Others were looked at only to see that they are drawn rightly."""


class Footage(Protocol):
    """One camera's pictures, second by second, 360×640×3 BGR."""

    name: str

    def approved(self) -> Picture:
        """The approved picture, made at another time."""

    def raw(self, seconds: float) -> Picture:
        """What the lens sees, nothing written in it."""

    def finished(self, picture: Picture, seconds: float, *, caption: bool = True) -> Picture:
        """The same as the camera sends it."""


class Film:
    """Real or drawn pictures, played round and round, under a light that drifts and sometimes jumps."""

    def __init__(self, name: str, pictures: Sequence[Picture], seed: int, *, drift: bool = True) -> None:
        self.name = name
        self._pictures = pictures
        self._drift = drift
        self._chance = np.random.default_rng(seed)
        self._phases = self._chance.uniform(0, 100, 3)
        self._visits = np.sort(self._chance.uniform(30, 3600, 4))
        self._boxed = bool(seed % 2)
        self._noise = self._chance.normal(0, 2, (SIZE[1] + 64, SIZE[0] + 64)).astype(np.float32)

    def approved(self) -> Picture:
        first = np.asarray(np.clip(self._pictures[0] * 0.9 + 6, 0, 255), dtype=np.uint8)
        return self.finished(first, 0) if self._drift else self.finished(self._pictures[0].copy(), 0)

    def raw(self, seconds: float) -> Picture:
        picture = self._pictures[int(seconds) % len(self._pictures)]
        if not self._drift:
            return picture.copy()
        slow = sum(math.sin(seconds / period + at) for period, at in zip((60, 240, 900), self._phases, strict=True))
        gain = float(np.clip(1.0 + 0.16 * slow + (0.2 if int(seconds / 700) % 2 else 0.0), 0.45, 1.6))
        lit = np.clip(picture.astype(np.float32) * gain, 0, 255)
        y, x = self._chance.integers(0, 64, 2)
        lit += self._noise[y : y + SIZE[1], x : x + SIZE[0], None] / gain
        seen = np.asarray(np.clip(lit, 0, 255), dtype=np.uint8)
        for at in self._visits:
            if 0 <= seconds % 3600 - at < 6:
                x = int(SIZE[0] * (seconds % 3600 - at) / 6)
                cv2.ellipse(seen, (x, SIZE[1]), (110, 300), 0, 0, 360, (70, 60, 50), -1)
                cv2.line(seen, (x - 30, 120), (x - 50, 360), (50, 45, 40), 4)
        return seen

    def finished(self, picture: Picture, seconds: float, *, caption: bool = True) -> Picture:
        whole = int(seconds)
        clock = f"28.05.2026 {9 + whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
        if caption:
            burn_caption(picture, "77 0001 0017", clock, boxed=self._boxed, low=False)
        _done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


class RoomFootage:
    """A drawn room; the approved picture is of the day before."""

    def __init__(self, seed: int) -> None:
        low_light = seed % 4 == 3
        self.name = f"room {seed}" + (", dusk" if low_light else "")
        self._room = Room(seed, low_light=low_light)
        self._approved = Room.the_day_before(seed, low_light=low_light)

    def approved(self) -> Picture:
        return self._approved

    def raw(self, seconds: float) -> Picture:
        return self._room.raw(seconds)

    def finished(self, picture: Picture, seconds: float, *, caption: bool = True) -> Picture:
        return self._room.finished(picture, seconds, caption=caption)


def development() -> list[Footage]:
    """What thresholds may be chosen by."""
    found: list[Footage] = [
        Film(f"drawn {zone}", _drawn(zone), 10 + number)
        for number, zone in enumerate(("room", "corridor", "entrance", "headquarters"))
    ]
    if FOOTAGE.exists():
        found.append(Film("hall", read_film(FOOTAGE / "one-by-one-person-detection.mp4"), 21))
        found.append(Film("classroom", read_film(FOOTAGE / "classroom.gif", every_s=0.2), 22))
    return found


def held_out(rooms: int, *, film: Path = VTEST, first: int = HELD_OUT_SEED) -> list[Footage]:
    """What is only measured."""
    found: list[Footage] = [RoomFootage(first + number) for number in range(rooms)]
    if film.exists():
        found.append(Film("vtest.avi", read_film(film), 31))
    return found


def read_film(path: Path, *, every_s: float = 1.0, start_s: float = 0.0) -> list[Picture]:
    """One picture every so many seconds, 360×640×3 BGR; a taller film is cut to 16:9."""
    found: list[Picture] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            if (frame.time or 0.0) < start_s + len(found) * every_s:
                continue
            picture = frame.to_ndarray(format="bgr24")
            height = min(picture.shape[0], round(picture.shape[1] * SIZE[1] / SIZE[0]))
            top = (picture.shape[0] - height) // 2
            small = cv2.resize(picture[top : top + height], SIZE, interpolation=cv2.INTER_AREA)
            found.append(np.asarray(small, dtype=np.uint8))
    return found


def _drawn(zone: str) -> list[Picture]:
    scene = Scene(zone, f"{zone}-dev", "", *SIZE)
    return [
        np.asarray(cv2.cvtColor(scene.draw(float(second), "").data, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
        for second in range(0, 240)
    ]
