"""Who is at a camera's address, told by a bare connection."""

from __future__ import annotations

import socket
import sys

import pytest

from exam_kit.cctv.reach import reach


def test_somebody_a_machine_without_the_service_and_nobody_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reach(f"rtsp://127.0.0.1:{port}/live") == "answers"
    assert reach(f"rtsp://127.0.0.1:{port}/live") == "refuses"


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue drops what comes on Linux, elsewhere it refuses it")
def test_an_address_that_gives_no_answer_is_silent() -> None:
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        assert reach(f"rtsp://127.0.0.1:{server.getsockname()[1]}/live", 0.1) == "silent"


@pytest.mark.parametrize("url", ["file:///footage/clip.mp4", "device:///dev/video0"])
def test_what_is_in_no_network_cannot_be_reached_for(url: str) -> None:
    assert reach(url) is None
