"""Recorded pieces and missing ones, as the store has them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.clock import from_iso, iso
from exam_kit.home import Home
from exam_kit.store import Store

__all__ = ["DELETED", "DELETING", "NO_FILE", "Gap", "Segment", "gaps", "segments"]

DELETING, DELETED = "deleting", "deleted"
"""`reason` of a segment that was deleted on order after its time; its row stays, with size and hash."""
NO_FILE = ("file_missing", DELETING, DELETED)


@dataclass(frozen=True)
class Segment:
    """One recorded file. `path` is relative to the footage folder; `end` and what follows are None while it is written.

    A segment whose file has gone has `sha256` None and `reason` "file_missing"; one that was deleted on order keeps its
    hash.
    """

    id: int
    camera: str
    day: dt.date
    path: str
    start: dt.datetime
    end: dt.datetime | None
    frames: int | None
    bytes: int | None
    sha256: str | None
    reason: str | None
    seq: int | None

    def file(self, home: Home) -> Path:
        return home.footage / self.path

    @property
    def closed(self) -> bool:
        """Finished and hashed: it will not change any more."""
        return self.sha256 is not None


@dataclass(frozen=True)
class Gap:
    """Time in which a camera should have recorded and did not; `end` is None while it lasts."""

    id: int
    camera: str
    start: dt.datetime
    end: dt.datetime | None
    cause: str
    detail: str
    seq: int | None


def segments(
    store: Store,
    camera: str | None = None,
    day: dt.date | None = None,
    *,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
) -> list[Segment]:
    """Segments in order of time; of one camera, of one local day (by their beginning), touching the time from `start`
    to `end`, or all."""
    where, values = _where(camera, start, end)
    if day is not None:
        where.append("day = ?")
        values.append(day.isoformat())
    rows = store.query(f"SELECT * FROM segment{_sql(where)} ORDER BY from_at, id", values)  # noqa: S608 - fixed words
    return [
        Segment(
            id=row["id"],
            camera=row["camera"],
            day=dt.date.fromisoformat(row["day"]),
            path=row["path"],
            start=from_iso(row["from_at"]),
            end=from_iso(row["to_at"]) if row["to_at"] else None,
            frames=row["frames"],
            bytes=row["bytes"],
            sha256=row["sha256"],
            reason=row["closed_reason"],
            seq=row["seq"],
        )
        for row in rows
    ]


def gaps(
    store: Store, camera: str | None = None, start: dt.datetime | None = None, end: dt.datetime | None = None
) -> list[Gap]:
    """Gaps in order of time; of one camera, and only those that touch the time from `start` to `end`."""
    where, values = _where(camera, start, end)
    rows = store.query(f"SELECT * FROM gap{_sql(where)} ORDER BY from_at, id", values)  # noqa: S608 - fixed words
    return [
        Gap(
            id=row["id"],
            camera=row["camera"],
            start=from_iso(row["from_at"]),
            end=from_iso(row["to_at"]) if row["to_at"] else None,
            cause=row["cause"],
            detail=row["detail"],
            seq=row["seq"],
        )
        for row in rows
    ]


def _where(camera: str | None, start: dt.datetime | None, end: dt.datetime | None) -> tuple[list[str], list[Any]]:
    where, values = [], []
    if camera is not None:
        where.append("camera = ?")
        values.append(camera)
    if start is not None:
        where.append("(to_at IS NULL OR to_at > ?)")
        values.append(iso(start))
    if end is not None:
        where.append("from_at < ?")
        values.append(iso(end))
    return where, values


def _sql(where: list[str]) -> str:
    return " WHERE " + " AND ".join(where) if where else ""
