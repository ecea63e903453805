"""Is the caption still burnt into the picture? Region, point, room and time stand there; without them footage is mute.

Letters are told by their strokes: many steep steps of brightness both ways in a small cell, and cells of that kind side
by side in a row, at the picture's upper or lower edge. What the letters say is for a person to read.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Caption", "caption_kept", "lettered"]

WIDTH, HEIGHT = 640, 360
CELL = 20
BANDS = (2, 2)
"""Rows of cells at the upper and at the lower edge in which a caption is looked for."""
STEP = 45
"""Grey levels between a stroke and its ground, two pixels apart."""
STROKES = 0.10
"""Share of a cell's pixels that are steps up, and as many that are steps down."""
RUN = 4
"""So many lettered cells side by side are a caption; a window's bars or a shelf give fewer."""


class Caption:
    """Where the approved picture's caption stands. `reference`: H×W×3, BGR, any size."""

    def __init__(self, reference: NDArray[np.uint8]) -> None:
        found = lettered(reference)
        self.cells = np.zeros_like(found)
        rows = [*range(BANDS[0]), *range(found.shape[0] - BANDS[1], found.shape[0])]
        for row in rows:
            for start, end in _runs(found[row]):
                if end - start >= RUN:
                    self.cells[row, start:end] = True

    def __bool__(self) -> bool:
        return bool(self.cells.any())

    def kept(self, frame: NDArray[np.uint8]) -> float | None:
        """The share of the caption's cells that have letters in this frame; None when there is no caption to keep."""
        if not self:
            return None
        return float(lettered(frame)[self.cells].mean())


def caption_kept(frames: Sequence[NDArray[np.uint8]], reference: NDArray[np.uint8]) -> float | None:
    """The median of `Caption.kept` over the first, the middle and the last of a burst."""
    caption = Caption(reference)
    if not frames or not caption:
        return None
    kept = [caption.kept(frames[index]) or 0.0 for index in (0, len(frames) // 2, -1)]
    return float(np.median(kept))


def lettered(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which cells of the picture hold letters: 18×32, bool."""
    small = cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.int16)
    steps = np.zeros_like(grey)
    steps[:, 2:] = grey[:, 2:] - grey[:, :-2]
    up, down = _shares(steps > STEP), _shares(steps < -STEP)
    return np.asarray((up >= STROKES) & (down >= STROKES))


def _shares(layer: NDArray[np.bool_]) -> NDArray[np.float64]:
    cells = layer.reshape(HEIGHT // CELL, CELL, WIDTH // CELL, CELL)
    return np.asarray(cells.mean(axis=(1, 3)), dtype=np.float64)


def _runs(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of lettered cells; one empty cell, the blank between two words, does not end a stretch."""
    found: list[tuple[int, int]] = []
    for column in np.flatnonzero(row):
        if found and column - found[-1][1] <= 1:
            found[-1] = (found[-1][0], int(column) + 1)
        else:
            found.append((int(column), int(column) + 1))
    return found
