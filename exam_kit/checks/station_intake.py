"""Taking in a station's result file: every reason not to, then a run in the store and an entry in the ledger.

A file proves that it was written by a stick this point made, and that no byte of it was changed since. What it says is
judged here, by the profile in use: the states in its head are for the person at the station and are not believed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from exam_kit.checks.model import Run
from exam_kit.checks.profile import Profile
from exam_kit.checks.results import get_run, save_result
from exam_kit.checks.station_file import MAX_BYTES, Sealed, split
from exam_kit.checks.station_judge import carried, judged, latest_of
from exam_kit.checks.station_record import Record
from exam_kit.checks.station_sticks import Refusal, ResultRefused, Stick, sticks
from exam_kit.checks.verdicts import overall, waive
from exam_kit.checks.waivers_given import permitted, waivers_given
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.errors import Message, PointInvalid, m
from exam_kit.home import Home
from exam_kit.point import Point, Station
from exam_kit.store import Entry, Ledger, Store

__all__ = ["Taken", "take", "taken_before"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """A file that was taken in. `remarks` are things to look at that are no reason to refuse it."""

    run: Run
    station: str
    role: str
    machine: Mapping[str, Any]
    remarks: tuple[Message, ...]


def take(
    data: bytes,
    *,
    ledger: Ledger,
    home: Home,
    point: Point,
    profile: Profile,
    actor: str,
    clock: Clock,
    name: str = "—",
    note_refusal: bool = True,
) -> Taken:
    """Take in the bytes of a station's result file; a run of that station is kept, with the ledger's `station.taken`.

    `profile` is the point's profile in use; `actor` a login; `name` the file's name, for messages. A refusal is an
    entry of the ledger as well (`station.refused`), unless `note_refusal` is false (whoever can reach a port must not
    be able to fill the ledger). The file itself is kept in `stations/` of the home.

    Raises:
        ResultRefused: with its reason.
        PointInvalid: the profile does not say what may be taken in.
        StoreError: it could not be kept.
    """
    try:
        return _Intake(data, name, ledger, home, point, profile, actor, clock).take()
    except ResultRefused as refused:
        log.info("station result refused (%s): %s", refused.reason.value, refused)
        if note_refusal:
            digest = hashlib.sha256(data).hexdigest()
            body = {"reason": refused.reason.value, "file": name[:200], "sha256": digest}
            ledger.append("station.refused", body, actor)
        raise


def taken_before(store: Store, data: bytes) -> bool:
    """Whether this very file was taken in: a stick's folder keeps what it brought before."""
    digest = hashlib.sha256(data).hexdigest()
    return bool(store.query("SELECT 1 FROM station_result WHERE sha256 = ?", (digest,)))


