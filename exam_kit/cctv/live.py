"""The latest picture of a camera for the screens, and its health: at most one keyframe a second is decoded."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np

from exam_kit.cctv.picture import Frame, PictureState, Thresholds
from exam_kit.cctv.picture_watch import PictureWatch
from exam_kit.cctv.still import picture
from exam_kit.cctv.wire import Timings

__all__ = ["LivePicture"]

MAX_WIDTH = 640
JPEG_QUALITY = 75


class LivePicture:
    """Decodes keyframes of one connection. Belongs to the camera's thread."""

    def __init__(
        self,
        path: Path,
        stream: Any,
        thresholds: Mapping[str, float],
        reference: Path | None,
        timings: Timings,
    ) -> None:
        self._path = path
        context = stream.codec_context
        self._decoder = av.CodecContext.create(context.name, "r")
        self._decoder.extradata = context.extradata
        self._decoder.thread_count = 1
        self._reference = reference
        self._reference_as_of = _as_of(reference)
        self._watch = PictureWatch(Thresholds.from_mapping(thresholds), _read(reference))
        self._moved = False
        self._next_s = 0.0
        self._every_s = min((every_s for every_s in (timings.picture_s, timings.live_s) if every_s > 0), default=0.0)
        self.state = PictureState.UNKNOWN
        self.width = context.width
        self.height = context.height

    def due(self) -> bool:
        """Is it time for another picture?"""
        return self._every_s > 0 and time.monotonic() >= self._next_s

    def show(self, data: bytes) -> None:
        """Decode a keyframe's bytes, judge it and put it where the screens look.

        A keyframe that cannot be decoded makes the state unknown; a folder that cannot be written only leaves the old
        picture there, whose age the screens show.
        """
        self._next_s = time.monotonic() + self._every_s
        frame = self._decode(data)
        if frame is None:
            self.state = PictureState.UNKNOWN
            return
        self._mind_reference()
        self.state = self._watch.see(frame, time.monotonic())
        self._moved |= self._watch.moving
        done, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if done:
            _replace(self._path, jpeg.tobytes())

    def moved(self) -> bool:
        """Did something the size of a person move since this was last asked?"""
        moved, self._moved = self._moved, False
        return moved

    def _mind_reference(self) -> None:
        """Another picture may be approved while this camera records."""
        as_of = _as_of(self._reference)
        if as_of != self._reference_as_of:
            self._reference_as_of = as_of
            self._watch.compare_with(_read(self._reference))

    def _decode(self, data: bytes) -> Frame | None:
        """The picture, at most 640 wide: everything here needs no more, and the full size costs three times as much."""
        try:
            self._decoder.flush_buffers()
            decoder: Any = self._decoder
            frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
            if not frames:
                return None
            frame = frames[-1]
            self.width, self.height = frame.width, frame.height
            width = min(MAX_WIDTH, frame.width)
            height = max(2, round(frame.height * width / frame.width / 2) * 2)
            small = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA")
            return np.asarray(small.to_ndarray(), dtype=np.uint8)
        except (av.error.FFmpegError, ValueError):
            return None


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
