"""What the archive's screen draws, read from the rooms that own it: recordings by camera, copies and what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exam_kit.agent.orders import Order
from exam_kit.archive import Carrier, carriers
from exam_kit.archive.delivered import Delivery, deliveries
from exam_kit.archive.selection import Asked
from exam_kit.archive.stores import store_of
from exam_kit.cctv.segments import NO_FILE, Segment, segments
from exam_kit.point import ExamDay, Zone
from exam_kit.ui.seat import Seat

__all__ = ["BY_HAND", "Copy", "Place", "by_hand_left", "copies_of", "footage_of", "places_for", "wanted_bytes"]

BY_HAND = (Zone.CORRIDOR, Zone.ENTRANCE)
"""Chosen from the start: these cameras are the school's own, so nobody else copies their footage."""
ROOM_BYTES = 16 << 20
"""Kept free beside the footage for documents and lists, as the archive itself keeps it."""


@dataclass(frozen=True)
class Place:
    """A carrier that a copy can go to; `fits` is False where it has too little room for what is chosen."""

    carrier: Carrier
    fits: bool

    @property
    def path(self) -> str:
        return self.carrier.path


@dataclass(frozen=True)
class Copy:
    """One finished copy: which order and bag, which recordings it holds, and the region's receipt if there is one.

    `bag` is its folder, or ``s3://STORE/BAG``.
    """

    order: Order
    number: int
    job: str
    bag: str
    bag_hash: str
    holds: frozenset[str]
    delivery: Delivery | None

    @property
    def place(self) -> str:
        """The folder or the store it lies in."""
        return self.bag.rpartition("/")[0] if self.in_store else str(Path(self.bag).parent)

    @property
    def in_store(self) -> bool:
        return bool(store_of(self.bag))

    @property
    def at_hand(self) -> bool:
        """Whether it can be looked at now; of a store that is not known before it is asked."""
        return self.in_store or Path(self.bag).is_dir()


def footage_of(seat: Seat, day: ExamDay) -> dict[str, list[Segment]]:
    """The day's closed recordings that are still here, by camera; every camera of the point has its list."""
    found: dict[str, list[Segment]] = {camera.id: [] for camera in seat.point.cameras}
    for piece in segments(seat.store, day=day.date):
        if piece.camera in found and piece.closed and piece.reason not in NO_FILE:
            found[piece.camera].append(piece)
    return found


def by_hand_left(seat: Seat, footage: Mapping[str, Sequence[Segment]], copies: Sequence[Copy]) -> bool:
    """Whether a recording of the corridors or the entrance lies in no copy yet."""
    held = frozenset[str]().union(*(copy.holds for copy in copies))
    ours = [camera.id for camera in seat.point.cameras if seat.point.zone_of(camera) in BY_HAND]
    return any(piece.sha256 not in held for camera in ours for piece in footage[camera])


def wanted_bytes(seat: Seat, footage: Mapping[str, Sequence[Segment]], asked: Asked) -> tuple[int, int]:
    """Files and bytes of what is asked for."""
    chosen = [
        piece
        for camera in seat.point.cameras
        if asked.wants(seat.point, camera)
        for piece in footage[camera.id]
        if asked.span is None or (piece.start < asked.span[1] and (piece.end or piece.start) > asked.span[0])
    ]
    return len(chosen), sum(piece.bytes or 0 for piece in chosen)


def places_for(seat: Seat, needed_bytes: int) -> list[Place]:
    """Where a copy could go now, the best first: a drive that is carried away, with room, the emptiest; then the
    network, then this computer."""
    kinds = ("removable", "network", "folder")
    found = [
        Place(one, one.free_bytes is not None and one.free_bytes >= needed_bytes + ROOM_BYTES)
        for one in carriers(seat.home)
    ]
    return sorted(
        found,
        key=lambda one: (not one.fits, kinds.index(one.carrier.kind), -(one.carrier.free_bytes or 0), one.path),
    )


def copies_of(seat: Seat, given: Sequence[Order]) -> list[Copy]:
    """The finished copies of these orders, in the order they were made."""
    received = {one.bag_hash: one for one in deliveries(seat.ledger)}
    found = []
    for order in sorted(given, key=lambda one: one.id):
        for result in order.result.get("copies") or ([order.result] if order.result.get("bag") else []):
            if not result.get("bag"):
                continue
            digest = str(result.get("bag_hash", ""))
            rows = seat.store.query(
                "SELECT sha256 FROM archive_file WHERE job = ? AND state = 'verified'", (result.get("job", ""),)
            )
            holds = frozenset(row["sha256"] for row in rows)
            number = int(result.get("copy", 1))
            job = str(result.get("job", ""))
            found.append(Copy(order, number, job, str(result["bag"]), digest, holds, received.get(digest)))
    return found
