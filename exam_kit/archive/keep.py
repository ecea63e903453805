"""How long footage is kept on this computer: the keep-until date, legal holds, and what may be deleted when.

Nothing here deletes. A piece may go when all three hold: the keep-until date of its day is past, no legal hold covers
it, and the region gave a receipt for a bag that holds it. What is not known counts against deletion.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exam_kit.archive.act import KeepRule
from exam_kit.archive.delivered import recordings_delivered
from exam_kit.cctv.segments import DELETED, Segment, segments
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_
from exam_kit.point import Point
from exam_kit.store import Account, Act, Entry, Ledger, Store, require

__all__ = ["STANDING_LABELS", "Hold", "KeptDay", "Standing", "holds", "kept_days", "lift_hold", "set_hold", "standing"]

SET, LIFTED = "footage.hold_set", "footage.hold_lifted"

Standing = str
"""How one piece stands: a key of `STANDING_LABELS`."""

STANDING_LABELS: dict[Standing, str] = {
    "free": N_("may be deleted"),
    "early": N_("kept: the date is not past"),
    "no_rule": N_("kept: the profile names no date"),
    "held": N_("kept: legal hold"),
    "undelivered": N_("kept: no receipt of the region"),
    "unclosed": N_("kept: not closed, or its file is missing"),
    "deleted": N_("deleted"),
}


@dataclass(frozen=True)
class Hold:
    """Footage that must not be deleted whatever its date. `number` is its ledger entry; no cameras: all of the day."""

    number: int
    day: dt.date
    cameras: tuple[str, ...]
    why: str
    order: str
    set_by: str
    set_at: dt.datetime
    lifted_by: str = ""
    lifted_at: dt.datetime | None = None

    @property
    def stands(self) -> bool:
        return self.lifted_at is None

    def covers(self, piece: Segment) -> bool:
        return self.stands and piece.day == self.day and (not self.cameras or piece.camera in self.cameras)


@dataclass(frozen=True)
class KeptDay:
    """One day's footage on this computer. `until` is None when no rule is set; counts and bytes by standing."""

    day: dt.date
    until: dt.date | None
    holds: tuple[Hold, ...]
    files: dict[Standing, int]
    bytes: dict[Standing, int]

    @property
    def free(self) -> int:
        return self.files.get("free", 0)

    def as_dict(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "keep_until": self.until.isoformat() if self.until else None,
            "holds": [hold.number for hold in self.holds],
            "files": self.files,
            "bytes": self.bytes,
        }


def set_hold(
    ledger: Ledger, point: Point, who: Account, day: dt.date, cameras: Sequence[str], why: str, order: str
) -> Hold:
    """Forbid deletion of a day's footage, or of some cameras'.

    Raises:
        AccessDenied: the role may not.
        RefusedEntry: the reason or the order's number is missing, or a camera is not the point's.
    """
    require(who.role, Act.HOLD_FOOTAGE)
    _said(why, order)
    unknown = sorted(set(cameras) - {camera.id for camera in point.cameras})
    if unknown:
        raise RefusedEntry(m("{camera}: the point has no such camera.", camera=", ".join(unknown)))
    body = {"day": str(day), "cameras": sorted(set(cameras)), "why": why.strip(), "order_no": order.strip()}
    return _hold(ledger.append(SET, body, who.login))


def lift_hold(ledger: Ledger, who: Account, number: int, why: str, order: str) -> None:
    """End a hold; from then on the date and the receipt decide again.

    Raises:
        AccessDenied: the role may not.
        RefusedEntry: the reason or the order's number is missing, or no such hold stands.
    """
    require(who.role, Act.DELETE_FOOTAGE)
    _said(why, order)
    with ledger.store.transaction():
        if not any(hold.number == number and hold.stands for hold in holds(ledger)):
            raise RefusedEntry(m("Legal hold № {number}: there is none that stands.", number=number))
        ledger.append(LIFTED, {"hold": number, "why": why.strip(), "order_no": order.strip()}, who.login)


def _said(why: str, order: str) -> None:
    if not why.strip() or not order.strip():
        raise RefusedEntry(m("Legal hold: write the reason and the number of the order; both stand in the ledger."))


def holds(ledger: Ledger) -> list[Hold]:
    """Every hold there was, in order, also those that were lifted."""
    found: dict[int, Hold] = {}
    for entry in ledger.entries([SET, LIFTED]):
        if entry.kind == SET:
            found[entry.seq] = _hold(entry)
        elif entry.body["hold"] in found:
            was = found[entry.body["hold"]]
            found[was.number] = Hold(
                was.number, was.day, was.cameras, was.why, was.order, was.set_by, was.set_at, entry.actor, entry.at
            )
    return list(found.values())


def _hold(entry: Entry) -> Hold:
    body = entry.body
    return Hold(
        entry.seq,
        dt.date.fromisoformat(body["day"]),
        tuple(body["cameras"]),
        body["why"],
        body["order_no"],
        entry.actor,
        entry.at,
    )


def standing(
    piece: Segment, rule: KeepRule | None, today: dt.date, standing_holds: Sequence[Hold], delivered: frozenset[str]
) -> Standing:
    """How one piece stands; `today` is the date on the point's calendar, `delivered` the hashes the region has."""
    if piece.reason == DELETED:
        return "deleted"
    if not piece.closed or piece.end is None:
        return "unclosed"
    if rule is None:
        return "no_rule"
    if today <= rule.until(piece.day):
        return "early"
    if any(hold.covers(piece) for hold in standing_holds):
        return "held"
    return "free" if piece.sha256 in delivered else "undelivered"


def standings(
    store: Store, ledger: Ledger, rule: KeepRule | None, today: dt.date, day: dt.date | None = None
) -> Iterator[tuple[Segment, Standing]]:
    """Every piece of one local day, or of all, with how it stands."""
    set_now, delivered = holds(ledger), recordings_delivered(store, ledger)
    for piece in segments(store, day=day):
        yield piece, standing(piece, rule, today, set_now, delivered)


def kept_days(store: Store, ledger: Ledger, rule: KeepRule | None, today: dt.date) -> list[KeptDay]:
    """Every day with recordings, the latest first."""
    files: dict[dt.date, Counter[Standing]] = {}
    sizes: dict[dt.date, Counter[Standing]] = {}
    for piece, how in standings(store, ledger, rule, today):
        files.setdefault(piece.day, Counter())[how] += 1
        sizes.setdefault(piece.day, Counter())[how] += piece.bytes or 0
    standing_holds = [hold for hold in holds(ledger) if hold.stands]
    return [
        KeptDay(
            day,
            rule.until(day) if rule else None,
            tuple(hold for hold in standing_holds if hold.day == day),
            dict(files[day]),
            dict(sizes[day]),
        )
        for day in sorted(files, reverse=True)
    ]
