"""Pictures that no camera has compressed, or only as JPEG: compressed once, here, to H.264."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import av.error
from av.video.frame import PictureType

from exam_kit.cctv.packets import FINE, Packet
from exam_kit.cctv.source import Encode

__all__ = ["Encoder", "fitted"]

KEY_S = 1.0
QUALITY = "23"
LEEWAY = 0.5
"""Of a frame's time: cameras are not punctual to the millisecond."""


def fitted(width: int, height: int, limits: Encode) -> tuple[int, int]:
    """The size within the limits, in the same proportion; even, as H.264 wants it."""
    scale = min(1.0, limits.max_width / width, limits.max_height / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class Encoder:
    """Belongs to one connection. Packets come out in the time base `FINE`, a keyframe about every second, each with its
    parameter sets."""

    def __init__(self, limits: Encode) -> None:
        self._limits = limits
        self._context: Any = None
        self._size = (0, 0)
        self._due: float | None = None
        self._key_at: int = 0
        self._last = -1
        self.damaged = 0
        """packets that could not be decoded"""

    def take(self, packet: Packet) -> list[Packet]:
        """What the camera sent, compressed; nothing for a frame above the rate or one that cannot be decoded."""
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        made: list[Packet] = []
        for frame in frames:
            ticks = self._ticks(frame, packet)
            if ticks is not None:
                made += self._encode(frame, ticks)
        return made

    def _ticks(self, frame: Any, packet: Packet) -> int | None:
        """Its presentation time; None when it is to be left out."""
        shown = frame.pts if frame.pts is not None else packet.pts
        if shown is None:
            return None
        ticks: int = round(shown * packet.time_base / FINE)
        step = 1 / (Fraction(self._limits.fps).limit_denominator(1000) * FINE)
        if ticks <= self._last or (self._due is not None and ticks < self._due - LEEWAY * step):
            return None
        # The next is due one step on, counted from the step and not from the frame, so that 30 in 25 out stays 25.
        due = self._due if self._due is not None and ticks - self._due < step else ticks
        self._due = float(due + step)
        self._last = ticks
        return ticks

    def _encode(self, frame: Any, ticks: int) -> list[Packet]:
        size = fitted(frame.width, frame.height, self._limits)
        if size != self._size:
            self._context, self._size, self._key_at = self._open(*size), size, ticks
        small = frame.reformat(width=size[0], height=size[1], format="yuv420p")
        small.pts, small.time_base = ticks, FINE
        small.pict_type = PictureType.NONE
        if ticks >= self._key_at:
            small.pict_type = PictureType.I
            self._key_at = ticks + round(KEY_S / FINE)
        packets: list[Packet] = self._context.encode(small)
        for packet in packets:
            packet.duration = 0  # x264 counts with the limit, not with what comes
        return packets

    def _open(self, width: int, height: int) -> Any:
        limits = self._limits
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = FINE
        context.framerate = Fraction(limits.fps).limit_denominator(1000)
        context.thread_count = 1
        context.options = {
            "preset": limits.preset,
            "tune": "zerolatency",
            "crf": QUALITY,
            "maxrate": str(limits.bitrate_bps),
            "bufsize": str(limits.bitrate_bps),
            "forced-idr": "1",
            "g": str(round(limits.fps * 10)),
        }
        return context
