"""The duty of archiving: an order's copies to its destinations, their progress, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.bag_duties import keep_rule
from exam_kit.agent.log_lines import end_with_line
from exam_kit.agent.orders import Order
from exam_kit.agent.papers import hand_over_documents
from exam_kit.archive.job import run_archive
from exam_kit.archive.result import ArchiveResult, NotOneCopy, Progress
from exam_kit.archive.s3 import wires_of
from exam_kit.archive.selection import Asked
from exam_kit.clock import Clock, from_iso
from exam_kit.errors import ArchiveError, ExamKitError, m
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.point import Point, Secrets, Zone
from exam_kit.store import Ledger, Store

__all__ = ["asked_of", "cancelled_by", "destinations_of", "reported", "serve_archive"]

REPORT_S = 0.5


def destinations_of(order: Order) -> list[str]:
    """Where the order's copies go, in the order of their numbers."""
    named = order.body.get("destinations") or [order.body.get("destination", "")]
    return [str(one) for one in named]


def asked_of(order: Order) -> Asked:
    """What the order wants copied."""
    body = order.body
    span = (from_iso(body["from"]), from_iso(body["to"])) if body.get("from") and body.get("to") else None
    return Asked(
        tuple(Zone(zone) for zone in body.get("zones", ())),
        tuple(body.get("cameras", ())),
        span,
        encrypted=bool(body.get("encrypted")),
        supplement=int(body.get("supplement", 0)),
    )


def cancelled_by(store: Store, order: Order) -> str:
    """Who asked for the end of this order, by an order that was obeyed; "" when nobody did."""
    rows = store.query(
        "SELECT actor FROM orders WHERE kind = 'cancel' AND state = 'done' AND json_extract(body, '$.order') = ? "
        "ORDER BY id LIMIT 1",
        (order.id,),
    )
    return str(rows[0]["actor"]) if rows else ""


def serve_archive(
    order: Order,
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    secrets: Secrets,
    *,
    cancelled: Callable[[], bool],
    closing: Callable[[], bool],
    paused: Callable[[], bool],
) -> dict[str, str]:
    """Carry out an order of kind ``archive`` and end it.

    Interrupted by the agent's end it stays open as long as one of its copies is not finished, unless a person cancelled
    it; the next agent goes on with those, and leaves alone what the ledger calls finished.

    Why each destination's copy failed, in the point's language, "" for one that was made; the others are finished all
    the same. Of an order that was cancelled nothing is said.

    Raises:
        ArchiveError: the day is none of the point's, or not one copy could be made.
    """
    day = point.day(date.fromisoformat(order.body["day"]))
    if day is None:
        raise ArchiveError(
            m("{day}: the point has no exam on this day. Choose one of its exam days.", day=order.body["day"])
        )
    seals, places = order.body.get("seals", {}), destinations_of(order)

    try:
        result = run_archive(
            store=store,
            ledger=ledger,
            home=home,
            point=point,
            day=day.date,
            asked=asked_of(order),
            destinations=places,
            actor=order.actor,
            ordered_by=order.ordered_by,
            documents=lambda act: hand_over_documents(home, point, day, store, ledger, clock, act),
            progress=reported(store, order.id, clock, paused),
            cancelled=lambda: closing() or cancelled(),
            paused=paused,
            clock=clock,
            keep=keep_rule(point, home),
            seal_numbers=[str(seals.get(place, "")) for place in places],
            number=order.id,
            wires=wires_of(point, home, secrets),
        )
    except NotOneCopy as problem:
        if closing() and not cancelled():
            return {}
        said = [_told(place, copy) for place, copy in zip(places, problem.copies, strict=True)]
        by_all = {"error": problem.text(point.language), "copies": said}
        orders.end(ledger, order, "cancelled" if cancelled() else "failed", by_all)
        return {} if cancelled() else _errors(places, problem.copies, point)
    except ExamKitError:
        if closing() and not cancelled():
            return {}
        raise
    states = {copy.state for copy in result.copies}
    if closing() and not cancelled() and states != {"finished"}:
        return {}
    told = [_told(place, copy) for place, copy in zip(places, result.copies, strict=True)]
    state: orders.OrderState = "cancelled" if "cancelled" in states else "done"
    first = next(one for one in told if one["state"] == result.state)
    end_with_line(ledger, point, clock, order, state, {**first, "copies": told})
    return {} if cancelled() else _errors(places, result.copies, point)


def _errors(places: Sequence[str], copies: Sequence[ArchiveResult], point: Point) -> dict[str, str]:
    ended = [(place, copy) for place, copy in zip(places, copies, strict=True) if copy.state != "cancelled"]
    return {place: copy.error.text(point.language) if copy.error is not None else "" for place, copy in ended}


def reported(
    store: Store, order: int, clock: Clock, paused: Callable[[], bool] = lambda: False
) -> Callable[[Progress], None]:
    """Writes a run's progress into the order's row: a change of phase at once, else as often as a screen looks."""
    told_at, phase = float("-inf"), ""

    def progress(now: Progress) -> None:
        nonlocal told_at, phase
        at = clock.monotonic()
        if now.phase == phase and now.done_files < now.files and at - told_at < REPORT_S:
            return
        told_at, phase = at, now.phase
        told = now.as_dict()
        orders.report(store, order, {**told, "paused": paused(), "to": told["copies"]})

    return progress


def _told(destination: str, result: ArchiveResult) -> dict[str, Any]:
    """One copy as the order's row keeps it: what people read, in every language."""
    said = {
        language: {
            "deficiencies": [one.text(language) for one in result.deficiencies],
            "failed": [one.message.text(language) for one in result.failed],
            "error": result.error.text(language) if result.error else "",
        }
        for language in LANGUAGES
    }
    return {**result.as_dict(), "destination": destination, "said": said}