@dataclass(frozen=True)
class _Intake:
    data: bytes
    name: str
    ledger: Ledger
    home: Home
    point: Point
    profile: Profile
    actor: str
    clock: Clock

    def take(self) -> Taken:
        sealed = self._sealed()
        stick = self._stick(sealed)
        record = self._record(sealed)
        self._of_this_point(record, stick)
        station = self._station(record)
        self._in_time(record, stick)
        self._not_twice(record)
        return self._keep(record, stick, station)

    def _sealed(self) -> Sealed:
        sealed = split(self.data) if len(self.data) <= MAX_BYTES else None
        if sealed is None:
            raise ResultRefused(
                Refusal.UNREADABLE,
                m(
                    "{file}: is not a result of an exam station. Choose a file from the stick's folder 'results'.",
                    file=self.name,
                ),
            )
        if not sealed.whole:
            raise self._changed()
        return sealed

    def _changed(self) -> ResultRefused:
        return ResultRefused(
            Refusal.CHANGED,
            m(
                "{file}: was changed after the station had written it. Take the file from the stick again, "
                "or run the check on the station again.",
                file=self.name,
            ),
        )

    def _stick(self, sealed: Sealed) -> Stick:
        known = sticks(self.ledger)
        stick = next((one for one in known.values() if one.public.holds(sealed.message, sealed.signature)), None)
        if stick is None:
            try:
                named = str(sealed.record().get("stick"))
            except (ValueError, RecursionError):
                named = ""
            if named in known:
                raise self._changed()
            raise ResultRefused(
                Refusal.FOREIGN,
                m(
                    "{file}: was not signed by a stick of this point. Check the station with a stick that was made "
                    "here with 'exam-kit station kit'.",
                    file=self.name,
                ),
            )
        if stick.withdrawn_at is not None:
            raise ResultRefused(
                Refusal.WITHDRAWN,
                m(
                    "{file}: its stick {key} was withdrawn. Check the station with a stick that is in use.",
                    file=self.name,
                    key=stick.key,
                ),
            )
        return stick

    def _record(self, sealed: Sealed) -> Record:
        try:
            return Record.read(sealed.record())
        except (ValueError, RecursionError) as problem:
            log.info("station record not understood: %s", problem)
            raise ResultRefused(
                Refusal.UNREADABLE,
                m(
                    "{file}: was written by another version of the kit. Make the stick again with "
                    "'exam-kit station kit' and run the check again.",
                    file=self.name,
                ),
            ) from problem

    def _of_this_point(self, record: Record, stick: Stick) -> None:
        here = (self.point.region, self.point.code, self.ledger.id)
        if (record.point.region, record.point.code, record.point.ledger) != here or record.stick != stick.key:
            raise ResultRefused(
                Refusal.FOREIGN,
                m(
                    "{file}: belongs to the point {region}-{code}, not to this one. Take it in there.",
                    file=self.name,
                    region=record.point.region,
                    code=record.point.code,
                ),
            )
        if record.profile.hash not in (self.profile.hash, stick.profile_hash):
            raise ResultRefused(
                Refusal.PROFILE,
                m(
                    "{file}: was made by a check profile that is not known here. Make the stick again with "
                    "'exam-kit station kit' and run the check again.",
                    file=self.name,
                ),
            )

    def _station(self, record: Record) -> Station:
        for station in self.point.stations:
            if station.id == record.station and station.role.value == record.role:
                return station
        raise ResultRefused(
            Refusal.STATION,
            m(
                "{file}: the point has no station '{station}' of this role. Correct the stations in point.toml, or "
                "make the stick again and choose the right station.",
                file=self.name,
                station=record.station,
            ),
        )

    def _in_time(self, record: Record, stick: Stick) -> None:
        rules = self.profile.stations
        if rules is None:
            raise PointInvalid(
                m(
                    "{profile}: the profile does not say how old a station's result may be. Add the table [stations] "
                    "with result_max_age_h and clock_ahead_max_min.",
                    profile=self.profile.name,
                )
            )
        now, ended = self.clock.now(), from_iso(record.ended_at)
        slack = timedelta(minutes=rules.clock_ahead_max_min)
        if now - ended > timedelta(hours=rules.result_max_age_h):
            raise ResultRefused(
                Refusal.STALE,
                m(
                    "{file}: is {age} h old, and the profile allows {limit} h. Run the check on the station again; "
                    "if it was run just now, set the station's clock right first.",
                    file=self.name,
                    age=round((now - ended).total_seconds() / 3600, 1),
                    limit=rules.result_max_age_h,
                ),
            )
        if ended - now > slack or stick.made_at - ended > slack:
            raise ResultRefused(
                Refusal.CLOCK,
                m(
                    "{file}: is dated {at}, which cannot be: the station's clock is wrong. Set it right and run the "
                    "check again.",
                    file=self.name,
                    at=ended.astimezone(self.point.tz).strftime("%Y-%m-%d %H:%M"),
                ),
            )

    def _not_twice(self, record: Record) -> None:
        rows = self.ledger.store.query(
            "SELECT taken_at FROM station_result WHERE nonce = ? OR sha256 = ?", (record.nonce, self._digest())
        )
        if rows:
            raise ResultRefused(
                Refusal.REPEATED,
                m(
                    "{file}: was taken in already, at {at}. For a new result run the check on the station again.",
                    file=self.name,
                    at=from_iso(rows[0]["taken_at"]).astimezone(self.point.tz).strftime("%Y-%m-%d %H:%M"),
                ),
            )

    def _digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def _keep(self, record: Record, stick: Stick, station: Station) -> Taken:
        store, taken_at = self.ledger.store, iso(self.clock.now())
        day = _day(self.point, from_iso(record.ended_at))
        waivers = permitted(waivers_given(self.ledger, at=taken_at), self.profile)
        answered = carried(judged(record, self.profile), latest_of(store, station.id), day)
        results = [waive(result, waivers) for result in answered]
        verdict = overall(results)
        run_id = f"{from_iso(record.ended_at):%Y%m%dT%H%M%SZ}-{record.nonce[:6]}-{station.id}"
        remarks = self._remarks(record, store)
        kept = self._keep_file(station, record)

        def write(connection: sqlite3.Connection, entry: Entry) -> None:
            connection.execute(
                "INSERT INTO check_run (id, day, profile, profile_hash, started_at, ended_at, verdict, actor, seq,"
                " station) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    day.isoformat() if day else None,
                    self.profile.name,
                    self.profile.hash,
                    record.started_at,
                    record.ended_at,
                    verdict.value,
                    self.actor,
                    entry.seq,
                    station.id,
                ),
            )
            for result in results:
                save_result(store, run_id, result)
            connection.execute(
                "INSERT INTO station_result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    station.id,
                    record.role,
                    stick.key,
                    record.nonce,
                    self._digest(),
                    kept,
                    json.dumps(record.machine, ensure_ascii=False),
                    record.ended_at,
                    taken_at,
                    self.actor,
                    json.dumps([[one.template, one.values] for one in remarks], ensure_ascii=False),
                    entry.seq,
                ),
            )

        body = {
            "run": run_id,
            "station": station.id,
            "role": record.role,
            "stick": stick.key,
            "nonce": record.nonce,
            "file": kept,
            "sha256": self._digest(),
            "machine": record.machine,
            "made_at": record.ended_at,
            "day": day.isoformat() if day else None,
            "profile": self.profile.name,
            "profile_hash": self.profile.hash,
            "verdict": verdict.value,
        }
        with store.transaction():
            self._not_twice(record)  # again, now that nobody else can write
            self.ledger.append("station.taken", body, self.actor, also=write)
        return Taken(get_run(store, run_id), station.id, record.role, record.machine, remarks)

    def _keep_file(self, station: Station, record: Record) -> str:
        """The file as it came, beside the store: evidence that can be verified again. Its path from the home."""
        folder = self.home.root / "stations"
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{station.id}_{from_iso(record.ended_at):%Y%m%dT%H%M%SZ}_{record.nonce[:6]}.exam-station.txt"
        target.write_bytes(self.data)
        return target.relative_to(self.home.root).as_posix()

    def _remarks(self, record: Record, store: Store) -> tuple[Message, ...]:
        remarks = []
        if record.profile.hash != self.profile.hash:
            remarks.append(
                m("The stick carries an older state of the profile; judged by the one in use. Make the stick again.")
            )
        if from_iso(record.ended_at) < from_iso(record.started_at):
            remarks.append(m("The station's clock was set back while the check ran."))
        identity = record.machine.get("id")
        others = store.query(
            "SELECT station, machine FROM station_result WHERE station <> ? AND made_at > ? ORDER BY seq",
            (record.station, iso(from_iso(record.ended_at) - timedelta(hours=24))),
        )
        same = sorted(
            {row["station"] for row in others if identity and json.loads(row["machine"]).get("id") == identity}
        )
        if same:
            remarks.append(
                m(
                    "The same computer was also checked as {stations}. See that the right station was chosen.",
                    stations=", ".join(same),
                )
            )
        return tuple(remarks)


def _day(point: Point, moment: datetime) -> date | None:
    """The exam day a result is for: the first one not yet over on the local date of `moment`."""
    local = moment.astimezone(point.tz).date()
    return min((day.date for day in point.days if day.date >= local), default=None)
