"""Did something really move between two keyframes? Noise, the encoder's pumping, a lamp and the clock do not count.

It is what a walk test looks for: an old picture repeated by a living encoder has new bytes in every frame and a fresh
clock in its caption, but nobody walks in it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["moving_share"]

WIDTH, HEIGHT, CELL = 320, 180, 10
BANDS = 2
"""Rows of cells at the upper and lower edge that are left out: the clock in the caption runs there."""
NOISE = 4.0
"""A cell moved only when it changed by so many times the usual cell's change."""


def moving_share(before: NDArray[np.uint8], after: NDArray[np.uint8], step: float) -> float:
    """The share of the cells that moved together: the largest connected patch of 18×32 cells.

    Both pictures H×W×3, BGR. A cell moved when its grey level changed by at least `step`, and far more than the usual
    cell; what changed alike everywhere is light.
    """
    change = _cells(after) - _cells(before)
    change -= np.median(change)
    size = np.abs(change)
    moved = size >= max(step, NOISE * float(np.median(size)))
    moved[:BANDS] = moved[-BANDS:] = False
    found = cv2.connectedComponentsWithStats(moved.astype(np.uint8), connectivity=8)
    areas = found[2][1:, cv2.CC_STAT_AREA]
    return float(areas.max() / moved.size) if len(areas) else 0.0


def _cells(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    size = (WIDTH // CELL, HEIGHT // CELL)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
