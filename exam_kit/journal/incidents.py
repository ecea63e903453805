"""Incident sheets: opened once, written on step by step, closed when all is restored and decided.

Like the access log they are typed entries over the ledger: nothing is edited, a later note stands beside the earlier
one in the timeline. Rights are checked here, whoever calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from exam_kit.clock import Clock, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.incident import KINDS, OPENED, Decision, Incident, IncidentDraft, fold
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.numbering import RowRef, next_number, point_key
from exam_kit.journal.person import AGENT, Actor, Person, authorise, clean, login_of, person_of
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act, may

__all__ = ["Decision", "Incident", "IncidentDraft", "Incidents"]

AHEAD = timedelta(minutes=1)
"""People write whole minutes, so a moment may seem this much ahead of the clock."""

COUNT_LIMIT = 100_000
"""Above this a number of people or minutes is a slip of the hand."""

WHO_DECIDES = {
    Decision.GO_ON: Act.OPEN_INCIDENT,
    Decision.MAKE_UP_TIME: Act.COUNTERSIGN,
    Decision.MOVE_CANDIDATES: Act.COUNTERSIGN,
    Decision.STOP_EXAM: Act.DECIDE_STOP,
}
"""Going on is anybody's who keeps the sheet; what touches candidates is the head's or a commission member's."""


