"""What belongs into a copy: the day's closed pieces of the chosen zones, and everything that is missing from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from exam_kit.archive.act import ActFile, ActGap
from exam_kit.clock import from_iso, iso
from exam_kit.errors import Message, m
from exam_kit.home import Home
from exam_kit.point import Point, Zone, zone_windows
from exam_kit.store import Store

__all__ = ["CameraCoverage", "Choice", "Piece", "Span", "choose", "span_seconds", "uncovered"]

SLACK_S = 2.0
"""A hole between two pieces shorter than this is the cut at a keyframe, not missing footage."""

Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Piece:
    """One recorded piece to be copied: how it stands in the act, and where it lies now."""

    file: ActFile
    source: Path


@dataclass(frozen=True)
class CameraCoverage:
    """One camera's day. `planned` is None when no exam is planned; `unexplained_s` is neither recorded nor logged."""

    camera: str
    place: str
    zone: str
    planned: Span | None
    recorded_s: float
    gap_s: float
    unexplained_s: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "camera": self.camera,
            "place": self.place,
            "zone": self.zone,
            "planned": [iso(self.planned[0]), iso(self.planned[1])] if self.planned else None,
            "recorded_s": round(self.recorded_s, 3),
            "gap_s": round(self.gap_s, 3),
            "unexplained_s": round(self.unexplained_s, 3),
        }


@dataclass(frozen=True)
class Choice:
    pieces: tuple[Piece, ...]
    gaps: tuple[ActGap, ...]
    cameras: tuple[CameraCoverage, ...]
    deficiencies: tuple[Message, ...]


def choose(store: Store, point: Point, home: Home, day: dt.date, zones: Sequence[Zone], now: dt.datetime) -> Choice:
    """Pieces, gaps, coverage and what is lacking, camera by camera in the point's order. `now` is UTC."""
    pieces: list[Piece] = []
    gaps: list[ActGap] = []
    cameras: list[CameraCoverage] = []
    lacking: list[Message] = []
    exam = point.day(day)
    windows = zone_windows(point, exam) if exam else {}
    for camera in point.cameras:
        zone = point.zone_of(camera)
        if zone not in zones:
            continue
        rows = store.query("SELECT * FROM segment WHERE camera = ? AND day = ? ORDER BY from_at", (camera.id, str(day)))
        closed = [row for row in rows if row["to_at"] and row["sha256"] and row["bytes"] is not None]
        for row in rows:
            if row not in closed:
                lacking.append(
                    m(
                        "{camera}: the piece from {start} is not closed yet; it is not in this copy. Stop the "
                        "recording, then archive once more.",
                        camera=camera.id,
                        start=_local(from_iso(row["from_at"]), point),
                    )
                )
        if not rows:
            lacking.append(m("{camera}: nothing was recorded on this day.", camera=camera.id))
        found = [_piece(row, zone, camera.room, home) for row in closed]
        own_gaps = _gaps(store, point, camera.id, camera.room, zone, day)
        window = windows.get(zone)
        planned = (window.start, min(window.end, now)) if window and window.start < now else None
        recorded = [(piece.file.start, piece.file.end) for piece in found]
        missing = [(gap.start, gap.end or now) for gap in own_gaps]
        unexplained = uncovered(planned, [*recorded, *missing]) if planned else []
        unexplained_s = span_seconds(span for span in unexplained if (span[1] - span[0]).total_seconds() >= SLACK_S)
        if unexplained_s and rows:
            lacking.append(
                m(
                    "{camera}: {seconds} s of the planned time have neither a recording nor a logged gap.",
                    camera=camera.id,
                    seconds=round(unexplained_s),
                )
            )
        for gap in own_gaps:
            if gap.end is None:
                lacking.append(
                    m("{camera}: a gap since {start} is still open.", camera=camera.id, start=_local(gap.start, point))
                )
        pieces += found
        gaps += own_gaps
        cameras.append(
            CameraCoverage(
                camera.id,
                camera.room,
                zone.value,
                planned,
                span_seconds(_merged(recorded)),
                span_seconds(_merged(missing)),
                unexplained_s,
            )
        )
    lacking += _strangers(store, point, day)
    return Choice(tuple(pieces), tuple(gaps), tuple(cameras), tuple(lacking))


def uncovered(whole: Span, parts: Iterable[Span]) -> list[Span]:
    """The stretches of `whole` that no part covers, in order."""
    left, reached = [], whole[0]
    for start, end in _merged(parts):
        if start > reached and reached < whole[1]:
            left.append((reached, min(start, whole[1])))
        reached = max(reached, end)
    if reached < whole[1]:
        left.append((reached, whole[1]))
    return left


def span_seconds(spans: Iterable[Span]) -> float:
    return sum(((end - start).total_seconds() for start, end in spans), 0.0)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _piece(row: dict[str, Any], zone: Zone, place: str, home: Home) -> Piece:
    name = PurePosixPath(row["path"]).name
    file = ActFile(
        path=f"data/{zone.value}/{name}",
        zone=zone.value,
        place=place,
        camera=row["camera"],
        start=from_iso(row["from_at"]),
        end=from_iso(row["to_at"]),
        bytes=row["bytes"],
        sha256=row["sha256"],
        frames=row["frames"],
    )
    return Piece(file, home.footage / row["path"])


def _gaps(store: Store, point: Point, camera: str, place: str, zone: Zone, day: dt.date) -> list[ActGap]:
    begins = dt.datetime.combine(day, dt.time(), tzinfo=point.tz)
    ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=point.tz)
    rows = store.query(
        "SELECT * FROM gap WHERE camera = ? AND from_at < ? AND (to_at IS NULL OR to_at > ?) ORDER BY from_at",
        (camera, iso(ends), iso(begins)),
    )
    return [
        ActGap(
            camera,
            place,
            zone.value,
            from_iso(row["from_at"]),
            from_iso(row["to_at"]) if row["to_at"] else None,
            row["cause"],
            row["detail"],
        )
        for row in rows
    ]


def _strangers(store: Store, point: Point, day: dt.date) -> list[Message]:
    """Footage of cameras that the point no longer has: nobody knows its zone, so nobody would miss it."""
    known = {camera.id for camera in point.cameras}
    rows = store.query("SELECT camera, count(*) AS files FROM segment WHERE day = ? GROUP BY camera", (str(day),))
    return [
        m(
            "{camera}: {files} recordings of a camera that point.toml does not name; they are not in this copy. "
            "Put the camera back into point.toml, then archive once more.",
            camera=row["camera"],
            files=row["files"],
        )
        for row in rows
        if row["camera"] not in known
    ]


def _local(moment: dt.datetime, point: Point) -> str:
    return moment.astimezone(point.tz).strftime("%H:%M:%S")
