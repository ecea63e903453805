"""Who records in the benchmark: ours, one ffmpeg a camera, and OpenCV reading one stream for scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import psutil

from exam_kit.cctv.segments import gaps, segments
from exam_kit.home import Home
from exam_kit.store import open_store

__all__ = ["Contender", "Ffmpeg", "OpenCv", "Ours"]

END_S = 60.0
_READ_ONE = """
import cv2, os, sys
video = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
while video.read()[0]:
    pass
"""


class Contender(Protocol):
    """Records `urls` from `start` to `stop`."""

    name: str
    ends_with_stream: bool
    """It stops only when the camera hangs up."""

    def start(self, urls: Mapping[str, str]) -> None: ...

    def processes(self) -> list[psutil.Process]: ...

    def stop(self) -> None: ...

    def files(self, camera: str) -> list[Path]: ...

    def remarks(self) -> str: ...


class Ours:
    """The recorder and its workers. `timings` as `exam_kit.cctv.wire.Timings` has them."""

    ends_with_stream = False

    def __init__(
        self, name: str, folder: Path, segment_s: float, timings: Mapping[str, Any], *, watched: bool = False
    ) -> None:
        self.name = name
        self._home = Home.at(folder)
        self._wanted = {"home": str(folder), "segment_s": segment_s, "timings": dict(timings), "watched": watched}

    def start(self, urls: Mapping[str, str]) -> None:
        self._home.create()
        self._log = (self._home.logs / "bench.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.recorder_ours"], stdin=subprocess.PIPE, stdout=self._log, stderr=self._log,
            text=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**self._wanted, "urls": dict(urls)}) + "\n")
        self._process.stdin.flush()

    def processes(self) -> list[psutil.Process]:
        agent = psutil.Process(self._process.pid)
        return [agent, *agent.children(recursive=True)]

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(END_S)
        self._log.close()

    def files(self, camera: str) -> list[Path]:
        store = open_store(self._home)
        try:
            return [segment.file(self._home) for segment in segments(store, camera)]
        finally:
            store.close()

    def remarks(self) -> str:
        store = open_store(self._home)
        try:
            found = [gap.cause for gap in gaps(store)]
        finally:
            store.close()
        return f"gaps: {', '.join(sorted(set(found)))}" if found else "no gap"


class Ffmpeg:
    """One `ffmpeg -c copy -f segment` a camera."""

    name = "ffmpeg -c copy"
    # Asked by a signal it waits for another packet, asked twice it leaves its last file without an index.
    ends_with_stream = True

    def __init__(self, folder: Path, segment_s: float) -> None:
        self._folder = folder
        self._segment_s = segment_s
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, urls: Mapping[str, str]) -> None:
        for camera, url in urls.items():
            folder = self._folder / camera
            folder.mkdir(parents=True)
            self._running.append(
                subprocess.Popen(
                    ["ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy",
                     "-an", "-f", "segment", "-segment_time", str(self._segment_s), "-reset_timestamps", "1",
                     str(folder / "%04d.mp4")],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(one.pid) for one in self._running]

    def stop(self) -> None:
        for one in self._running:
            one.wait(END_S)

    def files(self, camera: str) -> list[Path]:
        return sorted((self._folder / camera).glob("*.mp4"))

    def remarks(self) -> str:
        return ""


class OpenCv:
    """OpenCV's VideoCapture reading one stream, every frame decoded, nothing kept."""

    name = "OpenCV, one stream"
    ends_with_stream = True

    def start(self, urls: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _READ_ONE, next(iter(urls.values()))],
            stderr=subprocess.DEVNULL, env={**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp"},
        )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(self._process.pid)]

    def stop(self) -> None:
        self._process.wait(END_S)

    def files(self, camera: str) -> list[Path]:  # noqa: ARG002 - keeps none of any
        return []

    def remarks(self) -> str:
        return "keeps nothing"
