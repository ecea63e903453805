"""What the recorder writes down: segment and gap rows, each with its ledger entry in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from exam_kit.cctv.picture_history import note_states
from exam_kit.cctv.status import CameraStatus, Desired
from exam_kit.clock import from_iso, iso
from exam_kit.point import Point
from exam_kit.store import Ledger, Store

__all__ = ["Rows"]

AGENT = "agent"


class Rows:
    """Writes the tables `segment`, `gap` and `camera_state`. Every method is durable on return."""

    def __init__(self, store: Store, ledger: Ledger, point: Point) -> None:
        self._store = store
        self._ledger = ledger
        self._point = point

    def segment_opened(self, camera: str, path: str, start: datetime) -> None:
        """A file was begun. Told twice, it stands once."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO segment (camera, day, path, from_at) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO NOTHING",
                (camera, self._day(start), path, iso(start)),
            )

    def segment_closed(self, event: dict[str, Any]) -> None:
        """A file was finished: its row is completed, its hash enters the ledger. Told twice, it stands once."""
        if self._store.query("SELECT 1 FROM segment WHERE path = ? AND seq IS NOT NULL", (event["path"],)):
            return
        keys = ("camera", "path", "from", "to", "frames", "bytes", "sha256", "reason")
        values = {
            **{key: event[key] for key in keys},
            "opened_path": event["opened_path"],
            "day": self._day(from_iso(event["from"])),
        }

        def complete(connection: Any, entry: Any) -> None:
            values["seq"] = entry.seq
            changed = connection.execute(
                "UPDATE segment SET path = :path, from_at = :from, to_at = :to, frames = :frames, bytes = :bytes, "
                "sha256 = :sha256, closed_reason = :reason, seq = :seq WHERE path = :opened_path AND seq IS NULL",
                values,
            ).rowcount
            if not changed:
                connection.execute(
                    "INSERT INTO segment "
                    "(camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason, seq) VALUES "
                    "(:camera, :day, :path, :from, :to, :frames, :bytes, :sha256, :reason, :seq)",
                    values,
                )

        self._ledger.append("segment.closed", {key: event[key] for key in keys}, AGENT, also=complete)

    def segment_missing(self, row: dict[str, Any]) -> None:
        """The file of an unfinished row is gone."""
        at = row["from_at"]
        body = {"camera": row["camera"], "path": row["path"], "from": at, "to": at}
        self.segment_closed(
            {**body, "opened_path": row["path"], "frames": 0, "bytes": 0, "sha256": None, "reason": "file_missing"}
        )

    def unfinished(self, camera: str | None = None) -> list[dict[str, Any]]:
        """Rows of files that are being written, or were when something died."""
        sql = "SELECT * FROM segment WHERE seq IS NULL"
        if camera is None:
            return self._store.query(sql)
        return self._store.query(sql + " AND camera = ?", (camera,))

    def known_paths(self) -> set[str]:
        return {row["path"] for row in self._store.query("SELECT path FROM segment")}

    def last_end(self, camera: str) -> datetime | None:
        """The end of the latest finished segment."""
        rows = self._store.query("SELECT max(to_at) AS at FROM segment WHERE camera = ? AND frames > 0", (camera,))
        return from_iso(rows[0]["at"]) if rows[0]["at"] else None

    def gap_opened(self, camera: str, start: datetime, cause: str, detail: str) -> int:
        """A camera should record and does not; the new gap's id."""
        made: list[int] = []

        def insert(connection: Any, _entry: Any) -> None:
            cursor = connection.execute(
                "INSERT INTO gap (camera, from_at, cause, detail) VALUES (?, ?, ?, ?)",
                (camera, iso(start), cause, detail),
            )
            made.append(cursor.lastrowid)

        self._ledger.append(
            "gap.opened", {"camera": camera, "from": iso(start), "cause": cause, "detail": detail}, AGENT, also=insert
        )
        return made[0]

    def gap_explained(self, gap: int, cause: str, detail: str) -> None:
        """A better cause has become known while the gap lasts."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE gap SET cause = ?, detail = ? WHERE id = ?", (cause, detail, gap))

    def gap_closed(self, gap: int, end: datetime) -> None:
        """The gap has ended; a gap that ends before it began has no length."""
        row = self._store.query("SELECT * FROM gap WHERE id = ?", (gap,))[0]
        if row["to_at"] is not None:
            return
        to_at = max(row["from_at"], iso(end))
        body = {
            "camera": row["camera"],
            "from": row["from_at"],
            "to": to_at,
            "cause": row["cause"],
            "detail": row["detail"],
        }
        self._ledger.append(
            "gap.closed",
            body,
            AGENT,
            also=lambda connection, entry: connection.execute(
                "UPDATE gap SET to_at = ?, seq = ? WHERE id = ?", (to_at, entry.seq, gap)
            ),
        )

    def open_gaps(self) -> dict[str, dict[str, Any]]:
        """The gap that lasts, of every camera that has one."""
        return {row["camera"]: row for row in self._store.query("SELECT * FROM gap WHERE to_at IS NULL ORDER BY id")}

    def recording(self, what: str, camera: str, desired: Desired) -> None:
        """ "recording.started" or "recording.stopped": by whom, on whose order, why."""
        body = {"camera": camera, "order": desired.order, "ordered_by": desired.ordered_by, "why": desired.why}
        self._ledger.append(what, body, desired.actor)

    def states(self, statuses: Iterable[CameraStatus], now: datetime) -> None:
        """Write down the state of every camera."""
        told = list(statuses)
        pictures = [(status.camera, status.picture) for status in told]
        values = [
            (
                status.camera,
                status.state,
                iso(status.since or now),
                iso(now),
                json.dumps(asdict(status.desired) if status.desired else None, ensure_ascii=False),
                json.dumps(status.info(), ensure_ascii=False),
            )
            for status in told
        ]
        with self._store.transaction() as connection:
            note_states(connection, pictures, now)
            connection.executemany(
                "INSERT INTO camera_state (camera, state, since, seen_at, desired, info) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (camera) DO UPDATE SET state = excluded.state, since = excluded.since, "
                "seen_at = excluded.seen_at, desired = excluded.desired, info = excluded.info",
                values,
            )

    def _day(self, start: datetime) -> str:
        return start.astimezone(self._point.tz).date().isoformat()
