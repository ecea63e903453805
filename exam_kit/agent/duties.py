"""The long duties an agent does beside recording, each in a thread of its own: a check run, an archive.

Recording must not wait for them, and they must not die with a screen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.archiving import cancelled_by as archive_cancelled_by
from exam_kit.agent.archiving import destinations_of, serve_archive
from exam_kit.agent.bag_duties import serve_deletion, serve_verify
from exam_kit.agent.camera_clock import SetClocks
from exam_kit.agent.checking import check_now
from exam_kit.agent.import_footage import serve_import
from exam_kit.agent.orders import Order
from exam_kit.agent.spans import serve_export
from exam_kit.archive.s3 import wires_of
from exam_kit.checks import Result
from exam_kit.checks.model import Run
from exam_kit.checks.report import cancelled_by
from exam_kit.clock import Clock
from exam_kit.errors import ExamKitError
from exam_kit.home import Home
from exam_kit.point import ExamDay, Point, Secrets
from exam_kit.store import Ledger, Store

__all__ = ["Duties"]

log = logging.getLogger(__name__)


@dataclass
class Duties:
    """Starts duties and knows which are under way; at most one of each kind at a time."""

    point: Point
    home: Home
    store: Store
    ledger: Ledger
    secrets: Secrets
    clock: Clock

    def __post_init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}
        self._cancelled: dict[int | None, str] = {}
        self._paused: set[int] = set()
        self._closing = False
        self.finished_runs: list[tuple[Order | None, Run]] = []
        self.failed_checks: list[str] = []
        self.ended_archives: list[tuple[Order, Mapping[str, str]]] = []
        """with why each destination's copy failed, "" where it was made"""
        self.verified_bags: list[tuple[Order, str]] = []
        """with what was found: an outcome of `exam_kit.archive.bag_report`"""

    def busy(self, kind: str) -> bool:
        thread = self._threads.get(kind)
        return thread is not None and thread.is_alive()

    def cancel(self, number: int | None, by: str) -> None:
        """Ask the duty that serves this order (None: the check by plan) to end, on this login's word; what it has done
        stays."""
        self._cancelled[number] = by

    def pause(self, number: int, on: bool) -> None:
        """Let the archive that serves this order rest, or go on."""
        if on:
            self._paused.add(number)
        else:
            self._paused.discard(number)

    def close(self, timeout_s: float) -> None:
        """Interrupt what is under way. Its orders stay open, so that the next agent takes them up where they stood."""
        self._closing = True
        for thread in self._threads.values():
            thread.join(timeout_s)

    def start_check(self, order: Order | None, day: ExamDay | None) -> None:
        """Run the checks, for an order or for the plan (None)."""
        self._cancelled.pop(None, None)  # it was about an earlier run by plan
        self._start("check", order, self._check, order, day)

    def start_archive(self, order: Order) -> None:
        self._start("archive", order, self._archive, order)

    def start_camera_clock(self, order: Order, recording: Callable[[], Collection[str]]) -> None:
        """Set camera clocks; `recording` tells which cameras are to record at that moment."""
        clocks = SetClocks(self.point, self.home, self.ledger, self.secrets, self.clock, recording)
        self._start("camera_clock", order, lambda: orders.end(self.ledger, order, "done", clocks.obey(order)))

    def start_verify(self, order: Order) -> None:
        self._start("verify_bag", order, self._verify, order)

    def start_deletion(self, order: Order) -> None:
        self._start("delete_footage", order, self._serve, serve_deletion, order)

    def start_export(self, order: Order) -> None:
        self._start("export_span", order, self._serve, serve_export, order)

    def start_import(self, order: Order) -> None:
        self._start("import_footage", order, self._serve, serve_import, order)

    def _serve(self, serve: Callable[..., None], order: Order) -> None:
        serve(
            order,
            self.point,
            self.home,
            self.store,
            self.ledger,
            self.clock,
            cancelled=lambda: order.id in self._cancelled,
            closing=lambda: self._closing,
        )

    def _verify(self, order: Order) -> None:
        self._serve(partial(serve_verify, wires=wires_of(self.point, self.home, self.secrets)), order)
        ended = orders.get(self.store, order.id)
        if ended is not None and ended.state == "done":
            self.verified_bags.append((ended, ended.result["outcome"]))

    def _start(self, kind: str, order: Order | None, work: Any, *arguments: Any) -> None:
        def run() -> None:
            try:
                work(*arguments)
            except ExamKitError as problem:
                log.warning("%s: %s", kind, problem)
                self._failed(kind, order, problem.text(self.point.language))
            except Exception as problem:
                # A duty's fault must end its order, or the person would wait for ever; the traceback is for us.
                log.exception("%s failed", kind)
                self._failed(kind, order, str(problem))
            finally:
                self.store.close()

        thread = threading.Thread(target=run, name=kind, daemon=True)
        self._threads[kind] = thread
        thread.start()

    def _failed(self, kind: str, order: Order | None, text: str) -> None:
        if self._closing and (order is None or order.id not in self._cancelled):
            return
        if kind == "check":
            self.failed_checks.append(text)
        if order is None:
            return
        cancelled = order.id in self._cancelled
        orders.end(self.ledger, order, "cancelled" if cancelled else "failed", {"error": text})
        if kind == "archive" and not cancelled:
            self.ended_archives.append((order, dict.fromkeys(destinations_of(order), text)))

    def _check(self, order: Order | None, day: ExamDay | None) -> None:
        only = order.body.get("only") if order else None
        actor = order.actor if order else "agent"

        def on_result(_result: Result, done: int, total: int) -> None:
            if order is not None:
                orders.report(self.store, order.id, {"done": done, "total": total})

        number = order.id if order is not None else None

        def cancelled() -> str:
            return self._cancelled.get(number, "")

        run = check_now(
            self.point, self.home, self.store, self.ledger, self.secrets, self.clock, day, actor, only, on_result,
            cancelled,
        )  # fmt: skip
        self.finished_runs.append((order, run))
        if order is not None:
            by = cancelled_by(run)
            result = {"run": run.id, "verdict": run.verdict} | ({"by": by} if by else {})
            orders.end(self.ledger, order, "cancelled" if by else "done", result)

    def _archive(self, order: Order) -> None:
        by = archive_cancelled_by(self.store, order)
        if by:  # before an agent died that had been asked to end it
            self.cancel(order.id, by)
        errors = serve_archive(
            order,
            self.point,
            self.home,
            self.store,
            self.ledger,
            self.clock,
            self.secrets,
            cancelled=lambda: order.id in self._cancelled,
            closing=lambda: self._closing,
            paused=lambda: order.id in self._paused,
        )
        self.ended_archives.append((order, errors))
