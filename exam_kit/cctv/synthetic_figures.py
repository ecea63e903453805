"""People for the synthetic cameras: drawn once, then pasted as YUV patches, so that a frame costs what moves in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Colour", "Planes", "Rect", "Sprite", "font", "seated", "text_patch", "walker"]

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
Rect = tuple[int, int, int, int]
"""x, y, width, height; all even, since colour has half the resolution."""

POSES = 4
FINE = 2
"""Figures are drawn this many times larger and scaled down: smooth edges."""
SKIN: Colour = (150, 180, 225)


class Planes:
    """One YUV 4:2:0 picture in one array ((H·3/2)×W uint8), as the encoder takes it."""

    def __init__(self, data: Image) -> None:
        self.data = data
        height, width = data.shape[0] * 2 // 3, data.shape[1]
        self.width, self.height = width, height
        luma, quarter = width * height, width * height // 4
        flat = data.reshape(-1)
        self.y = data[:height]
        self.u = flat[luma : luma + quarter].reshape(height // 2, width // 2)
        self.v = flat[luma + quarter :].reshape(height // 2, width // 2)

    @classmethod
    def of(cls, picture: Image) -> Planes:
        """From a BGR picture with even sides."""
        return cls(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8))

    def copy(self) -> Planes:
        return Planes(self.data.copy())

    def restore(self, other: Planes, rect: Rect) -> None:
        """Take `rect` back from `other`."""
        x, y, w, h = rect
        self.y[y : y + h, x : x + w] = other.y[y : y + h, x : x + w]
        x, y, w, h = x // 2, y // 2, w // 2, h // 2
        self.u[y : y + h, x : x + w] = other.u[y : y + h, x : x + w]
        self.v[y : y + h, x : x + w] = other.v[y : y + h, x : x + w]


@dataclass(frozen=True)
class Sprite:
    """A cut-out figure: planes and their masks (255 where it is opaque)."""

    planes: Planes
    mask: Image
    half: Image

    @classmethod
    def of(cls, picture: Image, alpha: Image) -> Sprite:
        mask = np.asarray(np.where(alpha > 127, 255, 0), dtype=np.uint8)
        half = np.asarray(cv2.resize(mask, (mask.shape[1] // 2, mask.shape[0] // 2), interpolation=cv2.INTER_AREA))
        return cls(Planes.of(picture), mask, np.asarray(np.where(half > 127, 255, 0), dtype=np.uint8))

    def paste(self, onto: Planes, x: int, y: int) -> Rect | None:
        """Draw with the upper left corner at (x, y), clipped; the rectangle touched, None when outside."""
        x, y = x & ~1, y & ~1
        left, top = max(0, x), max(0, y)
        right, bottom = min(onto.width, x + self.planes.width), min(onto.height, y + self.planes.height)
        if left >= right or top >= bottom:
            return None
        for plane, cut, mask, by in (
            (onto.y, self.planes.y, self.mask, 1),
            (onto.u, self.planes.u, self.half, 2),
            (onto.v, self.planes.v, self.half, 2),
        ):
            rows, columns = slice((top - y) // by, (bottom - y) // by), slice((left - x) // by, (right - x) // by)
            target = plane[top // by : bottom // by, left // by : right // by]
            np.copyto(target, cut[rows, columns], where=mask[rows, columns] > 0)
        return left, top, right - left, bottom - top


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


@lru_cache(maxsize=512)
def walker(height: int, pose: int, coat: Colour, legs: Colour) -> Sprite:
    """A standing or walking person `height` pixels tall, in one of four poses of a step."""
    h, w = _even(height), _even(height * 0.56)
    big_h, big_w = h * FINE, w * FINE
    picture = np.full((big_h, big_w, 3), coat, dtype=np.uint8)
    alpha = np.zeros((big_h, big_w), dtype=np.uint8)
    middle, hip, thick = big_w // 2, int(big_h * 0.52), max(1, int(big_h * 0.075))
    swing = (0.0, 0.16, 0.0, -0.16)[pose % POSES]
    for side in (-1, 1):
        foot = (int(middle + side * big_h * (0.05 + swing)), int(big_h * 0.96))
        _limb(picture, alpha, (middle + side * thick // 2, hip), foot, legs, thick)
        hand = (int(middle + side * big_h * 0.13 - swing * big_h * 0.5), int(big_h * 0.52))
        shoulder = (int(middle + side * big_h * 0.09), int(big_h * 0.22))
        _limb(picture, alpha, shoulder, hand, _darker(coat), int(thick * 0.75))
    _blob(picture, alpha, (middle, int(big_h * 0.36)), (int(big_h * 0.115), int(big_h * 0.19)), coat)
    _head(picture, alpha, (middle, int(big_h * 0.095)), int(big_h * 0.07), coat)
    return _finish(picture, alpha, (w, h))


@lru_cache(maxsize=512)
def seated(height: int, pose: int, coat: Colour) -> Sprite:
    """A candidate behind a desk, seen from the front: head bent, one hand writing."""
    h, w = _even(height), _even(height * 0.95)
    big_h, big_w = h * FINE, w * FINE
    picture = np.full((big_h, big_w, 3), coat, dtype=np.uint8)
    alpha = np.zeros((big_h, big_w), dtype=np.uint8)
    middle = big_w // 2
    nod, hand = ((0, 0), (2, 1), (0, 2), (-2, 1))[pose % POSES]
    thick = int(big_h * 0.13)
    _blob(picture, alpha, (middle, int(big_h * 0.78)), (int(big_h * 0.3), int(big_h * 0.36)), coat)
    for side in (-1, 1):
        wrist = (int(middle + side * big_h * 0.2 + (hand * FINE * 2 if side > 0 else 0)), int(big_h * 0.93))
        _limb(picture, alpha, (int(middle + side * big_h * 0.26), int(big_h * 0.6)), wrist, _darker(coat), thick)
        cv2.circle(picture, wrist, thick // 2, SKIN, -1)
        cv2.circle(alpha, wrist, thick // 2, 255, -1)
    _head(picture, alpha, (middle + nod * FINE, int(big_h * (0.27 + abs(nod) * 0.01))), int(big_h * 0.19), coat)
    return _finish(picture, alpha, (w, h))


def _finish(picture: Image, alpha: Image, size: tuple[int, int]) -> Sprite:
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return Sprite.of(
        np.asarray(small, dtype=np.uint8),
        np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), dtype=np.uint8),
    )


def _darker(colour: Colour) -> Colour:
    blue, green, red = (int(part * 0.8) for part in colour)
    return blue, green, red


def _limb(picture: Image, alpha: Image, start: tuple[int, int], end: tuple[int, int], colour: Colour, w: int) -> None:
    cv2.line(picture, start, end, colour, max(1, w))
    cv2.line(alpha, start, end, 255, max(1, w))


def _blob(picture: Image, alpha: Image, centre: tuple[int, int], axes: tuple[int, int], colour: Colour) -> None:
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1)
    cv2.ellipse(alpha, centre, axes, 0, 0, 360, 255, -1)


def _head(picture: Image, alpha: Image, centre: tuple[int, int], radius: int, coat: Colour) -> None:
    hair: Colour = (30 + coat[0] % 40, 40 + coat[1] % 40, 50 + coat[2] % 60)
    _blob(picture, alpha, centre, (int(radius * 0.85), radius), SKIN)
    cv2.ellipse(
        picture, (centre[0], centre[1] - radius // 4), (int(radius * 0.9), int(radius * 0.8)), 0, 180, 360, hair, -1
    )
    cv2.ellipse(
        alpha, (centre[0], centre[1] - radius // 4), (int(radius * 0.9), int(radius * 0.8)), 0, 180, 360, 255, -1
    )


@lru_cache(maxsize=1)
def font() -> cv2.FontFace:
    """The font inside OpenCV 5 with Cyrillic and Latvian letters; nothing of the operating system is needed."""
    return cv2.FontFace("uni")


@lru_cache(maxsize=64)
def text_patch(text: str, size: int) -> Image:
    """White letters on near black, H×W uint8 luma with even sides. All cameras of a point share each second's clock."""
    x, _y, width, _height = cv2.getTextSize((0, 0), text, (0, 0), font(), size)
    patch = np.full((_even(size * 1.5), _even(x + width + size), 3), 16, dtype=np.uint8)
    cv2.putText(patch, text, (size // 2, int(size * 1.12)), (235, 235, 235), font(), size)
    return np.ascontiguousarray(patch[:, :, 0])
