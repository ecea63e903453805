"""What the benchmark's cameras send: H.264 made once, cut into RTP packets once, every frame numbered.

The number stands in an SEI of its own at the head of the frame, so that a frame can be found again in a recorded file
whatever became of its timestamps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

__all__ = ["Loop", "Picture", "make_stream", "number_in", "read_stream"]

MARK = b"exam-kit frame:\x01"
"""16 bytes, as the SEI's UUID; without two zero bytes in a row, so that nothing must be escaped."""
DIGITS = 8
MTU = 1400
HEAD = 16
"""Bytes before an RTP payload: 4 of the interleaving, 12 of RTP."""
TICKS_PER_S = 90_000


@dataclass(frozen=True)
class Picture:
    """What is sent: the size of the picture, frames a second, frames from keyframe to keyframe, bits a second."""

    width: int = 1920
    height: int = 1080
    fps: int = 25
    gop: int = 25
    bitrate_bps: int = 4_000_000


def make_stream(path: Path, picture: Picture, seconds: int = 4) -> None:
    """Encode a room with people and sensor noise; each frame goes into the file with its length before it."""
    from exam_kit.cctv.synthetic_scene import Scene  # OpenCV, which the cameras' process does without

    scene = Scene("room", "bench", "exam-kit bench", picture.width, picture.height)
    noise = np.random.default_rng(1).integers(0, 7, (8, picture.height, picture.width), dtype=np.uint8)
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, picture.fps), Fraction(picture.fps)
    encoder.bit_rate = picture.bitrate_bps
    encoder.options = {
        "preset": "superfast", "tune": "zerolatency",
        "x264-params": f"keyint={picture.gop}:min-keyint={picture.gop}:scenecut=0:sliced-threads=0:slices=1:"
        f"repeat-headers=1:aud=1:vbv-maxrate={picture.bitrate_bps // 1000}:vbv-bufsize={picture.bitrate_bps // 1000}",
    }  # fmt: skip
    units = []
    count = max(1, seconds * picture.fps // picture.gop) * picture.gop
    for number in range(count):
        planes = scene.draw(number / picture.fps, f"{datetime(2026, 5, 28, tzinfo=UTC):%d.%m.%Y}").copy()
        planes.y[:] += np.minimum(noise[number % len(noise)], 255 - planes.y)
        frame = av.VideoFrame.from_ndarray(planes.data, format="yuv420p")
        frame.pts = number
        units += [bytes(packet) for packet in encoder.encode(frame)]
    units += [bytes(packet) for packet in encoder.encode(None)]
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as target:
        for unit in units:
            target.write(struct.pack(">I", len(unit)) + unit)
    temporary.replace(path)


def read_stream(path: Path) -> list[bytes]:
    """The frames of a file of `make_stream`, as byte streams with start codes."""
    content, units, at = path.read_bytes(), [], 0
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        units.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    return units


def number_in(data: bytes) -> int | None:
    """The number of the frame that these bytes (its first few hundred) begin; None when it bears none."""
    found = data.find(MARK)
    if found < 0:
        return None
    at = found + len(MARK)
    return int(data[at : at + DIGITS], 16)


def _units(frame: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream."""
    begins = []
    at = frame.find(b"\x00\x00\x01")
    while at >= 0:
        begins.append(at + 3)
        at = frame.find(b"\x00\x00\x01", at + 3)
    for begin, following in zip(begins, [*(begin - 3 for begin in begins[1:]), len(frame)], strict=True):
        yield frame[begin:following].rstrip(b"\x00")


def _payloads(unit: bytes) -> Iterator[bytes]:
    """RTP payloads of one NAL unit (RFC 6184: single, or fragments FU-A)."""
    if len(unit) <= MTU:
        yield unit
        return
    kind, rest, first = unit[0], unit[1:], 0x80
    while rest:
        part, rest = rest[: MTU - 2], rest[MTU - 2 :]
        last = 0x40 if not rest else 0
        yield bytes((kind & 0xE0 | 28, first | last | kind & 0x1F)) + part
        first = 0


@dataclass(frozen=True)
class _Frame:
    """One frame of the loop as it goes over the wire, numbers and times still to be put in."""

    wire: bytes
    heads: tuple[int, ...]
    """where each RTP head begins"""
    number_at: int
    before: int
    """packets of the loop before this frame"""


class Loop:
    """An endless stream out of a short one: frame N is ready for the wire, numbered and timed."""

    def __init__(self, units: list[bytes], picture: Picture) -> None:
        self.picture = picture
        self._step = TICKS_PER_S // picture.fps
        self._frames: list[_Frame] = []
        self.parameters: list[bytes] = []
        before = 0
        for unit in units:
            frame = self._frame(unit, before)
            before += len(frame.heads)
            self._frames.append(frame)
        self._packets = before

    def _frame(self, unit: bytes, before: int) -> _Frame:
        sei = b"\x06\x05" + bytes((len(MARK) + DIGITS,)) + MARK + b"0" * DIGITS + b"\x80"
        nals = [nal for nal in _units(unit) if nal[0] & 0x1F != 6]  # the encoder's own words
        if not self.parameters:
            self.parameters = [nal for nal in nals if nal[0] & 0x1F in (7, 8)]
        first_slice = next(number for number, nal in enumerate(nals) if nal[0] & 0x1F in (1, 5))
        nals.insert(first_slice, sei)
        payloads = [payload for nal in nals for payload in _payloads(nal)]
        wire, heads = bytearray(), []
        for number, payload in enumerate(payloads):
            wire += struct.pack(">cBH", b"$", 0, len(payload) + 12)
            heads.append(len(wire))
            wire += struct.pack(">BBHII", 0x80, 96 | (0x80 if number == len(payloads) - 1 else 0), 0, 0, 0x45584B54)
            wire += payload
        return _Frame(bytes(wire), tuple(heads), wire.index(MARK) + len(MARK), before)

    def is_key(self, number: int) -> bool:
        return number % self.picture.gop == 0

    def wire(self, number: int) -> bytes:
        """Frame `number` as interleaved RTP packets."""
        rounds, place = divmod(number, len(self._frames))
        frame = self._frames[place]
        data = bytearray(frame.wire)
        sequence = rounds * self._packets + frame.before
        ticks = number * self._step & 0xFFFFFFFF
        for more, head in enumerate(frame.heads):
            struct.pack_into(">HI", data, head + 2, (sequence + more) & 0xFFFF, ticks)
        data[frame.number_at : frame.number_at + DIGITS] = f"{number:0{DIGITS}x}".encode()
        return bytes(data)
