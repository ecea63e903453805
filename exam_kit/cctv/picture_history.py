"""What was seen of each camera's picture, for how long, and how often an alarm was raised afresh.

The table `picture_state` has a row for as long as a state lasted. An alarm is fresh when the picture was good before;
blurred turning into covered is one alarm, and so is one that a reconnection interrupts. It is counted against the time
in which the picture was judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exam_kit.clock import from_iso, iso
from exam_kit.store import Store

__all__ = ["CALM", "AlarmRate", "Seen", "alarm_rates", "note_states", "seen_states"]

UNKNOWN = "unknown"
CALM = ("ok", UNKNOWN)
"""States that are no alarm."""
GAP = timedelta(seconds=15)
"""Whoever was silent for longer did not look in between."""


@dataclass(frozen=True)
class Seen:
    """From when to when a picture was in this state (`PictureState`)."""

    state: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class AlarmRate:
    """Fresh alarms of one camera in the hours in which its picture was judged."""

    fresh: int
    watched_s: float

    @property
    def per_hour(self) -> float | None:
        """None while less than a minute was watched: nothing is known yet."""
        return None if self.watched_s < 60 else self.fresh * 3600 / self.watched_s


def note_states(connection: Any, states: Iterable[tuple[str, str]], now: datetime) -> None:
    """Write down the state of every camera's picture, (camera, state), inside the caller's transaction."""
    for camera, state in states:
        row = connection.execute(
            "SELECT id, state, to_at FROM picture_state WHERE camera = ? ORDER BY from_at DESC, id DESC LIMIT 1",
            (camera,),
        ).fetchone()
        lasting = row is not None and from_iso(row[2]) <= now <= from_iso(row[2]) + GAP
        if row is not None and lasting:
            # The old state held until now, whatever comes next.
            connection.execute("UPDATE picture_state SET to_at = ? WHERE id = ?", (iso(now), row[0]))
            if row[1] == state:
                continue
        elif state == UNKNOWN:
            continue
        connection.execute(
            "INSERT INTO picture_state (camera, state, from_at, to_at) VALUES (?, ?, ?, ?)",
            (camera, state, iso(now), iso(now)),
        )


def seen_states(store: Store, camera: str, start: datetime, end: datetime) -> list[Seen]:
    """What was seen of this camera's picture between these moments, in order, cut to them."""
    rows = store.query(
        "SELECT state, from_at, to_at FROM picture_state WHERE camera = ? AND from_at < ? AND to_at > ? "
        "ORDER BY from_at, id",
        (camera, iso(end), iso(start)),
    )
    return [Seen(row["state"], max(from_iso(row["from_at"]), start), min(from_iso(row["to_at"]), end)) for row in rows]


def alarm_rates(store: Store, cameras: Sequence[str], start: datetime, end: datetime) -> dict[str, AlarmRate]:
    """Fresh alarms and watched time of every camera between these moments."""
    return {camera: _rate(seen_states(store, camera, start, end)) for camera in cameras}


def _rate(seen: Sequence[Seen]) -> AlarmRate:
    fresh, alarmed, watched_s = 0, False, 0.0
    for one in seen:
        if one.state == UNKNOWN:
            continue
        fresh += one.state not in CALM and not alarmed
        alarmed = one.state not in CALM
        watched_s += (one.end - one.start).total_seconds()
    return AlarmRate(fresh, watched_s)
