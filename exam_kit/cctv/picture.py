"""Is the picture usable? Measures of a burst of frames, and the judgement on them.

Measuring and judging are apart: the measures are facts that can be kept and judged again, the thresholds belong to the
profile. Everything is measured on frames scaled to 320×180 grey, on the median of the burst, so that noise and people
walking through count little. See `docs/picture-health.md` for the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from exam_kit.cctv.picture_thresholds import SHIPPED, Thresholds
from exam_kit.cctv.picture_view import Grey, View, view_shift
from exam_kit.i18n import N_

__all__ = [
    "SHIPPED",
    "STATE_LABELS",
    "Approved",
    "Frame",
    "Measures",
    "PictureState",
    "Thresholds",
    "judge",
    "measure",
    "small_grey",
]

Frame = NDArray[np.uint8]
"""A picture, H×W×3, BGR, uint8."""

WIDTH, HEIGHT = 320, 180
CELL = 10
FLAT_STD = 2.5
"""A cell of 10×10 pixels with a smaller standard deviation is flat."""
CAPTION_SHARE = 0.12
"""The busiest cells, up to this share, are left out of mean, std and p95: captions are burnt into black ones too."""


class PictureState(StrEnum):
    """What is wrong with a picture; `unknown` when there was nothing to judge."""

    OK = "ok"
    BLACK = "black"
    DARK = "dark"
    COVERED = "covered"
    GLARE = "glare"
    BLURRED = "blurred"
    FROZEN = "frozen"
    MOVED = "moved"
    SCENE_CHANGED = "scene_changed"
    NO_CAPTION = "no_caption"
    STALLED = "stalled"
    UNKNOWN = "unknown"


STATE_LABELS: dict[PictureState, str] = {
    PictureState.OK: N_("picture is good"),
    PictureState.BLACK: N_("picture is black"),
    PictureState.DARK: N_("picture is too dark"),
    PictureState.COVERED: N_("camera is covered"),
    PictureState.GLARE: N_("picture is blinded by light"),
    PictureState.BLURRED: N_("picture is blurred"),
    PictureState.FROZEN: N_("picture is frozen"),
    PictureState.MOVED: N_("camera has been moved"),
    PictureState.SCENE_CHANGED: N_("camera shows another scene"),
    PictureState.NO_CAPTION: N_("caption is missing"),
    PictureState.STALLED: N_("camera has stopped sending"),
    PictureState.UNKNOWN: N_("picture has not been checked"),
}
"""What a person reads, translated where it is shown."""


@dataclass(frozen=True)
class Measures:
    """Facts about a burst. Grey levels 0–255, shares 0–1; None where there was nothing to measure it on."""

    frames: int
    mean: float
    std: float
    p95: float
    flat: float
    """share of flat cells"""
    sharpness: float | None
    """median over the textured cells of Laplacian variance over variance: dimming does not change it, blur does"""
    difference: float | None
    """mean absolute difference between neighbouring frames, the largest of the burst; None for a single frame"""
    unchanged_s: float = 0.0
    """for how long every frame has had the very same bytes"""
    reference_flat: float | None = None
    """share of flat cells in the approved picture, dimmed to the present light"""
    reference_sharpness: float | None = None
    shift: float | None = None
    scale: float | None = None
    turn_deg: float | None = None
    retention: float | None = None
    gain: float | None = None
    hidden: float | None = None
    beside: float | None = None
    caption: float | None = None
    """share of the approved picture's caption that has letters now (`picture_caption`, on the full picture); None where
    that has no caption"""

    def as_dict(self) -> dict[str, float | int | bool | None]:
        """For evidence and JSON, rounded to four places."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


class Approved:
    """The approved picture (any size), with what is known of it worked out once."""

    def __init__(self, picture: Frame) -> None:
        self.grey = small_grey(picture)
        self.mean = _light(self.grey)[0]
        self.sharpness = _sharpness(self.grey)
        self.view = View(self.grey)


