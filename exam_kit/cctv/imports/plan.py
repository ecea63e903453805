"""What is in a folder that a recorder or a card left: every file with its length, its time and what is against it.

Nothing is written and nothing of the source is changed.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from exam_kit.cctv.coverage import length_s, merge
from exam_kit.cctv.imports.look import TIMEOUT_S, LookFault, look_at
from exam_kit.cctv.imports.names import time_in_name
from exam_kit.cctv.sealer import hash_file
from exam_kit.cctv.segments import segments
from exam_kit.errors import UsageError, m
from exam_kit.i18n import N_
from exam_kit.point import Point
from exam_kit.store import Store

__all__ = ["FAULTS", "SUFFIXES", "TIME_SOURCES", "Found", "TimeSource", "plan_import"]

SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".wmv", ".mov", ".ts", ".mts", ".dav"})
"""What recorders and cards leave (field guide, section 5)."""
PLAYS = frozenset({(".mp4", "h264"), (".mov", "h264")})
"""Suffix and codec that every browser of the kit plays; anything else is for a player."""
LENGTH_TOLERANCE = 0.02
LENGTH_TOLERANCE_S = 3.0

TimeSource: TypeAlias = Literal["name", "container", "modified"]
TIME_SOURCES: dict[TimeSource, str] = {
    "name": N_("the file's name"),
    "container": N_("written in the file"),
    "modified": N_("when the file was last written: weak, look at the clock in the picture"),
}

FAULTS = {
    "unreadable": N_("cannot be read as video"),
    "no_video": N_("has no picture in it"),
    "timeout": N_("was not read in time: the file or the card is damaged"),
    "crashed": N_("broke the program that reads it: the file is damaged"),
    "dav": N_("Dahua's format could not be read: save it as mp4 in the maker's player and import that"),
    "gone": N_("is not there any more: was the card pulled?"),
    "changed": N_("has changed since it was looked at"),
    "no_room": N_("does not fit: what the plan still has to record comes first"),
    "not_read": N_("the card or folder refuses to be read"),
    "not_written": N_("the footage folder refuses to be written"),
    "copy_differs": N_("the copy read back is not what was read: check the disk"),
    "known_elsewhere": N_("the same recording is there under another camera"),
}
"""Why a file is not taken."""


@dataclass(frozen=True)
class Found:
    """One file of the source. `path` is relative with /; moments are UTC and as the recorder's clock had them: no
    offset is in them. `fault` is a key of `FAULTS`; with one, what could not be found out is empty."""

    path: str
    bytes: int
    start: datetime
    end: datetime
    time_from: TimeSource
    container: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    frames: int = 0
    duration_s: float = 0.0
    name_differs: bool = False
    """the name's from and to are not as far apart as the video is long"""
    overlap_s: float = 0.0
    """seconds that are recorded already"""
    same_as: str = ""
    """the same bytes: a path in the footage folder, or an earlier one of this source"""
    fault: str = ""

    @property
    def weak(self) -> bool:
        """Nothing in it tells when it was recorded."""
        return self.time_from == "modified"

    @property
    def plays(self) -> bool:
        """It plays in the browser; other files play in a player."""
        return (Path(self.path).suffix.lower(), self.codec) in PLAYS


def plan_import(
    store: Store,
    point: Point,
    folder: Path,
    camera: str,
    *,
    zone: str | None = None,
    offset_s: float = 0.0,
    timeout_s: float = TIMEOUT_S,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _path: None,
) -> list[Found]:
    """Every video file below `folder`, in order of time. `zone` is that of the recorder's clock, the point's unless
    given; `offset_s` is what a person has confirmed before, for the overlaps only.

    Raises:
        UsageError: no such folder, camera or zone, or the folder cannot be read.
    """
    zone = _checked(point, camera, folder, zone)
    try:
        paths = sorted(_videos(folder))
    except OSError as problem:
        raise UsageError(
            m("{folder}: cannot be read ({reason}). Check the card or drive.", folder=folder, reason=_reason(problem))
        ) from problem
    found = []
    for number, path in enumerate(paths):
        progress(number, len(paths), path)
        found.append(_one(folder, path, zone, timeout_s))
    found = _with_copies(store, folder, sorted(found, key=lambda one: (one.start, one.path)))
    shift = timedelta(seconds=offset_s)
    known = [
        (one.start, one.end) for one in segments(store, camera) if one.end is not None and one.reason != "file_missing"
    ]
    return [replace(one, overlap_s=_overlap_s(one, shift, known)) for one in found]


