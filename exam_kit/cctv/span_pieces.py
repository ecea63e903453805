"""The pieces of an export: packets of many sources put together into new files, none of them encoded again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import av.error

from exam_kit.cctv.names import Label, closed_path
from exam_kit.cctv.segments import Segment
from exam_kit.cctv.span_asked import Cancelled, Missing, Part, SpanAsked
from exam_kit.home import Home
from exam_kit.store.durable import sync_file

__all__ = ["SEAM", "Pieces"]

SEAM = timedelta(seconds=1)
"""Files of one recording follow each other closer than this."""
BLOCK_BYTES = 1 << 20
ASK_EVERY = 256
"""Packets between two looks whether it was cancelled."""

IMPORTED = "imported"
"""The reason of a segment that another recorder made (`exam_kit.cctv.imports`)."""


@dataclass
class Pieces:
    """The pieces of one export as they come to be."""

    home: Home
    asked: SpanAsked
    folder: Path
    total: int
    progress: Callable[[int, int, str], None]
    cancelled: Callable[[], bool]
    done: int = 0
    parts: list[Part] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    _piece: _Piece | None = None

    def abandon(self) -> None:
        """Let go of the file at hand, so that it can be removed."""
        if self._piece is not None:
            self._piece.close()

    def camera(self, label: Label, camera: str, pieces: Sequence[Segment]) -> None:
        """All of one camera: a piece ends where the recording paused or the picture's format changed."""
        for source in pieces:
            self.progress(self.done, self.total, camera)
            fault = self._fault(source)
            if fault:
                self.missing.append(self.asked.without(source, fault))
                continue
            if source.reason == IMPORTED:
                self._finish(label)
                self._whole(source)
                self.done += self.asked.share_bytes(source)
                continue
            with av.open(str(source.file(self.home))) as container:
                if self._piece is not None and not self._piece.takes(source, container):
                    self._finish(label)
                if self._piece is None:
                    self._piece = _Piece(self.folder / f"{camera}-{len(self.parts)}.mp4", camera, container)
                for count, (packet, at) in enumerate(self._packets(container, source, self._piece.frames == 0)):
                    if count % ASK_EVERY == 0 and self.cancelled():
                        raise Cancelled
                    self._piece.put(packet, at)
                self._piece.close_source(source)
            self.done += self.asked.share_bytes(source)
        self._finish(label)
        self.progress(self.done, self.total, camera)

    def _fault(self, source: Segment) -> str:
        """Why a source cannot be used; empty when it is what it was at birth."""
        path = source.file(self.home)
        if not path.is_file():
            return "file_missing"
        if _hash(path, self.cancelled) != source.sha256:
            return "changed"
        if source.reason == IMPORTED:
            return ""  # goes as it is
        try:
            with av.open(str(path)) as container:
                return "" if container.streams.video else "unreadable"
        except (av.error.FFmpegError, OSError):
            return "unreadable"

    def _whole(self, source: Segment) -> None:
        """What another recorder left goes as it is: not every container and codec of theirs fits into an mp4."""
        name = Path(source.path)
        number, target = 1, self.folder / name.name
        while target.exists():
            number += 1
            target = self.folder / f"{name.stem}_{number}{name.suffix}"
        shutil.copyfile(source.file(self.home), target)
        sync_file(target)
        digest = _hash(target, self.cancelled)
        if digest != source.sha256:
            target.unlink()  # a copy, made a moment ago
            self.missing.append(self.asked.without(source, "changed"))
            return
        self.parts.append(
            Part(source.camera, target.name, source.start, source.end or source.start, source.frames or 0,
                 target.stat().st_size, digest, ((source.path, digest),))
        )  # fmt: skip

    def _packets(self, container: Any, source: Segment, first: bool) -> Iterator[tuple[Any, datetime]]:
        """Packets with the moment they show, from the last keyframe at or before the start to the end."""
        begin = _keyframe_before(container, source, self.asked.start) if first else None
        streams = [one for one in container.streams if one.type in ("video", "audio")]
        for packet in container.demux(streams):
            if packet.dts is None or packet.pts is None:
                continue
            at = source.start + timedelta(seconds=_second(packet))
            if begin is not None and at < begin:
                continue
            if source.start + timedelta(seconds=float(packet.dts * packet.time_base)) >= self.asked.end:
                continue
            yield packet, at

    def _finish(self, label: Label) -> None:
        piece, self._piece = self._piece, None
        if piece is None:
            return
        piece.close()
        if not piece.frames or piece.start is None or piece.end is None:
            piece.path.unlink()
            return
        number = 1
        while (target := self.folder / closed_path(label, piece.start, piece.end, number).name).exists():
            number += 1
        piece.path.rename(target)
        sync_file(target)
        digest = _hash(target, self.cancelled)
        made = Part(piece.camera, target.name, piece.start, piece.end, piece.frames, target.stat().st_size, digest,
                    tuple(piece.sources))  # fmt: skip
        self.parts.append(made)


