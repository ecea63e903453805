"""The running picture of one synthetic camera.

The place is drawn once; at every frame only the rectangles in which somebody moved are redrawn.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from exam_kit.cctv.synthetic_figures import Image, Planes, Rect, text_patch
from exam_kit.cctv.synthetic_places import HEIGHT, WIDTH, place

__all__ = ["Scene"]


class Scene:
    """The running picture of one camera, captions included."""

    def __init__(self, zone: str, seed: str, caption: str, width: int, height: int) -> None:
        seen = place(zone, seed)
        picture = cv2.resize(_textured(seen.picture, seed), (width, height), interpolation=cv2.INTER_AREA)
        self._scale = width / WIDTH
        self._actors = seen.actors
        self._caption = caption
        self._letters = max(10, round(26 * self._scale))
        self._empty = Planes.of(np.asarray(picture, dtype=np.uint8))
        self._stamp(self._empty, caption, left=True)
        self.planes = self._empty.copy()
        self._touched: list[Rect] = []
        self._clock = ""

    def draw(self, seconds: float, clock: str) -> Planes:
        """The picture `seconds` into the day with `clock` burnt in. The planes are reused by the next call."""
        for rect in self._touched:
            self.planes.restore(self._empty, rect)
        self._touched = []
        for actor in self._actors:
            sprite, x, y = actor(seconds, self._scale)
            touched = sprite.paste(self.planes, x, y)
            if touched is not None:
                self._touched.append(touched)
        if any(y < 2 * self._letters for _x, y, _w, _h in self._touched) or clock != self._clock:
            self._stamp(self.planes, self._caption, left=True)
            self._stamp(self.planes, clock, left=False)
            self._clock = clock
        return self.planes

    def covered(self, seconds: float, clock: str) -> Planes:
        """A cloth over the lens: even, faintly woven, moving a little."""
        planes = self._blank(58 + 3 * math.sin(seconds), 134, 122)
        x = np.arange(planes.width, dtype=np.float32)
        weave = np.asarray(1.5 * np.sin(x / 3) + 4 * np.sin(x / 400 + seconds), dtype=np.float32)
        planes.y[:] = (planes.y + weave).astype(np.uint8)
        return self._captioned(planes, clock)

    def black(self, clock: str) -> Planes:
        """No light at all; a camera still burns its caption in."""
        return self._captioned(self._blank(16, 128, 128), clock)

    def blurred(self, seconds: float, clock: str) -> Planes:
        """Out of focus: the caption stays sharp."""
        planes = self.draw(seconds, clock).copy()
        small = cv2.resize(planes.y, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), 4.0 * self._scale)
        planes.y[:] = cv2.resize(soft, (planes.width, planes.height), interpolation=cv2.INTER_LINEAR)
        return self._captioned(planes, clock)

    def _blank(self, y: float, u: int, v: int) -> Planes:
        planes = Planes(np.empty_like(self._empty.data))
        planes.y[:], planes.u[:], planes.v[:] = round(y), u, v
        return planes

    def _captioned(self, planes: Planes, clock: str) -> Planes:
        self._stamp(planes, self._caption, left=True)
        self._stamp(planes, clock, left=False)
        return planes

    def _stamp(self, planes: Planes, text: str, *, left: bool) -> None:
        patch = text_patch(text, self._letters)[:, : planes.width]
        h, w = patch.shape
        x = 0 if left else planes.width - w
        planes.y[:h, x : x + w] = patch
        planes.u[: h // 2, x // 2 : (x + w) // 2] = 128
        planes.v[: h // 2, x // 2 : (x + w) // 2] = 128


def _textured(picture: Image, seed: str) -> Image:
    """Grain and falling light, so that it looks like a lens and not like a drawing."""
    grain = np.random.default_rng(sum(seed.encode())).normal(0, 1.2, picture.shape[:2])
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    away = ((columns / WIDTH - 0.5) ** 2 + (rows / HEIGHT - 0.5) ** 2)[:, :, None]
    lit = np.clip(picture * (1.06 - 0.45 * away) + grain[:, :, None], 0, 255)
    return np.asarray(lit, dtype=np.uint8)
