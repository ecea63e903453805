"""What is due, by the clock: the run plan, and which cameras should record now.

`schedule` only beats; the truth is the `run_plan` table, one row per run with its UTC window, claimed in one
transaction with a lease. So a laptop that slept, restarted or had its clock set by hand serves every window it
could serve, once, and reports the ones it slept through.

The moments in a row are kept on the wall clock's present scale: when the clock is set, `reopen` moves them with it.
A row without an outcome is open, and its moments say why:

=========== ======== =============================================================
started_at  ended_at
=========== ======== =============================================================
none        none     it was not begun
set         none     it is under way, or whoever began it is dead
set         set      it was served, but outside its window by what the clock says now
none        set      it was reported as missed by a clock that was wrong
=========== ======== =============================================================
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from exam_kit.agent.orders import Order, recording_orders
from exam_kit.cctv.status import Desired
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.point import Point, Zone, ZoneWindow, check_due, zone_windows
from exam_kit.store import Store

__all__ = [
    "ClockStep",
    "ClockWatch",
    "PlannedRun",
    "Wishes",
    "claim",
    "finish",
    "missed",
    "recording_wishes",
    "release",
    "renew",
    "reopen",
    "sync",
]

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
MEMORY = timedelta(days=7)
"""Runs older than this are not judged again when the clock is set."""
PLAN_ACTOR = "agent"


@dataclass(frozen=True)
class PlannedRun:
    """One run of the plan; both ends of its window are UTC."""

    id: str
    kind: str
    day: str
    due_from: datetime
    due_until: datetime


def sync(store: Store, point: Point) -> None:
    """Bring the table in line with the exam days; runs that somebody serves or that ended stay as they are."""
    with store.transaction() as connection:
        for day in point.days:
            due, until = check_due(point, day)
            connection.execute(
                "INSERT INTO run_plan (id, kind, day, due_from, due_until) VALUES (?, 'check', ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET due_from = excluded.due_from, due_until = excluded.due_until "
                "WHERE run_plan.claimed_by IS NULL AND run_plan.outcome IS NULL",
                (f"check:{day.date}T{day.start}", str(day.date), iso(due), iso(until)),
            )
        known = [f"check:{day.date}T{day.start}" for day in point.days]
        marks = ",".join("?" * len(known))
        connection.execute(
            f"DELETE FROM run_plan WHERE claimed_by IS NULL AND outcome IS NULL AND id NOT IN ({marks})",  # noqa: S608
            known,
        )


def claim(store: Store, clock: Clock, owner: str) -> PlannedRun | None:
    """Take the earliest run whose window is open and that nobody serves; None when there is none.

    A claim whose lease ended (its owner died) is free again.
    """
    now = clock.now()
    with store.transaction() as connection:
        row = connection.execute(
            "UPDATE run_plan SET claimed_by = ?, lease_until = ?, started_at = ?, ended_at = NULL WHERE id = ("
            "  SELECT id FROM run_plan WHERE due_from <= ? AND due_until > ? AND outcome IS NULL"
            "  AND (claimed_by IS NULL OR lease_until < ?) ORDER BY due_from LIMIT 1"
            ") RETURNING id, kind, day, due_from, due_until",
            (owner, iso(now + LEASE), iso(now), iso(now), iso(now), iso(now)),
        ).fetchone()
    return PlannedRun(row[0], row[1], row[2], from_iso(row[3]), from_iso(row[4])) if row else None


def release(store: Store) -> None:
    """Free every claim. For an agent that just started and holds the lock: whoever claimed is dead."""
    with store.transaction() as connection:
        connection.execute("UPDATE run_plan SET claimed_by = NULL, lease_until = NULL WHERE outcome IS NULL")


def renew(store: Store, clock: Clock, run: PlannedRun) -> None:
    """Lengthen the lease of a run that is under way: it may take long, or the laptop may have slept through its end."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE run_plan SET lease_until = ? WHERE id = ? AND claimed_by IS NOT NULL AND outcome IS NULL",
            (iso(clock.now() + LEASE), run.id),
        )


def finish(store: Store, clock: Clock, run: PlannedRun, outcome: str) -> bool:
    """A claimed run ended. False when it had begun outside its window, as a clock set meanwhile says: it stays open."""
    with store.transaction() as connection:
        (started,) = connection.execute("SELECT started_at FROM run_plan WHERE id = ?", (run.id,)).fetchone()
        inside = started is not None and run.due_from <= from_iso(started) < run.due_until
        connection.execute(
            "UPDATE run_plan SET outcome = ?, ended_at = ?, claimed_by = NULL, lease_until = NULL WHERE id = ?",
            (outcome if inside else None, iso(clock.now()), run.id),
        )
    return inside


def missed(store: Store, clock: Clock) -> list[PlannedRun]:
    """Mark runs whose window closed unserved, and return those not duly reported before."""
    now = iso(clock.now())
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT id, kind, day, due_from, due_until, started_at IS NULL AND ended_at >= due_until FROM run_plan "
            "WHERE outcome IS NULL AND due_until <= ? AND (claimed_by IS NULL OR lease_until < ?)",
            (now, now),
        ).fetchall()
        connection.executemany(
            "UPDATE run_plan SET outcome = 'missed', ended_at = ?, claimed_by = NULL, lease_until = NULL WHERE id = ?",
            [(now, row[0]) for row in rows],
        )
    return [PlannedRun(row[0], row[1], row[2], from_iso(row[3]), from_iso(row[4])) for row in rows if not row[5]]


