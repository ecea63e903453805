"""One connection to a camera: its streams, its packets with usable timestamps, and its place in time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import Any, NamedTuple

from exam_kit.cctv.encoder import Encoder, fitted
from exam_kit.cctv.opening import open_input
from exam_kit.cctv.packets import FINE, Packet, codec_parameters, is_stamped, packets, with_picture
from exam_kit.cctv.sound import SoundTrack, sound_of
from exam_kit.cctv.source import Scrubber, SourceFault
from exam_kit.cctv.template import read_head
from exam_kit.cctv.timeline import Anchor, WallClock
from exam_kit.cctv.wire import CameraOrder, WorkerConfig

__all__ = ["Arrival", "Connection", "StreamChanged"]

LIVE_WAIT_S = 0.015
"""A read that took this long waited for the camera: what came before it was backlog."""
BACKLOG_S = 2.0
BACKLOG_PACKETS = 400
EARLY_SOUND = 50
JUMP_S = 10.0
"""Timestamps that leap this far, or backwards by more than frames are ever reordered, begin a new segment."""
BACK_S = 2.0
CAMERA_CODECS = frozenset({"h264", "hevc"})
"""Never compressed again, whatever point.toml says."""
CARRIED_VIDEO = frozenset({"h264", "hevc", "mjpeg", "mpeg4", "mpeg2video", "vp9", "av1"})
"""What mp4 can hold."""


class StreamChanged(Exception):
    """The picture's size or format is another one now and cannot be told from it, or its clock leapt."""


class Arrival(NamedTuple):
    """A packet and what is known of it. `ticks` is its presentation time, of the picture in the connection's time base,
    of sound in the packet's own."""

    packet: Packet
    video: bool
    ticks: int
    key: bool
    data: bytes | None
    """A keyframe's bytes."""
    head: Any = None
    """Of a keyframe: the stream that describes the picture from here on."""
    changed: bool = False
    """This keyframe begins another picture: it does not belong into the same file as those before."""


