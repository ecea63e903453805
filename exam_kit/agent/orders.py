"""Orders: what a person asked the agent to do, who ordered it, and why.

An order stands in the ledger before anything is done about it. The agent takes it, writes its progress into the same
row and ends it as done, failed or cancelled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from exam_kit.clock import from_iso, iso
from exam_kit.errors import AccessDenied, UsageError, m
from exam_kit.journal.people_gate import let_through, register_in_force
from exam_kit.journal.person import authorise, clean
from exam_kit.store import Act, Entry, Ledger, Store
from exam_kit.store.accounts import find_account

__all__ = [
    "EQUIPMENT",
    "KINDS",
    "RIGHTS",
    "TERMINAL",
    "Order",
    "OrderState",
    "end",
    "get",
    "give",
    "open_orders",
    "recent",
    "recording_orders",
    "reopen",
    "report",
    "take",
    "withdraw",
]

RIGHTS = {
    "record": (Act.RECORD, Act.ORDER_RECORDING),
    "stop": (Act.RECORD, Act.ORDER_RECORDING),
    "check": (Act.RUN_CHECKS,),
    "archive": (Act.ARCHIVE,),
    "pause": (Act.ARCHIVE,),
    "verify_bag": (Act.ARCHIVE, Act.WITNESS, Act.RECEIVE),
    "delete_footage": (Act.DELETE_FOOTAGE,),
    "camera_clock": (Act.RECORD, Act.ORDER_RECORDING),
    "export_span": (Act.ARCHIVE,),
    "import_footage": (Act.ARCHIVE,),
    "cancel": (Act.ARCHIVE, Act.RUN_CHECKS),
}
"""Each kind of order and the rights of which one is needed to give it."""
KINDS = tuple(RIGHTS)
EQUIPMENT = frozenset({"record", "archive", "pause", "delete_footage", "camera_clock", "export_span", "import_footage"})
"""Orders that act on the equipment or the footage. The others look at it or stop what goes on, which is never barred by
a missing briefing: in an emergency a recording must be stopped by whoever is there."""
TERMINAL = "terminal:"
"""How an actor begins who owns the terminal, and with it the data's folder, but has not said who they are."""
OrderState = Literal["new", "taken", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Order:
    """One order and how far it has come."""

    id: int
    kind: str
    body: dict[str, Any]
    actor: str
    ordered_by: str
    why: str
    given_at: datetime
    state: OrderState
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in ("new", "taken")


def give(ledger: Ledger, kind: str, body: Mapping[str, Any], *, actor: str, ordered_by: str, why: str) -> int:
    """Record an order and return its number; durable on return.

    `body` by kind: ``record``, ``stop``, ``camera_clock`` {"cameras": [ids]}; ``check`` {"only": [check ids] or None};
    ``archive`` {"day": "YYYY-MM-DD", "zones": [...], "destination": path}, and as `exam_kit.agent.archiving` reads it;
    ``pause`` {"order": number, "on": whether}; ``verify_bag`` {"path": folder, "quick": whether}; ``delete_footage``
    {"deletion": ledger entry}; ``cancel`` {"order": number}, None for the check that the plan began.
    `actor` is the login of who gave it on the screen, `ordered_by` the login or name of who ordered it.

    Raises:
        UsageError: an unknown kind, or nobody named as the one who ordered it.
        RefusedEntry: `why` or `ordered_by` cannot stand in a journal.
        AccessDenied: `actor` may not give it (see `allow`).
    """
    if kind not in KINDS:
        raise UsageError(m("Order: there is no kind '{kind}'. Use one of: {kinds}.", kind=kind, kinds=", ".join(KINDS)))
    ordered_by, why = (clean(text, "why", required=False) for text in (ordered_by, why))
    if not ordered_by:
        raise UsageError(m("Order: nobody is named as the one who ordered it. Choose the person and try again."))
    number = 0

    def row(connection: Any, entry: Entry) -> None:
        nonlocal number
        cursor = connection.execute(
            "INSERT INTO orders (kind, body, actor, ordered_by, why, given_at, seq) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, json.dumps(dict(body), ensure_ascii=False), actor, ordered_by, why, iso(entry.at), entry.seq),
        )
        number = cursor.lastrowid

    told = {"order": kind, "body": dict(body), "ordered_by": ordered_by, "why": why}
    with ledger.store.transaction():  # what allows the order and the order itself stand at one moment
        allow(ledger, kind, actor)
        ledger.append("order.given", told, actor, also=row)
    return number


def allow(ledger: Ledger, kind: str, actor: str) -> None:
    """Refuse unless `actor` may give an order of this kind now: by the role, and by the register of people.

    Raises:
        AccessDenied: no such account, no such right, or the register of people does not let them act.
    """
    if actor.startswith(TERMINAL):
        if kind in EQUIPMENT and register_in_force(ledger):
            raise AccessDenied(
                m(
                    "Order at the terminal: a register of people is kept, so it must be known who acts. "
                    "Give the command again with --as LOGIN."
                )
            )
        return
    account = find_account(ledger.store, actor)
    if account is None:
        raise AccessDenied(
            m("Order: there is no account '{login}', and only people with one give orders. Sign in.", login=actor)
        )
    authorise(account, *RIGHTS[kind])
    let_through(ledger, account, equipment=kind in EQUIPMENT)


def get(store: Store, number: int) -> Order | None:
    """The order with this number."""
    rows = store.query("SELECT * FROM orders WHERE id = ?", (number,))
    return _order(rows[0]) if rows else None


def recent(store: Store, kind: str | None = None, limit: int = 50) -> list[Order]:
    """The latest orders, newest first."""
    where, values = ("WHERE kind = ?", [kind]) if kind else ("", [])
    rows = store.query(f"SELECT * FROM orders {where} ORDER BY id DESC LIMIT ?", [*values, limit])  # noqa: S608
    return [_order(row) for row in rows]


def open_orders(store: Store, kind: str) -> list[Order]:
    """Orders of one kind that are not ended, oldest first."""
    rows = store.query("SELECT * FROM orders WHERE kind = ? AND state IN ('new', 'taken') ORDER BY id", (kind,))
    return [_order(row) for row in rows]


def recording_orders(store: Store) -> Iterator[Order]:
    """Every record and stop order that holds, newest first; one that failed or was withdrawn does not."""
    with closing(
        store.connection.execute(
            "SELECT * FROM orders WHERE kind IN ('record', 'stop') AND state NOT IN ('failed', 'cancelled') "
            "ORDER BY id DESC"
        )
    ) as rows:
        names = [column[0] for column in rows.description]
        for row in rows:
            yield _order(dict(zip(names, row, strict=True)))


def take(store: Store, kind: str) -> Order | None:
    """The oldest new order of one kind, now taken; None when there is none."""
    if not store.query("SELECT 1 FROM orders WHERE state = 'new' AND kind = ? LIMIT 1", (kind,)):
        return None
    with store.transaction() as connection:
        row = connection.execute(
            "UPDATE orders SET state = 'taken' WHERE id = "
            "(SELECT min(id) FROM orders WHERE state = 'new' AND kind = ?) RETURNING id",
            (kind,),
        ).fetchone()
    return get(store, row[0]) if row else None


def withdraw(ledger: Ledger, number: int, *, by: Order) -> bool:
    """End an order that nobody has taken yet as cancelled; False when it was taken or ended before."""
    with ledger.store.transaction():
        order = get(ledger.store, number)
        if order is None or order.state != "new":
            return False
        end(ledger, order, "cancelled", {"by": by.actor})
        return True


def reopen(store: Store) -> int:
    """Orders that an agent took and did not live to end become new again; how many."""
    with store.transaction() as connection:
        return connection.execute("UPDATE orders SET state = 'new' WHERE state = 'taken'").rowcount


def report(store: Store, number: int, progress: Mapping[str, Any]) -> None:
    """Write how far an order has come."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE orders SET progress = ? WHERE id = ?", (json.dumps(dict(progress), ensure_ascii=False), number)
        )


def end(ledger: Ledger, order: Order, state: OrderState, result: Mapping[str, Any]) -> None:
    """Close an order with its result, and say so in the ledger."""
    text = json.dumps(dict(result), ensure_ascii=False)
    ledger.append(
        f"order.{state}",
        {"number": order.id, "order": order.kind, "result": dict(result)},
        "agent",
        also=lambda connection, entry: connection.execute(
            "UPDATE orders SET state = ?, result = ?, ended_at = ? WHERE id = ?",
            (state, text, iso(entry.at), order.id),
        ),
    )


def _order(row: Mapping[str, Any]) -> Order:
    return Order(
        id=row["id"],
        kind=row["kind"],
        body=json.loads(row["body"]),
        actor=row["actor"],
        ordered_by=row["ordered_by"],
        why=row["why"],
        given_at=from_iso(row["given_at"]),
        state=row["state"],
        progress=json.loads(row["progress"] or "{}"),
        result=json.loads(row["result"] or "{}"),
        ended_at=from_iso(row["ended_at"]) if row["ended_at"] else None,
    )
