"""JPEG cameras by HTTP, devices that are compressed here, and folders of films: real servers, real files."""

from __future__ import annotations

import traceback
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest

from exam_kit.cctv import opening
from exam_kit.cctv.devices import Device
from exam_kit.cctv.opening import open_input
from exam_kit.cctv.source import Encode, Source, SourceFault
from tests.cctv_fixtures import PASSWORD, USER, make_clip
from tests.cctv_take import Take
from tests.http_camera import HttpCamera

LIMITS = Encode(320, 240, 10, "ultrafast", 1_000_000)


def assert_files_follow_each_other(take: Take) -> None:
    for before, after in pairwise(take.said("closed")):
        assert after["from"] == before["to"]


@pytest.mark.parametrize(
    ("sign_in", "lengths", "boundary"), [("basic", True, '"--my boundary"'), ("digest", False, "--frame")]
)
def test_jpeg_by_http_is_kept_as_it_comes(
    sign_in: Literal["basic", "digest"], lengths: bool, boundary: str, tmp_path: Path
) -> None:
    with (
        HttpCamera(user=USER, password=PASSWORD, sign_in=sign_in, lengths=lengths, boundary=boundary) as camera,
        Take(tmp_path, Source("HQ-1", camera.url, USER), PASSWORD) as take,
    ):
        take.until("closed")
        camera.size = (480, 360)
        take.until("closed", 3)
    assert take.said("fault") == []
    assert {(film.codec, film.width) for film in take.films} == {("mjpeg", 320), ("mjpeg", 480)}
    assert "stream_changed" in [event["reason"] for event in take.said("closed")]
    assert_files_follow_each_other(take)
    recorded = sum(len(film.frames) for film in take.films)
    assert camera.sent - 12 <= recorded <= camera.sent, "what was sent before and after is not in the files"


@pytest.mark.parametrize(
    ("password", "path", "cause"), [("wr0ng/@:пароль", "", "unauthorised"), (PASSWORD, "/nowhere", "refused")]
)
def test_what_an_http_camera_refuses_is_named(password: str, path: str, cause: str) -> None:
    with HttpCamera(user=USER, password=PASSWORD, sign_in="digest") as camera, pytest.raises(SourceFault) as caught:
        open_input(Source("HQ-1", camera.url + path, USER), password, open_timeout_s=3)
    assert caught.value.cause == cause
    said = "".join(traceback.format_exception(caught.value)) + caught.value.text("ru")
    assert password not in said and quote(password, safe="") not in said


def test_jpeg_by_http_is_compressed_once_where_that_is_wanted(tmp_path: Path) -> None:
    with HttpCamera() as camera, Take(tmp_path, Source("HQ-1", camera.url, encode=LIMITS)) as take:
        take.until("closed", 2)
    assert take.said("connected")[0]["codec"] == "mjpeg → h264"
    assert {(film.codec, film.width, film.height) for film in take.films} == {("h264", 320, 240)}
    assert_files_follow_each_other(take)


def test_a_silent_http_camera_stalls(tmp_path: Path) -> None:
    with HttpCamera() as camera, Take(tmp_path, Source("HQ-1", camera.url)) as take:
        take.until("opened")
        camera.stalled = True
        assert take.until("fault")[0]["cause"] == "stream_stalled"


@pytest.fixture
def pictures_instead_of_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """No camera is plugged in here: FFmpeg draws the pictures that one would send, at their own pace."""
    drawn = Device("lavfi", "testsrc2=size=640x480:rate=30,realtime")
    monkeypatch.setattr(opening, "device_of", lambda _url: drawn)


@pytest.mark.usefixtures("pictures_instead_of_a_device")
def test_raw_pictures_are_compressed_once_within_the_limits(tmp_path: Path) -> None:
    with Take(tmp_path, Source("HQ-1", "usb:///dev/video0", encode=LIMITS)) as take:
        take.until("closed", 3)
    assert take.said("fault") == []
    assert_files_follow_each_other(take)
    films = take.films[:3]
    assert {(film.codec, film.width, film.height) for film in films} == {("h264", 320, 240)}
    assert [len(film.frames) for film in films] == pytest.approx([10, 10, 10], abs=1), "30 a second come, 10 are kept"


@pytest.mark.parametrize("url", ["usb:///dev/video-none", "usb:///Webcam"])
def test_a_device_that_is_not_there_is_named(url: str) -> None:
    with pytest.raises(SourceFault) as caught:
        open_input(Source("HQ-1", url, encode=LIMITS), None)
    assert caught.value.way == "device"
    assert "plugged in" in caught.value.text("en")


def test_a_folder_plays_its_films_in_order_and_again(tmp_path: Path) -> None:
    folder = tmp_path / "плёнки 1#"
    folder.mkdir()
    make_clip(folder / "b.mp4", seconds=1, width=480, height=360)
    make_clip(folder / "a.mov", seconds=1, sound="pcm_mulaw")
    (folder / "notes.txt").write_text("no film")
    with Take(tmp_path, Source("HQ-1", f"{folder.as_uri()}?loop=1", sound=True), segment_s=60) as take:
        take.until("closed", 3)
    closed = take.said("closed")
    assert [film.width for film in take.films[:3]] == [320, 480, 320]
    assert [event["reason"] for event in closed[:3]] == ["stream_changed"] * 3
    assert [len(film.frames) for film in take.films[:3]] == [10, 10, 10]
    assert take.said("fault") == []
    assert_files_follow_each_other(take)
    assert take.films[0].sound and not any(begins > 1.0 for begins, _ends in take.films[0].sound)


def test_a_folder_plays_in_its_own_time_and_ends(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    make_clip(folder / "a.mp4", seconds=1)
    with Take(tmp_path, Source("HQ-1", folder.as_uri())) as take:
        fault: dict[str, Any] = take.until("fault")[0]
    assert fault["cause"] == "stream_ended"
    assert len(take.films[0].frames) == 10


def test_a_folder_without_films_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceFault) as caught:
        open_input(Source("HQ-1", tmp_path.as_uri()), None)
    assert (caught.value.cause, caught.value.detail) == ("refused", "the folder holds no films")
