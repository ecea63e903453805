"""What a source is made of: its description, its devices, its packets' order, sound and pictures made here."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from exam_kit.cctv import connection as connections
from exam_kit.cctv.connection import Arrival, Connection
from exam_kit.cctv.devices import Device, FoundDevice, device_of, dshow_devices, v4l2_devices
from exam_kit.cctv.encoder import Encoder, fitted
from exam_kit.cctv.names import Label
from exam_kit.cctv.packets import FINE, codec_parameters
from exam_kit.cctv.sound import sound_of
from exam_kit.cctv.source import Encode, Scrubber, Source, SourceFault
from exam_kit.cctv.sync import HOLD_S, in_step
from exam_kit.cctv.template import is_whole, read_head
from exam_kit.cctv.timeline import WallClock
from exam_kit.cctv.wire import CameraOrder, Timings, WorkerConfig
from exam_kit.cli import main
from exam_kit.errors import PointInvalid
from exam_kit.point import Camera, read_point
from tests.cctv_fixtures import make_clip
from tests.conftest import POINT_TOML
from tests.http_camera import picture

LIMITS = Encode(320, 240, 10, "ultrafast", 1_000_000)


def camera(**more: Any) -> Camera:
    return Camera(**{"id": "C1", "room": "0001", "url": "rtsp://h/main", "bitrate_mbps": 2, **more})


# ── What point.toml says


def test_footage_is_the_main_stream_and_live_pictures_may_take_the_smaller_one() -> None:
    both = camera(sub_url="rtsp://h/sub", sound=True, transport="auto")
    assert Source.of(both) == Source("C1", "rtsp://h/main", None, "auto", True)
    assert Source.of(both, "sub") == Source("C1", "rtsp://h/sub", None, "auto", False)
    assert Source.of(camera(), "sub").url == "rtsp://h/main"


def test_a_usb_camera_is_always_compressed_here_and_others_when_asked() -> None:
    assert Source.of(camera(url="usb:///dev/video0")).encode == Encode(1280, 720, 15, "veryfast", 2_000_000)
    assert Source.of(camera()).encode is None
    asked = Source.of(camera(url="http://h/video", encode={"max_width": 640, "fps": 5}))
    assert asked.encode == Encode(640, 720, 5, "veryfast", 2_000_000)
    assert asked.kind == "http"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('url = "usb://video0"', "with three strokes"),
        ('url = "usb:///"', "with three strokes"),
        ('sub_url = "rtsp://u:geheim@h/sub"', "a password may not stand in the address"),
        ('transport = "quic"', "transport: must be one of"),
        ("encode = { fps = 0 }", "encode.fps"),
        ("encode = { codec = 1 }", "codec: no such key"),
    ],
)
def test_mistakes_about_a_source_are_named(given: str, said: str) -> None:
    line = given if given.startswith("url") else f'{given}\nurl = "rtsp://127.0.0.1:9/hq"'
    text = POINT_TOML.replace('url = "rtsp://127.0.0.1:9/hq"', line, 1)
    with pytest.raises(PointInvalid) as caught:
        read_point(text)
    told = [detail.text("en") for detail in caught.value.details]
    assert any(said in one for one in told), told
    assert not any("geheim" in one for one in told)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (SourceFault("refused", "C1", "x", "device"), "подключено"),
        (SourceFault("refused", "C1", "x", "transport"), 'transport = "auto"'),
        (SourceFault("no_video", "C1", "x", "codec"), "H.265"),
    ],
)
def test_the_way_out_fits_the_kind_of_source(fault: SourceFault, said: str) -> None:
    assert said in fault.text("ru")
    assert fault.text("lv") != fault.text("en")


# ── Devices


@pytest.mark.parametrize(
    ("url", "device"),
    [
        ("usb:///dev/v4l/by-id/usb-046d_C920-index0", Device("v4l2", "/dev/v4l/by-id/usb-046d_C920-index0")),
        ("usb:///Integrated%20Camera", Device("dshow", "video=Integrated Camera")),
        ("usb:///%D0%9A%D0%B0%D0%BC%D0%B5%D1%80%D0%B0", Device("dshow", "video=Камера")),
        ("usb:///%40device_pnp_%5C%5C%3F%5Cusb%23vid", Device("dshow", "video=@device_pnp_\\\\?\\usb#vid")),
    ],
)
def test_an_address_names_a_device(url: str, device: Device) -> None:
    assert device_of(url) == device


def test_a_device_is_asked_for_less_and_less() -> None:
    linux = Device("v4l2", "/dev/video0").options(LIMITS)
    assert linux[0] == {"video_size": "320x240", "framerate": "10", "input_format": "mjpeg"}
    assert linux[-1] == {}
    windows = Device("dshow", "video=Webcam").options(LIMITS)
    assert (windows[0]["vcodec"], set(windows[-1])) == ("mjpeg", {"rtbufsize"})


def test_cameras_of_linux_are_listed_by_their_stable_path(tmp_path: Path) -> None:
    """As the kernel lays it out: two nodes for the first camera, one for the second, which has no stable name."""
    for node, name, index in (("video0", "HD Webcam C920", 0), ("video1", "HD Webcam C920", 1), ("video10", "Cam", 0)):
        folder = tmp_path / "class" / node
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(f"{index}\n")
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    for name, node in (("usb-046d_C920-video-index0", "video0"), ("usb-046d_C920-video-index1", "video1")):
        (tmp_path / node).touch()
        (by_id / name).symlink_to(tmp_path / node)
    assert v4l2_devices(tmp_path / "class", by_id) == [
        FoundDevice("HD Webcam C920", f"usb://{by_id.as_posix()}/usb-046d_C920-video-index0"),
        FoundDevice("Cam", "usb:///dev/video10"),
    ]
    assert v4l2_devices(tmp_path / "none", tmp_path / "none") == []


def test_cameras_of_windows_are_listed_and_twins_kept_apart() -> None:
    """The form in which FFmpeg lists DirectShow's devices: a unique name, the shown one, and what they give."""
    listed: Any = [
        SimpleNamespace(name="@device_pnp_\\\\?\\usb#1", description="Веб-камера", media_types=["video"]),
        SimpleNamespace(name="@device_pnp_\\\\?\\usb#2", description="USB Camera", media_types=["video"]),
        SimpleNamespace(name="@device_pnp_\\\\?\\usb#3", description="USB Camera", media_types=["video"]),
        SimpleNamespace(name="@device_cm_{33}", description="Mikrofon", media_types=["audio"]),
    ]
    found = dshow_devices(listed)
    assert [device.name for device in found] == ["Веб-камера", "USB Camera", "USB Camera"]
    assert [device_of(device.url).name for device in found] == [
        "video=Веб-камера",
        "video=@device_pnp_\\\\?\\usb#2",
        "video=@device_pnp_\\\\?\\usb#3",
    ]