def reopen(store: Store, clock: Clock, step: ClockStep) -> list[str]:
    """After the wall clock was set, judge the latest runs anew by what it says now; the ids of those open again.

    A run that began, by this clock, outside its window, and one reported as missed whose window is not over, are open
    again. One that was opened so, and by a later setting of the clock did begin inside its window, is served after
    all.
    """
    now, moved = clock.now(), timedelta(seconds=step.seconds)
    since = iso(now - moved - MEMORY)
    reopened = []
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT id, due_from, due_until, started_at, ended_at, outcome FROM run_plan "
            "WHERE started_at >= ? OR ended_at >= ?",
            (since, since),
        ).fetchall()
        for run, due_from, due_until, started, ended, said in rows:
            began = from_iso(started) + moved if started else None
            over = from_iso(ended) + moved if ended else None
            inside = began is not None and from_iso(due_from) <= began < from_iso(due_until)
            outcome = said
            if said is not None and from_iso(due_until) > now and (said == "missed" or not inside):
                reopened.append(run)
                began, outcome = None if said == "missed" else began, None
            elif said is None and over is not None and inside:
                outcome = "served"
            connection.execute(
                "UPDATE run_plan SET started_at = ?, ended_at = ?, outcome = ? WHERE id = ?",
                (iso(began) if began else None, iso(over) if over else None, outcome, run),
            )
    return reopened


@dataclass(frozen=True)
class ClockStep:
    """The wall clock was set by `seconds` (positive: forward)."""

    seconds: float


class ClockWatch:
    """Compares the wall clock with the clock that never steps.

    What it saw last is kept in a file, so that a clock set while no agent ran is noticed as well: exactly within one
    boot of the machine. Across a restart of the machine only a clock that went back is seen, and by how much at least.
    """

    def __init__(self, clock: Clock, tolerance_s: float = 2.0, *, kept: Path | None = None) -> None:
        self._clock = clock
        self._tolerance_s = tolerance_s
        self._kept = kept
        self._offset = self._read() - self._while_away()

    def _read(self) -> float:
        return self._clock.now().timestamp() - self._clock.boot()

    def _while_away(self) -> float:
        """By how many seconds the clock was set since the file was written."""
        if self._kept is None:
            return 0.0
        try:
            seen = json.loads(self._kept.read_text(encoding="utf-8"))
            if seen["boot"] == self._clock.boot_id():
                return self._read() - float(seen["offset_s"])
            return min(self._clock.now().timestamp() - float(seen["wall_s"]), 0.0)
        except FileNotFoundError:
            return 0.0
        except (OSError, ValueError, KeyError, TypeError) as problem:
            log.warning("%s: cannot be read (%s); the clock is trusted as it is", self._kept, problem)
            return 0.0

    def step(self) -> ClockStep | None:
        """The step since the last look; None when there was none."""
        offset = self._read()
        moved, self._offset = offset - self._offset, offset
        self._keep()
        return None if abs(moved) < self._tolerance_s else ClockStep(moved)

    def _keep(self) -> None:
        if self._kept is None:
            return
        seen = {"boot": self._clock.boot_id(), "offset_s": self._offset, "wall_s": self._clock.now().timestamp()}
        # Replaced, not overwritten, so that a reader sees the old text or the new one.
        beside = self._kept.with_name(f".{self._kept.name}.{os.getpid()}")
        beside.write_text(json.dumps(seen), encoding="utf-8")
        beside.replace(self._kept)


@dataclass(frozen=True)
class Wishes:
    """Which cameras should record now and on whose word; which should not because an order said so."""

    record: dict[str, Desired]
    stop: dict[str, Desired]


def recording_wishes(store: Store, point: Point, now: datetime) -> Wishes:
    """What should record now.

    The last order wins: after "record" a camera records until an order stops it, after "stop" it rests until its next
    window begins. Without an order its zone's window decides. Footage nobody asked for is the smaller harm, so nothing
    but an order or a window's end stops a recording.
    """
    last, open_now = _last_orders(store, point), _open_windows(point, now)
    wishes = Wishes({}, {})
    for camera in point.cameras:
        order, window = last.get(camera.id), open_now.get(point.zone_of(camera))
        if order is not None and order.kind == "record":
            wishes.record[camera.id] = _by(order)
        elif window is not None and (order is None or order.given_at < window.start):
            wishes.record[camera.id] = Desired(PLAN_ACTOR, "plan", f"window of zone {window.zone}", None)
        elif order is not None:
            wishes.stop[camera.id] = _by(order)
    return wishes


def _open_windows(point: Point, now: datetime) -> dict[Zone, ZoneWindow]:
    """The window of each zone that is open now; of two that overlap the one that began last. Asked at every turn of the
    agent, so each day's windows are reckoned once and not for every camera."""
    found: dict[Zone, ZoneWindow] = {}
    for day in point.days:
        for zone, window in zone_windows(point, day).items():
            if window.holds(now) and (zone not in found or window.start > found[zone].start):
                found[zone] = window
    return found


def _by(order: Order) -> Desired:
    return Desired(order.actor, order.ordered_by, order.why, order.id)


def _last_orders(store: Store, point: Point) -> dict[str, Order]:
    """The latest record or stop order of each camera; reads back only as far as it must."""
    wanted = {camera.id for camera in point.cameras}
    last: dict[str, Order] = {}
    for order in recording_orders(store):
        for camera in wanted.intersection(order.body.get("cameras", [])):
            last[camera] = order
            wanted.discard(camera)
        if not wanted:
            break
    return last
