"""Rooms that nobody tuned on: drawn in perspective under a light of their own, minute by minute.

Independent of the demo's cameras (`exam_kit.cctv.synthetic_places`): another geometry (a pinhole camera in a corner of
a box with furniture), another light (daylight with clouds through windows, a sun patch that wanders, two rows of lamps
that are switched, the camera's own exposure that follows late), people who walk, sit and sometimes stand before the
lens, a sensor's noise that grows with the exposure, and compression at a low bit rate. All of it follows from the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["HEIGHT", "WIDTH", "Room", "burn_caption"]

WIDTH, HEIGHT = 640, 360
Picture = NDArray[np.uint8]
Layer = NDArray[np.float32]


def burn_caption(picture: Picture, text: str, clock: str, *, boxed: bool, low: bool) -> None:
    """Write what cameras write: the place, and the time at the other end; `low`: at the lower edge."""
    height, width = picture.shape[:2]
    size, thick = height / 720, max(1, round(height / 360))
    y = height - round(height * 0.025) if low else round(height * 0.055)
    (length, tall), _base = cv2.getTextSize(clock, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    for line, x in ((text, round(width * 0.02)), (clock, width - length - round(width * 0.02))):
        if boxed:
            wide = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, size, thick)[0][0]
            cv2.rectangle(picture, (x - 3, y - tall - 4), (x + wide + 3, y + 5), (0, 0, 0), -1)
        else:
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                at = (x + dx, y + dy)
                cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), thick, cv2.LINE_AA)
        cv2.putText(picture, line, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), thick, cv2.LINE_AA)


def _dull(chance: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    """A colour as rooms have it, not far from grey."""
    return np.asarray(chance.uniform(low, high) * chance.uniform(0.85, 1.15, 3))


class _Lens:
    """A pinhole camera high in a corner, looking down into the room. Metres; x across, y up, z away."""

    def __init__(self, chance: np.random.Generator, wide_m: float, deep_m: float) -> None:
        self.at = np.array([wide_m * chance.uniform(0.1, 0.9), chance.uniform(2.3, 2.8), 0.15])
        aim = np.array(
            [wide_m * chance.uniform(0.35, 0.65), chance.uniform(0.6, 1.1), deep_m * chance.uniform(0.5, 0.7)]
        )
        ahead = (aim - self.at) / np.linalg.norm(aim - self.at)
        right = np.cross([0.0, 1.0, 0.0], ahead)
        right /= np.linalg.norm(right)
        self.axes = np.stack([right, np.cross(ahead, right), ahead])
        self.focal = WIDTH * chance.uniform(0.55, 0.8)

    def see(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points N×3 in metres to N×2 in pixels; what lies behind the lens is pushed before it."""
        turned = (points - self.at) @ self.axes.T
        depth = np.maximum(turned[:, 2], 0.05)
        return np.stack(
            [WIDTH / 2 + self.focal * turned[:, 0] / depth, HEIGHT / 2 - self.focal * turned[:, 1] / depth], axis=1
        )


@dataclass
class _Walker:
    """Somebody who goes from place to place and rests there."""

    places: NDArray[np.float64]
    speed: float
    rest_s: float
    coat: tuple[float, float, float]
    height_m: float
    offset_s: float

    def at(self, seconds: float) -> NDArray[np.float64]:
        """Where on the floor (x, z), metres."""
        legs = np.linalg.norm(np.roll(self.places, -1, axis=0) - self.places, axis=1) / self.speed
        left = (seconds + self.offset_s) % float((legs + self.rest_s).sum())
        for index, leg in enumerate(legs):
            if left < leg:
                aim = self.places[(index + 1) % len(self.places)]
                return np.asarray(self.places[index] + (aim - self.places[index]) * (left / leg))
            left -= leg
            if left < self.rest_s:
                return np.asarray(self.places[(index + 1) % len(self.places)])
            left -= self.rest_s
        return np.asarray(self.places[0])


