"""Where a worker looks at pictures: one thread, one or two decoders, for all its cameras.

It is loaded when the first picture is to be looked at, since OpenCV takes more memory than recording does. A decoder of
a full-size picture holds many megabytes, so cameras that send alike share one: keyframes need nothing from before.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np

from exam_kit.cctv.picture import Frame, PictureState, Thresholds
from exam_kit.cctv.picture_watch import PictureWatch
from exam_kit.cctv.still import picture

__all__ = ["Look", "Sitter", "Studio"]

MAX_WIDTH = 640
JPEG_QUALITY = 75
DECODERS = 2


@dataclass(frozen=True)
class Look:
    """A keyframe and what it is wanted for."""

    data: bytes
    judge: bool
    show: bool


class Sitter:
    """One camera's picture: its watch, and what was last found."""

    def __init__(
        self, path: Path, codec: str, head: bytes | None, thresholds: Mapping[str, float], reference: Path | None
    ) -> None:
        self.path = path
        self.codec, self.head = codec, head
        self._reference = reference
        self._reference_as_of = _as_of(reference)
        self._watch = PictureWatch(Thresholds.from_mapping(thresholds), _read(reference))
        self.state = PictureState.UNKNOWN
        self.moved = False
        self.size: tuple[int, int] | None = None

    def see(self, frame: Frame | None, look: Look) -> None:
        """Judge and show. A keyframe that cannot be decoded makes the state unknown; a folder that cannot be written
        only leaves the old picture there, whose age the screens show."""
        if frame is None:
            self.state = PictureState.UNKNOWN
            return
        if look.judge:
            self._mind_reference()
            self.state = self._watch.see(frame, time.monotonic())
            self.moved |= self._watch.moving
        if look.show:
            done, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            if done:
                _replace(self.path, jpeg.tobytes())

    def _mind_reference(self) -> None:
        """Another picture may be approved while this camera records."""
        as_of = _as_of(self._reference)
        if as_of != self._reference_as_of:
            self._reference_as_of = as_of
            self._watch.compare_with(_read(self._reference))


class Studio:
    """Looks at keyframes in turn. When more come than it can look at, of each camera the latest counts."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._changed = threading.Condition()
        self._waiting: dict[Sitter, Look] = {}
        self._decoders: OrderedDict[tuple[str, bytes | None], Any] = OrderedDict()
        threading.Thread(target=self._work, name="pictures", daemon=True).start()

    def take(self, sitter: Sitter, look: Look) -> None:
        """Have this looked at. Returns at once."""
        with self._changed:
            self._waiting[sitter] = look
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                sitter, look = next(iter(self._waiting.items()))
                del self._waiting[sitter]
            sitter.see(self._decode(sitter, look.data), look)

    def _decode(self, sitter: Sitter, data: bytes) -> Frame | None:
        """The picture, at most 640 wide: nothing here needs more, and the full size costs three times as much."""
        try:
            decoder = self._decoder(sitter)
            decoder.flush_buffers()
            frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
            if not frames:
                return None
            frame = frames[-1]
            sitter.size = frame.width, frame.height
            width = min(MAX_WIDTH, frame.width)
            height = max(2, round(frame.height * width / frame.width / 2) * 2)
            small = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA")
            return np.asarray(small.to_ndarray(), dtype=np.uint8)
        except (av.error.FFmpegError, ValueError):
            return None

    def _decoder(self, sitter: Sitter) -> Any:
        key = sitter.codec, sitter.head
        decoder = self._decoders.pop(key, None)
        if decoder is None:
            decoder = av.CodecContext.create(sitter.codec, "r")
            decoder.extradata = sitter.head
            decoder.thread_count = 1
            # Smoothing block edges takes a third of the time and is not seen in the small picture.
            decoder.options = {"skip_loop_filter": "all"}
            while len(self._decoders) >= DECODERS:
                self._decoders.popitem(last=False)
        self._decoders[key] = decoder
        return decoder


def _read(reference: Path | None) -> Frame | None:
    try:
        return None if reference is None else picture(reference.read_bytes())
    except OSError:
        return None


def _as_of(reference: Path | None) -> tuple[int, int] | None:
    try:
        found = None if reference is None else reference.stat()
    except OSError:
        found = None
    return None if found is None else (found.st_mtime_ns, found.st_size)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
