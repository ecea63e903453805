"""What a keyframe tells: what a file's head must say of the picture (size, profile, parameter sets), and whether it is
whole."""

from __future__ import annotations

import io
from typing import Any

import av
import av.error

__all__ = ["is_whole", "read_head"]

_RAW = {"h264": "h264", "hevc": "hevc", "mjpeg": "mjpeg"}


def read_head(codec: str, keyframe: bytes) -> Any | None:
    """A video stream described by this keyframe (H.264 and H.265 with start codes, JPEG); None when it does not
    describe itself."""
    if codec not in _RAW:
        return None
    try:
        container = av.open(io.BytesIO(keyframe), format=_RAW[codec], mode="r")
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    stream = container.streams.video[0]
    context = stream.codec_context
    if not context.width or not context.height or (codec != "mjpeg" and not context.extradata):
        container.close()
        return None
    return stream


def is_whole(head: Any, keyframe: bytes) -> bool:
    """Can this keyframe be decoded without an error? `head` is the stream that describes it."""
    context = head.codec_context
    decoder: Any = av.CodecContext.create(context.name, "r")
    decoder.extradata, decoder.thread_count = context.extradata, 1
    decoder.options = {"err_detect": "explode"}
    try:
        frames = [*decoder.decode(av.Packet(keyframe)), *decoder.decode(None)]
    except (av.error.FFmpegError, ValueError):
        return False
    return bool(frames) and not any(frame.is_corrupt for frame in frames)
