"""Approved pictures: who may approve, what is kept, and when one no longer counts."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta

import cv2
import numpy as np
import pytest

from exam_kit.cctv.picture import SHIPPED, Frame, PictureState, Thresholds
from exam_kit.cctv.references import Candidate, ReferenceState, approve, approved, candidate, reference_state
from exam_kit.cctv.status import CameraStatus
from exam_kit.cctv.studio import Look, Sitter
from exam_kit.cctv.synthetic_scene import Scene
from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, UsageError
from exam_kit.home import Home
from exam_kit.store import Account, Ledger, Role, Store

LIMITS = Thresholds.from_mapping(SHIPPED)
ANNA = Account("anna", "Альфа Образцова", Role.SPECIALIST, "технический специалист", "ru")
GALINA = Account("galina", "Гамма Образцова", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
RECORDING = CameraStatus("R1-1", state="recording", width=1280, height=720)
SIZE = (1280, 720)


def _drawn(zone: str = "room") -> Frame:
    scene = Scene(zone, "R1-1", "Регион 77 · ППЭ 0001 · Аудитория 0001", 640, 360)
    data = scene.draw(3.0, "28.05.2026 10:00:03").data
    return np.asarray(cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)


def _jpeg(frame: Frame) -> bytes:
    _done, data = cv2.imencode(".jpg", frame)
    return data.tobytes()


def _live(home: Home, clock: FakeClock, frame: Frame, age_s: float = 1.0) -> None:
    path = home.live / "R1-1.jpg"
    path.write_bytes(_jpeg(frame))
    at = clock.now().timestamp() - age_s
    os.utime(path, (at, at))


def test_a_picture_is_taken_looked_at_and_approved(home: Home, store: Store, ledger: Ledger, clock: FakeClock) -> None:
    _live(home, clock, _drawn())
    taken = candidate(home, RECORDING, LIMITS, clock.now())
    assert taken.state is PictureState.OK
    assert taken.caption
    assert approve(ledger, home, ANNA, [taken]) == ["R1-1"]
    kept = approved(store)["R1-1"]
    assert (kept.actor, kept.width, kept.height, kept.at) == ("anna", 1280, 720, clock.now())
    assert kept.sha256 == hashlib.sha256(taken.jpeg).hexdigest()
    assert (home.references / "kept" / f"{kept.sha256}.jpg").read_bytes() == taken.jpeg
    assert reference_state(home, kept, clock.now(), 2, SIZE) is ReferenceState.GOOD


def test_an_earlier_picture_is_kept(home: Home, store: Store, ledger: Ledger, clock: FakeClock) -> None:
    pictures = [
        Candidate("R1-1", _jpeg(_drawn(zone)), *SIZE, clock.now(), PictureState.OK, caption=True)
        for zone in ("room", "corridor")
    ]
    for one in pictures:
        approve(ledger, home, ANNA, [one])
    assert approved(store)["R1-1"].sha256 == pictures[1].sha256
    assert {path.stem for path in (home.references / "kept").iterdir()} == {one.sha256 for one in pictures}
    assert len(list(ledger.entries(("reference.approved",)))) == 2


def test_it_counts_only_while_it_is_the_one_that_was_approved(
    home: Home, store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    assert reference_state(home, None, clock.now(), 2, SIZE) is ReferenceState.MISSING
    one = Candidate("R1-1", _jpeg(_drawn()), *SIZE, clock.now(), PictureState.OK, caption=True)
    approve(ledger, home, ANNA, [one])
    kept = approved(store)["R1-1"]
    assert reference_state(home, kept, clock.now(), 2, (1920, 1080)) is ReferenceState.RESIZED
    assert reference_state(home, kept, clock.now() + timedelta(days=2.1), 2, SIZE) is ReferenceState.OLD
    path = home.references / "R1-1.jpg"
    path.write_bytes(_jpeg(_drawn("corridor")))
    assert reference_state(home, kept, clock.now(), 2, SIZE) is ReferenceState.ALTERED
    path.unlink()
    assert reference_state(home, kept, clock.now(), 2, SIZE) is ReferenceState.ALTERED


def test_who_neither_runs_nor_confirms_checks_approves_nothing(
    home: Home, store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    one = Candidate("R1-1", _jpeg(_drawn()), *SIZE, clock.now(), PictureState.OK, caption=True)
    with pytest.raises(AccessDenied):
        approve(ledger, home, GALINA, [one])
    assert not approved(store)
    assert not (home.references / "R1-1.jpg").exists()


def test_an_old_or_missing_live_picture_cannot_be_approved(home: Home, clock: FakeClock) -> None:
    with pytest.raises(UsageError):
        candidate(home, RECORDING, LIMITS, clock.now())
    _live(home, clock, _drawn(), age_s=60)
    with pytest.raises(UsageError):
        candidate(home, RECORDING, LIMITS, clock.now())
    _live(home, clock, _drawn())
    with pytest.raises(UsageError):
        candidate(home, CameraStatus("R1-1", state="lost"), LIMITS, clock.now())


def test_a_covered_lens_is_shown_as_covered(home: Home, clock: FakeClock) -> None:
    _live(home, clock, np.full((360, 640, 3), 60, dtype=np.uint8))
    assert candidate(home, RECORDING, LIMITS, clock.now()).state is PictureState.COVERED


def test_a_recording_camera_takes_up_a_picture_approved_meanwhile(home: Home) -> None:
    path = home.references / "R1-1.jpg"
    sitter = Sitter(home.live / "R1-1.jpg", "h264", None, SHIPPED, path)
    look, corridor = Look(b"", judge=True, show=False), _drawn("corridor")
    for _keyframe in range(12):
        sitter.see(corridor, look)
    assert sitter.state is PictureState.OK
    path.write_bytes(_jpeg(_drawn()))
    for _keyframe in range(12):
        sitter.see(corridor, look)
    assert sitter.state not in (PictureState.OK, PictureState.UNKNOWN)
