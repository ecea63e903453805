"""The synthetic cameras as a viewer meets them: over the network of this machine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import pytest

WAIT_S = 20.0
QUICK = {"analyzeduration": "500000", "fpsprobesize": "0"}


class Server:
    """The process and its two pipes."""

    def __init__(self, folder: Path, *options: str, **shared: object) -> None:
        config = {"region": "77", "point": "0001", "timezone": "Europe/Moscow", "width": 320, "height": 180, **shared}
        config["cameras"] = [{"id": name, "room": "0001", "zone": "room"} for name in ("A", "B")]
        path = folder / "cameras.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(path), "--port", "0", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self.answer()["port"])

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def tell(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def order(self, camera: str, trouble: str, seconds: float) -> None:
        assert "refused" not in self.tell(json.dumps({"camera": camera, "do": trouble, "seconds": seconds}))

    def url(self, camera: str) -> str:
        return f"http://127.0.0.1:{self.port}/cameras/{camera}.ts"

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
            health: dict[str, Any] = json.load(answer)
        return health

    def frames(self, camera: str, count: int) -> list[tuple[int, bool]]:
        """pts and whether it is a keyframe."""
        with av.open(self.url(camera), timeout=(5.0, 3.0), options=QUICK) as stream:
            packets = (packet for packet in stream.demux(video=0) if packet.pts is not None)
            return [(int(packet.pts or 0), packet.is_keyframe) for packet in islice(packets, count)]

    def close(self) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(WAIT_S)
        self.process.stdout.close()
        return code


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def _ends(packets: Iterator[Any]) -> bool:
    """The stream is over; PyAV says so by an empty packet or by an error."""
    try:
        return any(not packet.size for packet in packets)
    except av.error.FFmpegError:
        return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("cameras"))
    yield server
    assert server.close() == 0


def test_a_viewer_begins_at_a_keyframe_and_misses_nothing(server: Server) -> None:
    with av.open(server.url("A"), timeout=(5.0, 3.0), options=QUICK) as first:
        next(packet for packet in first.demux(video=0) if packet.pts is not None)
        seen = server.frames("A", 22)
    assert seen[0][1]
    assert {later - earlier for (earlier, _), (later, _) in pairwise(seen)} == {9000}
    assert [n for n, (_, keyframe) in enumerate(seen) if keyframe] == [0, 10, 20]


def test_a_dropped_camera_is_cut_refuses_and_comes_back_the_others_go_on(server: Server) -> None:
    with (
        av.open(server.url("A"), timeout=(5.0, 3.0), options=QUICK) as stream,
        av.open(server.url("B"), timeout=(5.0, 3.0)) as other,
    ):
        packets = stream.demux(video=0)
        next(packets)
        server.order("A", "drop", 30)
        assert _ends(packets)
        assert [packet.size > 0 for packet in islice(other.demux(video=0), 12)] == [True] * 12
    with pytest.raises(av.error.FFmpegError):
        av.open(server.url("A"), timeout=(5.0, 3.0), options=QUICK)
    server.order("A", "drop", 0)
    assert server.frames("A", 5)[0][1]


def test_a_stalled_camera_stays_connected_and_silent(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as viewer:
        viewer.sendall(b"GET /cameras/A.ts HTTP/1.1\r\n\r\n")
        assert viewer.recv(4096).startswith(b"HTTP/1.1 200 OK")
        server.order("A", "stall", 30)
        frames = server.health()["cameras"]["A"]["frames"]
        server.frames("B", 12)
        health = server.health()["cameras"]["A"]
        assert (health["frames"], health["viewers"], health["troubles"]) == (frames, 1, ["stall"])
        server.order("A", "stall", 0)
        _until(lambda: server.health()["cameras"]["A"]["frames"] > frames)


def test_nobody_watches_nothing_is_drawn(server: Server) -> None:
    _until(lambda: server.health()["cameras"]["A"]["viewers"] == 0)
    before = server.health()["cameras"]["A"]["frames"]
    server.frames("B", 12)
    assert server.health()["cameras"]["A"]["frames"] == before


@pytest.mark.parametrize(
    "line",
    ["x", "[]", "7", '{"camera":"Z","do":"drop","seconds":1}', '{"camera":"A","do":"zap","seconds":1}',
     '{"camera":"A","do":"drop","seconds":-1}', '{"camera":"A","do":"drop","seconds":NaN}',
     '{"camera":["A"],"do":"drop","seconds":1}', '{"camera":"A","do":"drop"}'],
)  # fmt: skip
def test_orders_that_make_no_sense_are_refused_and_harm_nothing(server: Server, line: str) -> None:
    assert "refused" in server.tell(line)
    assert server.frames("A", 1)


@pytest.mark.parametrize(
    ("request_head", "status"),
    [(b"GET /cameras/Z.ts HTTP/1.1", b"404"), (b"GET /../../etc/passwd HTTP/1.1", b"404"),
     (b"POST /health HTTP/1.1", b"405"), (b"\x00\xff", b"405"), (b"", b"405")],
)  # fmt: skip
def test_other_requests_get_a_plain_answer(server: Server, request_head: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as client:
        client.sendall(request_head + b"\r\n\r\n")
        assert client.recv(64).startswith(b"HTTP/1.1 " + status)


def test_a_slow_viewer_is_cut_off_and_holds_nobody(tmp_path: Path) -> None:
    server = Server(tmp_path, "--backlog-bytes", "20000", fps=30, width=1280, height=720)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", server.port))
    slow.sendall(b"GET /cameras/A.ts HTTP/1.1\r\n\r\n")
    with av.open(server.url("A"), timeout=(5.0, 3.0), options=QUICK) as good:
        packets = good.demux(video=0)
        _until(lambda: next(packets).size and server.health()["viewers_cut_off"] == 1)
        assert next(packets).size
    slow.close()
    assert server.close() == 0


def test_a_configuration_that_cannot_be_used_ends_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "cameras.json"
    path.write_text('{"cameras": [{"id": "A"}]}', encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(path)], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "error" in json.loads(ended.stdout)
