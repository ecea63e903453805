"""Packets of a source in the order they come: live as they arrive, a file in the time it was recorded in."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import count
from typing import Any

import av.error
from av.container import InputContainer

from exam_kit.cctv.opening import files_of, open_file, read_lightly
from exam_kit.cctv.source import Scrubber, Source, SourceFault, fault_of

__all__ = [
    "FINE",
    "Packet",
    "codec_parameters",
    "is_stamped",
    "is_torn",
    "packets",
    "whole",
    "with_picture",
]

Packet = Any
"""PyAV's packet; its type parameter says nothing here."""

FINE = Fraction(1, 90_000)
"""Time base of what gets its times here."""

BURST_TICKS = round(Fraction(1, 1000) / FINE)

SILENT_S = 1.0
STARTING_S = 4.0
WAITED_S = 0.002
"""A read that took this long found nothing there."""
REST_S = 0.6
REST_GROWTH = 0.05
"""Seconds of rest for each second since the connection began."""
AT_ONCE_S = 1.0
"""A pause of the whole process counts as no more than this."""
TORN_BYTES = 64
"""A frame with a picture in it is hardly ever smaller; only smaller ones are looked into."""
_PICTURES = {"h264": range(1, 6), "hevc": range(32)}
_SPS = {"h264": (0x1F, 0, 7), "hevc": (0x3F, 1, 33)}
_SIZE = re.compile(rb"\xff[\xc0-\xc2]..(.....)", re.DOTALL)
"""A JPEG's frame header: after its length precision, height and width."""


def packets(container: InputContainer, source: Source, stop: threading.Event, scrubber: Scrubber) -> Iterator[Packet]:
    """Packets of the first video stream, and of the first sound where the source has it; never empty ones.

    Of a folder each file's packets come with the streams of that file, in one unbroken time.

    Raises:
        SourceFault: the source ended, stalled or cannot be read.
    """
    try:
        if source.is_file:
            yield from _paced(container, source, stop, scrubber)
        else:
            stamped, newest = is_stamped(container), 0
            # Datagrams that come while nobody reads would be lost.
            rest = stop.wait if read_lightly(source) else None
            for packet in whole(container.demux(_wanted(container, source)), rest):
                if stop.is_set():
                    return
                # The first packet of an RTSP stream has no timestamps but is the keyframe: only empty ones go.
                size = packet.size
                if size >= TORN_BYTES or (size and not is_torn(packet)):
                    if stamped:
                        # Two that were read at once: a file counts time less finely than this.
                        newest = max(round(time.monotonic() / FINE), newest + BURST_TICKS)
                        packet.time_base, packet.pts, packet.duration = FINE, newest, 0
                    yield packet
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        fault = fault_of(problem, source.camera, scrubber)
    else:
        if stop.is_set():
            return
        fault = SourceFault("ended", source.camera, "end of stream")
    raise fault from None


def whole(incoming: Iterable[Packet], rest: Callable[[float], object] | None = None) -> Iterator[Packet]:
    """The packets without the piece of a frame that a cut connection leaves: the demuxer hands it out when it gives up
    waiting for the rest. So one that was waited for long goes on only when another follows.

    With `rest`, a way to sleep for so many seconds, they are read several at a time: who waits for each is woken for
    every piece of it that comes, and with many cameras that cost as much as all the work. What comes meanwhile waits
    in the connection's buffer, which the system lets grow with what is read at once; so the rests grow as well, and
    there is none in the beginning, when what had to be waited for tells the time (`Connection.anchored`).
    """
    held: Packet | None = None
    began = asked = time.monotonic()
    for packet in incoming:
        if held is not None:
            yield held
            held = None
        now = time.monotonic()
        waited_s = now - asked
        if waited_s >= SILENT_S:
            held = packet
        else:
            yield packet
        if waited_s >= WAITED_S and rest is not None and now - began >= STARTING_S:
            rest(min(REST_S, REST_GROWTH * (now - began)))
            now = time.monotonic()
        asked = now


def with_picture(incoming: Iterable[Packet], camera: str, patience_s: float) -> Iterator[Packet]:
    """The packets, for as long as the picture comes: sound alone keeps a connection alive, and is no recording.

    Raises:
        SourceFault: sound came for more than `patience_s` and no picture.
    """
    without_s, before = 0.0, time.monotonic()
    for packet in incoming:
        now = time.monotonic()
        without_s = 0.0 if packet.stream.type == "video" else without_s + min(now - before, AT_ONCE_S)
        before = now
        if without_s > patience_s:
            raise SourceFault("timeout", camera, "it sends sound and no picture")
        yield packet


def is_torn(packet: Packet) -> bool:
    """Has a camera that died in mid-frame left only the head of it? Kept, it would be a frame that shows nothing."""
    if packet.size >= TORN_BYTES:
        return False
    codec = packet.stream.codec_context.name if packet.stream.type == "video" else ""
    if codec not in _SPS:
        return False
    mask, shift, _sps = _SPS[codec]
    units = bytes(packet).split(b"\x00\x00\x01")[1:]
    return bool(units) and not any((unit[0] >> shift) & mask in _PICTURES[codec] for unit in units if unit)


def is_stamped(container: InputContainer) -> bool:
    """JPEG after JPEG in an HTTP answer carries no time: each gets that of its coming."""
    return container.format.name in ("mpjpeg", "mjpeg")


def _wanted(container: InputContainer, source: Source) -> list[Any]:
    return [*container.streams.video[:1], *(container.streams.audio[:1] if source.sound else ())]


def _paced(first: InputContainer, source: Source, stop: threading.Event, scrubber: Scrubber) -> Iterator[Packet]:
    """Files one after the other, each packet when its time has come."""
    began = time.monotonic()
    at_s = 0.0
    for turn in count():
        for number, path in enumerate(files_of(source)):
            opened = first if turn == number == 0 else open_file(source, path, scrubber)
            length_s = 0.0
            try:
                for ahead_s, packet in _timed(opened, source, at_s):
                    if stop.wait(max(0.0, ahead_s - (time.monotonic() - began))):
                        return
                    length_s = max(length_s, ahead_s - at_s + float((packet.duration or 0) * packet.time_base))
                    yield packet
            finally:
                if opened is not first:
                    opened.close()
            at_s += length_s
        if not source.loops or at_s <= 0:
            return


def _timed(container: InputContainer, source: Source, begins_s: float) -> Iterator[tuple[float, Packet]]:
    """(when it is due, packet) of one file that begins at `begins_s` of the whole; times are set accordingly."""
    zero_s: float | None = None
    for packet in container.demux(_wanted(container, source)):
        if not packet.size or packet.dts is None or packet.pts is None:
            continue
        base = packet.time_base
        if zero_s is None:
            zero_s = float(packet.dts * base)
        due_s = begins_s + float(packet.dts * base) - zero_s
        shown_s = begins_s + float(packet.pts * base) - zero_s
        packet.duration = round((packet.duration or 0) * base / FINE)
        packet.time_base = FINE
        packet.pts, packet.dts = round(shown_s / FINE), round(due_s / FINE)
        yield due_s, packet


def codec_parameters(codec: str, data: bytes) -> bytes | None:
    """What a keyframe says of the picture's size and format: the sequence parameter set (H.264, H.265) where the
    camera sends it along, a JPEG's height and width. None where it says nothing.

    Other bytes than before mean another picture: what follows does not belong into the same file.
    """
    if codec == "mjpeg":
        size = _SIZE.search(data)
        return size[1] if size else None
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
