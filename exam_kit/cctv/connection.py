"""One connection to a camera: its streams, its packets with usable timestamps, and its place in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import Any

from exam_kit.cctv.packets import Packet, codec_parameters, packets
from exam_kit.cctv.source import Scrubber, SourceFault, open_input
from exam_kit.cctv.timeline import Anchor, WallClock
from exam_kit.cctv.wire import CameraOrder, WorkerConfig
from exam_kit.cctv.writer import usable_sound

__all__ = ["Arrival", "Connection", "StreamChanged"]

LIVE_WAIT_S = 0.015
"""A read that took this long waited for the camera: what came before it was backlog."""
BACKLOG_S = 2.0
BACKLOG_PACKETS = 400
JUMP_S = 10.0
"""Timestamps that leap this far, or backwards by more than frames are ever reordered, begin a new segment."""
BACK_S = 2.0


class StreamChanged(Exception):
    """The picture's size or format is another one now, or its clock leapt."""


@dataclass(frozen=True)
class Arrival:
    """A packet and what is known of it. `ticks` is its presentation time in its stream's time base."""

    packet: Packet
    video: bool
    ticks: int
    key: bool
    data: bytes | None
    """A keyframe's bytes."""


class Connection:
    """An opened source. Use as a context manager."""

    def __init__(self, order: CameraOrder, config: WorkerConfig, stop: threading.Event, scrubber: Scrubber) -> None:
        self.order = order
        self._stop = stop
        self._scrubber = scrubber
        self._container = open_input(
            order.source,
            order.password,
            open_timeout_s=config.timings.open_s,
            read_timeout_s=config.timings.read_s,
            scrubber=scrubber,
        )
        self.video: Any = self._container.streams.video[0]
        sounds = list(self._container.streams.audio) if order.source.sound else []
        self.sound: Any = next((stream for stream in sounds if usable_sound(stream)), None)
        self._left_out = next((stream.codec_context.name for stream in sounds), None) if self.sound is None else None
        self.time_base: Fraction = self.video.time_base or Fraction(1, 90000)
        rate = float(self.video.average_rate or self.video.guessed_rate or 0)
        self.frame_ticks = (
            max(1, round(1 / (rate * self.time_base))) if 1 <= rate <= 120 else round(0.04 / self.time_base)
        )
        self.delay = 2 if self.video.codec_context.has_b_frames else 0
        self._parameters: bytes | None = None
        self._newest: int | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def facts(self) -> dict[str, Any]:
        """Size, codec, nominal rate and sound, for the screens."""
        context = self.video.codec_context
        sound = (
            self.sound.codec_context.name if self.sound else f"left out: {self._left_out}" if self._left_out else "off"
        )
        return {
            "width": context.width,
            "height": context.height,
            "codec": context.name,
            "fps": round(float(self.video.average_rate or 0), 2),
            "sound": sound,
        }

    def arrivals(self) -> Iterator[Arrival]:
        """Packets from the first keyframe on, each with a timestamp.

        Raises:
            SourceFault: the camera ended, stalled or cannot be read.
            StreamChanged: what follows does not belong into the same file.
        """
        streams = [stream for stream in (self.video, self.sound) if stream is not None]
        began = False
        held: list[Packet] = []
        for packet in packets(self._container, self.order.source, streams, self._stop, self._scrubber):
            video = packet.stream.index == self.video.index
            if not began:
                if not (video and packet.is_keyframe):
                    continue
                began = True
            if held or (video and packet.pts is None and self._newest is None):
                # The first frame came without a time: its neighbours tell it.
                held.append(packet)
                known = [p.pts for p in held if p.stream.index == self.video.index and p.pts is not None]
                if len(known) < 3 and len(held) < BACKLOG_PACKETS:
                    continue
                if not known:
                    raise SourceFault("unreadable", self.order.source.camera, "no timestamps")
                held[0].pts = min(known) - self.frame_ticks
                for earlier in held:
                    yield from self._arrival(earlier)
                held = []
                continue
            yield from self._arrival(packet)

    def _arrival(self, packet: Packet) -> Iterator[Arrival]:
        if packet.stream.index != self.video.index:
            if packet.pts is not None:
                yield Arrival(packet, False, packet.pts, False, None)
            return
        ticks = packet.pts if packet.pts is not None else (self._newest or 0) + self.frame_ticks
        if self._newest is not None:
            leap_s = float((ticks - self._newest) * self.time_base)
            if leap_s > JUMP_S or leap_s < -BACK_S:
                raise StreamChanged
        key = bool(packet.is_keyframe)
        data = bytes(packet) if key else None
        if data is not None:
            found = codec_parameters(self.video.codec_context.name, data)
            if found is not None and self._parameters is not None and found != self._parameters:
                raise StreamChanged
            self._parameters = found or self._parameters
        self._newest = ticks if self._newest is None else max(ticks, self._newest)
        yield Arrival(packet, True, ticks, key, data)

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
