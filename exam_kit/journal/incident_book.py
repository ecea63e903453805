"""The sheets of one point: reading them, and writing an entry on one that is open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from exam_kit.clock import Clock, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incident_fold import KINDS, fold
from exam_kit.journal.numbering import RowRef, point_key
from exam_kit.journal.person import Actor, authorise, login_of, person_of
from exam_kit.point.model import Point
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act

__all__ = ["IncidentBook"]

AHEAD = timedelta(minutes=1)
"""People write whole minutes, so a moment may seem this much ahead of the clock."""


class IncidentBook:
    """What `Incidents` writes with; by itself it only reads."""

    def __init__(
        self, ledger: Ledger, point: Point, clock: Clock | None = None, categories: Categories | None = None
    ) -> None:
        self._ledger = ledger
        self._point = point
        self._key = point_key(point)
        self._clock = clock or ledger.clock
        self.categories = categories or load_categories()

    def all(self, day: dt.date | None = None) -> list[Incident]:
        """The sheets in the order of their numbers: all, or those detected on one local date."""
        found = self._fold()
        chosen = [
            sheet
            for sheet in found.values()
            if day is None or sheet.detected_at.astimezone(self._point.tz).date() == day
        ]
        return sorted(chosen, key=lambda sheet: sheet.ref)

    def get(self, number: int, year: int | None = None) -> Incident:
        """The sheet; RefusedEntry when there is none."""
        wanted = RowRef(year or self._year(), number)
        sheet = self._fold().get(wanted)
        if sheet is not None:
            return sheet
        raise RefusedEntry(
            m(
                "Incident {number}: there is no such sheet in {year}. See the number in the list.",
                number=number,
                year=wanted.year,
            )
        )

    def find_open(self, key: str) -> Incident | None:
        """The open sheet of the cause `key`."""
        return next((sheet for sheet in self._fold().values() if sheet.key == key and sheet.is_open), None)

    def _year(self) -> int:
        return self._clock.now().astimezone(self._point.tz).year

    def _fold(self) -> Mapping[RowRef, Incident]:
        def carry(sheets: Mapping[RowRef, Incident], entries: Iterable[Entry]) -> Mapping[RowRef, Incident]:
            return fold(entries, self._key, sheets.values())

        return folded(self._ledger, f"incidents of {self._key}", KINDS, carry, {})

    def _placed(self, draft: IncidentDraft) -> None:
        known = (
            (draft.room, {room.code for room in self._point.rooms}),
            (draft.camera, {camera.id for camera in self._point.cameras}),
            (draft.station, {station.id for station in self._point.stations}),
        )
        for code, codes in known:
            if code and code not in codes:
                raise RefusedEntry(
                    m("Incident: '{code}' is not in this point. Choose the place from the list.", code=code)
                )

    def _in_time(self, at: datetime) -> None:
        if at > self._clock.now() + AHEAD:
            raise RefusedEntry(m("Incident: the time is still to come. Write when it happened."))

    def _since_detection(self, sheet: Incident, at: datetime) -> datetime:
        """`at`; what a person wrote for the very minute of detection was not before it."""
        if at < sheet.detected_at.replace(second=0, microsecond=0):
            raise RefusedEntry(
                m("Incident {number}: restored before it was detected. Correct the time.", number=sheet.number)
            )
        return max(at, sheet.detected_at)

    def _open_sheet(self, number: int, year: int | None) -> Incident:
        sheet = self.get(number, year)
        if not sheet.is_open:
            raise RefusedEntry(
                m(
                    "Incident {number}: it is closed. Open a new one and name this one in its description.",
                    number=number,
                )
            )
        return sheet

    def _add(
        self, number: int, year: int | None, kind: str, actor: Actor, at: datetime | None, text: str, **more: Any
    ) -> Incident:
        if kind != "decided":  # `decide` asks for the right its decision needs
            authorise(actor, Act.OPEN_INCIDENT, agent=True)
        with self._ledger.store.transaction():
            return self._write(self._open_sheet(number, year), kind, actor, at, text, **more)

    def _write(
        self,
        sheet: Incident,
        kind: str,
        actor: Actor,
        at: datetime | None,
        text: str,
        *,
        seen: bool = False,
        **more: Any,
    ) -> Incident:
        """`seen`: the moment is the kit's own, not typed by a person, and is taken as it is."""
        moment = at or self._clock.now()
        if not seen:
            self._in_time(moment)
        body = {
            "point": self._key,
            "year": sheet.year,
            "no": sheet.number,
            "by": person_of(actor).as_dict(),
            "at": iso(moment),
            "text": text,
            **more,
        }
        entry = self._ledger.append(f"incident.{kind}", body, login_of(actor))
        return fold([entry], self._key, [sheet])[sheet.ref]
