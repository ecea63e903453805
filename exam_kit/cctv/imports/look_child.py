"""The process behind `look`: one order in JSON on stdin, one answer in JSON on stdout."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime
from typing import Any

import av
import av.error
import av.logging
import numpy as np

__all__ = ["main"]

WIDEST = 1280
QUALITY = 85


def facts(path: str) -> dict[str, Any]:
    """As `look.Facts`, or ``{"fault"}``."""
    with av.open(path) as container:
        if not container.streams.video:
            return {"fault": "no_video"}
        stream = container.streams.video[0]
        context = stream.codec_context
        duration_s = container.duration / av.time_base if container.duration else 0.0
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        frames = stream.frames or round(duration_s * rate)
        told = {
            "container": container.format.name,
            "codec": context.name,
            "width": context.width,
            "height": context.height,
            "created": _created(container.metadata | stream.metadata),
        }
        if duration_s <= 0 or frames <= 0:
            duration_s, frames = _counted(container)
    if frames == 0:
        return {"fault": "no_video"}
    return {**told, "duration_s": round(duration_s, 3), "frames": frames}


def _counted(container: Any) -> tuple[float, int]:
    """Length and frames of a file whose head does not tell them: every packet is looked at."""
    first = last = 0.0
    frames = 0
    for packet in container.demux(video=0):
        ticks = packet.pts if packet.pts is not None else packet.dts
        if not packet.size or ticks is None:
            continue
        at = float(ticks * packet.time_base)
        end = at + float((packet.duration or 0) * packet.time_base)
        first, last = (at, end) if frames == 0 else (min(first, at), max(last, end))
        frames += 1
    return max(0.0, last - first), frames


def _created(metadata: dict[str, str]) -> str | None:
    text = next((value for key, value in metadata.items() if key.lower() in ("creation_time", "date")), "")
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None or moment.year < 2000:  # clocks that were never set begin in 1904 or 1970
        return None
    return moment.astimezone(UTC).isoformat()


def picture(path: str, second: float) -> dict[str, Any]:
    """The first frame at or after `second` from the beginning, or ``{"fault"}``."""
    import cv2  # not needed for the facts of a hundred files

    with av.open(path) as container:
        stream = container.streams.video[0]
        begins = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
        if second > 0:
            container.seek(round((begins + second) * av.time_base), backward=True)
        shown = None
        for frame in container.decode(video=0):
            shown = frame
            if frame.time is None or frame.time - begins >= second - 0.001:
                break
        if shown is None:
            return {"fault": "no_video"}
        image = np.asarray(shown.to_ndarray(format="bgr24"), dtype=np.uint8)
        at = (shown.time - begins) if shown.time is not None else second
    if image.shape[1] > WIDEST:
        scale = WIDEST / image.shape[1]
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        return {"fault": "unreadable"}
    return {"jpeg": base64.b64encode(jpeg.tobytes()).decode("ascii"), "second": round(max(0.0, at), 3)}


def main() -> int:
    """Entry of the process."""
    av.logging.set_level(None)
    order = json.loads(sys.stdin.buffer.read())
    try:
        told = picture(order["path"], float(order["second"])) if "second" in order else facts(order["path"])
    except (av.error.FFmpegError, OSError, IndexError, ValueError) as problem:
        told = {"fault": "unreadable", "detail": type(problem).__name__}
    sys.stdout.write(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