def _checked(point: Point, camera: str, folder: Path, zone: str | None) -> str:
    if camera not in {one.id for one in point.cameras}:
        known = ", ".join(one.id for one in point.cameras)
        raise UsageError(m("{camera}: there is no such camera. The point has: {known}.", camera=camera, known=known))
    if not folder.is_dir():
        raise UsageError(
            m("{folder}: there is no such folder. Check the name, and that the card is in.", folder=folder)
        )
    try:
        ZoneInfo(zone or point.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            m("{zone}: no such time zone; give an IANA name such as Europe/Moscow.", zone=zone or "—")
        ) from None
    return zone or point.timezone


def _videos(folder: Path) -> Iterator[str]:
    """Relative paths; links are not followed, for a card may hold one to anywhere."""

    def refuse(problem: OSError) -> None:
        raise problem

    for place, _folders, names in os.walk(folder, onerror=refuse):
        for name in names:
            path = Path(place, name)
            if (
                path.suffix.lower() in SUFFIXES
                and not name.startswith(".")
                and path.is_file()
                and not path.is_symlink()
            ):
                yield path.relative_to(folder).as_posix()


def _one(folder: Path, path: str, zone: str, timeout_s: float) -> Found:
    file = folder / path
    named = time_in_name(path, zone)
    try:
        status = file.stat()
    except OSError:
        nowhen = named.start if named else datetime.fromtimestamp(0, UTC)
        return Found(path, 0, nowhen, nowhen, "modified", fault="gone")
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    try:
        facts = look_at(file, timeout_s=timeout_s)
    except LookFault as problem:
        why = "dav" if file.suffix.lower() == ".dav" and problem.why in ("unreadable", "no_video") else problem.why
        at = named.start if named else modified
        return Found(path, status.st_size, at, at, "name" if named else "modified", fault=why)
    length = timedelta(seconds=facts.duration_s)
    source: TimeSource
    if named is not None:
        start, source = named.start, "name"
    elif facts.created is not None:
        start, source = facts.created, "container"
    else:
        # It is written last when it ends.
        start, source = modified - length, "modified"
    told_s = (named.end - named.start).total_seconds() if named and named.end else facts.duration_s
    return Found(
        path,
        status.st_size,
        start,
        start + length,
        source,
        facts.container,
        facts.codec,
        facts.width,
        facts.height,
        facts.frames,
        facts.duration_s,
        abs(told_s - facts.duration_s) > max(LENGTH_TOLERANCE_S, LENGTH_TOLERANCE * told_s),
    )


def _with_copies(store: Store, folder: Path, found: list[Found]) -> list[Found]:
    """Files that are there already. Only files of the same length can be: no other is read for its hash."""
    recorded: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in store.query("SELECT path, bytes, sha256 FROM segment WHERE sha256 IS NOT NULL"):
        recorded[row["bytes"]].append((row["sha256"], row["path"]))
    lengths: dict[int, int] = defaultdict(int)
    for one in found:
        lengths[one.bytes] += 1
    seen: dict[str, str] = {}
    told = []
    for one in found:
        if one.fault or (one.bytes not in recorded and lengths[one.bytes] == 1):
            told.append(one)
            continue
        try:
            digest = hash_file(folder / one.path)[1]
        except OSError:
            told.append(replace(one, fault="not_read"))
            continue
        same = next((path for known, path in recorded[one.bytes] if known == digest), "") or seen.get(digest, "")
        seen.setdefault(digest, one.path)
        told.append(replace(one, same_as=same))
    return told


def _overlap_s(one: Found, shift: timedelta, known: list[tuple[datetime, datetime]]) -> float:
    start, end = one.start + shift, one.end + shift
    near = [(max(a, start), min(b, end)) for a, b in known if a < end and b > start]
    return round(length_s(merge(near)), 3)


def _reason(problem: OSError) -> str:
    return problem.strerror or type(problem).__name__
