"""Cameras that can be hurt: each a real RTSP server in a network namespace of its own, joined by a veth cable."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.cctv_fixtures import PASSWORD, SYSTEM_PYTHON, USER

__all__ = ["LiveCamera", "make_picture", "networks_possible"]

SERVER = Path(__file__).parents[1] / "rtsp_server.py"
PORT = 8554


def networks_possible() -> bool:
    """Can network namespaces be made here? That needs root on Linux and iproute2."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    name = f"exk{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    if made.returncode == 0:
        _ip("netns", "del", name)
    return made.returncode == 0


def make_picture(path: Path, width: int, height: int, seconds: int = 12) -> Path:
    """A moving test picture, H.264 at 25 frames a second with a keyframe a second."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=25", "-t", str(seconds),
         "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", "25", "-pix_fmt", "yuv420p",
         "-b:v", "500k", str(path)],
        check=True,
    )  # fmt: skip
    return path


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class LiveCamera:
    """One camera; with `number` None it is on loopback and its cable cannot be cut. Use as a context manager."""

    def __init__(self, camera: str, number: int | None, picture: Path, other_picture: Path) -> None:
        self.camera = camera
        self.pictures = [picture, other_picture]
        self._space = self._cable = ""
        self.address, self.port = "127.0.0.1", 0
        if number is not None:
            self._space, self._cable = f"exk{os.getpid()}n{number}", f"exk{os.getpid() % 100_000}v{number}"
            self.address, self.port = f"10.213.{number}.2", PORT
            self._join(number)
        self._process = self._serve()

    @property
    def url(self) -> str:
        return f"rtsp://{self.address}:{self.port}/live"

    def stall(self) -> None:
        """Alive and connected, and sending nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Dead at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def return_to_life(self) -> None:
        self._process = self._serve()

    def refuse(self) -> None:
        """Hang up, and accept the password no more."""
        self._tell({"do": "refuse"})

    def accept(self) -> None:
        self._tell({"do": "accept"})

    def change_size(self) -> None:
        """Another picture size within the running stream."""
        self.pictures.reverse()
        self._tell({"do": "file", "file": str(self.pictures[0])})

    def cut(self) -> None:
        """Pull the cable at the camera's end."""
        _ip("netns", "exec", self._space, "ip", "link", "set", "eth0", "down")

    def mend(self) -> None:
        _ip("netns", "exec", self._space, "ip", "link", "set", "eth0", "up")

    def close(self) -> None:
        self.kill()
        if self._space:
            subprocess.run(["ip", "link", "del", self._cable], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", self._space], capture_output=True, check=False)

    def __enter__(self) -> LiveCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _join(self, number: int) -> None:
        _ip("netns", "add", self._space)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        _ip("addr", "add", f"10.213.{number}.1/30", "dev", self._cable)
        _ip("link", "set", self._cable, "up")
        _ip("netns", "exec", self._space, "ip", "addr", "add", f"10.213.{number}.2/30", "dev", "eth0")
        _ip("netns", "exec", self._space, "ip", "link", "set", "lo", "up")
        _ip("netns", "exec", self._space, "ip", "link", "set", "eth0", "up")

    def _serve(self) -> subprocess.Popen[str]:
        inside = ["ip", "netns", "exec", self._space] if self._space else []
        process = subprocess.Popen(
            [*inside, SYSTEM_PYTHON, str(SERVER)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._process = process
        wanted = {"mounts": ["live"], "user": USER, "password": PASSWORD, "file": str(self.pictures[0])}
        self._tell({**wanted, "port": self.port, "address": self.address})
        assert process.stdout is not None
        self.port = json.loads(process.stdout.readline())["port"]
        return process

    def _tell(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
