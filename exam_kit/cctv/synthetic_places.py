"""The places synthetic cameras see: an exam room, a corridor, an entrance, the headquarters, and the people in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from exam_kit.cctv.synthetic_figures import Colour, Image, Rect, Sprite, seated, walker

__all__ = ["HEIGHT", "WIDTH", "Place", "place"]

WIDTH, HEIGHT = 1280, 720
"""Places are drawn at this size and scaled to the camera's."""

COATS: tuple[Colour, ...] = (
    (150, 80, 40), (60, 60, 160), (70, 120, 60), (120, 90, 130), (90, 90, 90), (40, 120, 170), (160, 140, 60),
    (60, 40, 90),
)  # fmt: skip
LEGS: Colour = (70, 55, 45)

Placed = tuple[Sprite, int, int]
Actor = Callable[[float, float], Placed]
"""(seconds, scale) → a figure and the point of its upper left corner, in pixels of the camera."""


@dataclass(frozen=True)
class Place:
    """An empty place and the people in it."""

    picture: Image
    actors: tuple[Actor, ...]


def _wall(back: Colour, floor: Colour, horizon: int) -> Image:
    picture = np.full((HEIGHT, WIDTH, 3), back, dtype=np.uint8)
    picture[horizon:] = floor
    for column in range(-1200, 2500, 150):
        cv2.line(picture, (640 + (column - 640) // 3, horizon), (column, HEIGHT), _shade(floor, 0.9), 2, cv2.LINE_AA)
    for step in range(9):
        y = horizon + int((HEIGHT - horizon) * (step / 9) ** 1.7)
        cv2.line(picture, (0, y), (WIDTH, y), _shade(floor, 0.9), 2)
    cv2.line(picture, (0, horizon), (WIDTH, horizon), _shade(back, 0.6), 6)
    return picture


def _shade(colour: Colour, by: float) -> Colour:
    blue, green, red = (max(0, min(255, int(part * by))) for part in colour)
    return blue, green, red


def _box(picture: Image, rect: Rect, colour: Colour, edge: float = 0.6) -> None:
    x, y, w, h = rect
    cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
    cv2.rectangle(picture, (x, y), (x + w, y + h), _shade(colour, edge), 2)


def _sitting(random: Random, x: int, y: int, height: int) -> Actor:
    coat, beat, phase = random.choice(COATS), random.uniform(0.7, 2.5), random.uniform(0, 9)

    def act(seconds: float, scale: float) -> Placed:
        return seated(round(height * scale), int(seconds / beat + phase) % 4, coat), round(x * scale), round(y * scale)

    return act


def _walking(random: Random, path: Callable[[float], tuple[float, float, float]], lap_s: float) -> Actor:
    """`path` takes 0…1…0 to feet x, feet y and height; a lap there and back takes `lap_s`."""
    coat, phase = random.choice(COATS), random.uniform(0, lap_s)

    def act(seconds: float, scale: float) -> Placed:
        along = ((seconds + phase) % lap_s) / lap_s
        x, y, tall = path(1 - abs(1 - 2 * along))
        figure = walker(max(24, round(tall * scale / 16) * 16), int(seconds * 3) % 4, coat, LEGS)
        return figure, round(x * scale) - figure.planes.width // 2, round(y * scale) - figure.planes.height

    return act


def _desk(picture: Image, x: int, y: int, w: int) -> None:
    h = w // 4
    _box(picture, (x + 6, y + h, 8, h), (70, 80, 90))
    _box(picture, (x + w - 14, y + h, 8, h), (70, 80, 90))
    slope = np.array([[x + w // 10, y], [x + w - w // 10, y], [x + w, y + h], [x, y + h]], dtype=np.int32)
    cv2.fillPoly(picture, [slope], (120, 165, 200))
    cv2.polylines(picture, [slope], isClosed=True, color=(70, 100, 130), thickness=2)
    cv2.rectangle(picture, (x + w // 3, y + h // 4), (x + 2 * w // 3, y + 3 * h // 4), (240, 240, 240), -1)


def _room(random: Random) -> Place:
    picture = _wall((190, 205, 205), (120, 140, 160), 250)
    _box(picture, (420, 70, 440, 130), (70, 95, 60), 0.4)
    for x in (30, 1040):
        _box(picture, (x, 60, 210, 150), (235, 225, 205), 0.5)
        cv2.line(picture, (x + 105, 60), (x + 105, 210), (140, 130, 120), 4)
    cv2.circle(picture, (930, 100), 26, (245, 245, 245), -1)
    cv2.circle(picture, (930, 100), 26, (60, 60, 60), 2)
    sitting: list[Actor] = []
    for y, w, columns in (
        (330, 150, (140, 390, 640, 890)),
        (440, 190, (70, 375, 690, 1000)),
        (575, 240, (20, 350, 700, 1020)),
    ):
        for x in columns:
            if random.random() < 0.8:
                sitting.append(_sitting(random, x + w // 5, y - int(w * 0.5), int(w * 0.62)))
            _desk(picture, x, y, w)
    return Place(picture, (_walking(random, lambda a: (90 + 1100 * a, 300, 165), 26), *sitting))


def _corridor(random: Random) -> Place:
    picture = np.full((HEIGHT, WIDTH, 3), (200, 205, 200), dtype=np.uint8)
    far = np.array([[560, 250], [720, 250], [720, 400], [560, 400]], dtype=np.int32)
    for corners, colour in (
        ([(0, 720), (1280, 720), (720, 400), (560, 400)], (125, 140, 150)),
        ([(0, 0), (1280, 0), (720, 250), (560, 250)], (225, 228, 228)),
        ([(0, 0), (560, 250), (560, 400), (0, 720)], (170, 190, 180)),
        ([(1280, 0), (720, 250), (720, 400), (1280, 720)], (160, 180, 175)),
    ):
        cv2.fillPoly(picture, [np.array(corners, dtype=np.int32)], colour)
    cv2.fillPoly(picture, [far], (215, 200, 180))
    for near, back in ((0.05, 0.35), (0.45, 0.62), (0.7, 0.8)):
        for side in (0, 1):
            xs = [560 * part if side == 0 else 1280 - 560 * part for part in (near, back)]
            quad = [
                (x, 250 * p + (720 - 570 * p) * top)
                for x, p in zip(xs, (near, back), strict=True)
                for top in (0.3, 0.98)
            ]
            door = np.array([quad[0], quad[2], quad[3], quad[1]], dtype=np.int32)
            cv2.fillPoly(picture, [door], (70, 105, 140))
            cv2.polylines(picture, [door], isClosed=True, color=(45, 70, 95), thickness=3)
    for part in (0.15, 0.5, 0.75):
        y = int(250 * part)
        half = int(150 * (1 - part)) + 12
        cv2.rectangle(picture, (640 - half, y), (640 + half, y + max(6, half // 5)), (252, 252, 252), -1)
    paths = [
        (lambda a: (640 + 60 * a, 410 + 285 * a, 105 + 340 * a), 19.0),
        (lambda a: (620 - 190 * a, 408 + 260 * a, 105 + 300 * a), 31.0),
    ]
    return Place(picture, tuple(_walking(random, path, lap) for path, lap in paths))


def _entrance(random: Random) -> Place:
    picture = _wall((175, 190, 195), (105, 115, 125), 430)
    _box(picture, (440, 110, 400, 322), (60, 75, 85), 0.5)
    for x in (455, 648):
        _box(picture, (x, 125, 177, 305), (220, 205, 180), 0.4)
        cv2.line(picture, (x + (165 if x < 600 else 12), 250), (x + (165 if x < 600 else 12), 310), (50, 50, 50), 6)
    for x in (905, 1065):
        _box(picture, (x, 180, 22, 330), (190, 190, 195), 0.5)
    _box(picture, (905, 160, 182, 30), (180, 180, 190), 0.5)
    _box(picture, (70, 430, 260, 130), (80, 115, 150), 0.6)
    _box(picture, (100, 150, 190, 130), (235, 235, 235), 0.5)
    for row in range(4):
        cv2.line(picture, (118, 175 + 25 * row), (270 - 20 * (row % 2), 175 + 25 * row), (110, 110, 110), 3)
    guard = _sitting(random, 150, 325, 110)
    coming = _walking(random, lambda a: (640 + 340 * a, 440 + 90 * a, 250 + 50 * a), 17)
    leaving = _walking(random, lambda a: (560 - 120 * a, 445 + 230 * a, 255 + 130 * a), 29)
    return Place(picture, (_door(), coming, leaving, guard))


def _door() -> Actor:
    """The right leaf opens for a moment, twice a minute."""

    def act(seconds: float, scale: float) -> Placed:
        width = max(4, round(177 * scale * (0.35 if seconds % 30 < 3 else 1.0)) & ~1)
        return _leaf(width, round(305 * scale) & ~1), round(648 * scale), round(125 * scale)

    return act


def _leaf(width: int, height: int) -> Sprite:
    picture = np.full((height, width, 3), (205, 190, 165), dtype=np.uint8)
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), (90, 80, 70), max(2, width // 20))
    cv2.line(
        picture, (width // 8, height // 2 - height // 10), (width // 8, height // 2 + height // 10), (50, 50, 50), 5
    )
    return Sprite.of(picture, np.full((height, width), 255, dtype=np.uint8))


def _headquarters(random: Random) -> Place:
    picture = _wall((195, 200, 190), (115, 125, 140), 330)
    _box(picture, (60, 110, 170, 300), (110, 130, 150), 0.5)
    _box(picture, (250, 240, 120, 150), (90, 90, 95), 0.4)
    cv2.circle(picture, (310, 315), 16, (200, 200, 200), -1)
    _box(picture, (470, 80, 330, 170), (240, 240, 240), 0.5)
    for row in range(6):
        cv2.line(picture, (490, 105 + 24 * row), (780 - 30 * (row % 3), 105 + 24 * row), (140, 120, 100), 2)
    _box(picture, (960, 250, 210, 120), (225, 225, 225), 0.5)
    _box(picture, (990, 225, 150, 30), (245, 245, 245), 0.5)
    sitting = [_sitting(random, x, y, 130) for x, y in ((330, 400), (640, 400))]
    for x in (260, 590):
        _desk(picture, x, 500, 270)
    _box(picture, (520, 480, 110, 70), (50, 50, 50), 0.5)
    _desk(picture, 900, 560, 330)
    standing = _walking(random, lambda a: (880 + 160 * a, 480, 240), 22)
    return Place(picture, (_walking(random, lambda a: (420 + 420 * a, 385, 215), 34), *sitting, standing))


PLACES: dict[str, Callable[[Random], Place]] = {
    "room": _room,
    "corridor": _corridor,
    "entrance": _entrance,
    "headquarters": _headquarters,
}


def place(zone: str, seed: str) -> Place:
    """The place for a zone; the same seed gives the same place. An unknown zone is an exam room."""
    return PLACES.get(zone, _room)(Random(seed))  # noqa: S311 - scenery, not secrets
