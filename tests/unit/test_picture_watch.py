"""A running camera's picture, keyframe by keyframe."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from exam_kit.cctv.picture import SHIPPED, Frame, PictureState, Thresholds
from exam_kit.cctv.picture_watch import PictureWatch
from exam_kit.cctv.synthetic_scene import Scene

LIMITS = Thresholds.from_mapping(SHIPPED)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    scene = Scene("room", "R1-1", "Регион 77", 640, 360)
    drawn = (scene.draw(float(second), f"10:00:{second:02d}").data for second in range(40))
    return [np.asarray(cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8) for data in drawn]


def test_unknown_until_enough_was_seen_then_good(frames: list[Frame]) -> None:
    watch = PictureWatch(LIMITS)
    assert watch.state is PictureState.UNKNOWN
    assert watch.see(frames[0], 0) is PictureState.UNKNOWN
    assert watch.see(frames[1], 1) is PictureState.OK


def test_one_dark_keyframe_raises_nothing_a_covered_lens_does_and_it_recovers(frames: list[Frame]) -> None:
    watch = PictureWatch(LIMITS)
    seen = [watch.see(frame, second) for second, frame in enumerate(frames[:10])]
    dark = frames[0] * 0
    seen.append(watch.see(dark, 10))
    seen += [watch.see(frame, 11 + second) for second, frame in enumerate(frames[10:16])]
    assert set(seen[1:]) == {PictureState.OK}
    covered = [watch.see(dark, 17 + second) for second in range(6)]
    assert covered[-1] is PictureState.BLACK
    assert covered.index(PictureState.BLACK) <= 4
    recovered = [watch.see(frame, 23 + second) for second, frame in enumerate(frames[16:24])]
    assert recovered[-1] is PictureState.OK


def test_a_moved_camera_is_told_only_against_the_approved_picture(frames: list[Frame]) -> None:
    moved = [np.asarray(np.roll(frame, 40, axis=1), dtype=np.uint8) for frame in frames]
    alone, compared = PictureWatch(LIMITS), PictureWatch(LIMITS, frames[0])
    for second, frame in enumerate(moved[:15]):
        alone.see(frame, second)
        compared.see(frame, second)
    assert alone.state is PictureState.OK
    assert compared.state is PictureState.MOVED
    assert compared.measures is not None and compared.measures.shift is not None
    assert compared.measures.shift == pytest.approx(40 / 640, abs=0.01)


def test_the_same_bytes_for_long_are_frozen_and_any_change_ends_it(frames: list[Frame]) -> None:
    watch = PictureWatch(LIMITS)
    states = [watch.see(frames[0], second) for second in range(15)]
    assert states[9] is PictureState.OK
    assert states[-1] is PictureState.FROZEN
    assert [watch.see(frame, 15 + second) for second, frame in enumerate(frames[1:4])][-1] is PictureState.OK


def test_hardly_any_change_for_a_minute_is_a_remark(frames: list[Frame]) -> None:
    watch = PictureWatch(LIMITS)
    blink = frames[0].copy()
    blink[0, 0] = 255 - blink[0, 0]
    for second in range(70):
        watch.see((frames[0], blink)[second % 2], second)
    assert watch.almost_still
    assert watch.state is PictureState.OK
    watch.see(frames[20], 70)
    assert not watch.almost_still
