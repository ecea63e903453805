"""One span of time out of many cameras, as it was recorded: no picture is encoded again.

Each camera gives one mp4 for each unbroken piece. It begins at the keyframe at or before the moment asked for (a
picture before it could not be shown) and ends with the last frame before the end. What came from which file, with the
hash that file had at birth, stands in the manifest beside the pieces; a source that has changed since is left out and
said to be missing. What was brought in from another recorder goes whole and as it is. The folder gets its name only
when everything in it is written and hashed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import av.error

from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.names import Label, closed_path
from exam_kit.cctv.segments import Segment, segments
from exam_kit.clock import Clock, iso
from exam_kit.errors import ArchiveError, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.point import Point
from exam_kit.store import Ledger, Store

__all__ = ["MISSING", "Cancelled", "Missing", "Part", "SpanAsked", "SpanResult", "export_span"]

SEAM = timedelta(seconds=1)
"""Files of one recording follow each other closer than this."""
ROOM_BYTES = 64 * 1024 * 1024
"""Left free beside what is expected, as the recorder does."""
BLOCK_BYTES = 1 << 20
ASK_EVERY = 256
"""Packets between two looks whether it was cancelled."""

IMPORTED = "imported"
"""The reason of a segment that another recorder made (`exam_kit.cctv.imports`)."""

MISSING = {
    "not_recorded": N_("not recorded"),
    "open": N_("still being recorded"),
    "file_missing": N_("the file is missing"),
    "changed": N_("the file has changed since it was recorded"),
    "unreadable": N_("the file cannot be read"),
}
"""Why time that was asked for is not in the pieces."""


class Cancelled(Exception):
    """A person took the order back; nothing of it is left."""


@dataclass(frozen=True)
class SpanAsked:
    """What is wanted, by whom; `order` is the order's number. Moments are UTC."""

    cameras: tuple[str, ...]
    start: datetime
    end: datetime
    actor: str
    ordered_by: str
    why: str
    order: int | None = None


@dataclass(frozen=True)
class Part:
    """One piece: what its picture shows from and to, and the files it came from (path, SHA-256 at birth)."""

    camera: str
    name: str
    start: datetime
    end: datetime
    frames: int
    bytes: int
    sha256: str
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Missing:
    """Time that was asked for and is in no piece; `why` is a key of `MISSING`, or a cause of gaps."""

    camera: str
    start: datetime
    end: datetime
    why: str


