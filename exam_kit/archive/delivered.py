"""The region's receipts, taken in again at the point: what was delivered stands in the ledger as `archive.received`."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from exam_kit.archive.receipt import Receipt, read_receipt
from exam_kit.clock import from_iso, iso
from exam_kit.errors import ArchiveError, StoreError, m
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Entry, Ledger, Store
from exam_kit.store.keys import VerifyKey

__all__ = ["Delivery", "deliveries", "delivery_of", "recordings_delivered", "region_key", "take_receipt"]

RECEIVED, FINISHED = "archive.received", "archive.finished"


@dataclass(frozen=True)
class Delivery:
    """One bag that the region says it has. `entry` is the ledger's; `outcome` a key of the receipt's labels."""

    entry: int
    job: str
    bag: str
    bag_hash: str
    copy: int
    day: dt.date
    outcome: str
    received_at: dt.datetime
    taken_at: dt.datetime
    taken_by: str


def region_key(home: Home, point: Point) -> VerifyKey:
    """The key that the region signs its receipts with.

    Raises:
        ArchiveError: point.toml names none, or its file cannot be used.
    """
    named = point.region_centre.key
    if named is None:
        raise ArchiveError(
            m(
                "{file}: the region's public key is not known here, so nobody can tell whose receipt this is. Put the "
                "file that the regional data centre gave out into the data folder and name it there: "
                "[region_centre], key.",
                file=home.point_file,
            )
        )
    path = home.root / named  # an absolute name wins
    try:
        return VerifyKey.load(path)
    except StoreError as problem:
        raise ArchiveError(
            m(
                "{path}: is not a readable Ed25519 public key. Put the file there that the regional data centre gave "
                "out; point.toml names it under [region_centre].",
                path=path,
            )
        ) from problem


def take_receipt(ledger: Ledger, home: Home, point: Point, data: bytes, actor: str) -> tuple[Delivery, bool]:
    """Take in a receipt; the delivery, and whether it is new: the same receipt a second time changes nothing.

    Raises:
        ArchiveError: it is not the region's, was changed, or is about a bag that this point did not make.
    """
    receipt = read_receipt(data, region_key(home, point))
    if (receipt.region, receipt.point) != (point.region, point.code):
        raise ArchiveError(
            m(
                "The receipt is of the point {other}; this is {own}. Give it to that point.",
                other=f"{receipt.region}-{receipt.point}",
                own=f"{point.region}-{point.code}",
            )
        )
    with ledger.store.transaction():  # one receipt taken in by two screens at once is written once
        made = _made(ledger, receipt)
        known = delivery_of(ledger, receipt.bag_hash)
        if known is not None:
            return known, False
        entry = ledger.append(RECEIVED, _body(receipt, made, data), actor)
    return _delivery(entry), True


def _made(ledger: Ledger, receipt: Receipt) -> str:
    """The job whose bag the receipt is about.

    Raises:
        ArchiveError: the ledger knows no such bag, or knows it otherwise.
    """
    bags = {entry.body["bag_hash"]: entry.body for entry in ledger.entries([FINISHED])}
    body = bags.get(receipt.bag_hash)
    if body is None:
        of_that_name = any(one["bag"] == receipt.bag for one in bags.values())
        raise ArchiveError(
            m(
                "The receipt is about {bag}, and what was delivered is not the bag that was sealed here under this "
                "name. Deliver the copy again, and tell the region.",
                bag=receipt.bag,
            )
            if of_that_name
            else m(
                "The receipt is about {bag}: no such bag was sealed here. Give the receipt of a bag of this point.",
                bag=receipt.bag,
            )
        )
    if (body["bag"], body["copy"]) != (receipt.bag, receipt.copy):
        raise ArchiveError(
            m(
                "The receipt names {bag}, copy {copy}; by its hash it is {own}. Ask the region for it anew.",
                bag=receipt.bag,
                copy=receipt.copy,
                own=body["bag"],
            )
        )
    return str(body["job"])


def _body(receipt: Receipt, job: str, data: bytes) -> dict[str, object]:
    """The entry holds the receipt as the region signed it, so that the ledger alone proves the delivery."""
    return {
        "job": job,
        "bag": receipt.bag,
        "bag_hash": receipt.bag_hash,
        "copy": receipt.copy,
        "day": receipt.day.isoformat(),
        "outcome": receipt.outcome,
        "received_at": iso(receipt.received_at),
        "receipt_sha256": hashlib.sha256(data).hexdigest(),
        "receipt": data.decode(),
    }


def deliveries(ledger: Ledger, day: dt.date | None = None) -> list[Delivery]:
    """What was delivered, in the order the receipts came in; of one exam day, or all."""
    found = [_delivery(entry) for entry in ledger.entries([RECEIVED])]
    return [one for one in found if day is None or one.day == day]


def delivery_of(ledger: Ledger, bag_hash: str) -> Delivery | None:
    """The receipt for this very bag; None while there is none."""
    return next((one for one in deliveries(ledger) if bag_hash and one.bag_hash == bag_hash), None)


def recordings_delivered(store: Store, ledger: Ledger) -> frozenset[str]:
    """SHA-256 of every recording that lies in a bag the region has a receipt for."""
    found: set[str] = set()
    for one in deliveries(ledger):
        rows = store.query("SELECT sha256 FROM archive_file WHERE job = ? AND state = 'verified'", (one.job,))
        found.update(row["sha256"] for row in rows)
    return frozenset(found)


def _delivery(entry: Entry) -> Delivery:
    body = entry.body
    return Delivery(
        entry.seq,
        body["job"],
        body["bag"],
        body["bag_hash"],
        int(body["copy"]),
        dt.date.fromisoformat(body["day"]),
        body["outcome"],
        from_iso(body["received_at"]),
        entry.at,
        entry.actor,
    )
