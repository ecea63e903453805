"""`exam-kit camera`: cameras found, asked, and their clocks set; and the check of a camera's clock by ONVIF."""

from __future__ import annotations

import io
import json
import re
import socket
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from exam_kit.checks import Reason, Result, State, run_checks
from exam_kit.checks.profile import read_profile
from exam_kit.checks.site import CheckContext
from exam_kit.cli import main
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Camera, Point, Secrets
from exam_kit.store import Store
from tests.onvif_simulator import PASSWORD, USER, Simulator, free_port
from tests.unit.test_onvif_agent import with_onvif

Typed = Callable[[str], None]

TEXTS = '{ ru = "т", en = "t", lv = "t" }'
DEMO = files("exam_kit.checks.profiles").joinpath("demo.toml").read_text(encoding="utf-8")
PROFILE = f"""
season = "t"
valid_from = 2026-01-01
source = "t"
budget_s = 60
title = {TEXTS}
{DEMO[DEMO.index("[picture]") : DEMO.index("[keep]")]}
[[checks]]
id = "it"
probe = "camera.clock"
severity = "major"
timeout_s = 10
expect.fail = [{{ of = "offset", above = 60 }}]
expect.warn = [{{ of = "offset", above = 5 }}]
title = {TEXTS}
fix = {TEXTS}
"""


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    return lambda line: monkeypatch.setattr("sys.stdin", io.StringIO(f"{line}\n"))


@pytest.fixture
def camera() -> Iterator[Simulator]:
    port = free_port(socket.SOCK_DGRAM)
    with Simulator(97, ntp=True, discovery_port=port) as running:
        yield running


@pytest.fixture
def point_home(home: Home, camera: Simulator, monkeypatch: pytest.MonkeyPatch, typed: Typed) -> Home:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    home.point_file.write_text(with_onvif(camera.url), encoding="utf-8")
    typed(PASSWORD)
    assert main(["camera", "password", "R1-1"]) == 0
    return home


def test_found_cameras_are_printed_as_lines_ready_for_the_point(
    point_home: Home, camera: Simulator, typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(PASSWORD)
    arguments = ["camera", "find", "--host", "127.0.0.1", "--port", str(camera.discovery_port), "--seconds", "1"]
    capsys.readouterr()
    assert main([*arguments, "--user", USER]) == 0
    printed = capsys.readouterr().out
    assert "1 camera answered." in printed
    assert PASSWORD not in printed
    lines = printed.partition("[[cameras]]")
    (found,) = tomllib.loads(lines[1] + lines[2])["cameras"]
    found["room"] = "0001"
    ready = Camera.model_validate(found)
    assert (ready.url, ready.onvif, ready.user) == ("rtsp://127.0.0.1:554/main", camera.url, USER)
    assert ready.bitrate_mbps == 4.096

    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["hardware"] == "SIM-2"


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    port = str(free_port(socket.SOCK_DGRAM))
    assert main(["--language", "en", "camera", "find", "--host", "127.0.0.1", "--port", port, "--seconds", "0.1"]) == 0
    assert capsys.readouterr().out.strip() == "0 cameras answered."
    assert main(["--language", "en", "camera", "find", "--interface", "203.0.113.5"]) == 2
    assert "203.0.113.5" in capsys.readouterr().err


def test_a_camera_is_asked_and_its_clock_set_on_an_order(
    point_home: Home, camera: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["camera", "info", "R1-1"]) == 0
    printed = capsys.readouterr().out
    for part in ("Simulated & Co", "SIM-2", "1.2.3 build 7", "NTP", "h264 1920×1080 25 fps"):
        assert part in printed
    assert re.search(r"\+9[67]\.\d s", printed)
    assert main(["camera", "clock", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["R1-1"]["offset_s"] == pytest.approx(97, abs=1)

    assert main(["camera", "clock", "R1-1", "--set", "--by", "head"]) == 2
    assert "why" in capsys.readouterr().err
    assert camera.skew_s == 97

    assert main(["camera", "clock", "R1-1", "--set", "--by", "head", "--why", "off by 97 s"]) == 0
    assert re.search(r"R1-1: set; it was off by \+9[67]\.\d s, now by [+-]0\.\d s", capsys.readouterr().out)
    assert abs(camera.skew_s) < 1


def test_an_exam_keeps_the_clock_as_it_is(
    point_home: Home, camera: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=30)
    local = began.astimezone(ZoneInfo("Europe/Moscow"))
    text = point_home.point_file.read_text(encoding="utf-8")
    text = text.replace("date = 2036-05-28", f"date = {local:%Y-%m-%d}").replace("10:00:00", f"{local:%H:%M:%S}")
    point_home.point_file.write_text(text, encoding="utf-8")
    calls = len(camera.calls)
    assert main(["camera", "clock", "R1-1", "--set", "--by", "head", "--why", "off by 97 s"]) == 2
    assert "not set during an exam" in capsys.readouterr().err
    assert len(camera.calls) == calls


def test_a_camera_without_an_address_says_where_it_comes_from(
    point_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["camera", "info", "HQ-1"]) != 0
    assert "exam-kit camera find" in capsys.readouterr().err
    assert main(["camera", "info", "NONE"]) == 2


class TestTheCheck:
    """`camera.clock` by the camera's own word."""

    @pytest.fixture
    def checked(self, point: Point, home: Home, store: Store, clock: FakeClock) -> Callable[[Simulator, str], Result]:
        def check(camera: Simulator, password: str = PASSWORD) -> Result:
            secrets = Secrets(home, file_only=True)
            one = point.cameras[0].model_copy(update={"onvif": camera.url, "user": USER})
            secrets.set(f"camera:{one.id}", password)
            only = point.model_copy(update={"cameras": (one,)})
            context = CheckContext(only, home, store, secrets, only.days[0], clock)
            (result,) = run_checks(read_profile(PROFILE, "t"), context).results
            return result

        return check

    @pytest.mark.parametrize(
        ("skew_s", "zone", "state"),
        [
            (0, "MSK-3", State.OK),
            (-20, "MSK-3", State.WARN),
            (97, "MSK-3", State.FAIL),
            (-86400, "MSK-3", State.FAIL),
            # The right UTC under a wrong zone: the time in the picture is an hour off.
            (0, "EET-2", State.FAIL),
        ],
    )
    def test_is_judged_by_what_the_camera_says(
        self, checked: Callable[..., Result], skew_s: float, zone: str, state: State
    ) -> None:
        with Simulator(skew_s, zone=zone) as camera:
            result = checked(camera)
        assert result.state is state
        assert result.fact.evidence["offset_s"] == pytest.approx(skew_s, abs=1)

    def test_needs_no_password_where_the_time_is_open(self, checked: Callable[..., Result]) -> None:
        with Simulator(97) as camera:
            assert checked(camera, "wrong").state is State.FAIL

    def test_a_refusal_is_unknown_and_no_password_is_told(self, checked: Callable[..., Result]) -> None:
        with Simulator(97, time_is_open=False) as camera:
            result = checked(camera, "wrong-one")
        assert (result.state, result.fact.reason) == (State.UNKNOWN, Reason.DENIED)
        assert "wrong-one" not in json.dumps(result.fact.evidence, default=str)

    def test_garbage_is_unknown(self, checked: Callable[..., Result]) -> None:
        with Simulator() as camera:
            camera.instead["GetSystemDateAndTime"] = lambda request: request.wfile.write(b"\xff\x00")  # type: ignore[assignment]
            result = checked(camera)
        assert (result.state, result.fact.reason) == (State.UNKNOWN, Reason.ERROR)
