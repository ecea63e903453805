"""The walk test: what moves, and what only seems to."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from exam_kit.cctv.picture import SHIPPED, Frame, Thresholds
from exam_kit.cctv.picture_watch import PictureWatch
from exam_kit.cctv.status import CameraStatus
from exam_kit.cctv.synthetic_scene import Scene
from exam_kit.cctv.walk import finish_walk, latest_walk, settle_walk, start_walk, walked_cameras
from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, UsageError
from exam_kit.store import Account, Ledger, Role, Store

ANNA = Account("anna", "Альфа Образцова", Role.SPECIALIST, "технический специалист", "ru")
DENIS = Account("denis", "Дельта Образцов", Role.REGIONAL_ADMIN, "администратор РЦОИ", "ru")
LIMITS = Thresholds.from_mapping(SHIPPED)


def _scene(seconds: int, *, moving: bool, noise: float = 0.0, light: float = 1.0) -> list[Frame]:
    """A drawn corridor; not moving, it is one old picture with a clock that runs on."""
    scene = Scene("corridor", "COR1-1", "Регион 77", 640, 360)
    chance = np.random.default_rng(3)
    frames = []
    for second in range(seconds):
        at = float(second) if moving else 4.0
        data = scene.draw(at, f"28.05.2026 10:00:{second:02d}").data
        frame = cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420).astype(np.float32)
        lit = frame * (light if second > seconds // 2 else 1.0) + chance.normal(0, noise, frame.shape)
        frames.append(np.asarray(np.clip(lit, 0, 255), dtype=np.uint8))
    return frames


@pytest.mark.parametrize(
    ("told", "moving", "noise", "light", "expected"),
    [
        ("somebody walks", True, 0.0, 1.0, True),
        ("somebody walks in a noisy picture", True, 6.0, 1.0, True),
        ("an old picture, the clock runs", False, 0.0, 1.0, False),
        ("an old picture, re-encoded with noise", False, 6.0, 1.0, False),
        ("an old picture made darker", False, 3.0, 0.7, False),
    ],
)
def test_only_a_living_picture_moves(told: str, moving: bool, noise: float, light: float, expected: bool) -> None:
    watch = PictureWatch(LIMITS)
    seen = []
    for second, frame in enumerate(_scene(20, moving=moving, noise=noise, light=light)):
        watch.see(frame, second)
        seen.append(watch.moving)
    assert any(seen) is expected, told


def _statuses(clock: FakeClock, *moved: str) -> dict[str, CameraStatus]:
    return {name: CameraStatus(name, motion_at=clock.now() if name in moved else None) for name in ("R1-1", "R2-1")}


def test_it_ends_by_itself_when_every_camera_saw_somebody(store: Store, ledger: Ledger, clock: FakeClock) -> None:
    start_walk(ledger, ANNA, ["R1-1", "R2-1"], 60)
    clock.advance(20)
    settle_walk(ledger, _statuses(clock, "R1-1"), clock.now())
    going = latest_walk(store)
    assert going is not None
    assert going.finished_at is None
    assert set(going.seen(_statuses(clock, "R1-1"))) == {"R1-1"}
    settle_walk(ledger, _statuses(clock, "R1-1", "R2-1"), clock.now())
    assert walked_cameras(store) == {name: (clock.now(), True) for name in ("R1-1", "R2-1")}


def test_who_saw_nobody_in_time_has_failed(store: Store, ledger: Ledger, clock: FakeClock) -> None:
    start_walk(ledger, ANNA, ["R1-1", "R2-1"], 60)
    clock.advance(30)
    statuses = _statuses(clock, "R1-1")
    clock.advance(91)
    settle_walk(ledger, statuses, clock.now())
    assert {name: moved for name, (_at, moved) in walked_cameras(store).items()} == {"R1-1": True, "R2-1": False}


def test_movement_before_it_began_proves_nothing(store: Store, ledger: Ledger, clock: FakeClock) -> None:
    before = _statuses(clock, "R1-1", "R2-1")
    clock.advance(1)
    walk = start_walk(ledger, ANNA, ["R1-1", "R2-1"], 60)
    assert walk.seen(before) == {}


def test_a_result_stands_once(store: Store, ledger: Ledger, clock: FakeClock) -> None:
    walk = start_walk(ledger, ANNA, ["R1-1"], 60)
    for _time in range(2):
        finish_walk(ledger, walk, {}, "anna")
    assert len(list(ledger.entries(("walk.finished",)))) == 1
    assert start_walk(ledger, ANNA, ["R2-1"], 60).cameras == ("R2-1",)


def test_who_may_begin_and_when(store: Store, ledger: Ledger) -> None:
    with pytest.raises(AccessDenied):
        start_walk(ledger, DENIS, ["R1-1"], 60)
    with pytest.raises(UsageError):
        start_walk(ledger, ANNA, [], 60)
    start_walk(ledger, ANNA, ["R1-1"], 60)
    with pytest.raises(UsageError):
        start_walk(ledger, ANNA, ["R1-1"], 60)
    assert latest_walk(store) is not None
