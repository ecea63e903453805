"""What the kit itself does with recordings on a person's order, as lines of the access log with that order behind them.

Recording switched on and off and camera clocks write theirs where it is done (`watch`, `camera_clock`); here are the
duties that end with an order: archives, exports, imports, deletions.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.orders import Order, OrderState
from exam_kit.clock import Clock
from exam_kit.errors import Message, m
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.person import AGENT, Person, fitting, person_of
from exam_kit.point import Point
from exam_kit.store import Ledger
from exam_kit.store.accounts import find_account

__all__ = ["end_with_line", "giver_of", "orderer_of"]

log = logging.getLogger(__name__)

ACTIONS = {
    "archive": AccessAction.ARCHIVE_MADE,
    "export_span": AccessAction.MEMORY_EXPORTED,
    "import_footage": AccessAction.MEMORY_EXPORTED,
    "delete_footage": AccessAction.OTHER,
}


def end_with_line(
    ledger: Ledger, point: Point, clock: Clock, order: Order, state: OrderState, result: Mapping[str, Any]
) -> None:
    """End an order, and where it did something write its line of the access log: both or neither."""
    with ledger.store.transaction():
        orders.end(ledger, order, state, result)
        what = _what(order, result)
        if what is not None:
            _line(ledger, point, clock, order, what)


def giver_of(ledger: Ledger, order: Order) -> Person:
    """Who gave the order, as a line names them. Named, not asked for rights anew: those were looked at when it was
    given, and it is carried out."""
    account = find_account(ledger.store, order.actor)
    return person_of(account) if account else Person(order.actor)


def orderer_of(ledger: Ledger, order: Order) -> str:
    """Who ordered it, with their post."""
    account = find_account(ledger.store, order.ordered_by)
    return f"{account.name}, {account.post}" if account else order.ordered_by


def _line(ledger: Ledger, point: Point, clock: Clock, order: Order, what: Message) -> None:
    rooms = _rooms(point, order)
    if not rooms:
        log.warning("order %d: none of its cameras is in this point any more; the access log has no line", order.id)
        return
    name = orderer_of(ledger, order)
    text = m("{what}; by order of {name}: {why}", what=what, name=name, why=order.why or "—")
    now = clock.now()
    draft = AccessDraft(
        rooms,
        ACTIONS[order.kind],
        min(order.given_at, now),  # whatever was done to the machine's clock since
        now,
        text=fitting(text.text(point.language)),
        person=giver_of(ledger, order),
        order=order.id,
    )
    AccessLog(ledger, point, clock).add(draft, AGENT)


def _what(order: Order, result: Mapping[str, Any]) -> Message | None:
    """What was done in a few words; None where nothing was."""
    match order.kind:
        case "archive":
            made = [copy for copy in result.get("copies", ()) if copy.get("bag") and copy.get("state") == "finished"]
            if not made:
                return None
            names = ", ".join(dict.fromkeys(Path(copy["bag"]).name for copy in made))
            return m("{name}, copies: {count}", name=names, count=len(made))
        case "export_span":
            return m("recordings exported to {folder}, files: {count}", folder=result["folder"], count=result["files"])
        case "import_footage" if result.get("files"):
            return m("recordings taken over from {folder}, files: {count}", folder=order.body["folder"],
                     count=result["files"])  # fmt: skip
        case "delete_footage" if result.get("files"):
            return m("recordings deleted after their time, files: {count}", count=result["files"])
    return None


def _rooms(point: Point, order: Order) -> tuple[str, ...]:
    """The rooms whose cameras an order is about, of those that the point has; all where it names none."""
    body = order.body
    zones: Collection[str] = body.get("zones") or ()
    cameras: Collection[str] = body.get("cameras") or ([body["camera"]] if body.get("camera") else ())
    everything = not zones and not cameras
    found = [
        camera.room
        for camera in point.cameras
        if everything or camera.id in cameras or point.zone_of(camera).value in zones
    ]
    return tuple(dict.fromkeys(found))
