"""coverage.json of a bag nobody vouches for: whose footage it is, and which minutes of which camera are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from exam_kit.archive.bag_paths import normal
from exam_kit.clock import from_iso
from exam_kit.errors import Message

__all__ = ["BagCoverage", "CameraMinutes", "GapSpan", "read_coverage"]

MOST_BYTES = 1 << 26
"""A piece takes some 330 bytes; the largest bag (`MOST_FILES`) has 50 MB of them."""

MOST_PARTS = 2_500_000
"""Values in it at most: a few bytes of JSON can become a hundred in memory."""

MOST_WIDE_BYTES = 1 << 23
"""In a longer text signs beyond U+FFFF are not kept: a single one makes every character of it take four bytes."""

_WIDE = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")

JOIN_S = 2.0
"""Pieces closer together than this are one stretch to the eye."""

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class GapSpan:
    """Planned time without a recording; `end` is None while it lasted, `cause` is a code of the recorder."""

    start: datetime
    end: datetime | None
    cause: str


@dataclass
class CameraMinutes:
    """One camera's day, UTC. `recorded` are its pieces, joined where they touch."""

    camera: str
    place: str
    zone: str
    planned: Span | None
    recorded_s: float
    gap_s: float
    unexplained_s: float
    recorded: list[Span] = field(default_factory=list)
    gaps: list[GapSpan] = field(default_factory=list)


@dataclass
class BagCoverage:
    """What the bag says of itself. Every text is the writer's word and may hold anything."""

    facts: dict[str, str]
    sizes: dict[str, int]
    cameras: list[CameraMinutes]
    deficiencies: list[str | Message]


def read_coverage(source: BinaryIO) -> BagCoverage | None:
    """What coverage.json says; None when it says nothing usable."""
    raw = source.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES or raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MOST_PARTS:
        return None
    if len(raw) > MOST_WIDE_BYTES:
        raw = _WIDE.sub(b"?", raw)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    del raw
    facts = {name: value for name, value in document.items() if isinstance(value, str)}
    cameras = {camera.camera: camera for camera in _cameras(document)}
    sizes: dict[str, int] = {}
    for file in _dicts(document, "files"):
        match file:
            case {"path": str(path), "bytes": int(size)}:
                sizes[normal(path)] = size
        span = _span([file.get("from"), file.get("to")])
        if span is not None and (camera := cameras.get(str(file.get("camera")))):
            camera.recorded.append(span)
    for gap in _dicts(document, "gaps"):
        start, end = _moment(gap.get("from")), _moment(gap.get("to"))
        if start is not None and (camera := cameras.get(str(gap.get("camera")))):
            camera.gaps.append(GapSpan(start, end, str(gap.get("cause", ""))))
    for camera in cameras.values():
        camera.recorded = _joined(camera.recorded)
        camera.gaps.sort(key=lambda gap: gap.start)
    return BagCoverage(facts, sizes, list(cameras.values()), list(_lacking(document)))


def _cameras(document: dict[str, Any]) -> Iterator[CameraMinutes]:
    for camera in _dicts(document, "cameras"):
        match camera:
            case {"camera": str(name), "recorded_s": int() | float(), "gap_s": int() | float()}:
                yield CameraMinutes(
                    name,
                    str(camera.get("place", "")),
                    str(camera.get("zone", "")),
                    _span(camera.get("planned")),
                    _seconds(camera["recorded_s"]),
                    _seconds(camera["gap_s"]),
                    _seconds(camera.get("unexplained_s")),
                )


def _lacking(document: dict[str, Any]) -> Iterator[str | Message]:
    said = document.get("deficiencies")
    kept = document.get("deficiency_messages")
    texts = said if isinstance(said, list) else []
    messages = kept if isinstance(kept, list) else []
    for number, text in enumerate(texts):
        match messages[number] if number < len(messages) else None:
            case {"template": str(template), "values": dict(values)}:
                yield Message(template, {str(name): value for name, value in values.items()})
            case _:
                yield str(text)


def _dicts(document: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    found = document.get(name)
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def _span(said: object) -> Span | None:
    match said:
        case [start, end]:
            begins, ends = _moment(start), _moment(end)
            return (begins, ends) if begins is not None and ends is not None and begins < ends else None
    return None


def _moment(said: object) -> datetime | None:
    try:
        return from_iso(said) if isinstance(said, str) else None
    except (ValueError, OverflowError):
        return None


def _seconds(said: object) -> float:
    """A day has 86,400; what is no such number is none."""
    return float(said) if isinstance(said, int | float) and 0 <= said < 1e7 else 0.0


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and (start - joined[-1][1]).total_seconds() <= JOIN_S:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
