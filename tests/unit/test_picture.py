"""Pictures a camera can send, and what the kit says of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from exam_kit.cctv.picture import SHIPPED, STATE_LABELS, Approved, Frame, PictureState, Thresholds, judge, measure
from exam_kit.cctv.synthetic_scene import Scene
from exam_kit.errors import UsageError
from exam_kit.i18n import translate

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "footage"
LIMITS = Thresholds.from_mapping(SHIPPED)
BURST = 6

Change = Callable[[Frame], Frame]


def _bgr(data: np.ndarray) -> Frame:
    return np.asarray(cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)


def _scene(zone: str, start_s: float = 0.0) -> list[Frame]:
    scene = Scene(zone, "R1-1", "Регион 77 · ППЭ 0001 · аудитория 0001", 1280, 720)
    return [_bgr(scene.draw(start_s + step / 6, f"28.05.2026 10:00:{step:02d}").data) for step in range(BURST)]


def _film(name: str, start: int) -> list[Frame]:
    with av.open(str(FOOTAGE / name)) as film:
        frames = [frame.to_ndarray(format="bgr24") for frame in islice(film.decode(video=0), start + BURST)]
    return [np.asarray(frame, dtype=np.uint8) for frame in frames[start:]]


def _noisy(level: float, spread: float) -> Change:
    def change(frame: Frame) -> Frame:
        noise = np.random.default_rng(7).normal(level, spread, frame.shape)
        return np.asarray(np.clip(noise, 0, 255), dtype=np.uint8)

    return change


def _cloth(frame: Frame) -> Frame:
    """Too near to be in focus."""
    return _soft(1 / 320)(_noisy(90, 8)(frame))


def _lit(factor: float, plus: float = 0.0) -> Change:
    return lambda frame: np.asarray(np.clip(frame * factor + plus, 0, 255), dtype=np.uint8)


def _soft(share: float) -> Change:
    return lambda frame: np.asarray(cv2.GaussianBlur(frame, (0, 0), share * frame.shape[1]), dtype=np.uint8)


def _turned(shift: float = 0.0, scale: float = 1.0, turn_deg: float = 0.0) -> Change:
    def change(frame: Frame) -> Frame:
        h, w = frame.shape[:2]
        matrix = cv2.getRotationMatrix2D((w / 2, h / 2), turn_deg, scale)
        matrix[0, 2] += shift * w
        return np.asarray(cv2.warpAffine(frame, matrix, (w, h), borderMode=cv2.BORDER_REFLECT), dtype=np.uint8)

    return change


def _captioned(frame: Frame) -> Frame:
    """Cameras burn their caption in whatever they see."""
    frame = frame.copy()
    height, width = frame.shape[:2]
    cv2.rectangle(frame, (0, 0), (int(width * 0.7), int(height * 0.06)), (0, 0, 0), -1)
    text = "77 0001 0001 28.05.2026 10:00:00"
    cv2.putText(frame, text, (6, int(height * 0.045)), (255, 255, 255), cv2.FontFace("uni"), int(height * 0.04))
    return frame


def _judged(frames: list[Frame], change: Change, reference: Frame | None = None) -> PictureState:
    approved = None if reference is None else Approved(reference)
    return judge(measure([_captioned(change(frame)) for frame in frames], approved), LIMITS)


ALONE: list[tuple[str, Change, PictureState]] = [
    ("as it is", _lit(1.0), PictureState.OK),
    ("noise of a dim evening", lambda f: _lit(1.0)(f + _noisy(0, 6)(f) * 0.5), PictureState.OK),
    ("half the light", _lit(0.6), PictureState.OK),
    ("lens cap", _lit(0.0), PictureState.BLACK),
    ("lens cap, noisy sensor", _noisy(6, 4), PictureState.BLACK),
    ("cloth", _cloth, PictureState.COVERED),
    ("sun into the lens", _lit(1.0, 240), PictureState.GLARE),
    ("out of focus", _soft(0.012), PictureState.BLURRED),
    ("hardly any light", _lit(0.2), PictureState.DARK),
]
COMPARED: list[tuple[str, Change, PictureState]] = [
    *ALONE,
    ("a little out of focus", _soft(0.004), PictureState.BLURRED),
    ("a knock within tolerance", _turned(shift=0.008), PictureState.OK),
    ("pushed aside", _turned(shift=0.04), PictureState.MOVED),
    ("turned away", _turned(shift=0.2), PictureState.MOVED),
    ("zoomed in", _turned(scale=1.12), PictureState.MOVED),
    ("tilted", _turned(turn_deg=4), PictureState.MOVED),
]


@pytest.mark.parametrize("zone", ["room", "corridor", "entrance", "headquarters"])
def test_every_synthetic_place_is_a_good_picture(zone: str) -> None:
    frames = _scene(zone)
    assert judge(measure(frames), LIMITS) is PictureState.OK
    assert judge(measure(_scene(zone, 100.0), Approved(frames[0])), LIMITS) is PictureState.OK


@pytest.mark.parametrize(("case", "change", "expected"), ALONE, ids=[case for case, _, _ in ALONE])
def test_without_an_approved_picture(case: str, change: Change, expected: PictureState) -> None:
    assert _judged(_scene("room"), change) is expected, case


@pytest.mark.parametrize(("case", "change", "expected"), COMPARED, ids=[case for case, _, _ in COMPARED])
def test_against_the_approved_picture(case: str, change: Change, expected: PictureState) -> None:
    approved = _captioned(_scene("room", 60.0)[0])
    assert _judged(_scene("room"), change, approved) is expected, case


@pytest.mark.parametrize("seen", ["room", "corridor", "entrance"])
def test_another_scene_than_the_approved_one_is_never_good(seen: str) -> None:
    """Changed, moved, blurred where the other scene has softer edges, covered in part where it has none: whatever it is
    called, somebody goes and looks."""
    state = judge(measure(_scene(seen), Approved(_scene("headquarters")[0])), LIMITS)
    assert state in (PictureState.SCENE_CHANGED, PictureState.MOVED, PictureState.BLURRED, PictureState.COVERED)


def test_nothing_came_is_unknown_never_good() -> None:
    assert judge(measure([]), LIMITS) is PictureState.UNKNOWN


def test_frozen_takes_its_time() -> None:
    still = [_scene("room")[0]] * BURST
    assert judge(measure(still, span_s=LIMITS.frozen_s), LIMITS) is PictureState.FROZEN
    assert judge(measure(still, span_s=LIMITS.frozen_s / 2), LIMITS) is PictureState.OK
    assert judge(measure(_scene("room"), span_s=60), LIMITS) is PictureState.OK


def test_thresholds_tell_every_mistake_at_once() -> None:
    table: dict[str, object] = {**SHIPPED, "black_mean": "dark", "glare_mean": -1, "frozen_s": True, "blurr": 1}
    del table["moved_gain"]
    with pytest.raises(UsageError) as caught:
        Thresholds.from_mapping(table)
    told = caught.value.text("en")
    assert all(key in told for key in ("black_mean", "glare_mean", "frozen_s", "blurr", "moved_gain"))
    assert len(caught.value.details) == 5


@pytest.mark.parametrize("language", ["ru", "lv"])
def test_every_state_has_a_name_in_the_language(language: str) -> None:
    assert set(STATE_LABELS) == set(PictureState)
    assert all(translate(label, language) != label for label in STATE_LABELS.values())


needs_footage = pytest.mark.skipif(not FOOTAGE.exists(), reason="the shared footage is not beside the project")
FILMS = [("one-by-one-person-detection.mp4", 0, 300), ("classroom.gif", 0, 30)]


@needs_footage
@pytest.mark.footage
@pytest.mark.parametrize(("name", "approved", "start"), FILMS)
@pytest.mark.parametrize(
    ("case", "change", "expected"),
    [row for row in COMPARED if row[0] not in ("hardly any light", "noise of a dim evening")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_real_footage(name: str, approved: int, start: int, case: str, change: Change, expected: PictureState) -> None:
    reference = _captioned(_film(name, approved)[0])
    assert _judged(_film(name, start), change, reference) is expected, case
