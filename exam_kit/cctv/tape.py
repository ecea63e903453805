"""A camera's recording as it is written: segment after segment, each closed with a reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import av.error

from exam_kit.cctv.connection import Arrival, Connection
from exam_kit.cctv.live import LivePicture
from exam_kit.cctv.names import open_path
from exam_kit.cctv.recovery import inspect
from exam_kit.cctv.sealer import Sealer, finish
from exam_kit.cctv.sync import in_step
from exam_kit.cctv.template import is_whole
from exam_kit.cctv.timeline import Anchor, DecodeOrder, Drift, WallClock
from exam_kit.cctv.torn_end import drop_torn_end
from exam_kit.cctv.wire import CameraOrder, WorkerConfig
from exam_kit.cctv.writer import DiskRefused, SegmentWriter
from exam_kit.clock import SystemClock, from_iso, iso

__all__ = ["Tape"]

log = logging.getLogger("exam_kit.cctv")

PROGRESS_S = 2.0
SPACE_S = 1.0
REORDERED = 2
"""Frames that are shown later than they come, where a camera reorders them."""
DRIFT_S = 1.0
"""A camera's clock may lead or lag ours by this much before a new segment is set right."""


@dataclass
class _Segment:
    """The segment being written."""

    writer: SegmentWriter
    anchor: Anchor
    first: int
    base: int
    order: DecodeOrder
    ends: int
    """where its last picture ends, in the stream's ticks"""
    lag_s: float = float("inf")
    """Smallest (arrival − camera time) seen."""


class Tape:
    """Writes what a connection delivers. Lives as long as the camera's thread, over many connections."""

    def __init__(
        self, order: CameraOrder, config: WorkerConfig, sealer: Sealer, emit: Callable[[dict[str, Any]], None]
    ) -> None:
        self._order = order
        self._config = config
        self._sealer = sealer
        self._emit = emit
        clock = SystemClock()
        offset_s = order.offset_s if order.offset_s is not None else clock.now().timestamp() - clock.boot()
        self._clock = WallClock(offset_s, clock.boot)
        self._drift = Drift(DRIFT_S)
        self._end = from_iso(order.not_before) if order.not_before else None
        self._segment: _Segment | None = None
        self.frames = 0

    @property
    def recorded_to(self) -> str | None:
        """The end of what is recorded, ISO; None before the first frame."""
        end = self._recorded()
        return iso(end) if end else None

    def _recorded(self) -> datetime | None:
        segment = self._segment
        if segment is None:
            return self._end
        end = segment.anchor.moment(segment.ends)  # not kept up with every frame: that took a tenth of its cost
        return max(end, self._end) if self._end else end

    def record(self, connection: Connection, mind_space: Callable[[], None]) -> None:
        """Write until the source faults, the disk refuses, or it is asked to stop.

        Raises:
            SourceFault, StreamChanged, DiskRefused, av.error.FFmpegError, and what `mind_space` raises.
        """
        self._drift.forget()
        anchor, arrivals = connection.anchored(self._clock, self._recorded())
        if anchor is None:
            return
        live = self._live(connection.video)
        meter = _Meter()
        space_at = time.monotonic() + SPACE_S
        current = anchor
        if connection.sound is not None:
            arrivals = in_step(arrivals, connection.time_base, lambda arrival: self._cuts(arrival, current))
        for arrival in arrivals:
            if arrival.changed:
                live = self._live(arrival.head)
            if arrival.key:
                current = self._turn(arrival, current, connection)
            segment = self._segment
            if segment is None:
                continue
            meter.count(arrival)
            self._put(arrival, segment, connection)
            if arrival.data is not None:
                live.see(arrival.data)
            now = time.monotonic()
            if now >= space_at:
                space_at = now + SPACE_S
                mind_space()
            if now >= meter.due:
                self._emit({"event": "progress", "camera": self._order.source.camera, **meter.read(now),
                            "recorded_to": self.recorded_to, "picture": live.state,
                            "width": live.size[0], "height": live.size[1], "moving": live.moved()})  # fmt: skip

    def _live(self, head: Any) -> LivePicture:
        reference = Path(self._order.reference) if self._order.reference else None
        path = Path(self._config.live) / f"{self._order.source.camera}.jpg"
        return LivePicture(path, head, self._config.picture, reference, self._config.timings)

    def end(self, reason: str) -> None:
        """Close the segment, if one is open."""
        end = self._recorded()
        if self._segment is not None and end is not None:
            self._close(reason, end)

    def _turn(self, arrival: Arrival, anchor: Anchor, connection: Connection) -> Anchor:
        """At a keyframe: begin a segment when there is none, or when this one is long enough."""
        segment = self._segment
        if segment is not None:
            if not self._cuts(arrival, anchor):
                return anchor
            at = anchor.moment(arrival.ticks)
            shifted = anchor.shifted(self._drift.correction_s(segment.lag_s))
            if shifted.moment(arrival.ticks) > segment.writer.start:
                anchor, at = shifted, shifted.moment(arrival.ticks)
            # The next begins where this one ends: nothing is missing between them.
            self._close("stream_changed" if arrival.changed else "cut", at)
        self._open(arrival, anchor, connection)
        return anchor

    def _cuts(self, arrival: Arrival, anchor: Anchor) -> bool:
        """Does a new file begin at this keyframe, while one is open?"""
        if self._segment is None or arrival.changed:
            return True
        start = self._segment.writer.start
        return (anchor.moment(arrival.ticks) - start).total_seconds() >= self._config.segment_s

    def _open(self, arrival: Arrival, anchor: Anchor, connection: Connection) -> None:
        start = anchor.moment(arrival.ticks)
        footage, camera = Path(self._config.footage), self._order.source.camera
        # The rest of the group cannot be seen without its first picture; it is written all the same.
        damaged = self._order.source.may_lose and not is_whole(arrival.head, arrival.data or b"")

        def opened(path: Path) -> None:
            where = path.relative_to(footage).as_posix()
            self._emit({"event": "opened", "camera": camera, "path": where, "from": iso(start), "damaged": damaged})

        sound = connection.sound.template if connection.sound else None
        writer = SegmentWriter(
            self._sealer.disk, lambda number: footage / open_path(self._order.label, start, number), start, camera,
            arrival.head, sound, opened,
        )  # fmt: skip
        delay = REORDERED if arrival.head.codec_context.has_b_frames else 0
        order = DecodeOrder(delay, connection.frame_ticks)
        base = arrival.ticks - delay * connection.frame_ticks
        self._segment = _Segment(writer, anchor, arrival.ticks, base, order, arrival.ticks)
        self._end = start
        self._sealer.watch(writer.file)

    def _put(self, arrival: Arrival, segment: _Segment, connection: Connection) -> None:
        packet = arrival.packet
        if not arrival.video:
            shift = round(segment.base * connection.time_base / packet.time_base)
            packet.pts = packet.dts = arrival.ticks - shift
            if packet.pts >= 0:
                self._put_sound(packet, segment)
            return
        ends = arrival.ticks + (packet.duration or connection.frame_ticks)
        if ends > segment.ends:
            segment.ends = ends
        pts, dts = segment.order.put(arrival.ticks)
        packet.pts, packet.dts = pts - segment.base, dts - segment.base
        segment.writer.put(packet)
        self.frames += 1
        if arrival.key:  # often enough to see a clock run away, and a fifth less work for each frame
            lag_s = (self._clock.steady() - segment.anchor.moment(arrival.ticks)).total_seconds()
            segment.lag_s = min(segment.lag_s, lag_s)

    def _put_sound(self, packet: Any, segment: _Segment) -> None:
        """Sound that the file does not take is left out: the picture goes on."""
        try:
            segment.writer.put(packet, sound=True)
        except (av.error.FFmpegError, ValueError) as problem:
            log.debug("%s: sound left out (%s)", self._order.source.camera, type(problem).__name__)

    def _close(self, reason: str, end: datetime) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        writer, camera = segment.writer, self._order.source.camera
        footage, frames = Path(self._config.footage), writer.frames
        try:
            writer.close()
        except (DiskRefused, av.error.FFmpegError):
            # Without an index it is still a fragmented mp4 that plays to its last whole frame; up to there it counts.
            reason = _refused(reason, writer.file.fault)
            end, frames = _what_is_whole(writer)
        self._end = end

        def seal() -> None:
            writer.file.settle()
            self._sealer.release(writer.file)
            if writer.file.path is None:
                return  # it never came into being
            path = PurePosixPath(writer.file.path.relative_to(footage).as_posix())
            about = {"camera": camera, "opened_path": path.as_posix()}
            to, whole, why = end, frames, reason
            if writer.file.fault is not None:
                # Also what still waited at the close may have been refused: what is on the disk counts.
                found = inspect(writer.file.path)
                _playable(writer.file.path)
                to = min(end, writer.start + timedelta(seconds=found.duration_s))
                whole, why = found.frames, _refused(reason, writer.file.fault)
            try:
                done = finish(footage, path, self._order.label, writer.start, to)
            except OSError as problem:
                self._emit({"event": "unfinished", **about, "detail": problem.strerror or type(problem).__name__})
                return
            about.update(path=done.path, sha256=done.sha256, reason=why)
            about.update({"from": iso(writer.start), "to": iso(to)})
            self._emit({"event": "closed", **about, "frames": whole, "bytes": done.bytes})

        writer.file.end(lambda: self._sealer.later(seal))


