"""The synthetic cameras' pictures."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from exam_kit.cctv.synthetic_figures import text_patch
from exam_kit.cctv.synthetic_scene import Scene
from exam_kit.cctv.synthetic_stream import CameraPlan, SyntheticCamera

ZONES = ["room", "corridor", "entrance", "headquarters"]
SHARED = {"region": "77", "point": "0001", "timezone": "Asia/Yekaterinburg", "width": 320, "height": 180}
CAMERA = {"id": "R1-1", "room": "0001", "zone": "room"}


@pytest.mark.parametrize("zone", ZONES)
def test_redrawing_only_what_moves_leaves_no_trail(zone: str) -> None:
    walked, fresh = (Scene(zone, "A", "Регион 77", 640, 360) for _ in range(2))
    for step in range(300):
        walked.draw(step / 10, f"10:00:{step // 10:02d}")
    assert np.array_equal(walked.draw(30.0, "10:00:30").data, fresh.draw(30.0, "10:00:30").data)


@pytest.mark.parametrize("zone", ZONES)
def test_somebody_always_moves(zone: str) -> None:
    scene = Scene(zone, "A", "Регион 77", 640, 360)
    before = scene.draw(50.0, "").data.copy()
    assert not np.array_equal(before, scene.draw(52.0, "").data)


def test_places_differ_from_each_other_and_are_the_same_again() -> None:
    seen = {zone: Scene(zone, "A", "", 320, 180).draw(1.0, "").data.tobytes() for zone in ZONES}
    assert len(set(seen.values())) == len(ZONES)
    assert Scene("room", "A", "", 320, 180).draw(1.0, "").data.tobytes() == seen["room"]


@pytest.mark.parametrize("letters", ["Ж", "щ", "ё", "№", "ķ", "Ā", "·"])
def test_captions_draw_the_letter_and_not_a_question_mark(letters: str) -> None:
    assert not np.array_equal(text_patch(letters, 40), text_patch("?", 40))


def test_the_caption_says_where_in_the_points_language() -> None:
    assert CameraPlan.of(CAMERA, SHARED).caption == "Регион 77 · ППЭ 0001 · аудитория 0001 · R1-1"
    latvian = CameraPlan.of(CAMERA, {**SHARED, "language": "lv"})
    assert latvian.caption == "Reģions 77 · PES 0001 · auditorija 0001 · R1-1"
    assert "Кабинет физики" in CameraPlan.of({**CAMERA, "label": "Кабинет физики"}, SHARED).caption


@pytest.mark.parametrize("wrong", [{"width": 10}, {"height": 181}, {"fps": 0}, {"width": 99999}])
def test_sizes_that_cannot_be_encoded_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot be made"):
        CameraPlan.of(CAMERA, {**SHARED, **wrong})


def test_a_keyframe_a_second_and_tables_before_every_frame() -> None:
    camera = SyntheticCamera(CameraPlan.of(CAMERA, SHARED))
    wall = datetime(2026, 5, 28, 5, 0, tzinfo=UTC)
    pieces = [piece for n in range(25) for piece in camera.frame(n, 0.0, wall, keyframe=n == 3)]
    assert [n for n, piece in enumerate(pieces) if piece.keyframe] == [0, 3, 13, 23]
    assert all(len(piece.data) % 188 == 0 and piece.data[0] == 0x47 for piece in pieces)
    assert all(b"\x47\x40\x00" in piece.data[: 188 * 3] for piece in pieces)
