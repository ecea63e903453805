"""What is due, by the clock: the run plan, and which cameras should record now.

`schedule` only beats; the truth is the `run_plan` table, one row per run with its UTC window, claimed in one
transaction with a lease. So a laptop that slept, restarted or had its clock set by hand serves every window it
could serve, once, and reports the ones it slept through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.agent.orders import Order, recording_orders
from exam_kit.cctv.status import Desired
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.point import Point, camera_windows, check_due
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
    "reopen",
    "sync",
]

LEASE = timedelta(minutes=3)
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
    """Bring the table in line with the exam days; runs that began or ended stay as they are."""
    with store.transaction() as connection:
        for day in point.days:
            due, until = check_due(point, day)
            connection.execute(
                "INSERT INTO run_plan (id, kind, day, due_from, due_until) VALUES (?, 'check', ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET due_from = excluded.due_from, due_until = excluded.due_until "
                "WHERE run_plan.started_at IS NULL AND run_plan.outcome IS NULL",
                (f"check:{day.date}T{day.start}", str(day.date), iso(due), iso(until)),
            )
        known = [f"check:{day.date}T{day.start}" for day in point.days]
        marks = ",".join("?" * len(known))
        connection.execute(
            f"DELETE FROM run_plan WHERE started_at IS NULL AND outcome IS NULL AND id NOT IN ({marks})",  # noqa: S608
            known,
        )


def claim(store: Store, clock: Clock, owner: str) -> PlannedRun | None:
    """Take the earliest run whose window is open and that nobody serves; None when there is none.

    A claim whose lease ended (its owner died) is free again.
    """
    now = clock.now()
    with store.transaction() as connection:
        row = connection.execute(
            "UPDATE run_plan SET claimed_by = ?, lease_until = ?, started_at = ? WHERE id = ("
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


def finish(store: Store, clock: Clock, run: PlannedRun, outcome: str) -> None:
    """A claimed run was served."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE run_plan SET outcome = ?, ended_at = ? WHERE id = ?", (outcome, iso(clock.now()), run.id)
        )


def missed(store: Store, clock: Clock) -> list[PlannedRun]:
    """Mark runs whose window closed unserved, and return those newly marked."""
    now = iso(clock.now())
    with store.transaction() as connection:
        rows = connection.execute(
            "UPDATE run_plan SET outcome = 'missed', ended_at = ? WHERE outcome IS NULL AND due_until <= ? "
            "AND (claimed_by IS NULL OR lease_until < ?) RETURNING id, kind, day, due_from, due_until",
            (now, now, now),
        ).fetchall()
    return [PlannedRun(row[0], row[1], row[2], from_iso(row[3]), from_iso(row[4])) for row in rows]


def reopen(store: Store, clock: Clock, step: ClockStep) -> list[str]:
    """After the wall clock was set, re-open runs that by the right time were not served inside their window.

    A run served at a wrong time is one whose start, moved by the step, falls outside its window; a run marked
    missed by a clock that ran ahead is one whose window is not over. Only what this boot of the machine did can be
    judged so.
    """
    now = clock.now()
    reopened = []
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT id, due_from, due_until, started_at, outcome FROM run_plan "
            "WHERE outcome IS NOT NULL AND due_until > ? AND ended_at >= ?",
            (iso(now), iso(step.trusted_since)),
        ).fetchall()
        for run, due_from, due_until, started, outcome in rows:
            if outcome != "missed":
                truly = from_iso(started) + timedelta(seconds=step.seconds)
                if from_iso(due_from) <= truly < from_iso(due_until):
                    continue
            connection.execute(
                "UPDATE run_plan SET outcome = NULL, claimed_by = NULL, lease_until = NULL, started_at = NULL, "
                "ended_at = NULL WHERE id = ?",
                (run,),
            )
            reopened.append(run)
    return reopened


@dataclass(frozen=True)
class ClockStep:
    """The wall clock was set by `seconds` (positive: forward). Before `trusted_since` nothing is known of it."""

    seconds: float
    trusted_since: datetime


class ClockWatch:
    """Compares the wall clock with the clock that never steps."""

    def __init__(self, clock: Clock, tolerance_s: float = 2.0) -> None:
        self._clock = clock
        self._tolerance_s = tolerance_s
        self._offset = self._read()
        self._since = clock.now()

    def _read(self) -> float:
        return self._clock.now().timestamp() - self._clock.boot()

    def step(self) -> ClockStep | None:
        """The step since the last look; None when there was none."""
        offset = self._read()
        moved, self._offset = offset - self._offset, offset
        if abs(moved) < self._tolerance_s:
            return None
        # Rows written before the step carry the old wall time, so they are compared on the old scale or the new one,
        # whichever is earlier.
        since = self._since + timedelta(seconds=min(moved, 0.0))
        self._since += timedelta(seconds=moved)
        return ClockStep(moved, since)


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
    last = _last_orders(store, point)
    wishes = Wishes({}, {})
    for camera in point.cameras:
        order = last.get(camera.id)
        window = next((window for window in camera_windows(point, camera) if window.holds(now)), None)
        if order is not None and order.kind == "record":
            wishes.record[camera.id] = _by(order)
        elif window is not None and (order is None or order.given_at < window.start):
            wishes.record[camera.id] = Desired(PLAN_ACTOR, "plan", f"window of zone {window.zone}", None)
        elif order is not None:
            wishes.stop[camera.id] = _by(order)
    return wishes


def _by(order: Order) -> Desired:
    return Desired(order.actor, order.ordered_by, order.why, order.id)


def _last_orders(store: Store, point: Point) -> dict[str, Order]:
    """The latest record or stop order of each camera; reads back only as far as it must."""
    last: dict[str, Order] = {}
    for order in recording_orders(store):
        for camera in order.body.get("cameras", []):
            last.setdefault(camera, order)
        if len(last) >= len(point.cameras):
            break
    return last
