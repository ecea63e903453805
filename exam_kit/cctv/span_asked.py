"""What is asked of an export of one span of time, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exam_kit.cctv.segments import Segment
from exam_kit.clock import iso
from exam_kit.i18n import N_

__all__ = ["MISSING", "Cancelled", "Missing", "Part", "SpanAsked", "SpanResult"]

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

    def share_bytes(self, source: Segment) -> int:
        """Bytes of the source that fall into the span, by time."""
        if source.end is None or not source.bytes:
            return 0
        whole = (source.end - source.start).total_seconds()
        inside = (min(source.end, self.end) - max(source.start, self.start)).total_seconds()
        return round(source.bytes * min(1.0, inside / whole)) if whole > 0 else source.bytes

    def without(self, source: Segment, why: str) -> Missing:
        """The time of this source inside the span, which is in no piece."""
        end = source.end or self.end
        return Missing(source.camera, max(source.start, self.start), min(end, self.end), why)


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


def _plain(one: Part | Missing) -> dict[str, Any]:
    return {key: iso(value) if isinstance(value, datetime) else value for key, value in asdict(one).items()}