class Incidents:
    """The incident sheets of one point.

    Methods that write return the sheet as it then stands, on the disk; they raise `AccessDenied`, `RefusedEntry` and
    `StoreError` as the access log's do. `at` is when something happened, now when left out. A closed sheet takes no
    more entries. `year` is the year the number is counted in, this year's when left out.
    """

    def __init__(
        self, ledger: Ledger, point: Point, clock: Clock | None = None, categories: Categories | None = None
    ) -> None:
        self._ledger = ledger
        self._point = point
        self._key = point_key(point)
        self._clock = clock or ledger.clock
        self.categories = categories or load_categories()

    def open(self, draft: IncidentDraft, actor: Actor, *, key: str = "") -> Incident:
        """Open a sheet. `key` names its cause for `open_for`."""
        authorise(actor, Act.OPEN_INCIDENT, agent=True)
        if draft.category not in self.categories.by_code:
            raise RefusedEntry(
                m("Incident: '{code}' is not a category. Choose one from the list.", code=draft.category)
            )
        self._placed(draft)
        self._in_time(draft.detected_at)
        by = draft.detected_by or person_of(actor)
        fields: dict[str, Any] = {
            "category": draft.category,
            "text": clean(draft.description, "description"),
            "at": iso(draft.detected_at),
            "detected_by": Person(clean(by.name, "name"), clean(by.post, "post", required=False), by.login).as_dict(),
            "room": draft.room,
            "camera": draft.camera,
            "station": draft.station,
            "key": key,
            "gap_from": iso(draft.gap_from) if draft.gap_from else None,
            "log_rows": [ref.as_list() for ref in draft.log_rows],
        }
        if draft.outages:
            fields["outages"] = [outage.as_dict() for outage in draft.outages]
        year = self._clock.now().astimezone(self._point.tz).year
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

    def find_open(self, key: str) -> Incident | None:
        """The open sheet of the cause `key`."""
        return next((sheet for sheet in self.all() if sheet.key == key and sheet.is_open), None)

    def step(
        self, number: int, text: str, actor: Actor, at: datetime | None = None, *, year: int | None = None
    ) -> Incident:
        """Write a measure that was taken."""
        return self._add(number, year, "step", actor, at, clean(text, "measure"))

    def report(
        self,
        number: int,
        to: Person,
        actor: Actor,
        at: datetime | None = None,
        *,
        text: str = "",
        year: int | None = None,
    ) -> Incident:
        """Write who was told."""
        person = Person(clean(to.name, "name"), clean(to.post, "post", required=False), to.login)
        return self._add(number, year, "reported", actor, at, clean(text, "text", required=False), to=person.as_dict())

    def note(
        self,
        number: int,
        actor: Actor,
        *,
        replaced_with: str | None = None,
        gap_from: datetime | None = None,
        gap_to: datetime | None = None,
        candidates: int | None = None,
        minutes_added: int | None = None,
        evidence: Sequence[str] = (),
        log_rows: Sequence[RowRef] = (),
        year: int | None = None,
    ) -> Incident:
        """Fill in fields of the sheet. A field noted again takes the later value; evidence and log rows add up."""
        for count in (candidates, minutes_added):
            if count is not None and not 0 <= count <= COUNT_LIMIT:
                raise RefusedEntry(
                    m("Incident: {count} is not a number of people or minutes. Write how many.", count=count)
                )
        if gap_from and gap_to and gap_to < gap_from:
            raise RefusedEntry(m("Incident: the gap ends before it begins. Correct one of the times."))
        given: dict[str, Any] = {
            "replaced_with": clean(replaced_with, "replaced with", required=False) if replaced_with else None,
            "gap_from": iso(gap_from) if gap_from else None,
            "gap_to": iso(gap_to) if gap_to else None,
            "candidates": candidates,
            "minutes_added": minutes_added,
            "evidence": [clean(item, "evidence") for item in evidence] or None,
            "log_rows": [ref.as_list() for ref in log_rows] or None,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        if not fields:
            clean("", "note")
        return self._add(number, year, "noted", actor, None, "", fields=fields)

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
            self._after_detection(sheet, at or self._clock.now())
            return self._write(sheet, "restored", actor, at, text)

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

    def decide(
        self,
        number: int,
        decision: Decision | str,
        text: str,
        actor: Account,
        *,
        agreed_by: Account | Person | None = None,
        at: datetime | None = None,
        year: int | None = None,
    ) -> Incident:
        """Write a decision about the exam. To stop it takes a commission member and the chair's agreement.

        `agreed_by` is the chair's account, or the chair by name where they agreed from afar and have no account here.
        """
        try:
            taken = Decision(decision)
        except ValueError as problem:
            raise RefusedEntry(
                m("Incident: '{decision}' is not a decision. Choose one from the list.", decision=decision)
            ) from problem
        authorise(actor, WHO_DECIDES[taken])
        agreed = self._agreed(agreed_by, actor) if taken is Decision.STOP_EXAM else None
        return self._add(
            number,
            year,
            "decided",
            actor,
            at,
            clean(text, "decision", required=False),
            decision=taken.value,
            agreed_by=agreed.as_dict() if agreed else None,
        )

    def close(
        self, number: int, restored_at: datetime | None, decision: str, actor: Account, *, year: int | None = None
    ) -> Incident:
        """Close the sheet with its conclusion, signed by `actor`; a person's act, never the agent's.

        `restored_at` may be left out where it is noted already, or where the exam was stopped.
        """
        authorise(actor, Act.OPEN_INCIDENT)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            restored = restored_at or sheet.restored_at
            if restored is None and not sheet.stopped:
                raise RefusedEntry(
                    m("Incident {number}: nothing says when it was restored. Write the time.", number=number)
                )
            if restored is not None:
                self._in_time(restored)
                self._after_detection(sheet, restored)
            conclusion = clean(decision, "decision")
            moment = iso(restored) if restored else None
            return self._write(sheet, "closed", actor, None, conclusion, restored_at=moment)

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
        wanted = RowRef(year or self._clock.now().astimezone(self._point.tz).year, number)
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

    def _fold(self) -> Mapping[RowRef, Incident]:
        def carry(sheets: Mapping[RowRef, Incident], entries: Iterable[Entry]) -> Mapping[RowRef, Incident]:
            return fold(entries, self._key, sheets.values())

        return folded(self._ledger, f"incidents of {self._key}", KINDS, carry, {})

    def _agreed(self, agreed_by: Account | Person | None, actor: Account) -> Person:
        if isinstance(agreed_by, Account) and not may(agreed_by.role, Act.AGREE_STOP):
            agreed_by = None
        person = person_of(agreed_by) if isinstance(agreed_by, Account) else agreed_by
        if person is None or not person.name.strip() or person.same_as(person_of(actor)):
            raise RefusedEntry(
                m(
                    "Incident: an exam is stopped only with the agreement of the commission head. "
                    "Name who agreed; it cannot be the one who decides."
                )
            )
        return Person(clean(person.name, "name"), clean(person.post, "post", required=False), person.login)

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

    def _after_detection(self, sheet: Incident, restored: datetime) -> None:
        if restored < sheet.detected_at:
            raise RefusedEntry(
                m("Incident {number}: restored before it was detected. Correct the time.", number=sheet.number)
            )

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
