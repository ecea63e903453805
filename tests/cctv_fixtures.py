"""Real cameras for tests: an RTSP server, a point whose cameras it serves, and an agent that can be killed."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
import pytest

from exam_kit.home import Home
from exam_kit.point import Point, read_point
from tests.conftest import POINT_TOML

__all__ = ["FOOTAGE", "PASSWORD", "USER", "Agent", "RtspServer", "make_clip", "needs_rtsp", "point_of", "rtsp_missing"]

USER = "viewer"
PASSWORD = "S3cr#t/пароль:@pw"  # everything that needs quoting somewhere
FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "footage" / "one-by-one-person-detection.mp4"
SYSTEM_PYTHON = "/usr/bin/python3"
_PROBE = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
needed = "x264enc x265enc jpegenc rtph264pay alawenc voaacenc netsim qtdemux"
missing = [name for name in needed.split() if Gst.ElementFactory.find(name) is None]
raise SystemExit(f"missing GStreamer elements: {missing}" if missing else 0)
"""


@functools.cache
def rtsp_missing() -> str:
    """Why the RTSP server cannot run here; empty when it can."""
    if not Path(SYSTEM_PYTHON).exists():
        return f"no {SYSTEM_PYTHON}"
    done = subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)
    said = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else (said[-1] if said else f"exit code {done.returncode}")


needs_rtsp = pytest.mark.skipif(
    sys.platform != "linux" or bool(rtsp_missing()),
    reason=f"GStreamer's RTSP server is not installed (gir1.2-gst-rtsp-server-1.0, python3-gi): {rtsp_missing()}",
)


class RtspServer:
    """GStreamer's server in a process of its own. Use as a context manager."""

    def __init__(
        self,
        mounts: Iterable[str],
        *,
        user: str | None = USER,
        password: str = PASSWORD,
        file: Path | None = None,
        sound: bool | str = False,
        port: int = 0,
        **more: Any,
    ) -> None:
        """`more`: codec, sign_in, transport, loss as `tests/rtsp_server.py` takes them."""
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(Path(__file__).with_name("rtsp_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        wanted = {"mounts": list(mounts), "user": user, "password": password, "sound": sound, "port": port, **more}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**wanted, "file": str(file) if file else None}) + "\n")
        self._process.stdin.flush()
        self.port: int = json.loads(self._process.stdout.readline())["port"]

    def url(self, mount: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{mount}"

    def resize(self, width: int, height: int) -> None:
        """Another picture size in the same stream."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": "size", "width": width, "height": height}) + "\n")
        self._process.stdin.flush()

    def stall(self) -> None:
        """Alive, connected, and sending nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Dead at once."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self.kill()


def point_of(urls: dict[str, str], *, user: str | None = USER, sound: bool = False) -> Point:
    """A point with these cameras, all in exam room 0001, and no exam day."""
    head = POINT_TOML[: POINT_TOML.index("[[cameras]]")]
    named = f'user = "{user}"\n' if user else ""
    cameras = "".join(
        f'[[cameras]]\nid = "{camera}"\nroom = "0001"\nurl = "{url}"\n{named}bitrate_mbps = 2\n'
        f"sound = {str(sound).lower()}\n"
        for camera, url in urls.items()
    )
    return read_point(head + cameras)


def make_clip(path: Path, *, seconds: int = 3, width: int = 320, height: int = 240, sound: str | None = None) -> Path:
    """An H.264 file of noise, 10 frames a second, a keyframe a second; `sound` adds a track of that codec."""
    noise = np.random.default_rng(7)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=10, options={"g": "10", "preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio: Any = out.add_stream(sound, rate=8000, layout="mono") if sound else None
        for number in range(seconds * 10):
            picture = noise.integers(0, 255, (height, width, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            out.mux(video.encode(frame))
            if audio is not None:
                tone = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.int16), format="s16", layout="mono")
                tone.sample_rate, tone.pts = 8000, number * 800
                out.mux(audio.encode(tone))
        for stream in (video, audio):
            if stream is not None:
                out.mux(stream.encode(None))
    return path


class Agent:
    """`tests/recorder_driver.py`: a process that holds a recorder, so that it can be killed."""

    def __init__(self, home: Home, urls: dict[str, str], **options: Any) -> None:
        home.create()
        self._log = (home.logs / "driver.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("recorder_driver.py"))],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"home": str(home.root), "urls": urls, **options}) + "\n")
        self._process.stdin.flush()
        self.pid = self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self, timeout_s: float = 20.0) -> int:
        """Ask it to close in order; its exit code."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            return self._process.wait(timeout_s)
        finally:
            self._log.close()
            if self._process.poll() is None:
                self.kill()