class Connection:
    """An opened source. Use as a context manager."""

    def __init__(self, order: CameraOrder, config: WorkerConfig, stop: threading.Event, scrubber: Scrubber) -> None:
        self.order = order
        self._patience_s = config.timings.read_s
        self._stop = stop
        self._scrubber = scrubber
        self._container = open_input(
            order.source,
            order.password,
            open_timeout_s=config.timings.open_s,
            read_timeout_s=config.timings.read_s,
            scrubber=scrubber,
            closely=order.closely,
        )
        self.packets = 0
        """that have come"""
        self._stream: Any = self._container.streams.video[0]
        self.video: Any = self._stream
        """Describes the picture that comes, for a file's head."""
        name = self._stream.codec_context.name
        limits = order.source.encode
        self._encoder = Encoder(limits) if limits is not None and name not in CAMERA_CODECS else None
        if self._encoder is None and name not in CARRIED_VIDEO:
            self._container.close()
            raise SourceFault("no_video", order.source.camera, f"its codec is {name}", "codec")
        sounds = list(self._container.streams.audio[:1]) if order.source.sound else []
        self.sound: SoundTrack | None = sound_of(sounds[0], unbroken=order.source.is_folder) if sounds else None
        self._left_out = sounds[0].codec_context.name if sounds and self.sound is None else None
        own_time = self._encoder is not None or order.source.is_file or is_stamped(self._container)
        self.time_base: Fraction = FINE if own_time else self._stream.time_base or FINE
        # In ticks, so that a frame costs no fraction's arithmetic.
        self._jump = round(JUMP_S / self.time_base)
        self._back = round(BACK_S / self.time_base)
        self._read_stream()
        self._newest: int | None = None

    def _read_stream(self) -> None:
        """What is known of the picture from its description."""
        context = self.video.codec_context
        limits = self.order.source.encode
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        if self._encoder is not None and limits is not None:
            rate = min(rate, limits.fps) if rate else limits.fps
        self.frame_ticks = round((1 / rate if 1 <= rate <= 120 else 0.04) / self.time_base)
        head = context.extradata or b""
        self._lengths = self._encoder is None and head[:1] == b"\x01"
        """Frames carry lengths, not start codes, and name no parameters."""
        self._parameters = None if self._encoder or self._lengths else codec_parameters(context.name, head)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def facts(self) -> dict[str, Any]:
        """Size, codec, nominal rate and sound, for the screens."""
        context, limits = self._stream.codec_context, self.order.source.encode
        width, height, codec = context.width, context.height, context.name
        if self._encoder is not None and limits is not None:
            (width, height), codec = fitted(width, height, limits), f"{codec} → h264"
        sound = self.sound.name if self.sound else f"left out: {self._left_out}" if self._left_out else "off"
        return {
            "width": width,
            "height": height,
            "codec": codec,
            "fps": round(float(self._stream.average_rate or 0), 2),
            "sound": sound,
        }

    def arrivals(self) -> Iterator[Arrival]:
        """Packets from the first keyframe on, each with a timestamp.

        Raises:
            SourceFault: the camera ended, stalled or cannot be read.
            StreamChanged: what follows does not belong into the same file, and does not say what it is.
        """
        held: list[tuple[bool, Packet]] = []
        tracks = self._from_keyframe()
        for video, packet in tracks:
            if held or (video and packet.pts is None and self._newest is None):
                # The first frame came without a time: its neighbours tell it.
                held.append((video, packet))
                known = [p.pts for seen, p in held if seen and p.pts is not None]
                if len(known) < 3 and len(held) < BACKLOG_PACKETS:
                    continue
                if not known:
                    raise SourceFault("unreadable", self.order.source.camera, "no timestamps")
                held[0][1].pts = min(known) - self.frame_ticks
                for seen, earlier in held:
                    yield self._arrival(seen, earlier)
                held = []
            else:
                yield self._arrival(video, packet)

    def _from_keyframe(self) -> Iterator[tuple[bool, Packet]]:
        """The tracks from the first keyframe on; sound that came just before it may belong to it."""
        early: deque[Packet] = deque(maxlen=EARLY_SOUND)
        tracks = self._tracks()
        for video, packet in tracks:
            if not video:
                early.append(packet)
            elif packet.is_keyframe:
                yield True, packet
                yield from ((False, sound) for sound in early)
                yield from tracks

    def _tracks(self) -> Iterator[tuple[bool, Packet]]:
        """(is it the picture?, packet) as it goes into the file, compressed here where it has to be."""
        source = self.order.source
        incoming = packets(self._container, source, self._stop, self._scrubber)
        if source.sound and not source.is_file:
            incoming = with_picture(incoming, source.camera, self._patience_s)
        untouched = self._encoder is None and not source.sound
        for packet in incoming:
            self.packets += 1
            if untouched or (self._encoder is None and packet.stream.type == "video"):
                yield True, packet
            elif self._encoder is not None and packet.stream.type == "video":
                yield from ((True, made) for made in self._encoder.take(packet))
            elif self.sound is not None:
                yield from ((False, made) for made in self.sound.take(packet))

    def _arrival(self, video: bool, packet: Packet) -> Arrival:
        if not video:
            return Arrival(packet, False, packet.pts, False, None)
        changed = False
        if self._encoder is None and packet.stream is not self._stream:
            changed = self._next_file(packet.stream)
        ticks = self._ticks(packet)
        if (packet.duration or 0) * 4 < self.frame_ticks:
            packet.duration = self.frame_ticks  # some say nothing, some a single tick
        newest = self._newest
        if newest is None or ticks > newest:
            self._newest = ticks
        if not packet.is_keyframe:
            return Arrival(packet, True, ticks, False, None, None, changed)
        data = bytes(packet)
        changed = (self._next_parameters(data) and newest is not None) or changed
        return Arrival(packet, True, ticks, True, data, self.video, changed)

    def _ticks(self, packet: Packet) -> int:
        if packet.pts is None:
            return (self._newest or 0) + self.frame_ticks
        ticks: int = packet.pts
        if self._newest is not None and not -self._back <= ticks - self._newest <= self._jump:
            raise StreamChanged
        return ticks

    def _next_file(self, stream: Any) -> bool:
        """The folder's next file: is its picture another one?"""
        before, now = self.video.codec_context, stream.codec_context
        if now.name not in CARRIED_VIDEO:
            raise SourceFault("no_video", self.order.source.camera, f"its codec is {now.name}", "codec")
        same = (before.name, before.width, before.height, before.extradata) == (
            now.name,
            now.width,
            now.height,
            now.extradata,
        )
        self._stream = stream
        if not same:
            self.video = stream
            self._read_stream()
        return not same

    def _next_parameters(self, keyframe: bytes) -> bool:
        """Does this keyframe describe another picture than the one before? The description follows it."""
        if self._lengths:
            return False
        codec = "h264" if self._encoder is not None else self._stream.codec_context.name
        found = codec_parameters(codec, keyframe)
        if found is None or found == self._parameters:
            return False
        if self._parameters is None and self._encoder is None:
            self._parameters = found  # as the sign-on described it
            return False
        described = read_head(codec, keyframe)
        if described is None:
            raise StreamChanged
        self.video, self._parameters = described, found
        return True

    def anchored(self, clock: WallClock, not_before: datetime | None) -> tuple[Anchor | None, Iterator[Arrival]]:
        """Where the connection stands in time, and all its arrivals.

        What a camera sends first lay waiting somewhere; the first packet that had to be waited for tells the time.
        None when the source was stopped before a frame came.
        """
        source = self.arrivals()
        backlog: list[Arrival] = []
        began = time.monotonic()
        live: Arrival | None = None
        while len(backlog) < BACKLOG_PACKETS and time.monotonic() - began < BACKLOG_S:
            asked = time.monotonic()
            arrival = next(source, None)
            if arrival is None:
                break
            backlog.append(arrival)
            if arrival.video:
                waited = live is not None and time.monotonic() - asked >= LIVE_WAIT_S
                live = arrival
                if waited:
                    break
        if live is None:
            return None, iter(())
        now = clock.at(not_before)
        anchor = Anchor(now, live.ticks, self.time_base)
        early_s = (not_before - anchor.moment(backlog[0].ticks)).total_seconds() if not_before else 0.0
        return anchor.shifted(max(0.0, early_s)), _chain(backlog, source)


def _chain(first: list[Arrival], rest: Iterator[Arrival]) -> Iterator[Arrival]:
    yield from first
    yield from rest