def measure(frames: Sequence[Frame], reference: Approved | None = None, *, span_s: float = 0.0) -> Measures:
    """Measure a burst of frames (any size, all alike), oldest first, and compare it with the approved picture.

    `span_s` is how long the burst lasted, for the frozen picture.
    No frames give ``Measures.frames == 0``, which is judged unknown.
    """
    if not frames:
        return Measures(0, 0.0, 0.0, 0.0, 0.0, None, None)
    greys = [small_grey(frame) for frame in frames]
    steps = [float(np.mean(cv2.absdiff(a, b))) for a, b in pairwise(greys)]
    same = len(frames) > 1 and all(np.array_equal(frames[0], frame) for frame in frames[1:])
    typical = greys[0] if len(greys) == 1 or same else np.median(np.stack(greys), axis=0).astype(np.uint8)
    mean, std, p95, flat = _light(typical)
    found = Measures(
        frames=len(frames),
        mean=mean,
        std=std,
        p95=p95,
        flat=flat,
        sharpness=_sharpness(typical),
        difference=max(steps, default=None),
        unchanged_s=span_s if same else 0.0,
    )
    if reference is None:
        return found
    # A dim room is flatter than the same room lit: the approved picture is dimmed before they are compared.
    light = min(1.0, mean / max(1.0, reference.mean))
    return replace(
        found,
        **asdict(view_shift(typical, reference.view)),
        reference_flat=_light((reference.grey * light).astype(np.uint8))[3],
        reference_sharpness=reference.sharpness,
    )


def judge(measures: Measures, thresholds: Thresholds) -> PictureState:
    """The gravest thing wrong with the picture, or ok. An alarm asks for more than one burst: see `PictureWatch`."""
    x, limit = measures, thresholds
    if x.frames == 0:
        return PictureState.UNKNOWN
    if x.mean < limit.black_mean and x.std < limit.black_std:
        return PictureState.BLACK
    if x.mean >= limit.glare_mean:
        return PictureState.GLARE
    if x.flat >= limit.flat_share or (x.reference_flat is not None and x.flat >= x.reference_flat + limit.flat_rise):
        return PictureState.GLARE if x.p95 >= limit.glare_p95 else PictureState.COVERED
    if x.mean < limit.dark_mean:
        return PictureState.DARK
    if x.unchanged_s > 0 and x.unchanged_s >= limit.frozen_s:
        return PictureState.FROZEN
    if _blurred(x, limit):
        return PictureState.BLURRED
    if _moved(x, limit):
        return PictureState.MOVED
    if _hidden(x, limit):
        return PictureState.GLARE if x.p95 >= limit.glare_p95 else PictureState.COVERED
    if x.retention is not None and x.retention < limit.lost_retention:
        return PictureState.SCENE_CHANGED
    if x.caption is not None and x.caption < limit.caption_kept:
        return PictureState.NO_CAPTION
    return PictureState.OK


def _blurred(x: Measures, limit: Thresholds) -> bool:
    if x.sharpness is None:
        return False
    if x.reference_sharpness is not None:
        return x.sharpness < limit.sharpness_ratio * x.reference_sharpness
    return x.sharpness < limit.sharpness


def _hidden(x: Measures, limit: Thresholds) -> bool:
    """Covered in part: edges are gone there, and as they were beside it."""
    if x.hidden is None or x.beside is None:
        return False
    return x.hidden >= limit.hidden_share and x.beside >= limit.lost_retention


def _moved(x: Measures, limit: Thresholds) -> bool:
    if x.shift is None or x.scale is None or x.turn_deg is None or x.gain is None:
        return False
    off = x.shift > limit.moved_shift or x.scale > limit.moved_scale or x.turn_deg > limit.moved_turn_deg
    return off and x.gain >= limit.moved_gain


def small_grey(frame: Frame) -> Grey:
    """The frame at 320×180 in grey, H×W uint8: what everything is measured on."""
    grey = cv2.cvtColor(cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, dtype=np.uint8)


def _cells(picture: NDArray[np.generic]) -> NDArray[np.float32]:
    """One row per cell, one column per pixel."""
    grid = picture.reshape(HEIGHT // CELL, CELL, WIDTH // CELL, CELL).swapaxes(1, 2)
    return grid.reshape(-1, CELL * CELL).astype(np.float32)


def _light(picture: Grey) -> tuple[float, float, float, float]:
    """Mean, standard deviation and 95th percentile without the busiest cells; share of flat cells of all."""
    cells = _cells(picture)
    spread = cells.std(axis=1)
    calm = cells[np.argsort(spread)[: round(len(cells) * (1 - CAPTION_SHARE))]]
    return float(calm.mean()), float(calm.std()), float(np.percentile(calm, 95)), float((spread < FLAT_STD).mean())


def _sharpness(picture: Grey) -> float | None:
    variance = _cells(picture).var(axis=1)
    textured = variance >= FLAT_STD**2
    if textured.sum() < len(variance) * 0.02:
        return None
    bends = _cells(np.asarray(cv2.Laplacian(picture, cv2.CV_32F))).var(axis=1)
    return float(np.median(bends[textured] / variance[textured]))
