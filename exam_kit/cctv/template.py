"""What a file's head must say of a picture, read from a keyframe: size, profile and parameter sets."""

from __future__ import annotations

import io
from typing import Any

import av
import av.error

__all__ = ["read_head"]

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
