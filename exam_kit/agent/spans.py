"""The duty of exporting a span of footage: who may, and the order's progress and end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exam_kit.agent import orders
from exam_kit.agent.log_lines import end_with_line
from exam_kit.agent.orders import Order
from exam_kit.cctv.span import export_span
from exam_kit.cctv.span_asked import Cancelled, SpanAsked
from exam_kit.clock import Clock, from_iso
from exam_kit.errors import AccessDenied, m
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Accounts, Act, Ledger, Store, may, require

__all__ = ["allow_export", "serve_export"]


def allow_export(accounts: Accounts, actor: str, ordered_by: str) -> None:
    """Footage leaves the kit on the order of somebody who may order its recording, by the hand of who may copy it.

    Raises:
        AccessDenied: one of the two may not.
    """
    person = accounts.get(actor)
    if person is not None:  # who sits at the terminal owns the files anyway
        require(person.role, Act.ARCHIVE)
    head = accounts.get(ordered_by)
    if head is None or head.disabled or not may(head.role, Act.ORDER_RECORDING):
        raise AccessDenied(
            m(
                "Export: '{who}' may not order it. Name the login of the head of the point, who orders recording.",
                who=ordered_by,
            )
        )


def serve_export(
    order: Order,
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    cancelled: Callable[[], bool],
    closing: Callable[[], bool],
) -> None:
    """Carry out an order of kind ``export_span`` and end it; one interrupted by the agent's end stays open."""
    allow_export(Accounts(store, ledger, clock), order.actor, order.ordered_by)
    body = order.body
    asked = SpanAsked(
        tuple(body["cameras"]),
        from_iso(body["from"]),
        from_iso(body["to"]),
        order.actor,
        order.ordered_by,
        order.why,
        order.id,
    )

    def told(done: int, total: int, camera: str) -> None:
        orders.report(store, order.id, {"done_bytes": done, "bytes": total, "camera": camera})

    try:
        result = export_span(
            store,
            ledger,
            home,
            point,
            asked,
            Path(body["destination"]),
            clock,
            progress=told,
            cancelled=lambda: cancelled() or closing(),
        )
    except Cancelled:
        if not closing():
            orders.end(ledger, order, "cancelled", {})
        return
    end_with_line(
        ledger, point, clock, order, "done", {key: value for key, value in result.as_dict().items() if key != "parts"}
    )
