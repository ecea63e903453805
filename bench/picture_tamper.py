"""What may befall a camera, applied to good footage: (condition, strength, change, states that tell it rightly)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from exam_kit.cctv.picture import PictureState as State

__all__ = ["CONDITIONS", "Condition", "grain"]

Picture = NDArray[np.uint8]
Change = Callable[[Picture, int], Picture]
"""(picture without caption, number of the keyframe) → the picture the lens would give"""


@dataclass(frozen=True)
class Condition:
    """One thing that may befall a camera. `names`: the states that call it by its name; any other alarm also counts as
    told, but is listed apart. `told` False: the picture alone does not tell it, the walk test does."""

    name: str
    strength: str
    change: Change
    names: tuple[State, ...]
    caption: bool = True
    repeats: str = ""
    """ "bytes": the first keyframe again and again, "view": the same picture with fresh noise and a running clock"""
    other_scene: bool = False
    told: bool = True


def _same(picture: Picture, _number: int) -> Picture:
    return picture


_GRAIN = np.random.default_rng(5).normal(0, 1, (1024, 1024)).astype(np.float32)


def grain(number: int, size: float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Grain of this keyframe, `shape` = (height, width, 1); cut from one large sheet, since drawing it anew is slow."""
    y, x = number * 131 % (1024 - shape[0]), number * 71 % (1024 - shape[1])
    return np.asarray(_GRAIN[y : y + shape[0], x : x + shape[1], None] * size, dtype=np.float32)


def _dimmed(factor: float, noise: float) -> Change:
    def change(picture: Picture, number: int) -> Picture:
        noisy = grain(number, noise, (*picture.shape[:2], 1))
        return np.asarray(np.clip(picture * factor + noisy + 2, 0, 255), dtype=np.uint8)

    return change


def _hand(share: float) -> Change:
    """A hand or sleeve before the lens: out of focus, skin to dark, covering the left `share` of the picture."""

    def change(picture: Picture, number: int) -> Picture:
        height, width = picture.shape[:2]
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        shade = 70 + 25 * np.sin(xs / width * 5 + number / 9) + 18 * np.cos(ys / height * 4 + number / 13)
        skin = np.stack([shade * 0.65, shade * 0.8, shade * 1.1], axis=2)
        edge = np.clip((share * width - xs + 14 * np.sin(ys / 30)) / 25, 0, 1)[:, :, None]
        mixed = picture * (1 - edge) + skin * edge + grain(number, 1.5, (height, width, 1))
        return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)

    return change


def _sheet(level: float, weave: float) -> Change:
    """Cloth (dark, woven) or paper (bright, even), lit from behind a little by what it hides."""

    def change(picture: Picture, number: int) -> Picture:
        height, width = picture.shape[:2]
        glow = cv2.resize(cv2.resize(picture, (8, 6), interpolation=cv2.INTER_AREA), (width, height)) * 0.08
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        threads = weave * np.sin(xs * 1.3) * np.sin(ys * 1.7) + 5 * np.sin(xs / 260 + number / 40)
        shown = level + glow + threads[:, :, None] + grain(number, 1.2, (height, width, 1))
        return np.asarray(np.clip(shown, 0, 255), dtype=np.uint8)

    return change


def _bag(picture: Picture, number: int) -> Picture:
    """A thin plastic bag: what is behind it glows through without edges."""
    small = cv2.GaussianBlur(cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), 3.5)
    milk = cv2.resize(small, picture.shape[1::-1]) * 0.4 + 90
    return np.asarray(np.clip(milk + grain(number, 1.2, (*picture.shape[:2], 1)), 0, 255), dtype=np.uint8)


def _torch(size: float, haze: float) -> Change:
    """A lamp held to the lens: a burnt-out disc and a veil over everything."""

    def change(picture: Picture, number: int) -> Picture:
        height, width = picture.shape[:2]
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        far = np.hypot(xs - width * (0.5 + 0.01 * np.sin(number)), ys - height * 0.48) / width
        veil = 420 * np.exp(-((far / size) ** 2)) + haze
        return np.asarray(np.clip(picture * 0.55 + veil[:, :, None], 0, 255), dtype=np.uint8)

    return change


def _soft(sigma: float) -> Change:
    return lambda picture, _number: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def _turned(shift: float = 0.0, turn_deg: float = 0.0, zoom: float = 1.0) -> Change:
    """The camera looks elsewhere; what it did not see before is made of what it saw (mirrored)."""

    def change(picture: Picture, _number: int) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, zoom)
        matrix[0, 2] += shift * width
        turned = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(turned, dtype=np.uint8)

    return change


_DARK = (State.DARK, State.BLACK)
_COVER = (State.COVERED,)
_MOVED = (State.MOVED, State.SCENE_CHANGED)
CONDITIONS: tuple[Condition, ...] = (
    Condition("black", "lens cap", _dimmed(0.0, 2), (State.BLACK,)),
    Condition("black", "lens cap, noisy sensor", _dimmed(0.02, 6), (State.BLACK,)),
    Condition("dark", "a fifth of the light", _dimmed(0.2, 3), _DARK),
    Condition("dark", "a tenth of the light", _dimmed(0.1, 4), _DARK),
    Condition("covered", "hand over all", _hand(1.2), _COVER),
    Condition("covered", "hand over 70 %", _hand(0.7), (*_COVER, State.SCENE_CHANGED)),
    Condition("covered", "hand over 40 %", _hand(0.4), (*_COVER, State.SCENE_CHANGED)),
    Condition("covered", "cloth", _sheet(45, 3), _COVER),
    Condition("covered", "paper", _sheet(190, 0.5), (*_COVER, State.GLARE)),
    Condition("covered", "plastic bag", _bag, (*_COVER, State.BLURRED)),
    Condition("glare", "torch", _torch(0.35, 40), (State.GLARE,)),
    Condition("glare", "sun into the lens", _torch(0.6, 120), (State.GLARE,)),
    Condition("blurred", "slightly (σ 1.5 of 640)", _soft(1.5), (State.BLURRED,)),
    Condition("blurred", "clearly (σ 3)", _soft(3), (State.BLURRED, State.COVERED)),
    Condition("blurred", "badly (σ 8)", _soft(8), (State.BLURRED, State.COVERED)),
    Condition("moved", "shifted 3 %", _turned(shift=0.03), _MOVED),
    Condition("moved", "shifted 8 %", _turned(shift=0.08), _MOVED),
    Condition("moved", "shifted 20 %", _turned(shift=0.2), _MOVED),
    Condition("moved", "turned 3°", _turned(turn_deg=3), _MOVED),
    Condition("moved", "turned 10°", _turned(turn_deg=10), _MOVED),
    Condition("moved", "closer 1.1", _turned(zoom=1.1), _MOVED),
    Condition("moved", "closer 1.4", _turned(zoom=1.4), _MOVED),
    Condition("scene changed", "another camera", _same, _MOVED, other_scene=True),
    Condition("frozen", "the same bytes", _same, (State.FROZEN,), repeats="bytes"),
    Condition("frozen", "re-encoded, clock runs", _same, (), repeats="view", told=False),
    Condition("no caption", "not burnt in", _same, (State.NO_CAPTION,), caption=False),
)
