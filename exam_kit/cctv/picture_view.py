"""Has the camera been turned? The present picture laid over the approved one.

Corners found in both pictures are matched, and the movement most of them agree on is the candidate. It counts only when
undoing it puts the edges back where they were ("edge retention"): without that test people, shadows and daylight gave
false alarms in one burst of five.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Grey", "View", "ViewShift", "view_shift"]

Grey = NDArray[np.uint8]

CORNERS = 800
"""How many corners are looked for in each picture."""
AGREEING = 12
"""A movement on which fewer corners agree is chance."""
STILL = (0.01, 0.02, 0.5)
"""Shift, scale and turn under which corners count as unmoved: captions burnt into a picture stay where they are when
the camera is turned, and must not outvote the scene."""

EDGE_STEPS = (40, 100)
"""Canny's gradients: a weak edge beside a strong one, a strong one."""
PART, PART_EDGES = 20, 6
"""Edges are counted in parts of 20×20 pixels; one with fewer than six has none to lose."""
HIDDEN = 0.1
"""A part with fewer than this share of its edges left is hidden."""
BRIGHTENED = (0.5, 4.0)
"""The present picture is brought to the approved one's brightness within these factors, so that dusk costs no edges."""


@dataclass(frozen=True)
class ViewShift:
    """What moved between the approved picture and the present one.

    `shift` is a share of the width, `scale` of the size (0.05: 5 % larger or smaller), `turn_deg` in degrees; all
    absolute. `retention` is the share of the approved picture's edges still found in place, less what chance would give
    (0: no more than chance, 1: all); `gain` is how much undoing the movement improves it. `hidden` is the share of the
    picture's parts that had edges and have hardly any now, neither old nor new ones: something even is before them;
    `beside` is the retention of the other parts: a hand leaves what it does not cover as it was, a new scene does not.
    """

    shift: float
    scale: float
    turn_deg: float
    retention: float
    gain: float
    hidden: float
    beside: float


class View:
    """The approved picture's edges and corners, found once: they are compared with again and again."""

    def __init__(self, reference: Grey) -> None:
        self.mean = float(reference.mean())
        self.edges = _edges(reference)
        self.corners = _corners(reference)


def view_shift(picture: Grey, view: View) -> ViewShift:
    """Compare a grey picture, H×W uint8, with a view of the same size. Zeros for the movement when none is found."""
    factor = float(np.clip((view.mean + 1) / (picture.mean() + 1), *BRIGHTENED))
    picture = np.asarray(cv2.convertScaleAbs(picture, alpha=factor), dtype=np.uint8)
    target, edges = view.edges, _edges(picture)
    retention = _usual_retention(edges, target)
    hidden, beside = _hidden(edges, target)
    best = ViewShift(0.0, 0.0, 0.0, retention, 0.0, hidden, beside)
    for matrix in _movements(picture, view):
        size = (picture.shape[1], picture.shape[0])
        undone = cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.warpAffine(np.full_like(picture, 255), matrix, size) > 0
        before = _retention(edges, target, seen)
        gain = _retention(_edges(np.asarray(undone, dtype=np.uint8)), target, seen) - before
        if gain > best.gain:
            shift, scale, turn_deg = _parts(matrix, size)
            best = ViewShift(shift, scale, turn_deg, retention, gain, hidden, beside)
    return best


def _movements(picture: Grey, view: View) -> list[NDArray[np.float64]]:
    """Up to two similarity transforms picture → reference, the most agreed one first, "nothing moved" left out."""
    here, there = _matched(picture, view)
    found: list[NDArray[np.float64]] = []
    for _attempt in range(2):
        if len(here) < AGREEING:
            break
        answer: Any = cv2.estimateAffinePartial2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=2.0)
        matrix, agree = answer
        if matrix is None or int(agree.sum()) < AGREEING:
            break
        parts = _parts(matrix, (picture.shape[1], picture.shape[0]))
        if any(part > still for part, still in zip(parts, STILL, strict=True)):
            found.append(np.asarray(matrix, dtype=np.float64))
        rest = agree.ravel() == 0
        here, there = here[rest], there[rest]
    return found


def _corners(picture: Grey) -> tuple[Any, Any]:
    """Corners and their marks; the marks are None where there is no corner."""
    finder = cv2.ORB.create(nfeatures=CORNERS, edgeThreshold=12, patchSize=25, fastThreshold=8)
    found: tuple[Any, Any] = finder.detectAndCompute(picture, None)
    return found


def _matched(picture: Grey, view: View) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    points_here, marks_here = _corners(picture)
    points_there, marks_there = view.corners
    if marks_here is None or marks_there is None:
        nothing = np.empty((0, 2), dtype=np.float32)
        return nothing, nothing
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks_here, marks_there)
    here = np.array([points_here[pair.queryIdx].pt for pair in pairs], dtype=np.float32).reshape(-1, 2)
    there = np.array([points_there[pair.trainIdx].pt for pair in pairs], dtype=np.float32).reshape(-1, 2)
    return here, there


def _parts(matrix: NDArray[np.float64], size: tuple[int, int]) -> tuple[float, float, float]:
    """Shift of the picture's centre as a share of the width, change of size, turn in degrees."""
    width, height = size
    centre = np.array([width / 2, height / 2, 1.0])
    moved = matrix @ centre - centre[:2]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    return float(np.hypot(*moved)) / width, abs(scale - 1.0), abs(turn)


def _edges(picture: Grey) -> NDArray[np.bool_]:
    return np.asarray(cv2.Canny(cv2.GaussianBlur(picture, (0, 0), 1.0), *EDGE_STEPS) > 0)


def _retention(edges: NDArray[np.bool_], target: NDArray[np.bool_], seen: NDArray[np.bool_]) -> float:
    near = _near(edges)
    wanted = target & seen
    if not wanted.any():
        return 1.0
    return _above(float(near[wanted].mean()), float(near[seen].mean()))


def _usual_retention(edges: NDArray[np.bool_], target: NDArray[np.bool_]) -> float:
    """Median over the parts of the picture that have edges: a caption, always in place, is only a few of them."""
    near = _near(edges)
    wanted, kept = (_per_part(layer) for layer in (target, target & near))
    parts = wanted >= PART_EDGES
    if not parts.any():
        return 1.0
    return _above(float(np.median(kept[parts] / wanted[parts])), float(near.mean()))


def _hidden(edges: NDArray[np.bool_], target: NDArray[np.bool_]) -> tuple[float, float]:
    """The share of the parts that are hidden, and the median retention of the others."""
    near = _near(edges)
    had, has, kept = (_per_part(layer) for layer in (target, edges, target & near))
    parts = had >= PART_EDGES
    if not parts.any():
        return 0.0, 1.0
    gone = has[parts] < HIDDEN * had[parts]
    if gone.all():
        return 1.0, 1.0
    seen = float(np.median((kept[parts] / had[parts])[~gone]))
    return float(gone.mean()), _above(seen, float(near.mean()))


def _per_part(layer: NDArray[np.bool_]) -> NDArray[np.float64]:
    rows, columns = layer.shape[0] // PART, layer.shape[1] // PART
    cut = layer[: rows * PART, : columns * PART]
    counts = cut.reshape(rows, PART, columns, PART).sum(axis=(1, 3))
    return np.asarray(counts, dtype=np.float64)


def _near(edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(edges.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _above(kept: float, chance: float) -> float:
    return (kept - chance) / (1.0 - chance) if chance < 1.0 else 0.0
