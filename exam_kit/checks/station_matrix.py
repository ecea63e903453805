"""Stations × checks, for the screen and the protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from exam_kit.checks.model import Check, Result, Run, State, Verdict
from exam_kit.checks.profile import Profile
from exam_kit.checks.station_judge import latest_of, station_checks
from exam_kit.clock import from_iso
from exam_kit.errors import Message
from exam_kit.point import Point, Station
from exam_kit.store import Store

__all__ = ["Cell", "Matrix", "Row", "matrix"]


@dataclass(frozen=True)
class Cell:
    """One check on one station. `state` is None where the check is not asked of this role."""

    check: str
    state: State | None
    result: Result | None = None


@dataclass(frozen=True)
class Row:
    """One station of the point. `run` is its latest run that was taken in, None when nothing was (`missing`).

    `age_s`: seconds since the station ended that run. `stale`: older than the profile allows. `other_profile`: judged
    by a profile that has since changed.
    """

    station: Station
    run: Run | None
    age_s: float | None
    stale: bool
    other_profile: bool
    host: str
    remarks: tuple[Message, ...]
    cells: tuple[Cell, ...]

    @property
    def missing(self) -> bool:
        return self.run is None

    @property
    def verdict(self) -> Verdict | None:
        return self.run.verdict if self.run else None


@dataclass(frozen=True)
class Matrix:
    """Stations × checks. `checks` are the columns, in the profile's order; every row has a cell for each."""

    checks: tuple[Check, ...]
    rows: tuple[Row, ...]


def matrix(store: Store, point: Point, profile: Profile, *, now: datetime) -> Matrix:
    """Every station of the point against every check that any of them is asked; `now` is aware UTC.

    Stations stand in the point's order, reserves (`station.main` false) included. Nothing is judged here: states are
    those of the latest run taken in, with the answers given by hand since.
    """
    wanted = {station.id: {c.id for c in station_checks(profile, station.role.value)} for station in point.stations}
    columns = tuple(check for check in profile.checks if any(check.id in ids for ids in wanted.values()))
    return Matrix(columns, tuple(_row(store, profile, s, columns, wanted[s.id], now) for s in point.stations))


def _row(
    store: Store, profile: Profile, station: Station, columns: tuple[Check, ...], wanted: set[str], now: datetime
) -> Row:
    run = latest_of(store, station.id)
    results = {result.check: result for result in run.results} if run else {}
    cells = []
    for check in columns:
        result = results.get(check.id) if check.id in wanted else None
        state = None if check.id not in wanted else result.state if result else State.UNKNOWN
        cells.append(Cell(check.id, state, result))
    if run is None:
        return Row(station, None, None, False, False, "", (), tuple(cells))
    ((told),) = store.query("SELECT machine, made_at, remarks FROM station_result WHERE run = ?", (run.id,))
    age_s = (now - from_iso(told["made_at"])).total_seconds()
    stale = profile.stations is None or age_s > profile.stations.result_max_age_h * 3600
    remarks = tuple(Message(template, values) for template, values in json.loads(told["remarks"]))
    host = str(json.loads(told["machine"]).get("host", ""))
    return Row(station, run, age_s, stale, run.profile_hash != profile.hash, host, remarks, tuple(cells))