class Room:
    """One camera in one room. `frame(seconds)` may be asked for any second, in order."""

    def __init__(self, seed: int, *, people: int | None = None, low_light: bool = False) -> None:
        chance = np.random.default_rng(seed)
        self._chance = np.random.default_rng(seed + 77)
        self.wide, self.deep, self.tall = chance.uniform(5, 9), chance.uniform(6, 14), chance.uniform(2.9, 3.4)
        self._lens = _Lens(chance, self.wide, self.deep)
        self._paint = np.zeros((HEIGHT, WIDTH, 3), dtype=np.float32)
        self._day = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
        self._glass = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
        self._build(chance)
        self._lamps = [self._lamp_map(row) for row in (0.3, 0.75)]
        self._walkers = [self._walker(chance) for _ in range(people if people is not None else chance.integers(1, 5))]
        self._visits = np.sort(chance.uniform(0, 3600, chance.integers(1, 4)))
        self._switches = np.sort(chance.uniform(200, 3400, chance.integers(1, 4)))
        self._cloud = chance.uniform(0, 100, 4)
        self._start_hour = chance.uniform(8, 13) if not low_light else chance.uniform(15.5, 17.0)
        self._noise = self._chance.normal(0, 1, (HEIGHT + 64, WIDTH + 64)).astype(np.float32)
        self._quality = int(chance.integers(18, 45))
        self._boxed, self._low = bool(chance.random() < 0.4), bool(chance.random() < 0.4)
        self._grain = chance.uniform(0.8, 2.2)
        self._exposure, self._exposed = 1.0, False
        self._label = f"{chance.integers(10, 99)} {chance.integers(1000, 9999)} A{chance.integers(100, 999)}"

    @classmethod
    def the_day_before(cls, seed: int, *, low_light: bool = False) -> Picture:
        """The picture that was approved: the same room in other light, other people in other places."""
        room = cls(seed, low_light=low_light)
        room._start_hour = 17.0 - (room._start_hour - 8.0) * 0.5 if not low_light else 11.0
        room._cloud = room._cloud + 5.0
        for walker in room._walkers:
            walker.offset_s += 333.0
        room._visits = np.array([])
        return room.frame(900.0)

    def finished(self, picture: Picture, seconds: float, *, caption: bool = True) -> Picture:
        """A raw picture with its caption burnt in, compressed."""
        if caption:
            whole = int(seconds)
            clock = f"28.05.2026 {9 + whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
            burn_caption(picture, self._label, clock, boxed=self._boxed, low=self._low)
        _done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)

    # -- the room ------------------------------------------------------------------------------------------------

    def _fill(self, corners: list[tuple[float, float, float]], colour: Any) -> NDArray[np.int32]:
        shape = np.round(self._lens.see(np.array(corners)) * 16).astype(np.int32)
        cv2.fillPoly(self._paint, [shape], tuple(float(c) for c in colour), cv2.LINE_AA, 4)
        return shape

    def _build(self, chance: np.random.Generator) -> None:
        w, d, t = self.wide, self.deep, self.tall
        walls, floor = _dull(chance, 0.45, 0.75), _dull(chance, 0.2, 0.45)
        self._fill([(0, 0, 0), (w, 0, 0), (w, 0, d), (0, 0, d)], floor)
        for x in np.arange(0.5, w, chance.uniform(0.5, 1.1)):
            self._fill([(x, 0, 0), (x + 0.03, 0, 0), (x + 0.03, 0, d), (x, 0, d)], floor * 0.75)
        self._fill([(0, t, 0), (w, t, 0), (w, t, d), (0, t, d)], walls * 1.15)
        self._fill([(0, 0, 0), (0, t, 0), (0, t, d), (0, 0, d)], walls * 0.9)
        self._fill([(w, 0, 0), (w, t, 0), (w, t, d), (w, 0, d)], walls * 0.95)
        self._fill([(0, 0, d), (w, 0, d), (w, t, d), (0, t, d)], walls)
        self._windows(chance)
        self._wall_things(chance)
        boxes = [
            (
                chance.uniform(0.3, w - 1.5),
                chance.uniform(1.5, d - 1),
                *chance.uniform((0.5, 0.6, 0.4), (1.4, 1.3, 0.9)),
            )
            for _ in range(chance.integers(5, 16))
        ]
        for x, z, long, high, deep in sorted(boxes, key=lambda box: -box[1]):
            self._box(x, z, long, high, deep, _dull(chance, 0.12, 0.7))
        fine = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.2)
        self._paint *= 1 + 0.05 * fine[:, :, None]
        self._paint = np.asarray(
            cv2.GaussianBlur(self._paint, (0, 0), float(chance.uniform(0.5, 0.9))), dtype=np.float32
        )

    def _windows(self, chance: np.random.Generator) -> None:
        left = chance.random() < 0.5
        x = 0.0 if left else self.wide
        for z in np.arange(1.2, self.deep - 1.5, chance.uniform(2.2, 3.2)):
            frame = [(x, 0.9, z), (x, 2.3, z), (x, 2.3, z + 1.4), (x, 0.9, z + 1.4)]
            shape = self._fill(frame, (0.95, 0.95, 0.9))
            cv2.fillPoly(self._glass, [shape], 1, cv2.LINE_8, 4)
            self._fill(
                [(x, 0.9, z + 0.66), (x, 2.3, z + 0.66), (x, 2.3, z + 0.74), (x, 0.9, z + 0.74)], (0.5, 0.5, 0.5)
            )
        far = self.wide if left else 0.0
        bright = self._lens.see(np.array([(x, 1.0, self.deep * 0.5)]))[0]
        dim = self._lens.see(np.array([(far, 1.0, self.deep * 0.5)]))[0]
        ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        along = ((xs - bright[0]) * (dim[0] - bright[0]) + (ys - bright[1]) * (dim[1] - bright[1])) / max(
            1.0, float(((dim - bright) ** 2).sum())
        )
        self._day = np.asarray(1.1 / (1 + 2.0 * np.clip(along, 0, 2)), dtype=np.float32)
        inside = 0.6 if left else -0.6
        self._sun_floor = [(x + inside, z) for z in (1.5, 2.7)]
        self._sun_way = 1.0 if left else -1.0

    def _wall_things(self, chance: np.random.Generator) -> None:
        for _ in range(chance.integers(3, 9)):
            x, y = chance.uniform(0.2, self.wide - 1.2), chance.uniform(0.8, 1.9)
            long, high, z = chance.uniform(0.4, 1.4), chance.uniform(0.3, 0.9), self.deep - 0.02
            self._fill(
                [(x, y, z), (x + long, y, z), (x + long, y + high, z), (x, y + high, z)], chance.uniform(0.1, 0.9, 3)
            )
            for line in np.arange(y + 0.08, y + high - 0.06, 0.12):
                end = x + long * chance.uniform(0.5, 0.9)
                ink = [(x + 0.05, line, z), (end, line, z), (end, line + 0.03, z), (x + 0.05, line + 0.03, z)]
                self._fill(ink, chance.uniform(0.1, 0.5, 3))

    def _box(self, x: float, z: float, long: float, high: float, deep: float, colour: NDArray[np.float64]) -> None:
        sides = [
            ([(x, 0, z + deep), (x, high, z + deep), (x, high, z), (x, 0, z)], 0.7),
            ([(x + long, 0, z + deep), (x + long, high, z + deep), (x + long, high, z), (x + long, 0, z)], 0.75),
            ([(x, high, z), (x + long, high, z), (x + long, high, z + deep), (x, high, z + deep)], 1.2),
            ([(x, 0, z), (x + long, 0, z), (x + long, high, z), (x, high, z)], 0.9),
        ]
        for corners, light in sides:
            self._fill(list(corners), np.clip(colour * light, 0.05, 0.95))

    def _lamp_map(self, row: float) -> Layer:
        centre = self._lens.see(np.array([(self.wide / 2, self.tall * 0.4, self.deep * row)]))[0]
        ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        far = ((xs - centre[0]) / WIDTH) ** 2 + ((ys - centre[1]) / HEIGHT) ** 2
        return np.asarray(0.75 / (1 + 3 * far), dtype=np.float32)

    def _walker(self, chance: np.random.Generator) -> _Walker:
        places = chance.uniform((0.5, 1.0), (self.wide - 0.5, self.deep - 0.5), (chance.integers(3, 7), 2))
        return _Walker(
            places, chance.uniform(0.4, 1.2), chance.uniform(5, 120), tuple(chance.uniform(0.05, 0.7, 3)),
            chance.uniform(1.55, 1.9), chance.uniform(0, 1000),
        )  # fmt: skip

    # -- a moment ------------------------------------------------------------------------------------------------

    def frame(self, seconds: float) -> Picture:
        """The picture `seconds` after the start, 360×640×3 BGR, as the camera sends it."""
        return self.finished(self.raw(seconds), seconds)

    def raw(self, seconds: float) -> Picture:
        """The same before anything is written into it and before it is compressed."""
        day, lamps, sun = self._light(seconds)
        light = self._day * day + 0.12
        for lamp, level in zip(self._lamps, lamps, strict=True):
            if level:
                light = light + lamp * level
        if sun > 0.05:
            light = light + self._sun_patch(seconds) * sun
        scene = self._paint * light[:, :, None]
        scene[self._glass > 0] += day * 0.8
        for walker in sorted(self._walkers, key=lambda one: -one.at(seconds)[1]):
            self._person(scene, walker, seconds, light)
        self._visit(scene, seconds, float(light.mean()))
        return self._camera(scene)

    def _light(self, seconds: float) -> tuple[float, list[float], float]:
        hour = self._start_hour + seconds / 3600
        height = max(0.0, math.sin(math.pi * (hour - 6.5) / 12))
        waves = sum(math.sin(seconds / period + at) for period, at in zip((37, 95, 260, 700), self._cloud, strict=True))
        clear = 1 / (1 + math.exp(-1.6 * waves))
        on = int(np.searchsorted(self._switches, seconds)) % 2
        # With little daylight somebody has the light on; a switch then changes one row only.
        lamps = (
            [1.0, float(on)] if height < 0.45 else [float(on), float(1 - on) if seconds % 2000 > 1000 else float(on)]
        )
        return height * (0.35 + 0.65 * clear), lamps, max(0.0, clear - 0.5) * 2 * height

    def _sun_patch(self, seconds: float) -> Layer:
        shift = self._sun_way * seconds / 3600 * 0.9
        layer = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
        for x, z in self._sun_floor:
            a = x + shift
            corners = [
                (a, 0, z),
                (a + self._sun_way * 1.0, 0, z),
                (a + self._sun_way * 1.3, 0, z + 0.8),
                (a, 0, z + 0.8),
            ]
            cv2.fillPoly(
                layer, [np.round(self._lens.see(np.array(corners)) * 16).astype(np.int32)], 1.4, cv2.LINE_AA, 4
            )
        return np.asarray(cv2.GaussianBlur(layer, (0, 0), 2), dtype=np.float32)

    def _person(self, scene: Layer, walker: _Walker, seconds: float, light: Layer) -> None:
        x, z = walker.at(seconds)
        feet, head = self._lens.see(np.array([(x, 0, z), (x, walker.height_m, z)]))
        tall = float(feet[1] - head[1])
        if tall < 6:
            return
        column, row = int(np.clip(feet[0], 0, WIDTH - 1)), int(np.clip((feet[1] + head[1]) / 2, 0, HEIGHT - 1))
        lit = float(light[row, column])
        sway = 0.03 * tall * math.sin(seconds * 6)
        middle = (int(head[0] + sway), int(head[1] + tall * 0.45))
        coat = tuple(float(c * lit) for c in walker.coat)
        legs = tuple(float(c * lit * 0.5) for c in walker.coat)
        cv2.ellipse(
            scene, (int(feet[0]), int(head[1] + tall * 0.78)), (int(tall * 0.09), int(tall * 0.24)), 0, 0, 360, legs, -1
        )
        cv2.ellipse(scene, middle, (int(tall * 0.14), int(tall * 0.27)), 0, 0, 360, coat, -1)
        skin = (0.38 * lit, 0.5 * lit, 0.7 * lit)
        cv2.circle(scene, (int(head[0] + sway), int(head[1] + tall * 0.1)), max(2, int(tall * 0.085)), skin, -1)

    def _visit(self, scene: Layer, seconds: float, lit: float) -> None:
        """Somebody passes close to the lens, for some seconds, a few times an hour."""
        for number, at in enumerate(self._visits):
            lasts = 2 + 7 * ((number * 0.37) % 1)
            past = seconds - at
            if 0 <= past < lasts:
                x = int(WIDTH * (0.1 + 0.8 * past / lasts))
                wide = int(WIDTH * (0.12 + 0.10 * (number % 3)))
                coat = (0.2 * lit, 0.16 * lit, 0.15 * lit)
                cv2.ellipse(scene, (x, HEIGHT), (wide, int(HEIGHT * 0.75)), 0, 0, 360, coat, -1)
                for fold in range(-2, 3):
                    ink = tuple(c * (0.7 + 0.1 * fold) for c in coat)
                    cv2.line(scene, (x + fold * wide // 4, HEIGHT // 3), (x + fold * wide // 3, HEIGHT), ink, 3)

    def _camera(self, scene: Layer) -> Picture:
        wanted = float(np.clip(0.36 / max(0.02, float(scene.mean())), 0.35, 4.0))
        # Exposure follows within some seconds, not at once.
        self._exposure += (wanted - self._exposure) * (0.35 if self._exposed else 1.0)
        self._exposed = True
        y, x = self._chance.integers(0, 64, 2)
        noise = self._noise[y : y + HEIGHT, x : x + WIDTH] * (self._grain * (0.5 + 0.5 * self._exposure))
        shown = np.power(np.clip(scene * self._exposure, 0, 1), 0.62, dtype=np.float32) * 255 + noise[:, :, None]
        return np.asarray(np.clip(shown, 0, 255), dtype=np.uint8)
