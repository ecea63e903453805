"""The camera checks on cameras that really send, and on some that do not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exam_kit.checks import CheckContext, Reason, Result, Run, State, load_profile, run_checks
from exam_kit.home import Home, kit_root
from exam_kit.point import Point, Secrets
from exam_kit.store import Store

CAMERA_CHECKS = ["camera-answers", "camera-picture", "camera-resolution", "camera-frame-rate", "camera-bitrate"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a synthetic camera server with three cameras."""
    places = {"HQ-1": ("7777", "headquarters"), "R1-1": ("0001", "room"), "COR1-1": ("COR1", "corridor")}
    config = tmp_path_factory.mktemp("cameras") / "cameras.json"
    cameras = [{"id": name, "room": room, "zone": zone, "label": room} for name, (room, zone) in places.items()]
    settings = {"region": "77", "point": "0001", "timezone": "Europe/Moscow", "fps": 10, "width": 1280, "height": 720}
    config.write_text(json.dumps({**settings, "cameras": cameras}), encoding="utf-8")
    argv = [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(config), "--port", "0"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=kit_root()) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield json.loads(server.stdout.readline())["port"]
        server.stdin.close()
        server.wait(20)


def _at(point: Point, port: int) -> Point:
    cameras = tuple(
        camera.model_copy(update={"url": f"http://127.0.0.1:{port}/cameras/{camera.id}.ts"})
        if camera.id != "ENTR-1"
        else camera
        for camera in point.cameras
    )
    return point.model_copy(update={"cameras": cameras})


@pytest.fixture
def context(point: Point, home: Home, store: Store) -> CheckContext:
    return CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0])


def by_key(run: Run) -> dict[tuple[str, str], Result]:
    return {result.key: result for result in run.results}


def test_living_cameras_and_a_dead_one(context: CheckContext, home: Home, served: int) -> None:
    run = run_checks(
        load_profile("demo", home),
        context._replace(point=_at(context.point, served)),
        only=[*CAMERA_CHECKS, "camera-network"],
    )
    found = by_key(run)
    for camera in ("HQ-1", "R1-1", "COR1-1"):
        states = {check: found[check, camera].state for check in CAMERA_CHECKS}
        assert states == dict.fromkeys(CAMERA_CHECKS, State.OK), found["camera-picture", camera].fact
        assert found["camera-resolution", camera].fact.values == {"width": 1280, "height": 720}
    dead = found["camera-answers", "ENTR-1"]
    assert (dead.state, dead.fact.values["answers"], dead.fact.values["cause"]) == (State.FAIL, False, "refused")
    for check in CAMERA_CHECKS[1:]:
        assert found[check, "ENTR-1"].state is State.UNKNOWN, check
    assert found["camera-network", ""].state is State.OK


def test_one_look_serves_all_checks_of_a_camera(context: CheckContext, home: Home, served: int) -> None:
    camera = _at(context.point, served).cameras[0]
    here = context._replace(point=context.point.model_copy(update={"cameras": (camera,)}))
    found = by_key(run_checks(load_profile("demo", home), here, only=CAMERA_CHECKS))
    ended = {check: found[check, "HQ-1"].elapsed_s for check in CAMERA_CHECKS}
    assert max(ended.values()) - min(ended.values()) < 0.5, ended


@pytest.mark.parametrize(
    ("url", "state", "reason"),
    [
        ("rtsp://127.0.0.1:9/main", State.FAIL, None),
        ("http://127.0.0.1:9/main.ts", State.FAIL, None),
        ("http://no-such-camera.invalid/main.ts", State.UNKNOWN, Reason.ERROR),  # is it the camera, or the network?
    ],
)
def test_dead_addresses(context: CheckContext, home: Home, url: str, state: State, reason: Reason | None) -> None:
    camera = context.point.cameras[0].model_copy(update={"url": url})
    here = context._replace(point=context.point.model_copy(update={"cameras": (camera,)}))
    found = by_key(run_checks(load_profile("demo", home), here, only=["camera-answers", "camera-picture"]))
    assert (found["camera-answers", "HQ-1"].state, found["camera-answers", "HQ-1"].fact.reason) == (state, reason)
    assert found["camera-picture", "HQ-1"].state is State.UNKNOWN


def test_a_file_that_is_no_video(context: CheckContext, home: Home, tmp_path: Path) -> None:
    (tmp_path / "notes.ts").write_text("not a video")
    camera = context.point.cameras[0].model_copy(update={"url": (tmp_path / "notes.ts").as_uri()})
    here = context._replace(point=context.point.model_copy(update={"cameras": (camera,)}))
    found = by_key(run_checks(load_profile("demo", home), here, only=["camera-answers", "camera-picture"]))
    assert {result.state for result in found.values() if result.fact.reason is not Reason.NOT_RUN} <= {
        State.FAIL,
        State.UNKNOWN,
    }


def test_a_point_without_cameras(context: CheckContext, home: Home) -> None:
    here = context._replace(point=context.point.model_copy(update={"cameras": ()}))
    found = by_key(run_checks(load_profile("demo", home), here, only=CAMERA_CHECKS))
    for check in CAMERA_CHECKS:
        assert (found[check, ""].state, found[check, ""].fact.reason) == (State.SKIP, Reason.NO_CAMERAS)


def test_sound_that_is_not_asked_for(context: CheckContext, home: Home) -> None:
    found = by_key(run_checks(load_profile("ege", home), context, only=["camera-sound"]))
    assert found["camera-sound", "HQ-1"].fact.reason is Reason.NOT_REQUIRED
