"""What is due, by the clock: the run plan, and which cameras should record now.

`schedule` only beats; the truth is the `run_plan` table, one row per run with its UTC window, claimed in one
transaction with a lease. So a laptop that slept, restarted or had its clock set by hand serves every window it
could serve, once, and reports the others.

A clock that is set is believed, for the machine cannot know better: `ran` (when each completed run began),
`started_at`, `ended_at` and `reported_at` are kept on the wall clock's present scale and moved with it, and `reopen`
judges anew. A row is `settled`, and stands whatever the clock is set to afterwards, when a time server confirmed the
clock of its run, or when it can no longer be dated. What nobody can know without a time server: docs/checks.md.

A row without an outcome is open. `missed`: the window passed without a run, and that was reported. `astray`: it was
run, but outside its window by what the clock says now, and that was reported. Everything else means served.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from exam_kit.agent.clock_watch import ClockStep
from exam_kit.agent.orders import Order, recording_orders
from exam_kit.cctv.status import Desired
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.point import Point, Zone, ZoneWindow, check_due, zone_windows
from exam_kit.store import Store

__all__ = [
    "PlannedRun",
    "Rejudged",
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

LEASE = timedelta(minutes=3)
MEMORY = timedelta(days=7)
"""Runs older than this are not judged again when the clock is set."""
DOUBT = timedelta(hours=36)
"""A window served and over for longer is not doubted: a clock set while the machine was off may not have been seen."""
PLAN_ACTOR = "agent"
MISSED, ASTRAY = "missed", "astray"


@dataclass(frozen=True)
class PlannedRun:
    """One run of the plan; both ends of its window are UTC."""

    id: str
    kind: str
    day: str
    due_from: datetime
    due_until: datetime
    began: datetime | None = field(default=None, compare=False)
    """when it was claimed; of one that went astray, when it was last run by what the clock says now"""

    def holds(self, moment: datetime) -> bool:
        return self.due_from <= moment < self.due_until


@dataclass(frozen=True)
class Rejudged:
    """What a clock that was set changed: ids of runs that are open again, and of those served after all."""

    reopened: list[str]
    served: list[str]


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
    return PlannedRun(row[0], row[1], row[2], from_iso(row[3]), from_iso(row[4]), now) if row else None


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


def finish(store: Store, clock: Clock, run: PlannedRun, outcome: str, *, proven: bool = False) -> bool:
    """A claimed run ended. False when it had begun outside its window, as a clock set meanwhile says: it stays open.

    `proven`: the run itself found the clock right by a time server. Believed only when no clock was set on the way;
    so look for a step before this is called.
    """
    with store.transaction() as connection:
        started, ran = connection.execute("SELECT started_at, ran FROM run_plan WHERE id = ?", (run.id,)).fetchone()
        inside = started is not None and run.holds(from_iso(started))
        connection.execute(
            "UPDATE run_plan SET outcome = ?, ran = ?, settled = ?, ended_at = ?, claimed_by = NULL,"
            " lease_until = NULL WHERE id = ?",
            (
                outcome if inside else None,
                json.dumps([*json.loads(ran), started] if started else json.loads(ran)),
                proven and inside and run.began is not None and started == iso(run.began),
                iso(clock.now()),
                run.id,
            ),
        )
    return inside


def missed(store: Store, clock: Clock) -> list[PlannedRun]:
    """Mark runs whose window closed unserved, and return those not duly reported before.

    One with `began` was run, but outside its window by what the clock says now.
    """
    now = iso(clock.now())
    found = []
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT id, kind, day, due_from, due_until, ran, reported_at FROM run_plan "
            "WHERE outcome IS NULL AND due_until <= ? AND (claimed_by IS NULL OR lease_until < ?)",
            (now, now),
        ).fetchall()
        for run, kind, day, due_from, due_until, ran, reported in rows:
            began = _moments(ran)
            # A report before the window was over came from a clock that ran ahead, and counts for nothing.
            again = reported is not None and reported >= due_until
            if not again:
                last = began[-1] if began else None
                found.append(PlannedRun(run, kind, day, from_iso(due_from), from_iso(due_until), last))
            connection.execute(
                "UPDATE run_plan SET outcome = ?, reported_at = ?, claimed_by = NULL, lease_until = NULL WHERE id = ?",
                (ASTRAY if began else MISSED, reported if again else now, run),
            )
    return found


def reopen(store: Store, clock: Clock, step: ClockStep) -> Rejudged:
    """After the wall clock was set, judge the latest runs anew by what it says now.

    One that was run outside its window, or reported as missed, is open again: to be served where its window is not
    over, else for `missed` to report. One that was run inside its window is served after all. By a step that is not
    known exactly nothing can be dated, so only windows not over are judged, and the others stand for good.
    """
    now, moved = clock.now(), timedelta(seconds=step.seconds)
    since = iso(now - moved - MEMORY)
    judged = Rejudged([], [])
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT id, due_from, due_until, started_at, ended_at, reported_at, ran, outcome FROM run_plan "
            "WHERE NOT settled AND (started_at >= ? OR ended_at >= ? OR reported_at >= ?)",
            (since, since, since),
        ).fetchall()
        for run, due_from, due_until, started, ended, reported, ran, said in rows:
            if not step.exact and from_iso(due_until) <= now:
                connection.execute("UPDATE run_plan SET settled = 1 WHERE id = ?", (run,))
                continue
            began = [moment + moved for moment in _moments(ran)]
            inside = any(from_iso(due_from) <= moment < from_iso(due_until) for moment in began)
            outcome = said
            if inside and said in (None, MISSED, ASTRAY):
                outcome = "served"
                judged.served.append(run)
            elif not inside and said is not None and from_iso(due_until) > _doubted_after(said, now):
                outcome = None
                judged.reopened.append(run)
            moments = [iso(from_iso(moment) + moved) if moment else None for moment in (started, ended, reported)]
            connection.execute(
                "UPDATE run_plan SET started_at = ?, ended_at = ?, reported_at = ?, ran = ?, outcome = ? WHERE id = ?",
                (*moments, json.dumps([iso(moment) for moment in began]), outcome, run),
            )
    return judged


def _doubted_after(said: str, now: datetime) -> datetime:
    """Windows that end after this are open again when no run lies in them. What was reported is not reported again."""
    return now if said in (MISSED, ASTRAY) else now - DOUBT


def _moments(ran: str) -> Sequence[datetime]:
    return [from_iso(text) for text in json.loads(ran)]


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