class _Piece:
    """One mp4 that is being put together from several sources."""

    def __init__(self, path: Path, camera: str, container: Any) -> None:
        self.path, self.camera = path, camera
        self.frames = 0
        self.start: datetime | None = None
        self.end: datetime | None = None
        self.sources: list[tuple[str, str]] = []
        self._until: datetime | None = None
        self._output = av.open(str(path), "w", format="mp4")
        self._streams = {
            one.type: self._output.add_stream_from_template(one)
            for one in reversed(container.streams)
            if one.type in ("video", "audio")
        }
        self._kind = _kind(container)
        self._last: dict[str, int] = {}

    def takes(self, source: Segment, container: Any) -> bool:
        """Does this source follow without a pause, and with the same format?"""
        return self._until is not None and source.start - self._until < SEAM and self._kind == _kind(container)

    def put(self, packet: Any, at: datetime) -> None:
        """Add a packet that shows the moment `at`."""
        kind = packet.stream.type
        if self.start is None:
            if kind != "video":
                return  # the piece begins with a picture
            self.start = at
        base = packet.time_base
        delay = packet.pts - packet.dts
        pts = round((at - self.start).total_seconds() / base)
        dts = pts - delay
        # Two files may overlap by a tick where one recording was cut.
        last = self._last.get(kind)
        if last is not None and dts <= last:
            dts = last + 1
        pts = max(pts, dts)
        self._last[kind] = dts
        if kind == "video":
            self.frames += 1
            frame_s = float((packet.duration or 0) * base)
            ends = at + timedelta(seconds=frame_s)
            self.end = ends if self.end is None else max(self.end, ends)
        packet.pts, packet.dts = pts, dts
        packet.stream = self._streams[kind]
        self._output.mux(packet)

    def close_source(self, source: Segment) -> None:
        self._until = source.end
        self.sources.append((source.path, source.sha256 or ""))

    def close(self) -> None:
        self._output.close()


def _second(packet: Any) -> float:
    return float(packet.pts * packet.time_base)


def _keyframe_before(container: Any, source: Segment, moment: datetime) -> datetime | None:
    """The last keyframe at or before `moment`; None when the source begins later."""
    found = None
    for packet in container.demux(container.streams.video[0]):
        if packet.pts is None:
            continue
        at = source.start + timedelta(seconds=_second(packet))
        if at > moment and found is not None:
            break
        if packet.is_keyframe and (at <= moment or found is None):
            found = at
    container.seek(0)
    return found


def _kind(container: Any) -> tuple[Any, ...]:
    """What must be the same in all sources of one file."""
    return tuple(
        (one.type, one.codec_context.name, one.codec_context.extradata, one.time_base)
        for one in container.streams
        if one.type in ("video", "audio")
    )


def _hash(path: Path, cancelled: Callable[[], bool]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(BLOCK_BYTES):
            if cancelled():
                raise Cancelled
            digest.update(block)
    return digest.hexdigest()
