"""The process behind `probe.look`: opens the camera, counts what comes, decodes a burst and judges it."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
import cv2
import numpy as np
from av.video.stream import VideoStream

from exam_kit.cctv.opening import open_input
from exam_kit.cctv.picture import Approved, Frame, Thresholds, judge, measure
from exam_kit.cctv.picture_caption import caption_kept
from exam_kit.cctv.source import Scrubber, Source, SourceFault, fault_of

__all__ = ["main"]

BURST = 12
SNAPSHOT_WIDTH = 640
SNAPSHOT_QUALITY = 80
LEAVE_S = 1.2
"""Kept back from the time allowed for starting, judging and answering."""
EXIT_OVERDUE = 3


@dataclass
class Seen:
    """What came in during the look. Moments in seconds of the stream."""

    moments: list[float] = field(default_factory=list)
    keyframes: list[tuple[float, int]] = field(default_factory=list)
    """moment, and the bytes that had come before it"""
    bytes: int = 0
    sound: bool = False
    damaged: int = 0
    burst: list[Frame] = field(default_factory=list)

    @property
    def span_s(self) -> float:
        return max(self.moments) - min(self.moments) if self.moments else 0.0

    def fps(self) -> float | None:
        return (len(self.moments) - 1) / self.span_s if self.span_s > 0 else None

    def bitrate(self) -> int | None:
        """Over whole groups of pictures where there are any: keyframes are many times larger than the rest."""
        if len(self.keyframes) > 1:
            (first, before), (last, until) = self.keyframes[0], self.keyframes[-1]
            return round((until - before) * 8 / (last - first)) if last > first else None
        fps = self.fps()
        return round(self.bytes * 8 / (self.span_s + 1 / fps)) if fps else None

    def keyframe_interval(self) -> float | None:
        steps = [later[0] - earlier[0] for earlier, later in pairwise(self.keyframes)]
        return float(np.median(steps)) if steps else None


def watch(source: Source, password: str | None, seconds: float, until_s: float, scrubber: Scrubber) -> tuple[Seen, Any]:
    """Take in the stream for `seconds`, or longer for a second keyframe; at most until `until_s` (monotonic).

    Raises:
        SourceFault: nothing usable came.
    """
    seen = Seen()
    began = time.monotonic()
    asked = replace(source, sound=True)  # whether there is any
    container = open_input(asked, password, open_timeout_s=max(0.5, until_s - began), scrubber=scrubber)
    fault: SourceFault | None = None
    stream = container.streams.video[0]
    try:
        for packet in container.demux(*container.streams.video[:1], *container.streams.audio):
            if packet.size and packet.stream.type == "audio":
                seen.sound = True
            elif packet.size:
                _take(seen, packet, stream, time.monotonic() - began, seconds)
            now = time.monotonic()
            if now >= until_s or (seen.span_s >= seconds and len(seen.keyframes) > 1):
                break
        else:
            if not source.is_file:
                fault = SourceFault("ended", source.camera, f"it stopped after {seen.span_s:.1f} s")
    except (av.error.FFmpegError, OSError) as problem:
        fault = fault_of(problem, source.camera, scrubber)
    context = stream.codec_context
    described = {"width": context.width, "height": context.height, "codec": context.name}
    container.close()
    if fault is None and not seen.moments:
        fault = SourceFault("no_video", source.camera, "no frame came")
    elif fault is None and not seen.burst:
        fault = SourceFault("unreadable", source.camera, "no frame could be decoded")
    if fault is not None:
        raise fault from None
    return seen, described


def _take(seen: Seen, packet: Any, stream: VideoStream, arrived_s: float, seconds: float) -> None:
    # The first packet of an RTSP camera has no decoding time, and some cameras give no time at all.
    ticks = packet.pts if packet.pts is not None else packet.dts
    moment = float(ticks * packet.time_base) if ticks is not None and packet.time_base else arrived_s
    seen.moments.append(moment)
    if packet.is_keyframe:
        seen.keyframes.append((moment, seen.bytes))
    seen.bytes += packet.size
    if not seen.keyframes:
        return
    try:
        frames = stream.codec_context.decode(packet)
    except av.error.FFmpegError:
        seen.damaged += 1
        return
    for frame in frames:
        if len(seen.burst) < BURST and seen.span_s >= len(seen.burst) * seconds / BURST:
            seen.burst.append(np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8))


def report(order: dict[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    """The look as `order` asks for it: facts, or ``{"cause", "detail"}``."""
    source = Source(**order["source"])
    began = time.monotonic()
    until_s = began + max(0.5, float(order["timeout_s"]) - LEAVE_S)
    try:
        seen, described = watch(source, order["password"], float(order["seconds"]), until_s, scrubber)
    except SourceFault as fault:
        return {"cause": fault.cause, "detail": fault.detail, "way": fault.way}
    reference = _reference(order["reference"])
    measures = measure(seen.burst, None if reference is None else Approved(reference), span_s=seen.span_s)
    if reference is not None:
        measures = replace(measures, caption=caption_kept(seen.burst, reference))
    fps, interval = seen.fps(), seen.keyframe_interval()
    return {
        **described,
        "fps": None if fps is None else round(fps, 2),
        "bitrate_bps": seen.bitrate(),
        "keyframe_interval_s": None if interval is None else round(interval, 3),
        "sound": seen.sound,
        "picture": str(judge(measures, Thresholds.from_mapping(order["thresholds"]))),
        "frames": len(seen.moments),
        "damaged": seen.damaged,
        "measures": measures.as_dict(),
        "jpeg": _snapshot(seen.burst[-1]),
    }


def _reference(path: str | None) -> Frame | None:
    if path is None or not Path(path).exists():
        return None
    # Not cv2.imread: on Windows it cannot open a path with Cyrillic letters.
    picture = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), dtype=np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, dtype=np.uint8)


def _snapshot(frame: Frame) -> str | None:
    scale = min(1.0, SNAPSHOT_WIDTH / frame.shape[1])
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
    done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, SNAPSHOT_QUALITY])
    return base64.b64encode(jpeg.tobytes()).decode("ascii") if done else None


def main() -> int:
    """Entry of the process: one order in JSON on stdin, one answer in JSON on stdout."""
    av.logging.set_level(None)
    cv2.setNumThreads(1)
    order = json.loads(sys.stdin.buffer.read())
    # Should whoever asked die, nobody would kill this process at its deadline.
    overdue = threading.Timer(float(order["timeout_s"]) + 1.0, os._exit, (EXIT_OVERDUE,))
    overdue.daemon = True
    overdue.start()
    scrubber = Scrubber()
    scrubber.learn(order["password"], order["source"]["user"])
    sys.stdout.write(json.dumps(report(order, scrubber)))
    sys.stdout.flush()
    return 0
