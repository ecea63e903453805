"""Copies of an order that the ledger says are finished: an order that is served again makes none of them twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exam_kit.archive.job_rows import JobRows
from exam_kit.archive.job_seal import Order
from exam_kit.archive.kept_papers import kept_deficiencies
from exam_kit.archive.result import ArchiveResult
from exam_kit.archive.stores import store_of

__all__ = ["finished_copies", "of_order"]


def of_order(order: Order, number: int) -> dict[str, int]:
    """What an entry says about whose copy it is: the order, and which of its destinations (from 1 on)."""
    return {"order": order.number, "destination": number} if order.number else {}


def finished_copies(order: Order) -> dict[int, ArchiveResult]:
    """By destination (from 1 on). Only what the ledger has: a bag that got its name before the ledger knew is verified
    as a whole and entered by the copy that takes its job up."""
    if not order.number:
        return {}
    found = {}
    for entry in order.ledger.entries(["archive.finished"]):
        if entry.body.get("order") == order.number:
            found[int(entry.body["destination"])] = _result(order, entry.body)
    return found


def _result(order: Order, body: dict[str, Any]) -> ArchiveResult:
    rows = order.store.query("SELECT bag FROM archive_job WHERE id = ?", (body["job"],))
    address = str(rows[0]["bag"]) if store_of(rows[0]["bag"]) else ""
    bag = Path(rows[0]["bag"])
    lacking = kept_deficiencies(order.home, str(body["job"]))
    return ArchiveResult(
        state="finished",
        job=str(body["job"]),
        bag=None if address else bag,
        address=address,
        proofs=body.get("proofs", {}),
        bag_hash=str(body["bag_hash"]),
        copy=int(body["copy"]),
        files=int(body["files"]),
        bytes=int(body["bytes"]),
        failed=JobRows(order.store, order.clock).failed(str(body["job"])),
        deficiencies=order.choice.deficiencies if lacking is None else lacking,
        read_back_bytes=int(body["read_back"]),
        device_bytes=None,
        elapsed_s=0.0,
        destination=None if address else bag.parent,
    )
