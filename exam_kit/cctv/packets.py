"""Packets of a source in the order they come: live as they arrive, a file in the time it was recorded in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import av.error
from av.container import InputContainer

from exam_kit.cctv.source import Scrubber, Source, SourceFault, fault_of

__all__ = ["codec_parameters", "packets"]

Packet = Any
"""PyAV's packet; its type parameter says nothing here."""

_SPS = {"h264": (0x1F, 0, 7), "hevc": (0x3F, 1, 33)}


def packets(
    container: InputContainer, source: Source, streams: Sequence[Any], stop: threading.Event, scrubber: Scrubber
) -> Iterator[Packet]:
    """Packets of `streams` until `stop`; never empty ones.

    Raises:
        SourceFault: the source ended, stalled or cannot be read.
    """
    try:
        if source.is_file:
            yield from _paced(container, source, streams, stop)
        else:
            for packet in container.demux(streams):
                if stop.is_set():
                    return
                # The first packet of an RTSP stream has no timestamps but is the keyframe: only empty ones go.
                if packet.size:
                    yield packet
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        fault = fault_of(problem, source.camera, scrubber)
    else:
        if stop.is_set():
            return
        fault = SourceFault("ended", source.camera, "end of stream")
    raise fault from None


def _paced(
    container: InputContainer, source: Source, streams: Sequence[Any], stop: threading.Event
) -> Iterator[Packet]:
    began = time.monotonic()
    round_began_s = 0.0
    while not stop.is_set():
        first_s: float | None = None
        end_s = 0.0
        for packet in container.demux(streams):
            if not packet.size or packet.dts is None or packet.pts is None:
                continue
            base = packet.time_base
            at_s = float(packet.dts * base)
            if first_s is None:
                first_s = at_s
            ahead_s = round_began_s + at_s - first_s - (time.monotonic() - began)
            if stop.wait(max(0.0, ahead_s)):
                return
            shift = round((round_began_s - first_s) / base)
            end_s = max(end_s, at_s - first_s + float((packet.duration or 0) * base))
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            yield packet
        if not source.loops or end_s <= 0:
            return
        round_began_s += end_s
        container.seek(0)


def codec_parameters(codec: str, data: bytes) -> bytes | None:
    """The sequence parameter set in a keyframe (H.264, H.265), where the camera sends it along; None where not.

    Other bytes than before mean another picture size or format: what follows does not belong into the same file.
    """
    if codec not in _SPS:
        return None
    mask, shift, wanted = _SPS[codec]
    position, head = 0, data[:4096]
    while (found := head.find(b"\x00\x00\x01", position)) != -1 and found + 3 < len(head):
        position = found + 3
        if (head[position] >> shift) & mask == wanted:
            end = head.find(b"\x00\x00\x01", position)
            return head[position : end if end != -1 else len(head)].rstrip(b"\x00")
    return None
