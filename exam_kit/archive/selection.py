"""What belongs into a copy: the day's closed pieces of the chosen zones, and everything that is missing from them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from exam_kit.archive.act import ActFile, ActGap
from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.segments import DELETED, DELETING, NO_FILE, Segment, segments
from exam_kit.cctv.segments import gaps as gaps_of
from exam_kit.clock import iso
from exam_kit.errors import ArchiveError, Message, m
from exam_kit.home import Home
from exam_kit.point import Camera, Point, Zone, zone_windows
from exam_kit.store import Store

__all__ = ["Asked", "CameraCoverage", "Choice", "Piece", "Span", "choose"]

SLACK_S = 2.0
"""A hole between two pieces shorter than this is the cut at a keyframe, not missing footage."""

Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Asked:
    """What is to be copied: the cameras of these zones and these cameras, whole pieces that touch `span` (None: all).

    `span` is UTC. `encrypted`: for the region's key only. `supplement`: the number of a later bag with what the first
    and the supplements before it lack; 0 for a first bag.
    """

    zones: tuple[Zone, ...] = ()
    cameras: tuple[str, ...] = ()
    span: Span | None = None
    encrypted: bool = False
    supplement: int = 0

    def wants(self, point: Point, camera: Camera) -> bool:
        return camera.id in self.cameras or point.zone_of(camera) in self.zones

    def key(self) -> str:
        """The same text for the same choice: by it an interrupted copy is found again."""
        zones = [zone.value for zone in Zone if zone in self.zones]
        kind = {name: value for name in ("encrypted", "supplement") if (value := getattr(self, name))}
        if not self.cameras and self.span is None and not kind:
            return json.dumps(zones)
        span = [iso(moment) for moment in self.span] if self.span else None
        return json.dumps({"zones": zones, "cameras": sorted(set(self.cameras)), "span": span, **kind})

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the ledger; what was not asked for is left out."""
        told: dict[str, Any] = {"zones": [zone.value for zone in Zone if zone in self.zones]}
        if self.cameras:
            told["cameras"] = sorted(set(self.cameras))
        if self.span:
            told["span"] = [iso(moment) for moment in self.span]
        if self.encrypted:
            told["encrypted"] = True
        if self.supplement:
            told["supplement"] = self.supplement
        return told

    def more(self, point: Point) -> str:
        """What stands in the bag's name besides the zones: two cameras by name, more by number and a mark of their own;
        the span by the point's clock; the supplement's number."""
        cameras = sorted(set(self.cameras))
        mark = hashlib.sha256(" ".join(cameras).encode()).hexdigest()[:4]
        words = cameras if len(cameras) <= 2 else [f"CAM{len(cameras)}-{mark}"]
        words = [*words, "-".join(f"{one.astimezone(point.tz):%H%M}" for one in self.span)] if self.span else words
        words = [*words, f"ADD{self.supplement}"] if self.supplement else words
        return "-".join(words)

    def refuse_unknown(self, point: Point) -> None:
        """Raises ArchiveError for a camera the point does not have, for nothing chosen, and for a reversed span."""
        unknown = sorted(set(self.cameras) - {camera.id for camera in point.cameras})
        if unknown:
            raise ArchiveError(m("{camera}: the point has no such camera.", camera=", ".join(unknown)))
        if not self.zones and not self.cameras:
            raise ArchiveError(m("Archive: nothing is chosen. Choose places or cameras."))
        if self.span and self.span[0] >= self.span[1]:
            raise ArchiveError(m("Archive: the time span ends before it begins. Correct it."))


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


def choose(
    store: Store, point: Point, home: Home, day: dt.date, asked: Asked | Sequence[Zone], now: dt.datetime
) -> Choice:
    """Pieces, gaps, coverage and what is lacking, camera by camera in the point's order. `now` is UTC."""
    if not isinstance(asked, Asked):
        asked = Asked(tuple(asked))
    pieces: list[Piece] = []
    gaps: list[ActGap] = []
    cameras: list[CameraCoverage] = []
    lacking: list[Message] = []
    for camera in point.cameras:
        zone = point.zone_of(camera)
        if not asked.wants(point, camera):
            continue
        begins, ends = _within(_reach(point, day, zone), asked.span)
        if begins >= ends:
            continue  # the span lies outside the day
        found = segments(store, camera.id, start=begins, end=ends)
        kept = [
            segment
            for segment in found
            if segment.closed and segment.end and segment.bytes is not None and segment.reason not in NO_FILE
        ]
        pieces += [_piece(segment, zone, camera.room, home) for segment in kept]
        logged, covered = _day(store, point, camera, day, (begins, ends), now)
        gaps += logged
        cameras.append(covered)
        lacking += _lacking(camera, found, kept, logged, covered, point)
    lacking += _strangers(store, point, day)
    return Choice(tuple(pieces), tuple(gaps), tuple(cameras), tuple(lacking))


