"""Taking in files that nobody closed: after a kill, a power cut, or with the index lost. Nothing is ever deleted."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import av
import av.error

from exam_kit.cctv.names import Label, parse_name
from exam_kit.cctv.sealer import finish, hash_file
from exam_kit.cctv.torn_end import drop_torn_end, torn_end
from exam_kit.cctv.writer import NOTE_TITLE
from exam_kit.clock import from_iso, iso

if TYPE_CHECKING:
    from exam_kit.point import Point

__all__ = ["Contents", "find_for", "inspect", "label_of", "reaches", "take_in", "unknown_files"]

log = logging.getLogger("exam_kit.cctv")

OPEN_MARK = "-open"


@dataclass(frozen=True)
class Contents:
    """What a file holds; camera and start when it says so itself."""

    camera: str | None
    start: datetime | None
    duration_s: float
    frames: int


def inspect(path: Path) -> Contents:
    """Read a recorded file to its last whole frame. A file without a readable head holds nothing."""
    camera: str | None = None
    start: datetime | None = None
    first = last = 0.0
    frames = 0
    try:
        torn = torn_end(path)
        with av.open(str(path) if torn is None else f"subfile,,start,0,end,{torn},,:{path}") as container:
            camera, start = _note(container.metadata.get("comment", ""))
            for packet in container.demux(video=0):
                if not packet.size or packet.is_corrupt or packet.pts is None:
                    continue
                at = float(packet.pts * packet.time_base)
                end = at + float((packet.duration or 0) * packet.time_base)
                first, last = (at, end) if frames == 0 else (min(first, at), max(last, end))
                frames += 1
    except (av.error.FFmpegError, OSError, IndexError, ValueError) as problem:
        log.info("%s: ends in the middle of a fragment (%s)", path.name, type(problem).__name__)
    return Contents(camera, start, max(0.0, last - first), frames)


def _note(text: str) -> tuple[str | None, datetime | None]:
    try:
        note = json.loads(text)
        if note["title"] == NOTE_TITLE:
            return str(note["camera"]), from_iso(note["from"])
    except (ValueError, KeyError, TypeError):
        return None, None
    return None, None


def label_of(point: Point, camera: str, name: str) -> Label:
    """What the file's name is made of; a camera that has left the point keeps the place its name says."""
    parsed = parse_name(name, point.timezone)
    try:
        place = point.camera(camera).room
    except KeyError:
        place = parsed.place if parsed else "unknown"
    return Label(point.region, point.code, parsed.place if parsed else place, camera, point.timezone)


def take_in(footage: Path, point: Point, row: dict[str, Any] | None, path: str) -> dict[str, Any]:
    """Finish the file at `path` and tell of it as a worker tells of a closed segment, reason "recovered".

    `row` is its unfinished row, or None when the index does not know the file. A file that bears its final name keeps
    it.

    Raises:
        OSError: it cannot be read.
        LookupError: neither the file nor its name says which camera and when.
    """
    source = footage / path
    if OPEN_MARK in source.stem and drop_torn_end(source):
        log.info("%s: cut off in the middle of a description, which is left away", source.name)
    found = inspect(source)
    parsed = parse_name(source.name, point.timezone)
    camera = row["camera"] if row else found.camera or (parsed.camera if parsed else None)
    start = from_iso(row["from_at"]) if row else found.start or (parsed.start if parsed else None)
    if camera is None or start is None:
        raise LookupError(path)
    end = start + timedelta(seconds=found.duration_s)
    if OPEN_MARK in source.stem:
        done = finish(footage, PurePosixPath(path), label_of(point, camera, source.name), start, end)
        final, length, digest = done.path, done.bytes, done.sha256
    else:
        final = path
        length, digest = hash_file(source)
    return {
        "event": "closed",
        "camera": camera,
        "opened_path": row["path"] if row else path,
        "path": final,
        "from": iso(start),
        "to": iso(end),
        "frames": found.frames,
        "bytes": length,
        "sha256": digest,
        "reason": "recovered",
    }


def reaches(path: Path, row: dict[str, Any]) -> str:
    """The moment, ISO, up to which the file of an unfinished row plays: its beginning when it holds no frame."""
    return iso(from_iso(row["from_at"]) + timedelta(seconds=inspect(path).duration_s))


def find_for(footage: Path, row: dict[str, Any]) -> str | None:
    """Where the file of an unfinished row is: under its open name, or already under its final one; None when gone."""
    opened = footage / row["path"]
    if opened.exists():
        return str(row["path"])
    stem = opened.stem.split(OPEN_MARK)[0]
    closed = sorted(opened.parent.glob(f"{stem}-*.mp4"))
    return (PurePosixPath(row["path"]).parent / closed[-1].name).as_posix() if closed else None


def unknown_files(footage: Path, known: Iterable[str]) -> list[str]:
    """Recorded files the index does not know, as paths relative to the footage folder, oldest name first."""
    names = set(known)
    found = (path.relative_to(footage).as_posix() for path in footage.glob("*/*/*.mp4"))
    return sorted(path for path in found if path not in names)
