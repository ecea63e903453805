"""Room calls: an invigilator asks the specialist to a room. The short form of an incident, one line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from exam_kit.clock import Clock, from_iso, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef, next_number, point_key
from exam_kit.journal.person import Person, authorise, clean, person_of
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act

__all__ = ["KINDS", "RoomCall", "RoomCallDraft", "RoomCalls"]

CALLED = "call.called"
KINDS = (CALLED, "call.arrived", "call.left", "call.incident", "call.withdrawn")

AHEAD = timedelta(minutes=1)
"""People write whole minutes, so a moment may seem this much ahead of the clock."""


@dataclass(frozen=True)
class RoomCallDraft:
    """One line: room and moment, what is asked; the rest where it is over already. `caller` is who called."""

    room: str
    what: str
    called_at: datetime
    caller: str = ""
    arrived_at: datetime | None = None
    done: str = ""
    left_at: datetime | None = None


@dataclass(frozen=True)
class RoomCall:
    """A call as it stands. Moments UTC; `incident` is the sheet it became, `withdrawn` why it does not stand."""

    year: int
    number: int
    room: str
    what: str
    called_at: datetime
    caller: str
    by: Person
    seq: int
    hash: str
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    done: str = ""
    incident: RowRef | None = None
    withdrawn: str = ""

    @property
    def ref(self) -> RowRef:
        return RowRef(self.year, self.number)

    @property
    def is_open(self) -> bool:
        return self.left_at is None and not self.withdrawn

    @property
    def waited_s(self) -> float | None:
        """From the call to the arrival; None while nobody has come."""
        return None if self.arrived_at is None else (self.arrived_at - self.called_at).total_seconds()


class RoomCalls:
    """The room calls of one point. Writing raises `AccessDenied`, `RefusedEntry` and `StoreError` as sheets do."""

    def __init__(self, ledger: Ledger, point: Point, clock: Clock | None = None) -> None:
        self._ledger, self._point, self._key = ledger, point, point_key(point)
        self._clock = clock or ledger.clock

    def call(self, draft: RoomCallDraft, actor: Account) -> RoomCall:
        """Write a call, with as much of it as is known."""
        authorise(actor, Act.OPEN_INCIDENT)
        if draft.room not in {room.code for room in self._point.rooms}:
            raise RefusedEntry(
                m("Room call: '{code}' is not in this point. Choose the room from the list.", code=draft.room)
            )
        arrived = draft.arrived_at or draft.left_at
        self._in_order(draft.called_at, draft.arrived_at, draft.left_at)
        fields = {
            "room": draft.room,
            "text": clean(draft.what, "call"),
            "at": iso(draft.called_at),
            "caller": clean(draft.caller, "name", required=False),
            "arrived_at": iso(arrived) if arrived else None,
            "left_at": iso(draft.left_at) if draft.left_at else None,
            "done": clean(draft.done, "call_done", required=draft.left_at is not None),
        }
        year = self._clock.now().astimezone(self._point.tz).year
        with self._ledger.store.transaction() as connection:
            number = next_number(connection, (CALLED,), self._key, year)
            return self._append(CALLED, RowRef(year, number), actor, fields)

    def arrived(self, ref: RowRef, actor: Account, at: datetime | None = None) -> RoomCall:
        """The specialist is there."""
        authorise(actor, Act.OPEN_INCIDENT)
        with self._ledger.store.transaction():
            call = self._open(ref)
            if call.arrived_at is not None:
                raise RefusedEntry(m("Room call {number}: the arrival is written already.", number=ref.number))
            moment = at or self._clock.now()
            self._in_order(call.called_at, moment, None)
            return self._append("call.arrived", ref, actor, {"at": iso(max(moment, call.called_at))})

    def left(self, ref: RowRef, done: str, actor: Account, at: datetime | None = None) -> RoomCall:
        """What was done, and that the specialist has left; where no arrival was written, it is now."""
        authorise(actor, Act.OPEN_INCIDENT)
        with self._ledger.store.transaction():
            call = self._open(ref)
            moment = at or self._clock.now()
            self._in_order(call.called_at, call.arrived_at, moment)
            moment = max(moment, call.arrived_at or call.called_at)
            return self._append("call.left", ref, actor, {"at": iso(moment), "text": clean(done, "call_done")})

    def withdraw(self, ref: RowRef, why: str, actor: Account) -> RoomCall:
        """A call written by mistake: it stays, struck through, with the reason."""
        authorise(actor, Act.OPEN_INCIDENT)
        with self._ledger.store.transaction():
            call = self.get(ref)
            if call.withdrawn or call.incident is not None:
                raise RefusedEntry(
                    m("Room call {number}: it is withdrawn or an incident already; write there.", number=ref.number)
                )
            body = {"at": iso(self._clock.now()), "text": clean(why, "why")}
            return self._append("call.withdrawn", ref, actor, body)

    def becomes(self, ref: RowRef, category: str, sheets: Incidents, actor: Account) -> Incident:
        """Open an incident sheet about what the call found; each names the other."""
        with self._ledger.store.transaction():
            call = self.get(ref)
            if call.withdrawn or call.incident is not None:
                raise RefusedEntry(
                    m("Room call {number}: it is withdrawn or an incident already; write there.", number=ref.number)
                )
            draft = IncidentDraft(category, call.what, call.called_at, room=call.room, calls=(ref,))
            sheet = sheets.open(draft, actor)
            self._append("call.incident", ref, actor, {"at": iso(self._clock.now()), "incident": sheet.ref.as_list()})
            return sheet

    def all(self, day: dt.date | None = None) -> list[RoomCall]:
        """The calls in the order of their numbers: all, or those of one local date."""
        tz = self._point.tz
        found = [call for call in self._fold().values() if day is None or call.called_at.astimezone(tz).date() == day]
        return sorted(found, key=lambda call: call.ref)

    def get(self, ref: RowRef) -> RoomCall:
        """The call; RefusedEntry when there is none."""
        found = self._fold().get(ref)
        if found is None:
            raise RefusedEntry(
                m(
                    "Room call {number}: there is no such call in {year}. See the number in the list.",
                    number=ref.number,
                    year=ref.year,
                )
            )
        return found

    def _open(self, ref: RowRef) -> RoomCall:
        call = self.get(ref)
        if not call.is_open:
            raise RefusedEntry(m("Room call {number}: it is over. Write a new one.", number=ref.number))
        return call

    def _in_order(self, called: datetime, arrived: datetime | None, left: datetime | None) -> None:
        moments = [at.replace(second=0, microsecond=0) for at in (called, arrived, left) if at is not None]
        if moments != sorted(moments):
            raise RefusedEntry(m("Room call: called, arrived and left are not in this order. Correct the times."))
        if max(moments) > self._clock.now() + AHEAD:
            raise RefusedEntry(m("Room call: the time is still to come. Write when it happened."))

    def _append(self, kind: str, ref: RowRef, actor: Account, fields: Mapping[str, Any]) -> RoomCall:
        body = {"point": self._key, "year": ref.year, "no": ref.number, "by": person_of(actor).as_dict(), **fields}
        self._ledger.append(kind, body, actor.login)
        return self.get(ref)

    def _fold(self) -> Mapping[RowRef, RoomCall]:
        def carry(calls: Mapping[RowRef, RoomCall], entries: Iterable[Entry]) -> Mapping[RowRef, RoomCall]:
            return _fold(entries, self._key, calls)

        return folded(self._ledger, f"room calls of {self._key}", KINDS, carry, {})


def _fold(entries: Iterable[Entry], point: str, before: Mapping[RowRef, RoomCall]) -> Mapping[RowRef, RoomCall]:
    found = dict(before)
    for entry in entries:
        body = entry.body
        if body.get("point") != point:
            continue
        ref, at = RowRef(body["year"], body["no"]), from_iso(body["at"])
        if entry.kind == CALLED:
            found[ref] = _called(entry)
            continue
        call = found.get(ref)
        if call is None:
            continue  # only a tampered ledger has words about a call that is not there; its check names them
        if entry.kind == "call.arrived":
            call = replace(call, arrived_at=at)
        elif entry.kind == "call.left":
            call = replace(call, arrived_at=call.arrived_at or at, left_at=at, done=body["text"])
        elif entry.kind == "call.incident":
            call = replace(call, incident=RowRef.of(body["incident"]))
        elif entry.kind == "call.withdrawn":
            call = replace(call, withdrawn=body["text"])
        found[ref] = call
    return found


def _called(entry: Entry) -> RoomCall:
    body = entry.body
    arrived, left = body["arrived_at"], body["left_at"]
    return RoomCall(
        body["year"],
        body["no"],
        body["room"],
        body["text"],
        from_iso(body["at"]),
        body["caller"],
        Person.from_dict(body["by"]),
        entry.seq,
        entry.hash,
        arrived_at=from_iso(arrived) if arrived else None,
        left_at=from_iso(left) if left else None,
        done=body["done"],
    )