def _reach(point: Point, day: dt.date, zone: Zone) -> tuple[dt.datetime, dt.datetime]:
    """The local day, UTC, and on to the end of its exam's window where that lies after midnight."""
    begins = dt.datetime.combine(day, dt.time(), tzinfo=point.tz).astimezone(dt.UTC)
    ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=point.tz).astimezone(dt.UTC)
    exam = point.day(day)
    window = zone_windows(point, exam).get(zone) if exam else None
    return (min(begins, window.start), max(ends, window.end)) if window else (begins, ends)


def _within(reach: Span, span: Span | None) -> Span:
    return (max(reach[0], span[0]), min(reach[1], span[1])) if span else reach


def _day(
    store: Store, point: Point, camera: Camera, day: dt.date, reach: Span, now: dt.datetime
) -> tuple[list[ActGap], CameraCoverage]:
    """The gaps of one camera's local day and how it is covered, by the same arithmetic the screens use."""
    zone = point.zone_of(camera)
    begins, ends = reach
    logged = [
        ActGap(camera.id, camera.room, zone.value, gap.start, gap.end, gap.cause, gap.detail)
        for gap in gaps_of(store, camera.id, begins, ends)
    ]
    seen = coverage(store, point, camera.id, begins, ends, now)
    unexplained = [
        span
        for span in seen.spans
        if span.kind == "gap" and span.cause == "not_recorded" and (span.end - span.start).total_seconds() >= SLACK_S
    ]
    logged += [ActGap(camera.id, camera.room, zone.value, span.start, span.end, "not_recorded") for span in unexplained]
    exam = point.day(day)
    window = zone_windows(point, exam).get(zone) if exam else None
    planned = (max(window.start, begins), min(window.end, now, ends)) if window else None
    return sorted(logged, key=lambda gap: gap.start), CameraCoverage(
        camera.id,
        camera.room,
        zone.value,
        planned if planned and planned[0] < planned[1] else None,
        seen.recorded_s,
        seen.gap_s,
        sum((span.end - span.start).total_seconds() for span in unexplained),
    )


def _lacking(
    camera: Camera,
    found: Sequence[Segment],
    kept: Sequence[Segment],
    gaps: Sequence[ActGap],
    covered: CameraCoverage,
    point: Point,
) -> Iterator[Message]:
    """What the act must say is not there, or is there and does not play."""
    for segment in found:
        start = _local(segment.start, point)
        if segment.reason in (DELETING, DELETED):
            yield m(
                "{camera}: the piece from {start} was deleted by order after its time; it is not in this copy.",
                camera=camera.id,
                start=start,
            )
        elif segment.reason == "file_missing":
            yield m(
                "{camera}: the file of the piece from {start} is gone; it is not in this copy.",
                camera=camera.id,
                start=start,
            )
        elif segment not in kept:
            yield m(
                "{camera}: the piece from {start} is not closed yet; it is not in this copy. Stop the "
                "recording, then archive once more.",
                camera=camera.id,
                start=start,
            )
        elif segment.frames == 0:
            yield m(
                "{camera}: the piece from {start} holds no picture: recording was cut off in its first second.",
                camera=camera.id,
                start=start,
            )
    if not found:
        yield m("{camera}: nothing was recorded on this day.", camera=camera.id)
    elif covered.unexplained_s:
        yield m(
            "{camera}: {seconds} s of the planned time have neither a recording nor a logged gap.",
            camera=camera.id,
            seconds=round(covered.unexplained_s),
        )
    for gap in gaps:
        if gap.end is None:
            yield m("{camera}: a gap since {start} is still open.", camera=camera.id, start=_local(gap.start, point))


def _piece(segment: Segment, zone: Zone, place: str, home: Home) -> Piece:
    assert segment.end is not None and segment.bytes is not None and segment.sha256 is not None
    file = ActFile(
        path=f"data/{zone.value}/{PurePosixPath(segment.path).name}",
        zone=zone.value,
        place=place,
        camera=segment.camera,
        start=segment.start,
        end=segment.end,
        bytes=segment.bytes,
        sha256=segment.sha256,
        frames=segment.frames,
    )
    return Piece(file, segment.file(home))


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
