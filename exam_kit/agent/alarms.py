"""What must not be overlooked on any page: footage that is not being made, and soon could not be.

An alarm is derived each time from what stands in the store, so no process has to live for it to be raised. Somebody
who has seen it says so in the ledger: that silences its sound, the alarm itself stays until its cause is gone.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.agent.camera_facts import CameraFact, camera_facts
from exam_kit.agent.status import agent_alive, heartbeat
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.errors import Message, PointInvalid, m
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.journal.categories import Categories, Category, load_categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_cameras import CCTV_LOST
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.person import person_of
from exam_kit.point import Point, camera_windows
from exam_kit.store import Account, Act, Ledger, Store, require

__all__ = ["SEEN", "Alarm", "AlarmBook", "Seen"]

SEEN = "alarm.seen"
NAMED = 3
"""So many cameras are named; of more the number is said."""
SEEN_KEPT = 100
"""Outages are told apart by their beginning; of older ones nobody asks."""


@dataclass(frozen=True)
class Seen:
    """Who has seen an alarm, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Alarm:
    """What is wrong and what to do about it.

    `keys` stay the same for as long as the same outages last; `since` is when the first of them began. `category`
    says which clock of the incidents runs, None for none; `incidents` are the open sheets about it, the one with most
    of its cameras first. `seen` is None as long as one of `keys` was seen by nobody.
    """

    keys: tuple[str, ...]
    what: Message
    way_out: Message
    since: datetime | None = None
    category: Category | None = None
    incidents: tuple[Incident, ...] = ()
    seen: Seen | None = None


class AlarmBook:
    """The alarms of one home. May be asked by several threads at once."""

    def __init__(self, home: Home, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._home, self._store, self._ledger, self._clock = home, store, ledger, clock

    def raised(self, point: Point) -> list[Alarm]:
        """The alarms now, the gravest first."""
        facts = camera_facts(self._home, self._store, point, self._clock)
        if not agent_alive(self._home, self._clock):
            found = [self._agent_dead(facts)]
        else:
            missing = [fact for fact in facts if fact.missing(self._clock.now())]
            found = [self._missing(point, missing)] if missing else []
        return [*found, *self._disk(point, facts)]

    def see(self, point: Point, person: Account) -> int:
        """Note in the ledger that `person` has seen the alarms that stand now; how many were not seen before.

        Raises:
            AccessDenied: the person's role opens no incidents, so it is not theirs to deal with.
        """
        require(person.role, Act.OPEN_INCIDENT)
        new = [alarm for alarm in self.raised(point) if alarm.seen is None]
        if new:
            body = {
                "by": person_of(person).as_dict(),
                "alarms": [{"keys": list(alarm.keys), "what": alarm.what.text(point.language)} for alarm in new],
            }
            self._ledger.append(SEEN, body, person.login)
        return len(new)

    def _agent_dead(self, facts: Sequence[CameraFact]) -> Alarm:
        last = heartbeat(self._home, self._clock)
        wanted = sum(fact.wanted for fact in facts)
        what = (
            m("The agent is not running: cameras that should record and do not: {count}.", count=wanted)
            if wanted
            else m("The agent is not running: nothing is recorded, checked or archived.")
        )
        keys = (f"agent@{iso(last.at) if last else ''}",)
        return Alarm(
            keys,
            what,
            m("Start Exam Kit again on this computer; if it does not help, run 'exam-kit doctor'."),
            last.at if last else None,
            self._category if wanted else None,
            seen=self._seen(keys),
        )

    def _missing(self, point: Point, missing: Sequence[CameraFact]) -> Alarm:
        begun = {fact.camera.id: fact.since or fact.asked_at for fact in missing}
        keys = tuple(f"camera:{camera}@{iso(at) if at else ''}" for camera, at in begun.items())
        incidents = self._incidents(point, set(begun))
        running = [sheet.running_since for sheet in incidents]
        return Alarm(
            keys,
            _sentence(missing),
            m("See that the camera has power and its cable is in; it is taken up again by itself."),
            # The sheet's clock, where it runs longer: another of its cameras was the first to be lost.
            min((at for at in (*begun.values(), *running) if at is not None), default=None),
            self._category,
            incidents,
            self._seen(keys),
        )

    def _disk(self, point: Point, facts: Sequence[CameraFact]) -> list[Alarm]:
        """The disk will be full before the recordings under way have ended."""
        recording = [fact.camera for fact in facts if fact.wanted]
        now = self._clock.now()
        need = speed = 0.0
        for camera in recording:
            ends = max((one.end for one in camera_windows(point, camera) if one.holds(now)), default=now)
            speed += camera.bitrate_mbps * 1e6 / 8
            need += camera.bitrate_mbps * 1e6 / 8 * (ends - now).total_seconds()
        free = shutil.disk_usage(self._home.footage).free
        if not speed or free >= need:
            return []
        full = (now + timedelta(seconds=free / speed)).astimezone(point.tz)
        # The day is its key: seen once, it need not be seen again with each gigabyte.
        keys = (f"disk@{now.astimezone(point.tz).date()}",)
        values = {"free": f"{free / 1e9:.1f}", "need": f"{need / 1e9:.1f}", "time": f"{full:%H:%M}"}
        what = m("The disk will be full at about {time}: {free} GB are free, the plan still needs {need} GB.", **values)
        way_out = m("Free space on the disk with the footage, or have recordings copied away; delete no footage.")
        return [Alarm(keys, what, way_out, seen=self._seen(keys))]

    @functools.cached_property
    def _categories(self) -> Categories:
        """The point's own; with mistakes in them the agent says so, and the alarm counts by those that are shipped."""
        try:
            return load_categories(self._home)
        except PointInvalid:
            return load_categories()

    @property
    def _category(self) -> Category | None:
        return self._categories.by_code.get(CCTV_LOST)

    def _incidents(self, point: Point, cameras: set[str]) -> tuple[Incident, ...]:
        """The open sheets on which one of these cameras is missing."""
        book = Incidents(self._ledger, point, self._clock, self._categories)
        about = [sheet for sheet in book.all() if sheet.is_open and cameras & sheet.away]
        return tuple(sorted(about, key=lambda sheet: -len(cameras & sheet.away)))

    def _seen(self, keys: Sequence[str]) -> Seen | None:
        told = self._told()
        found = [told.get(key) for key in keys]
        known = [one for one in found if one is not None]
        return max(known, key=lambda one: one.at) if len(known) == len(found) else None

    def _told(self) -> Mapping[str, Seen]:
        rows = self._store.query(
            "SELECT record FROM ledger WHERE kind = ? ORDER BY seq DESC LIMIT ?", (SEEN, SEEN_KEPT)
        )
        told: dict[str, Seen] = {}
        for row in rows:
            entry = json.loads(row["record"])
            seen = Seen(entry["body"]["by"]["name"], from_iso(entry["at"]))
            for alarm in entry["body"]["alarms"]:
                for key in alarm["keys"]:
                    told.setdefault(key, seen)
        return told


def _sentence(missing: Sequence[CameraFact]) -> Message:
    if len(missing) == 1:
        (fact,) = missing
        return m(
            "{camera}, {room}: should record and does not ({cause}).",
            camera=fact.camera.id,
            room=fact.room.label,
            cause=m(fact.cause or N_("not recorded")),
        )
    names = ", ".join(fact.camera.id for fact in missing[:NAMED])
    more = len(missing) - NAMED
    which = m("{names} and {count} more", names=names, count=more) if more > 0 else names
    return m("Cameras that should record and do not: {count} ({which}).", count=len(missing), which=which)
