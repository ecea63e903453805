"""Duties about bags and kept footage: verifying a bag on any carrier, and deleting what two people ordered deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.log_lines import end_with_line
from exam_kit.agent.orders import Order
from exam_kit.archive.act import KeepRule
from exam_kit.archive.deletion import carry_out
from exam_kit.archive.s3 import Wire, verify_in_store
from exam_kit.archive.stores import store_of
from exam_kit.archive.verify import verify_bag
from exam_kit.checks import load_profile
from exam_kit.clock import Clock
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.point import Point
from exam_kit.store import Accounts, Ledger, Store

__all__ = ["keep_rule", "serve_deletion", "serve_verify"]

SHOWN = 20
"""So many findings stand in an order's result; `exam-kit verify` names all of them."""
TOLD_BYTES = 16_000_000
"""Progress is written each time so much more was read."""


class _Stopped(Exception):
    """The verification was cancelled, or the agent ends."""


def keep_rule(point: Point, home: Home) -> KeepRule | None:
    """The keep-until rule of the point's profile; None when it has none."""
    keep = load_profile(point.profile, home).keep
    return KeepRule(keep.month, keep.day, keep.years, keep.source) if keep else None


def serve_verify(
    order: Order,
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    cancelled: Callable[[], bool],
    closing: Callable[[], bool],
    wires: Callable[[str], Wire],
) -> None:
    """Carry out an order of kind ``verify_bag``, on a carrier or in a store, and end it.

    A bag that is not whole is a result, not a failure.
    """
    del point, clock
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if cancelled() or closing():
            raise _Stopped
        if done - told >= TOLD_BYTES or done >= total:
            told = done
            orders.report(store, order.id, {"done_bytes": done, "bytes": total})

    place, quick, key = str(order.body["path"]), bool(order.body.get("quick")), ledger.public_key
    try:
        if store_of(place):
            bag = place.rpartition("/")[2]
            report = verify_in_store(wires(store_of(place)), bag, home, quick=quick, key=key, progress=progress)
        else:
            report = verify_bag(Path(place), quick=quick, key=key, progress=progress)
    except _Stopped:
        if not closing():
            orders.end(ledger, order, "cancelled", {})
        return
    result = report.as_dict()
    result["findings"] = result["findings"][:SHOWN]
    result["text"] = {language: report.text(language, SHOWN) for language in LANGUAGES}
    orders.end(ledger, order, "done", result)


def serve_deletion(
    order: Order,
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    cancelled: Callable[[], bool],
    closing: Callable[[], bool],
) -> None:
    """Carry out an order of kind ``delete_footage`` and end it; interrupted by the agent's end it stays open."""

    def progress(done: int, total: int) -> None:
        orders.report(store, order.id, {"done_files": done, "files": total})

    done = carry_out(
        ledger,
        home,
        Accounts(store, ledger, clock),
        keep_rule(point, home),
        int(order.body["deletion"]),
        clock.now().astimezone(point.tz).date(),
        progress=progress,
        cancelled=cancelled,
        closing=closing,
    )
    if done is None:
        return
    why = done.why_left
    result: dict[str, Any] = {"files": done.files, "bytes": done.bytes, "left": done.left}
    if why is not None:
        result["why_left"] = {language: why.text(language) for language in LANGUAGES}
    end_with_line(ledger, point, clock, order, "done", result)
