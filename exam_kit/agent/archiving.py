"""The duty of archiving: an order's copies to its destinations, their progress, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.bag_duties import keep_rule
from exam_kit.agent.orders import Order
from exam_kit.agent.papers import hand_over_documents
from exam_kit.archive.job import run_archive
from exam_kit.archive.result import ArchiveResult, Progress
from exam_kit.archive.selection import Asked
from exam_kit.clock import Clock, from_iso
from exam_kit.errors import ArchiveError, ExamKitError, m
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.point import Point, Zone
from exam_kit.store import Ledger, Store

__all__ = ["asked_of", "destinations_of", "serve_archive"]


def destinations_of(order: Order) -> list[str]:
    """Where the order's copies go, in the order of their numbers."""
    named = order.body.get("destinations") or [order.body.get("destination", "")]
    return [str(one) for one in named]


def asked_of(order: Order) -> Asked:
    """What the order wants copied."""
    body = order.body
    span = (from_iso(body["from"]), from_iso(body["to"])) if body.get("from") and body.get("to") else None
    return Asked(tuple(Zone(zone) for zone in body.get("zones", ())), tuple(body.get("cameras", ())), span)


@dataclass
class _Copies:
    """What is known of each destination, by its path, as the order's row shows it."""

    order: Order
    store: Store
    paused: Callable[[], bool]
    progress: dict[str, Any] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def told(self, destination: str, now: Progress) -> None:
        self.progress[destination] = now.as_dict() | ({"paused": True} if self.paused() else {})
        first = next(iter(self.progress.values()))
        orders.report(self.store, self.order.id, {**first, "to": self.progress})

    def ended(self, destination: str, result: ArchiveResult) -> None:
        said = {
            language: {
                "deficiencies": [one.text(language) for one in result.deficiencies],
                "failed": [one.message.text(language) for one in result.failed],
            }
            for language in LANGUAGES
        }
        self.results.append({**result.as_dict(), "destination": destination, "said": said})

    def failed(self, destination: str, problem: ExamKitError, language: str) -> None:
        self.failures.append(problem.text(language))
        said = {language: {"error": problem.text(language)} for language in LANGUAGES}
        self.results.append({"state": "failed", "destination": destination, "said": said})


def serve_archive(
    order: Order,
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    *,
    cancelled: Callable[[], bool],
    closing: Callable[[], bool],
    paused: Callable[[], bool],
) -> list[str]:
    """Carry out an order of kind ``archive`` and end it; interrupted by the agent's end it stays open.

    Why copies failed, one text a destination in the point's language; the others are finished all the same.

    Raises:
        ArchiveError: the day is none of the point's.
    """
    day = point.day(date.fromisoformat(order.body["day"]))
    if day is None:
        raise ArchiveError(
            m("{day}: the point has no exam on this day. Choose one of its exam days.", day=order.body["day"])
        )
    copies = _Copies(order, store, paused)
    seals = order.body.get("seals", {})
    for destination in destinations_of(order):
        try:
            result = run_archive(
                store=store,
                ledger=ledger,
                home=home,
                point=point,
                day=day.date,
                zones=asked_of(order).zones,
                destination=Path(destination),
                actor=order.actor,
                ordered_by=order.ordered_by,
                documents=lambda act: hand_over_documents(home, point, day, store, ledger, clock, act),
                progress=partial(copies.told, destination),
                cancelled=lambda: closing() or cancelled(),
                clock=clock,
                keep=keep_rule(point, home),
                seal_number=str(seals.get(destination, "")),
            )
        except ExamKitError as problem:
            copies.failed(destination, problem, point.language)
            continue
        copies.ended(destination, result)
    if closing():
        return []
    _end(ledger, order, copies.results, copies.failures)
    return [] if cancelled() else copies.failures


def _end(ledger: Ledger, order: Order, results: Sequence[dict[str, Any]], failures: Sequence[str]) -> None:
    """Close the order with every copy's result; the first finished one stands for the whole."""
    finished = [one for one in results if one["state"] == "finished"]
    stopped = [one for one in results if one["state"] == "cancelled"]
    if finished:
        orders.end(ledger, order, "done", {**finished[0], "copies": list(results)})
    elif stopped:
        orders.end(ledger, order, "cancelled", {**stopped[0], "copies": list(results)})
    else:
        orders.end(ledger, order, "failed", {"error": failures[0], "copies": list(results)})