@dataclass(frozen=True)
class SpanResult:
    """What came of it."""

    folder: Path
    parts: tuple[Part, ...]
    missing: tuple[Missing, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON, moments as text."""
        told = {"folder": str(self.folder), "files": len(self.parts), "bytes": sum(part.bytes for part in self.parts)}
        return told | {"parts": [_plain(one) for one in self.parts], "missing": [_plain(one) for one in self.missing]}


def export_span(
    store: Store,
    ledger: Ledger,
    home: Home,
    point: Point,
    asked: SpanAsked,
    destination: Path,
    clock: Clock,
    *,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _camera: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> SpanResult:
    """Write the pieces and their manifest into a new folder of `destination`, and say so in the ledger.

    `progress` is given bytes done, bytes in all, and the camera at work.

    Raises:
        UsageError: the span is empty, or a camera is not in the point.
        ArchiveError: there is no room, nothing was recorded in the span, or the destination refuses.
        Cancelled: `cancelled` said so; the unfinished folder is removed.
    """
    labels = _labels(point, asked)
    found = {camera: segments(store, camera, start=asked.start, end=asked.end) for camera in asked.cameras}
    usable = {camera: [one for one in pieces if one.closed] for camera, pieces in found.items()}
    total = sum(_share(one, asked) for pieces in usable.values() for one in pieces)
    folder = destination / _folder_name(point, asked)
    beside = folder.with_name(f".{folder.name}.part")
    _room(destination, total)
    if folder.exists() or beside.exists():
        raise ArchiveError(m("{folder}: is already there. Take it away, or choose another folder.", folder=folder))
    work = _Work(home, asked, beside, total, progress, cancelled)
    try:
        beside.mkdir()
        for camera in asked.cameras:
            work.camera(labels[camera], camera, usable[camera])
        if not work.parts:
            raise ArchiveError(m("Nothing of these cameras was recorded in this time. See the day's coverage."))
        missing = [*work.missing, *_not_there(store, point, asked, found, clock.now())]
        result = SpanResult(folder, tuple(work.parts), tuple(sorted(missing, key=lambda one: (one.camera, one.start))))
        _write_manifests(beside, point, asked, result, clock.now())
        beside.rename(folder)
        _sync_folder(destination)
    except BaseException as problem:
        work.abandon()
        shutil.rmtree(beside, ignore_errors=True)  # copies only, made a moment ago
        if isinstance(problem, OSError):
            reason = problem.strerror or str(problem)
            raise ArchiveError(
                m("{folder}: cannot be written ({reason}). Choose another.", folder=folder, reason=reason)
            ) from problem
        raise
    body = {key: value for key, value in result.as_dict().items() if key != "missing"}
    said = {"from": iso(asked.start), "to": iso(asked.end), "cameras": list(asked.cameras), "order": asked.order}
    ledger.append("footage.exported", body | said | {"ordered_by": asked.ordered_by, "why": asked.why}, asked.actor)
    return result


@dataclass
class _Work:
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
                self.missing.append(_missing(source, self.asked, fault))
                continue
            if source.reason == IMPORTED:
                self._finish(label)
                self._whole(source)
                self.done += _share(source, self.asked)
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
            self.done += _share(source, self.asked)
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
        _sync(target)
        digest = _hash(target, self.cancelled)
        if digest != source.sha256:
            target.unlink()  # a copy, made a moment ago
            self.missing.append(_missing(source, self.asked, "changed"))
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
        _sync(target)
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


def _labels(point: Point, asked: SpanAsked) -> dict[str, Label]:
    if not asked.start < asked.end:
        raise UsageError(m("Export: the end is not after the beginning. Correct the times."))
    places = {camera.id: camera.room for camera in point.cameras}
    for camera in asked.cameras:
        if camera not in places:
            known = ", ".join(places)
            raise UsageError(
                m("{camera}: there is no such camera. The point has: {known}.", camera=camera, known=known)
            )
    if not asked.cameras:
        raise UsageError(m("No camera is chosen. Choose at least one."))
    return {
        camera: Label(point.region, point.code, places[camera], camera, str(point.timezone)) for camera in asked.cameras
    }


def _share(source: Segment, asked: SpanAsked) -> int:
    """Bytes of the source that fall into the span, by time."""
    if source.end is None or not source.bytes:
        return 0
    whole = (source.end - source.start).total_seconds()
    inside = (min(source.end, asked.end) - max(source.start, asked.start)).total_seconds()
    return round(source.bytes * min(1.0, inside / whole)) if whole > 0 else source.bytes


def _room(destination: Path, need: int) -> None:
    if not destination.is_dir():
        raise ArchiveError(
            m("{folder}: there is no such folder. Plug in the drive, or choose another.", folder=destination)
        )
    free = shutil.disk_usage(destination).free
    if free < need + ROOM_BYTES:
        raise ArchiveError(
            m(
                "{folder}: {free} MB are free and {need} MB are needed. Free space there, or choose another folder.",
                folder=destination,
                free=free // 1_000_000,
                need=(need + ROOM_BYTES) // 1_000_000,
            )
        )


def _folder_name(point: Point, asked: SpanAsked) -> str:
    first, last = asked.start.astimezone(point.tz), asked.end.astimezone(point.tz)
    return f"span_{point.region}_{point.code}_{first:%Y%m%d}_{first:%H%M%S}-{last:%H%M%S}_{len(asked.cameras)}cam"


def _missing(source: Segment, asked: SpanAsked, why: str) -> Missing:
    end = source.end or asked.end
    return Missing(source.camera, max(source.start, asked.start), min(end, asked.end), why)


def _not_there(
    store: Store,
    point: Point,
    asked: SpanAsked,
    found: dict[str, list[Segment]],
    now: datetime,
) -> Iterator[Missing]:
    """Time that no file holds, or one that is still being written."""
    for camera in asked.cameras:
        for one in coverage(store, point, camera, asked.start, asked.end, now).spans:
            if one.kind != "recorded" and (one.end - one.start) >= SEAM:
                yield Missing(camera, one.start, one.end, one.cause or "not_recorded")
        for source in found[camera]:
            if not source.closed and source.reason != "file_missing":
                yield _missing(source, asked, "open")


def _hash(path: Path, cancelled: Callable[[], bool]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(BLOCK_BYTES):
            if cancelled():
                raise Cancelled
            digest.update(block)
    return digest.hexdigest()


def _write_manifests(folder: Path, point: Point, asked: SpanAsked, result: SpanResult, now: datetime) -> None:
    told = {
        "point": f"{point.region}-{point.code}",
        "timezone": str(point.timezone),
        "asked_from": iso(asked.start),
        "asked_to": iso(asked.end),
        "cameras": list(asked.cameras),
        "made_at": iso(now),
        "made_by": asked.actor,
        "ordered_by": asked.ordered_by,
        "why": asked.why,
        "order": asked.order,
    } | {key: value for key, value in result.as_dict().items() if key in ("parts", "missing")}
    _write(folder / "manifest.json", json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    sums = "".join(f"{part.sha256}  {part.name}\n" for part in result.parts)
    _write(folder / "manifest-sha256.txt", sums)
    rows = io.StringIO()
    table = csv.writer(rows, delimiter=";", lineterminator="\r\n")
    table.writerow(["camera", "file", "from", "to", "frames", "bytes", "sha256", "source", "source_sha256"])
    for part in result.parts:
        for source, digest in part.sources:
            start, end = (at.astimezone(point.tz).isoformat(timespec="milliseconds") for at in (part.start, part.end))
            table.writerow([part.camera, part.name, start, end, part.frames, part.bytes, part.sha256, source, digest])
    _write(folder / "manifest.csv", "\ufeff" + rows.getvalue())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows has no such call
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _plain(one: Part | Missing) -> dict[str, Any]:
    return {key: iso(value) if isinstance(value, datetime) else value for key, value in asdict(one).items()}
