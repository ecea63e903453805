"""A camera that goes on sending bytes and no picture: no read ever ends, and no time limit of a socket sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.segments import gaps
from exam_kit.cctv.status import Desired
from exam_kit.cctv.wire import Timings
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Ledger, Store
from tests.cctv_fixtures import PASSWORD, RtspServer, needs_rtsp, point_of
from tests.rtsp_mute import mute

Until = Callable[..., None]


@needs_rtsp
@pytest.mark.rtsp
def test_a_camera_that_sends_bytes_and_no_picture_is_noticed_and_harms_the_others_once(
    home: Home, store: Store, until: Until
) -> None:
    hushed = threading.Event()
    secrets = Secrets(home, file_only=True)
    ledger = Ledger(store, home, SystemClock())
    with RtspServer(["a", "b"]) as server, mute(server.port, hushed) as port:
        urls = {"HQ-1": f"rtsp://127.0.0.1:{port}/a", "R1-1": server.url("b")}
        for camera in urls:
            secrets.set(f"camera:{camera}", PASSWORD)
        recorder = Recorder(
            point_of(urls), home, store, ledger, SystemClock(), secrets, 3.0, timings=Timings(stuck_s=3.0)
        )
        recorder.recover()
        recorder.set_desired(dict.fromkeys(urls, Desired("smirnov", "petrova", "exam", 1)))

        def states() -> tuple[str, str]:
            recorder.tick()
            return recorder.status()["HQ-1"].state, recorder.status()["R1-1"].state

        until(lambda: states() == ("recording", "recording"), 20)
        (first,) = recorder.worker_pids
        hushed.set()
        until(lambda: states()[0] != "recording", 20)
        until(lambda: states() == ("lost", "recording"), 20)
        (second,) = recorder.worker_pids
        assert second != first
        # Watched closely now: it is given up alone, again and again, and the worker stays.
        tries = recorder.status()["HQ-1"].retry_at
        until(lambda: states() == ("lost", "recording") and recorder.status()["HQ-1"].retry_at != tries, 20)
        assert recorder.worker_pids == [second]
        hushed.clear()
        until(lambda: states() == ("recording", "recording"), 20)
        recorder.close("test ended")
    found = {gap.camera: gap for gap in gaps(store)}
    assert found["HQ-1"].cause == "stream_stalled"
    assert found["R1-1"].cause == "worker_killed"
    assert len(gaps(store)) == 2
    assert all(gap.end is not None for gap in gaps(store))
