"""One look at a camera, whatever the camera does."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import psutil
import pytest

from exam_kit.cctv.picture import SHIPPED, PictureState, Thresholds
from exam_kit.cctv.probe import CameraFacts, look
from exam_kit.cctv.source import Source, SourceFault

LIMITS = Thresholds.from_mapping(SHIPPED)
PASSWORD = "Пароль@/s3cret"
WAIT_S = 20.0


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of two synthetic cameras; DARK is covered by a lens cap."""
    path = tmp_path_factory.mktemp("probe") / "cameras.json"
    path.write_text(json.dumps({
        "region": "77", "point": "0001", "timezone": "Europe/Moscow", "width": 640, "height": 360, "fps": 10,
        "cameras": [{"id": name, "room": "0001", "zone": "room"} for name in ("GOOD", "DARK")],
    }), encoding="utf-8")  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None and server.stdin is not None
    port = json.loads(server.stdout.readline())["port"]
    server.stdin.write('{"camera": "DARK", "do": "black", "seconds": 600}\n')
    server.stdin.flush()
    server.stdout.readline()
    yield f"http://127.0.0.1:{port}/cameras"
    server.stdin.close()
    assert server.wait(WAIT_S) == 0
    server.stdout.close()


@contextmanager
def _speaker(answer: bytes | None) -> Iterator[int]:
    """A TCP server that says `answer` to whoever connects, or nothing at all."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def run() -> None:
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            held.append(caller)
            if answer is not None:
                caller.recv(4096)
                caller.sendall(answer)
                caller.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for caller in held:
            caller.close()


def _looks() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "exam_kit.cctv.probe" in child.cmdline()]


def _see(url: str, timeout_s: float = 15.0, user: str | None = None) -> CameraFacts:
    return look(
        Source("CAM-1", url, user), PASSWORD if user else None, seconds=1.2, timeout_s=timeout_s, thresholds=LIMITS
    )


def test_a_good_camera_is_measured(cameras: str) -> None:
    facts = _see(f"{cameras}/GOOD.ts")
    assert (facts.width, facts.height, facts.codec, facts.sound, facts.damaged) == (640, 360, "h264", False, 0)
    assert facts.fps == pytest.approx(10, abs=0.2)
    assert facts.keyframe_interval_s == pytest.approx(1.0, abs=0.05)
    assert facts.bitrate_bps is not None and 50_000 < facts.bitrate_bps < 3_000_000
    assert facts.picture is PictureState.OK
    assert facts.jpeg is not None
    picture = cv2.imdecode(np.frombuffer(facts.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (360, 640, 3)
    assert _looks() == []


def test_a_black_camera_answers_with_a_black_picture(cameras: str) -> None:
    assert _see(f"{cameras}/DARK.ts").picture is PictureState.BLACK


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "unauthorised"),
     (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "refused"),
     (b"", "ended"),
     (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot video", "unreadable")],
)  # fmt: skip
def test_a_camera_that_gives_no_video_is_a_fault_with_its_cause(answer: bytes, cause: str) -> None:
    with _speaker(answer) as port, pytest.raises(SourceFault) as caught:
        _see(f"http://127.0.0.1:{port}/x.ts", user="viewer")
    assert caught.value.cause == cause
    for text in (caught.value.text("ru"), repr(caught.value), caught.value.detail):
        assert "s3cret" not in text and "Пароль" not in text
    assert _looks() == []


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceFault) as caught:
        _see(f"rtsp://127.0.0.1:{port}/x", user="viewer")
    assert caught.value.cause == "refused"


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:{port}/x", "http://127.0.0.1:{port}/x.ts"])
@pytest.mark.parametrize("timeout_s", [0.2, 2.5])
def test_a_silent_camera_times_out_and_nothing_is_left_behind(url: str, timeout_s: float) -> None:
    with _speaker(None) as port, pytest.raises(SourceFault) as caught:
        _see(url.format(port=port), timeout_s=timeout_s, user="viewer")
    assert caught.value.cause == "timeout"
    assert _looks() == []


def test_the_password_stands_in_no_process_list_and_no_environment() -> None:
    faults: list[SourceFault] = []

    def run(port: int) -> None:
        try:
            _see(f"rtsp://127.0.0.1:{port}/x", timeout_s=2.5, user="viewer")
        except SourceFault as fault:
            faults.append(fault)

    with _speaker(None) as port:
        thread = threading.Thread(target=run, args=(port,))
        thread.start()
        deadline = time.monotonic() + WAIT_S
        while not (children := _looks()) and time.monotonic() < deadline:
            time.sleep(0.02)
        shown = [*children[0].cmdline(), *children[0].environ().items()]
        thread.join()
    assert "s3cret" not in str(shown)
    assert [fault.cause for fault in faults] == ["timeout"]