def _playable(path: Path) -> None:
    try:
        drop_torn_end(path)
    except OSError as problem:  # a disk that takes nothing more; finishing the file says so
        log.warning("%s: its torn end stays (%s)", path.name, problem.strerror)


def _refused(reason: str, fault: OSError | None) -> str:
    """Why a segment ended that the disk did not take whole."""
    if reason in ("disk_full", "disk_failed"):
        return reason
    return "disk_full" if fault is not None and DiskRefused(fault).full else "disk_failed"


def _what_is_whole(writer: SegmentWriter) -> tuple[datetime, int]:
    """End and frames of a file that the disk refused to complete."""
    file = writer.file
    if file.fault is None or file.overflowed:
        # What was given to the disk before is still being written.
        return writer.start + timedelta(seconds=writer.whole_s), writer.whole_frames
    if file.path is None:
        return writer.start, 0  # it never came into being
    found = inspect(file.path)
    return writer.start + timedelta(seconds=found.duration_s), found.frames


class _Meter:
    """Frames and bits a second over the last interval."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._frames = 0
        self._bytes = 0
        self.due = self._since + PROGRESS_S
        """when it is to be read again"""

    def count(self, arrival: Arrival) -> None:
        self._bytes += arrival.packet.size
        self._frames += arrival.video

    def read(self, now: float) -> dict[str, float]:
        spent = now - self._since
        found = {"fps": round(self._frames / spent, 1), "bitrate": round(self._bytes * 8 / spent)}
        self._since, self._frames, self._bytes, self.due = now, 0, 0, now + PROGRESS_S
        return found