def test_what_is_plugged_in_is_listed_ready_for_the_point(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[FoundDevice] = []
    monkeypatch.setattr("exam_kit.cli.camera.devices", lambda: found)
    assert main(["camera", "usb"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    found.append(FoundDevice("HD Webcam", "usb:///dev/video0"))
    assert main(["camera", "usb"]) == 0
    assert capsys.readouterr().out.splitlines() == ["# HD Webcam", 'url = "usb:///dev/video0"']


# ── Pictures


def drawn(seconds: int, rate: int) -> Iterator[Any]:
    with av.open(f"testsrc2=size=640x480:rate={rate}:duration={seconds}", format="lavfi") as source:
        yield from (packet for packet in source.demux(video=0) if packet.size)


@pytest.mark.parametrize(("rate", "kept"), [(30, 30), (12, 30), (10, 30), (7, 21)])
def test_frames_above_the_rate_are_left_out_and_a_keyframe_comes_every_second(rate: int, kept: int) -> None:
    encoder = Encoder(LIMITS)
    made = [packet for given in drawn(3, rate) for packet in encoder.take(given)]
    assert len(made) == pytest.approx(kept, abs=1)
    assert sum(packet.is_keyframe for packet in made) == 3
    head = read_head("h264", bytes(made[0]))
    assert head is not None
    assert (head.codec_context.width, head.codec_context.height) == (320, 240)


@pytest.mark.parametrize(
    ("size", "fits"),
    [((1920, 1080), (320, 180)), ((640, 480), (320, 240)), ((200, 100), (200, 100)), ((101, 55), (100, 56))],
)
def test_the_size_keeps_its_proportion(size: tuple[int, int], fits: tuple[int, int]) -> None:
    assert fitted(*size, LIMITS) == fits


def test_a_keyframe_tells_its_size_and_whether_it_is_whole() -> None:
    encoder = Encoder(LIMITS)
    key = next(bytes(packet) for given in drawn(1, 10) for packet in encoder.take(given))
    head = read_head("h264", key)
    assert head is not None
    assert is_whole(head, key)
    assert not is_whole(head, key[: len(key) // 2])
    assert read_head("h264", b"\0\0\1\x65nonsense") is None
    assert read_head("vp8", key) is None


def test_a_jpeg_of_another_size_is_another_picture() -> None:
    small, same, large = (codec_parameters("mjpeg", picture(n, w, 240)) for n, w in ((1, 320), (2, 320), (1, 480)))
    assert small == same != large


# ── Sound


def spoken(codec: str, holder: str, seconds: float = 4.0) -> av.container.InputContainer:
    kept = io.BytesIO()
    with av.open(kept, "w", format=holder) as out:
        stream: Any = out.add_stream(codec, rate=8000, layout="mono")
        stream.bit_rate = 32_000
        fit = AudioResampler(stream.format.name, "mono", 8000, frame_size=1024 if codec == "aac" else None)
        tone = (np.sin(np.arange(int(seconds * 8000)) / 3) * 9000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        for piece in fit.resample(frame):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    kept.seek(0)
    return av.open(kept, mode="r")


@pytest.mark.parametrize(
    ("codec", "holder"),
    [("pcm_alaw", "wav"), ("pcm_mulaw", "wav"), ("g726", "wav"), ("adpcm_ima_wav", "wav"), ("aac", "adts")],
)
def test_sound_that_mp4_cannot_carry_is_made_aac(codec: str, holder: str) -> None:
    with spoken(codec, holder) as source:
        track = sound_of(source.streams.audio[0])
        assert track is not None
        made = [packet for given in source.demux() if given.size for packet in track.take(given)]
    assert track.name == f"{codec} → aac"
    assert track.template.codec_context.extradata
    times = [float(packet.pts * packet.time_base) for packet in made]
    assert times[-1] == pytest.approx(4.0, abs=0.3)
    assert all(b - a == pytest.approx(0.064) for a, b in pairwise(times))


def test_sound_that_leaps_is_set_right_and_nonsense_is_left_out() -> None:
    with spoken("pcm_alaw", "wav") as source:
        track = sound_of(source.streams.audio[0])
        assert track is not None
        given = [packet for packet in source.demux() if packet.size]
    made, shift = [], 0
    for number, packet in enumerate(given):
        if number == len(given) // 2:
            shift = 8000  # a second of sound got lost
        packet.pts = (packet.pts or 0) + shift
        made += track.take(packet)
    lost = track.take(av.Packet(b"")) + track.take(SimpleNamespace(pts=None))
    times = [float(packet.pts * packet.time_base) for packet in made]
    assert lost == []
    assert times[-1] == pytest.approx(5.0, abs=0.3), "silence stands where sound was lost"
    assert all(b - a == pytest.approx(0.064) for a, b in pairwise(times))


# ── A connection with sound


def connected(source: Source, read_s: float = 3.0) -> Connection:
    order = CameraOrder(source, Label("77", "0001", "0001", source.camera, "UTC"))
    return Connection(order, WorkerConfig("", "", "", 60.0, 0, Timings(read_s=read_s)), threading.Event(), Scrubber())


def test_a_camera_that_only_sounds_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a reconnect to a camera whose encoder hangs: no keyframe has come on this connection."""
    clip = make_clip(tmp_path / "clip.mp4", seconds=1, sound="aac")

    class OnlySound:
        def __init__(self) -> None:
            self._file = av.open(str(clip))
            self.streams, self.format, self.close = self._file.streams, self._file.format, self._file.close

        def demux(self, _wanted: object) -> Iterator[Any]:
            for _turn in range(12):
                self._file.seek(0)
                for packet in self._file.demux(self._file.streams.audio[0]):
                    if packet.size:
                        time.sleep(0.02)
                        yield packet

    monkeypatch.setattr(connections, "open_input", lambda *_given, **_more: OnlySound())
    source = Source("C1", "rtsp://127.0.0.1/live", sound=True)
    with connected(source, read_s=0.3) as connection, pytest.raises(SourceFault) as caught:
        connection.anchored(WallClock(0.0, time.monotonic), datetime(2026, 5, 1, tzinfo=UTC))
    assert (caught.value.cause, caught.value.detail) == ("timeout", "it sends sound and no picture")


def test_sound_that_cannot_be_kept_is_not_taken_for_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1, sound="aac")
    monkeypatch.setattr(connections, "sound_of", lambda _stream, **_more: None)
    came: list[str] = []
    with connected(Source("C1", clip.as_uri(), sound=True)) as connection, pytest.raises(SourceFault) as caught:
        for one in connection.arrivals():
            came.append(one.packet.stream.type)  # kept when the end of the file is raised
    assert caught.value.cause == "ended"
    assert connection.facts()["sound"] == "left out: aac"
    assert came == ["video"] * 10


# ── Picture and sound in step


def arrival(kind: str, at_s: float) -> Arrival:
    ticks = round(at_s / FINE)
    packet = SimpleNamespace(time_base=FINE)
    return Arrival(packet, kind != "s", ticks, kind == "K", None)


def told(arrivals: list[Arrival]) -> str:
    return " ".join(f"{'K' if a.key else 'v' if a.video else 's'}{float(a.ticks * FINE):.1f}" for a in arrivals)


def put(text: str) -> list[Arrival]:
    return [arrival(word[0], float(word[1:])) for word in text.split()]


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        # sound late: the cut waits for what belongs before it
        ("K0 s0 v0.5 s0.4 K1 s0.6 v1.1 s0.8 s1.0 v1.2", "K0.0 s0.0 v0.5 s0.4 s0.6 s0.8 K1.0 s1.0 v1.1 v1.2"),
        # sound early: it waits for the picture
        ("K0 s0 s0.5 s1.1 v0.5 K1 v1.2 s1.5", "K0.0 s0.0 v0.5 s0.5 K1.0 s1.1 v1.2 s1.5"),
        # no sound at all: nobody waits
        ("K0 v0.5 K1 v1.5", "K0.0 v0.5 K1.0 v1.5"),
    ],
)
def test_a_cut_falls_on_the_same_moment_in_picture_and_sound(came: str, goes: str) -> None:
    out = list(in_step(iter(put(came)), FINE, lambda arrival: arrival.ticks > 0))
    before, after = (set(text.split()) for text in goes.split("K1.0"))
    cut = told(out).split().index("K1.0")
    assert set(told(out[:cut]).split()) == before
    assert set(told(out[cut + 1 :]).split()) == after


def test_a_cut_does_not_wait_long_for_sound_that_has_stopped() -> None:
    came = put("K0 s0 v0.5 K1 v1.2 v1.4 v1.6 v1.8")
    out = in_step(iter(came), FINE, lambda arrival: arrival.ticks > 0)
    seen = [next(out) for _ in range(3)]
    assert told(seen) == "K0.0 s0.0 v0.5"
    assert told(list(out)) == "K1.0 v1.2 v1.4 v1.6 v1.8"
    assert HOLD_S < 1


def test_sound_with_a_clock_of_its_own_is_left_out_and_does_not_pile_up() -> None:
    def for_long() -> Iterator[Arrival]:
        yield arrival("K", 0)
        for number in range(1, 501):
            yield arrival("v", number / 10)
            yield arrival("s", 1e6 + number / 10)

    out = list(in_step(for_long(), FINE, lambda _arrival: False))
    assert all(one.video for one in out)
    assert len(out) == 501


def test_what_is_held_at_a_cut_is_not_lost_when_the_camera_goes() -> None:
    def broken() -> Iterator[Arrival]:
        yield from put("K0 s0 K1 v1.1")
        raise SourceFault("ended", "C1", "gone")

    seen: list[Arrival] = []
    with pytest.raises(SourceFault):
        for one in in_step(broken(), FINE, lambda arrival: arrival.ticks > 0):
            seen.append(one)
    assert told(seen) == "K0.0 s0.0 K1.0 v1.1"
