"""One camera's recording thread without processes and database: what it reports, and the files it leaves."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from exam_kit.cctv.camera_loop import CameraLoop, Shared
from exam_kit.cctv.disk import Disk
from exam_kit.cctv.names import Label
from exam_kit.cctv.picture import SHIPPED
from exam_kit.cctv.sealer import Sealer
from exam_kit.cctv.source import Scrubber, Source
from exam_kit.cctv.wire import CameraOrder, Timings, WorkerConfig

__all__ = ["Film", "Take", "film_of"]


@dataclass(frozen=True)
class Film:
    """A recorded file. Times in seconds from its beginning."""

    codec: str
    tag: str
    width: int
    height: int
    frames: list[float] = field(repr=False)
    ends: float
    sound: list[tuple[float, float]] = field(repr=False)
    """(begins, ends) of each packet of sound"""


def film_of(path: Path) -> Film:
    """Read a file, decoding nothing."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames, sound, ends = [], [], 0.0
        for packet in container.demux():
            if not packet.size or packet.pts is None:
                continue
            at = float(packet.pts * packet.time_base)
            end = at + float((packet.duration or 0) * packet.time_base)
            if packet.stream.type == "video":
                frames.append(at)
                ends = max(ends, end)
            else:
                sound.append((at, end))
        context = video.codec_context
        return Film(context.name, context.codec_tag, context.width, context.height, sorted(frames), ends, sound)


class Take:
    """Records `source` while it is entered. `events` are the thread's reports."""

    def __init__(self, folder: Path, source: Source, password: str | None = None, *, segment_s: float = 1.0) -> None:
        self.footage = folder / "footage"
        (folder / "live").mkdir(parents=True)
        self.events: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self.disk = Disk(self.footage)
        self._sealer = Sealer(self.disk)
        config = WorkerConfig(
            str(self.footage), str(folder / "live"), str(folder / "run"), segment_s, 0, Timings(), dict(SHIPPED)
        )
        order = CameraOrder(source, Label("77", "0001", "0001", source.camera, "UTC"), password)
        self._loop = CameraLoop(order, Shared(config, self._sealer, Scrubber(), self._hear))

    def _hear(self, event: dict[str, Any]) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]

    def until(self, kind: str, count: int = 1, seconds: float = 20.0) -> list[dict[str, Any]]:
        """Wait for so many reports of a kind."""
        ends = time.monotonic() + seconds
        with self._news:
            while len(self.said(kind)) < count:
                if not self._news.wait(max(0.0, ends - time.monotonic())):
                    raise AssertionError(f"no {count} × {kind} within {seconds} s: {self.events}")
        return self.said(kind)

    @property
    def films(self) -> list[Film]:
        """The closed files in order; once the take has ended these are all."""
        return [film_of(self.footage / event["path"]) for event in self.said("closed")]

    def __enter__(self) -> Take:
        self._loop.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.stop("stopped")
        self._loop.join(20)
        self._sealer.close()
