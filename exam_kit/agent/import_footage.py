"""The duty of bringing in footage that others recorded: who may, what must stay free, the order's progress and end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.disk_watch import room
from exam_kit.agent.log_lines import end_with_line
from exam_kit.agent.orders import Order
from exam_kit.cctv.imports import Chosen, ImportAsked, ImportCancelled, take_import
from exam_kit.cctv.recorder import RESERVE_BYTES
from exam_kit.cctv.status import camera_statuses
from exam_kit.clock import Clock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Accounts, Act, Ledger, Store, require

__all__ = ["allow_import", "body_of", "serve_import"]


def allow_import(accounts: Accounts, actor: str) -> None:
    """Footage comes in by the hand of who may copy it.

    Raises:
        AccessDenied: they may not.
    """
    person = accounts.get(actor)
    if person is not None:  # who sits at the terminal owns the files anyway
        require(person.role, Act.ARCHIVE)


def body_of(camera: str, folder: Path, files: tuple[Chosen, ...], offset_s: float) -> dict[str, Any]:
    """The body of an order of kind ``import_footage``. Who gives it confirms the offset, its `why` says by what."""
    told = [one.as_dict() for one in files]
    return {"camera": camera, "folder": str(folder), "files": told, "offset_s": offset_s}


def serve_import(
    order: Order,
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    cancelled: Callable[[], bool],
    closing: Callable[[], bool],
) -> None:
    """Carry out an order of kind ``import_footage`` and end it; one interrupted by the agent's end stays open."""
    allow_import(Accounts(store, ledger, clock), order.actor)
    body = order.body
    asked = ImportAsked(
        Path(body["folder"]),
        body["camera"],
        tuple(Chosen.of(one) for one in body["files"]),
        float(body["offset_s"]),
        order.ordered_by,
        order.why,
        order.actor,
        order.id,
    )

    def told(done: int, total: int, path: str) -> None:
        orders.report(store, order.id, {"done_bytes": done, "bytes": total, "file": path})

    # The plan comes first: what is still to be recorded keeps its place on the disk.
    planned = room(point, camera_statuses(store), 0, clock.now(), red=0.0, amber=0.0).need_bytes
    try:
        result = take_import(
            ledger,
            home,
            point,
            asked,
            keep_free_bytes=RESERVE_BYTES + planned,
            progress=told,
            cancelled=lambda: cancelled() or closing(),
        )
    except ImportCancelled:
        if not closing():
            orders.end(ledger, order, "cancelled", {})
        return
    end_with_line(ledger, point, clock, order, "done", result.as_dict())
