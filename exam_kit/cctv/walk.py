"""The walk test: before the exam somebody walks before each camera, and the kit confirms that the picture moved.

It proves what no measure of a single picture can: that the picture lives. An old picture repeated by a living encoder
has fresh bytes and a running clock, but nobody walks in it. The workers notice motion (`picture_motion`), the agent
keeps the last moment of it in each camera's status; a test is two ledger entries, ``walk.started`` and
``walk.finished``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from exam_kit.cctv.status import CameraStatus
from exam_kit.clock import from_iso, iso
from exam_kit.errors import UsageError, m
from exam_kit.store import Account, Act, Ledger, Store, may, require

__all__ = ["Walk", "finish_walk", "latest_walk", "settle_walk", "start_walk", "walked_cameras"]

STARTED, FINISHED = "walk.started", "walk.finished"


@dataclass(frozen=True)
class Walk:
    """One walk test. `moved`: when each camera saw somebody; it is final once `finished_at` is there."""

    seq: int
    started_at: datetime
    actor: str
    cameras: tuple[str, ...]
    limit_s: float
    moved: Mapping[str, datetime] = field(default_factory=dict)
    finished_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """So many seconds per camera after the start."""
        return self.started_at + timedelta(seconds=self.limit_s * len(self.cameras))

    def seen(self, statuses: Mapping[str, CameraStatus]) -> dict[str, datetime]:
        """When each camera saw somebody, so far: from the entry when it is finished, else from the cameras."""
        if self.finished_at is not None:
            return dict(self.moved)
        moments = {name: statuses[name].motion_at for name in self.cameras if name in statuses}
        return {name: at for name, at in moments.items() if at is not None and self.started_at <= at <= self.ends_at}


def start_walk(ledger: Ledger, account: Account, cameras: Sequence[str], limit_s: float) -> Walk:
    """Begin a walk test of these cameras, `limit_s` seconds for each.

    Raises:
        AccessDenied: the role neither runs nor confirms the checks.
        UsageError: no cameras, or a test is going on.
    """
    if not may(account.role, Act.CONFIRM_CHECKS):
        require(account.role, Act.RUN_CHECKS)
    if not cameras:
        raise UsageError(m("Walk test: no camera is chosen. Choose at least one."))
    going = latest_walk(ledger.store)
    if going is not None and going.finished_at is None:
        raise UsageError(m("Walk test: one is going on. Finish it first."))
    entry = ledger.append(STARTED, {"cameras": list(cameras), "limit_s": limit_s}, account.login)
    return Walk(entry.seq, entry.at, account.login, tuple(cameras), limit_s)


def finish_walk(ledger: Ledger, walk: Walk, statuses: Mapping[str, CameraStatus], actor: str) -> None:
    """Enter the result. Told twice, it stands once.

    A test ended early counts for the cameras that saw somebody; for the others nothing is known.
    """
    with ledger.store.transaction():
        last = latest_walk(ledger.store)
        if last is None or last.seq != walk.seq or last.finished_at is not None:
            return
        seen = walk.seen(statuses)
        result = {name: iso(seen[name]) if name in seen else None for name in walk.cameras}
        ledger.append(FINISHED, {"started": walk.seq, "cameras": result}, actor)


def settle_walk(ledger: Ledger, statuses: Mapping[str, CameraStatus], now: datetime) -> None:
    """For the agent: enter the result when every camera saw somebody, or the time is up."""
    walk = latest_walk(ledger.store)
    if walk is None or walk.finished_at is not None:
        return
    if now > walk.ends_at or len(walk.seen(statuses)) == len(walk.cameras):
        finish_walk(ledger, walk, statuses, "agent")


def latest_walk(store: Store) -> Walk | None:
    """The last walk test that was begun, with its result when it is there."""
    walks = _walks(store, limit=1)
    return walks[0] if walks else None


def walked_cameras(store: Store, limit: int = 50) -> dict[str, tuple[datetime, bool]]:
    """For every camera its latest finished test, of the last `limit`: when it ended, and whether somebody was seen."""
    found: dict[str, tuple[datetime, bool]] = {}
    for walk in _walks(store, limit):
        if walk.finished_at is None:
            continue
        for name in walk.cameras:
            found.setdefault(name, (walk.finished_at, name in walk.moved))
    return found


def _walks(store: Store, limit: int) -> list[Walk]:
    """The latest tests, newest first."""
    rows = store.query(
        "SELECT seq, at, json_extract(record, '$.actor') AS actor, json_extract(record, '$.body') AS body FROM ledger "
        "WHERE kind = ? ORDER BY seq DESC LIMIT ?",
        (STARTED, limit),
    )
    if not rows:
        return []
    ended = {
        json.loads(row["body"])["started"]: row
        for row in store.query(
            "SELECT at, json_extract(record, '$.body') AS body FROM ledger WHERE kind = ? AND seq > ?",
            (FINISHED, rows[-1]["seq"]),
        )
    }
    walks = []
    for row in rows:
        body, end = json.loads(row["body"]), ended.get(row["seq"])
        moved = {} if end is None else {n: from_iso(at) for n, at in json.loads(end["body"])["cameras"].items() if at}
        walks.append(
            Walk(
                row["seq"],
                from_iso(row["at"]),
                row["actor"],
                tuple(body["cameras"]),
                body["limit_s"],
                moved,
                None if end is None else from_iso(end["at"]),
            )
        )
    return walks
