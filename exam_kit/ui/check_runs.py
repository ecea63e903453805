"""Asking for a check run, and following it."""

from __future__ import annotations

from datetime import timedelta

from exam_kit.agent import orders
from exam_kit.agent.status import agent_alive
from exam_kit.checks.model import Run, State
from exam_kit.checks.results import latest_run
from exam_kit.clock import from_iso
from exam_kit.i18n import _
from exam_kit.ui.orders_view import give
from exam_kit.ui.seat import Seat

__all__ = ["ask", "cancel", "failed_checks", "progress", "under_way"]

LONGEST = timedelta(minutes=15)
"""A run that began longer ago than this and has no end was cut off, not slow."""


def under_way(seat: Seat) -> Run | None:
    """The run going on now; None when there is none."""
    run = latest_run(seat.store, finished=False)
    if run is None or run.ended_at is not None or not agent_alive(seat.home, seat.clock):
        return None
    return run if seat.now - from_iso(run.started_at) < LONGEST else None


def failed_checks(run: Run | None) -> list[str]:
    """Ids of checks worth running again: they failed, warned, or could not be told."""
    again = (State.FAIL, State.WARN, State.UNKNOWN)
    return (
        sorted({result.check for result in run.results if result.state in again and not result.manual}) if run else []
    )


def ask(seat: Seat, only: list[str] | None) -> int:
    """Order a run of all checks, or only of these; the order's number. Raises AccessDenied."""
    why = _("all checks") if only is None else _("failed checks again")
    return give(seat, "check", {"only": only}, ordered_by=seat.account.login, why=why)


def cancel(seat: Seat) -> int:
    """Order the run that is waiting or going on to end, be it by an order or by the plan; the order's number.

    Raises AccessDenied.
    """
    waiting = orders.open_orders(seat.store, "check")
    body = {"order": waiting[0].id if waiting else None}
    return give(seat, "cancel", body, ordered_by=seat.account.login, why=_("cancelled on the screen"))


def progress(seat: Seat) -> tuple[int, int]:
    """Results that are in, and how many there will be (0 when that is not known yet)."""
    waiting = orders.open_orders(seat.store, "check")
    if waiting and waiting[0].progress:
        return int(waiting[0].progress.get("done", 0)), int(waiting[0].progress.get("total", 0))
    run = under_way(seat)
    before = latest_run(seat.store)
    return (len(run.results) if run else 0), (len(before.results) if before else 0)
