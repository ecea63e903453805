"""Cameras that do not record, as incident sheets: what is lost together stands on one sheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from exam_kit.cctv.status import CAUSES, CameraStatus
from exam_kit.clock import Clock, from_iso, iso
from exam_kit.errors import Message, m
from exam_kit.i18n import translate
from exam_kit.journal.categories import CameraBounds, Categories, load_categories
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incident_cameras import CCTV_LOST, Outage
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import AGENT
from exam_kit.point import Point
from exam_kit.store import Store

__all__ = ["CameraWatch"]

NOBODY_WATCHED = ("agent_stopped", "machine_off")
"""Causes of gaps that only the next agent can tell of."""
LOOKED_BACK = timedelta(hours=24)
"""Gaps that ended earlier belong to a day that was written up."""
GAPS_EVERY_S = 1.0
OURS = ("camera:", "outage:")
"""How the keys of these sheets begin."""


class _Gap(NamedTuple):
    camera: str
    since: datetime
    to: datetime
    cause: str


class CameraWatch:
    """Opens and goes on with the sheets. `look` at every turn of the agent."""

    def __init__(self, point: Point, store: Store, incidents: Incidents, clock: Clock) -> None:
        self._point, self._store, self._incidents, self._clock = point, store, incidents, clock
        bounds = _bounds(incidents.categories)
        known = incidents.categories.category
        self._category = CCTV_LOST if CCTV_LOST in incidents.categories.by_code else known[0].code
        self._lost = timedelta(seconds=bounds.lost_s)
        self._group = timedelta(seconds=bounds.group_s)
        self._outage = timedelta(seconds=bounds.outage_s)
        self._began_s = clock.monotonic()
        self._gaps_at_s = float("-inf")
        self._told: set[_Gap] = set()
        """those that are known to stand on a sheet"""
        # What an earlier agent reported and did not live to see restored.
        self._away: dict[str, RowRef] = {
            camera: sheet.ref for sheet in self._sheets() if sheet.restored_at is None for camera in sheet.away
        }

    def look(self, status: Mapping[str, CameraStatus]) -> None:
        """Write down which cameras are lost, and which are back.

        Raises:
            StoreError: it could not be written down; look again.
        """
        now = self._clock.now()
        lost: list[tuple[datetime, str]] = []
        back: list[str] = []
        for camera, seen in status.items():
            # By the wall clock as it is set now: the recorder sees to that.
            since = seen.gap_since if seen.desired is not None and seen.state != "recording" else None
            if since is not None and camera not in self._away and self._long_enough(since, now):
                lost.append((since, camera))
            elif since is None and camera in self._away and (seen.desired is None or seen.state == "recording"):
                back.append(camera)
        # What is over comes first: cameras that did not come back from the same outage follow on its sheet.
        self._look_at_gaps(now, at_once=bool(lost))
        if not lost and not back:
            return
        with self._store.transaction():
            found = {camera: self._write_lost(camera, since, status[camera]).ref for since, camera in sorted(lost)}
            for camera in back:
                self._write_back(self._away[camera], camera, now, records=status[camera].desired is not None)
        self._away.update(found)
        for camera in back:
            del self._away[camera]

    def _long_enough(self, since: datetime, now: datetime) -> bool:
        """A camera that was lost with the agent before this one has the same time to come back as any."""
        watched = timedelta(seconds=self._clock.monotonic() - self._began_s)
        return min(now - since, watched) >= self._lost

    def _sheets(self) -> list[Incident]:
        return [sheet for sheet in self._incidents.all() if sheet.is_open and sheet.key.startswith(OURS)]

    def _sheet_for(self, camera: str, since: datetime) -> Incident | None:
        """The newest open sheet on which something was lost about then, or else this camera at any time."""
        sheets = self._sheets()[::-1]
        near = (one for one in sheets if any(abs(outage.lost_at - since) <= self._group for outage in one.outages))
        same = (one for one in sheets if camera in one.cameras)
        return next(near, None) or next(same, None)

    def _write_lost(self, camera_id: str, since: datetime, seen: CameraStatus) -> Incident:
        camera = self._point.camera(camera_id)
        cause = translate(CAUSES[seen.fault or "not_recorded"], self._point.language)
        text = self._say(m("Camera {camera} should record and does not: {fault}.", camera=camera.label, fault=cause))
        sheet = self._sheet_for(camera_id, since)
        if sheet is None:
            gone = (Outage(camera_id, since),)
            draft = IncidentDraft(
                self._category, text, since, room=camera.room, camera=camera_id, gap_from=since, outages=gone
            )
            return self._incidents.open(draft, AGENT, key=f"camera:{camera_id}")
        return self._incidents.camera_lost(sheet.number, Outage(camera_id, since), text, AGENT, year=sheet.year)

    def _write_back(self, ref: RowRef, camera_id: str, at: datetime, *, records: bool) -> None:
        """On its sheet, unless a person has closed it or wrote that all is well."""
        sheet = self._incidents.get(ref.number, ref.year)
        if not sheet.is_open or camera_id not in sheet.away:
            return
        if len(sheet.cameras) == 1:
            text = m("The camera records again.") if records else m("It is to be recorded no more.")
            self._incidents.restored(ref.number, AGENT, year=ref.year, text=self._say(text))
            return
        label = self._point.camera(camera_id).label
        text = (
            m("Camera {camera} records again.", camera=label)
            if records
            else m("Camera {camera} is to be recorded no more.", camera=label)
        )
        self._all_back(self._incidents.camera_back(ref.number, camera_id, at, self._say(text), AGENT, year=ref.year))

    def _all_back(self, sheet: Incident) -> None:
        """The sheet's last camera is back: its clock stops, a person closes it."""
        if sheet.away:
            return
        last = max(outage.back_at for outage in sheet.outages if outage.back_at)
        text = self._say(m("No camera of this sheet is missing any more."))
        self._incidents.restored(sheet.number, AGENT, last, year=sheet.year, text=text)

    # -- time in which no agent watched

    def _look_at_gaps(self, now: datetime, *, at_once: bool) -> None:
        """Gaps that an earlier agent, or the computer, left behind. Files are read in the background, so cameras become
        known one after another: they are waited for, unless something is to be written `at_once`."""
        mono_s = self._clock.monotonic()
        if not at_once and mono_s - self._gaps_at_s < GAPS_EVERY_S:
            return
        self._gaps_at_s = mono_s
        found = self._gaps(now)
        if not found or (not at_once and any(timedelta() <= now - gap.to < self._group for gap in found)):
            return
        with self._store.transaction():
            while found:
                reach = found[0].since + self._group
                self._write_gaps([gap for gap in found if gap.since <= reach], now)
                found = [gap for gap in found if gap.since > reach]

    def _gaps(self, now: datetime) -> list[_Gap]:
        """Those that stand on no sheet yet, the earliest first."""
        rows = self._store.query(
            "SELECT camera, from_at, to_at, cause FROM gap WHERE cause IN (?, ?) AND to_at >= ? ORDER BY from_at, id",
            (*NOBODY_WATCHED, iso(now - LOOKED_BACK)),
        )
        gaps = [_Gap(row["camera"], from_iso(row["from_at"]), from_iso(row["to_at"]), row["cause"]) for row in rows]
        known = {camera.id for camera in self._point.cameras}
        new = [
            gap for gap in gaps if gap.camera in known and gap.to - gap.since >= self._outage and gap not in self._told
        ]
        if not new:
            return []
        written = [outage for sheet in self._incidents.all() for outage in sheet.outages]
        found = [gap for gap in new if not any(self._covers(outage, gap) for outage in written)]
        self._told.update(gap for gap in new if gap not in found)
        return found

    def _covers(self, outage: Outage, gap: _Gap) -> bool:
        begun = outage.camera == gap.camera and outage.lost_at <= gap.since + self._group
        return begun and (outage.back_at is None or outage.back_at >= gap.to - self._group)

    def _write_gaps(self, gaps: list[_Gap], now: datetime) -> None:
        """One sheet for what ended together, or on the sheet of those that did not come back from it."""
        since, until, cause = gaps[0].since, max(gap.to for gap in gaps), gaps[0].cause
        sheet = self._sheet_for("", since)
        if sheet is None:
            names = list(dict.fromkeys(gap.camera for gap in gaps))
            text = m(
                "Not recorded from {since} to {until}: {cause}. Cameras: {count} ({names}).",
                since=self._moment(since),
                until=self._moment(until),
                cause=translate(CAUSES[cause], self._point.language),
                count=len(names),
                names=", ".join(names),
            )
            one = self._point.camera(names[0])
            draft = IncidentDraft(
                self._category,
                self._say(text),
                min(since, now),
                room=one.room if len(names) == 1 else "",
                camera=one.id if len(names) == 1 else "",
                gap_from=since,
                outages=tuple(Outage(gap.camera, gap.since, gap.to) for gap in gaps),
            )
            sheet = self._incidents.open(draft, AGENT, key=f"outage:{iso(since)}")
        else:
            for gap in gaps:
                sheet = self._write_gap(sheet, gap)
        self._all_back(sheet)

    def _write_gap(self, sheet: Incident, gap: _Gap) -> Incident:
        camera = self._point.camera(gap.camera)
        cause = translate(CAUSES[gap.cause], self._point.language)
        text = self._say(m("Camera {camera} was not recorded: {fault}.", camera=camera.label, fault=cause))
        lost = Outage(gap.camera, gap.since)
        sheet = self._incidents.camera_lost(sheet.number, lost, text, AGENT, year=sheet.year)
        text = self._say(m("Camera {camera} records again.", camera=camera.label))
        return self._incidents.camera_back(sheet.number, gap.camera, gap.to, text, AGENT, year=sheet.year)

    def _moment(self, at: datetime) -> str:
        return f"{at.astimezone(self._point.tz):%d.%m.%Y %H:%M:%S}"

    def _say(self, message: Message) -> str:
        """Sheets are kept in the point's language."""
        return message.text(self._point.language)


def _bounds(categories: Categories) -> CameraBounds:
    """The point's own; a copy that was made before there were such bounds counts by those that are shipped."""
    for known in (categories, load_categories()):
        category = known.by_code.get(CCTV_LOST)
        if category is not None and category.cameras is not None:
            return category.cameras
    raise LookupError(f"incidents.toml as shipped has no bounds for {CCTV_LOST}")
