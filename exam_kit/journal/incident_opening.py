"""Opening sheets, and following what becomes of their cause: what the agent does as well as people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exam_kit.clock import iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incident_book import IncidentBook
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incident_fold import OPENED, fold
from exam_kit.journal.numbering import RowRef, next_number
from exam_kit.journal.person import AGENT, Actor, Person, authorise, clean, login_of, person_of
from exam_kit.store.accounts import Account
from exam_kit.store.rights import Act

__all__ = ["OpenedIncidents", "named"]


class OpenedIncidents(IncidentBook):
    """A person's moment is checked against the clock, the agent's is taken as it saw it."""

    def open(self, draft: IncidentDraft, actor: Actor, *, key: str = "") -> Incident:
        """Open a sheet. `key` names its cause for `open_for`."""
        authorise(actor, Act.OPEN_INCIDENT, agent=True)
        if draft.category not in self.categories.by_code:
            raise RefusedEntry(
                m("Incident: '{code}' is not a category. Choose one from the list.", code=draft.category)
            )
        self._placed(draft)
        self._in_time(draft.detected_at)
        fields: dict[str, Any] = {
            "category": draft.category,
            "text": clean(draft.description, "description"),
            "at": iso(draft.detected_at),
            "detected_by": named(draft.detected_by or person_of(actor)).as_dict(),
            "room": draft.room,
            "camera": draft.camera,
            "station": draft.station,
            "key": key,
            "gap_from": iso(draft.gap_from) if draft.gap_from else None,
            "log_rows": [ref.as_list() for ref in draft.log_rows],
        }
        if draft.outages:
            fields["outages"] = [outage.as_dict() for outage in draft.outages]
        if draft.checks:
            fields["checks"] = list(draft.checks)
        if draft.calls:
            fields["calls"] = [ref.as_list() for ref in draft.calls]
        year = self._year()
        with self._ledger.store.transaction() as connection:
            number = next_number(connection, (OPENED,), self._key, year)
            body = {"point": self._key, "year": year, "no": number, "by": person_of(actor).as_dict(), **fields}
            entry = self._ledger.append(OPENED, body, login_of(actor))
        return fold([entry], self._key)[RowRef(year, number)]

    def open_for(self, key: str, draft: IncidentDraft, actor: Actor = AGENT) -> Incident:
        """The open sheet of the cause `key`, opened when there is none: one sheet however often it is reported.

        A cause that was noted as restored and is reported again is written on the same sheet, and its clock starts
        anew. While it lasts a repeated report writes nothing.
        """
        with self._ledger.store.transaction():
            found = self.find_open(key)
            if found is None:
                return self.open(draft, actor, key=key)
            if found.restored_at is None:
                return found
            authorise(actor, Act.OPEN_INCIDENT, agent=True)
            return self._write(found, "recurred", actor, draft.detected_at, clean(draft.description, "description"))

    def restored(
        self, number: int, actor: Actor, at: datetime | None = None, *, text: str = "", year: int | None = None
    ) -> Incident:
        """Write that it works again; the clock stops, the sheet stays open for the decision."""
        text = clean(text, "text", required=False)
        authorise(actor, Act.OPEN_INCIDENT, agent=True)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            if not isinstance(actor, Account):
                # The kit writes what it saw; a clock that was set back since must not keep it from doing so.
                moment = max(at or self._clock.now(), sheet.detected_at)
                gap = {"gap_to": iso(moment)} if sheet.outages else {}
                return self._write(sheet, "restored", actor, moment, text, seen=True, **gap)
            moment = self._since_detection(sheet, at or self._clock.now())
            return self._write(sheet, "restored", actor, moment, text)

    def camera_lost(self, number: int, lost: Outage, text: str, actor: Actor, *, year: int | None = None) -> Incident:
        """Write on the sheet that one camera more does not record, or one of its cameras again."""
        authorise(actor, Act.OPEN_INCIDENT, agent=True)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            alone = sheet.restored_at is not None and set(sheet.cameras) == {lost.camera}
            kind = "recurred" if alone else "lost"
            return self._write(sheet, kind, actor, lost.lost_at, clean(text, "text"), seen=True, camera=lost.camera)

    def camera_back(
        self, number: int, camera: str, at: datetime, text: str, actor: Actor, *, year: int | None = None
    ) -> Incident:
        """Write that one of the sheet's cameras is missing no longer. That all are back is for `restored` to say."""
        authorise(actor, Act.OPEN_INCIDENT, agent=True)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            return self._write(sheet, "back", actor, at, clean(text, "text"), seen=True, camera=camera)


def named(person: Person) -> Person:
    """`person` with clean name and post; RefusedEntry without a name."""
    return Person(clean(person.name, "name"), clean(person.post, "post", required=False), person.login)
