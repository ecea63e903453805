"""Cameras that speak RTSP in every way cameras do: real server, real network, real files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from exam_kit.cctv.opening import open_input
from exam_kit.cctv.picture import SHIPPED, Thresholds
from exam_kit.cctv.probe import CameraFacts, look_both
from exam_kit.cctv.source import Source, SourceFault
from tests.cctv_fixtures import PASSWORD, USER, RtspServer, needs_rtsp
from tests.cctv_take import Take
from tests.rtsp_mute import mute

pytestmark = [needs_rtsp, pytest.mark.rtsp]

FRAME_S = 0.1


def assert_nothing_is_missing(take: Take) -> None:
    """Files follow each other without a gap, and in each one frame follows the other."""
    closed = take.said("closed")
    for before, after in pairwise(closed):
        assert after["from"] == before["to"]
    for film in take.films:
        assert all(later - earlier == pytest.approx(FRAME_S, abs=0.03) for earlier, later in pairwise(film.frames))


@pytest.mark.parametrize(("codec", "sign_in", "tag"), [("h265", "digest", "hvc1"), ("mjpeg", "basic", "mp4v")])
def test_every_codec_and_sign_in_is_recorded(codec: str, sign_in: str, tag: str, tmp_path: Path) -> None:
    with (
        RtspServer(["a"], codec=codec, sign_in=sign_in) as server,
        Take(tmp_path, Source("HQ-1", server.url("a"), USER), PASSWORD) as take,
    ):
        take.until("closed", 2)
    assert take.said("fault") == []
    assert {(film.tag, film.width, film.height) for film in take.films} == {(tag, 320, 240)}
    assert_nothing_is_missing(take)


def test_a_camera_with_udp_only_is_found_by_auto_and_named_by_tcp(tmp_path: Path) -> None:
    with RtspServer(["a"], transport="udp") as server:
        with pytest.raises(SourceFault) as caught:
            open_input(Source("HQ-1", server.url("a"), USER, "tcp"), PASSWORD)
        assert (caught.value.cause, caught.value.way) == ("refused", "transport")
        assert 'transport = "auto"' in caught.value.text("en")
        with Take(tmp_path, Source("HQ-1", server.url("a"), USER, "auto"), PASSWORD) as take:
            take.until("closed", 2)
    assert take.said("fault") == []
    assert_nothing_is_missing(take)


def test_a_camera_that_sends_nothing_over_tcp_is_recorded_over_udp(tmp_path: Path) -> None:
    with RtspServer(["a"]) as server, mute(server.port) as port:
        url = server.url("a").replace(str(server.port), str(port))
        with Take(tmp_path, Source("HQ-1", url, USER, "auto"), PASSWORD) as take:
            take.until("closed")
    assert take.said("fault") == []
    assert_nothing_is_missing(take)


def test_lost_packets_damage_pictures_and_stop_nothing(tmp_path: Path) -> None:
    with (
        RtspServer(["a"], loss=0.1) as server,
        Take(tmp_path, Source("HQ-1", server.url("a"), USER, "udp"), PASSWORD) as take,
    ):
        take.until("closed", 3)
    assert take.said("fault") == []
    assert all(isinstance(event["damaged"], bool) for event in take.said("opened"))
    assert sum(len(film.frames) for film in take.films) >= 15
    for before, after in pairwise(take.said("closed")):
        assert after["from"] == before["to"]


@pytest.mark.parametrize(("sound", "facts"), [("alaw", "pcm_alaw → aac"), ("aac", "aac")])
def test_sound_goes_with_the_picture_over_every_cut(sound: str, facts: str, tmp_path: Path) -> None:
    with (
        RtspServer(["a"], sound=sound) as server,
        Take(tmp_path, Source("HQ-1", server.url("a"), USER, sound=True), PASSWORD) as take,
    ):
        take.until("closed", 3)
    assert take.said("connected")[0]["sound"] == facts
    assert_nothing_is_missing(take)
    films = take.films[:3]  # the last one was stopped in the middle
    frame_s = films[0].sound[1][1] - films[0].sound[1][0]
    for film in films[1:]:
        assert film.sound[0][0] < 1.5 * frame_s, "sound begins with the picture"
        assert film.sound[-1][1] == pytest.approx(film.ends, abs=1.5 * frame_s), "and ends with it"
    # A file's first packet is shown from the file's beginning on, whatever its time: the others stand in one row.
    offset, before = 0.0, None
    for film in films:
        row = [offset + begins for begins, _ends in film.sound[1:]]
        assert all(later - earlier == pytest.approx(frame_s, abs=0.03) for earlier, later in pairwise(row))
        if before is not None:
            assert row[0] - before == pytest.approx(2 * frame_s, abs=0.03), "no gap at the cut"
        before, offset = row[-1], offset + film.ends


def test_sound_that_stops_leaves_the_picture_alone(tmp_path: Path) -> None:
    with (
        RtspServer(["a"], sound="short") as server,
        Take(tmp_path, Source("HQ-1", server.url("a"), USER, sound=True), PASSWORD) as take,
    ):
        take.until("closed", 4)
    assert take.said("fault") == []
    assert_nothing_is_missing(take)
    assert take.films[0].sound and not take.films[3].sound


def test_sound_without_a_picture_is_no_recording(tmp_path: Path) -> None:
    """An encoder that hangs: the connection lives on its sound, and nobody must take that for footage."""
    with (
        RtspServer(["a"], sound="alaw", frames=25) as server,
        Take(tmp_path, Source("HQ-1", server.url("a"), USER, sound=True), PASSWORD) as take,
    ):
        take.until("opened")
        (fault, *_more) = take.until("fault")
    assert fault["cause"] == "stream_stalled"
    assert fault["detail"] == "it sends sound and no picture"
    assert sum(len(film.frames) for film in take.films) >= 20


def test_both_streams_of_a_camera_are_looked_at_together() -> None:
    limits = Thresholds.from_mapping(SHIPPED)
    with RtspServer(["main", "sub"], sound="alaw") as server:
        main, sub = (Source("HQ-1", server.url(name), USER) for name in ("main", "sub"))
        both = look_both(main, sub, PASSWORD, timeout_s=20, thresholds=limits)
        gone = look_both(main, Source("HQ-1", server.url("none"), USER), PASSWORD, timeout_s=20, thresholds=limits)
    for facts in (*both, gone[0]):
        assert isinstance(facts, CameraFacts)
        assert (facts.width, facts.sound) == (320, True)
    assert isinstance(gone[1], SourceFault) and gone[1].cause == "refused"


def test_sound_that_is_not_wanted_is_not_even_fetched(tmp_path: Path) -> None:
    with RtspServer(["a"], sound="alaw") as server:
        container = open_input(Source("HQ-1", server.url("a"), USER), PASSWORD)
        assert [stream.type for stream in container.streams] == ["video"]
        container.close()


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_another_picture_size_begins_a_file_and_loses_no_frame(codec: str, tmp_path: Path) -> None:
    with (
        RtspServer(["a"], codec=codec) as server,
        Take(tmp_path, Source("HQ-1", server.url("a"), USER), PASSWORD) as take,
    ):
        take.until("closed")
        server.resize(480, 360)
        take.until("closed", 4)
    assert take.said("fault") == []
    assert "stream_changed" in [event["reason"] for event in take.said("closed")]
    assert {(film.width, film.height) for film in take.films} == {(320, 240), (480, 360)}
    assert_nothing_is_missing(take)
