"""One span of time out of many cameras, as it was recorded: no picture is encoded again.

Each camera gives one mp4 for each unbroken piece. It begins at the keyframe at or before the moment asked for (a
picture before it could not be shown) and ends with the last frame before the end. What came from which file, with the
hash that file had at birth, stands in the manifest beside the pieces; a source that has changed since is left out and
said to be missing. What was brought in from another recorder goes whole and as it is. The folder gets its name only
when everything in it is written and hashed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.names import Label
from exam_kit.cctv.segments import Segment, segments
from exam_kit.cctv.span_asked import Missing, SpanAsked, SpanResult
from exam_kit.cctv.span_manifest import write_manifests
from exam_kit.cctv.span_pieces import SEAM, Pieces
from exam_kit.clock import Clock, iso
from exam_kit.errors import ArchiveError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from exam_kit.store.durable import sync_folder

__all__ = ["export_span"]

ROOM_BYTES = 64 * 1024 * 1024
"""Left free beside what is expected, as the recorder does."""


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
    total = sum(asked.share_bytes(one) for pieces in usable.values() for one in pieces)
    folder = destination / _folder_name(point, asked)
    beside = folder.with_name(f".{folder.name}.part")
    _room(destination, total)
    if folder.exists() or beside.exists():
        raise ArchiveError(m("{folder}: is already there. Take it away, or choose another folder.", folder=folder))
    work = Pieces(home, asked, beside, total, progress, cancelled)
    try:
        beside.mkdir()
        for camera in asked.cameras:
            work.camera(labels[camera], camera, usable[camera])
        if not work.parts:
            raise ArchiveError(m("Nothing of these cameras was recorded in this time. See the day's coverage."))
        missing = [*work.missing, *_not_there(store, point, asked, found, clock.now())]
        result = SpanResult(folder, tuple(work.parts), tuple(sorted(missing, key=lambda one: (one.camera, one.start))))
        write_manifests(beside, point, asked, result, clock.now())
        beside.rename(folder)
        sync_folder(destination)
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
                yield asked.without(source, "open")
