"""What the kit does with recordings on an order stands in the access log with that order."""

from __future__ import annotations

from typing import Any

import pytest

from exam_kit.agent import orders
from exam_kit.agent.log_lines import end_with_line
from exam_kit.clock import FakeClock
from exam_kit.errors import StoreError, m
from exam_kit.journal.access_log import AccessAction, AccessLog
from exam_kit.point import Point
from exam_kit.store import Account, Accounts, Ledger, Role, Store

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
COPY = {"bag": "/media/usb/77_0001_20260528_K1", "state": "finished"}


def order(ledger: Ledger, kind: str, body: dict[str, Any]) -> orders.Order:
    """An order as the agent finds it; the rights to give one are not what is looked at here."""
    with ledger.store.transaction() as connection:
        entry = ledger.append("order.given", {"order": kind, "body": body}, "spec")
        connection.execute(
            "INSERT INTO orders (kind, body, actor, ordered_by, why, given_at, seq) "
            "VALUES (?, json('{}'), 'spec', 'head', 'конец экзамена', ?, ?)",
            (kind, "2026-05-28T04:50:00.000000Z", entry.seq),
        )
    (made, *_earlier) = orders.recent(ledger.store, kind)
    return orders.Order(**{**made.__dict__, "body": body})


@pytest.mark.parametrize(
    ("kind", "body", "result", "action", "rooms", "said"),
    [
        (
            "archive",
            {"zones": ["corridor", "entrance"]},
            {"copies": [COPY, {**COPY, "state": "failed"}]},
            AccessAction.ARCHIVE_MADE,
            ("COR1", "ENTR"),
            "77_0001_20260528_K1",
        ),
        (
            "export_span",
            {"cameras": ["R1-1"]},
            {"folder": "/media/usb/span", "files": 3},
            AccessAction.MEMORY_EXPORTED,
            ("0001",),
            "/media/usb/span",
        ),
        (
            "import_footage",
            {"camera": "HQ-1", "folder": "/media/card"},
            {"files": 12},
            AccessAction.MEMORY_EXPORTED,
            ("7777",),
            "/media/card",
        ),
        (
            "delete_footage",
            {"deletion": 5},
            {"files": 7},
            AccessAction.OTHER,
            ("7777", "0001", "COR1", "ENTR"),
            "7",
        ),
    ],
)
def test_a_line_with_the_order_behind_it(
    ledger: Ledger, store: Store, point: Point, clock: FakeClock, kind: str, body: dict[str, Any],
    result: dict[str, Any], action: AccessAction, rooms: tuple[str, ...], said: str,
) -> None:  # fmt: skip
    accounts = Accounts(store, ledger, clock)
    accounts.create(SPECIALIST, "123456", actor="agent")
    accounts.create(HEAD, "123456", actor="agent")
    given = order(ledger, kind, body)
    end_with_line(ledger, point, clock, given, "done", result)
    (row,) = AccessLog(ledger, point, clock).rows()
    assert (row.action, row.rooms, row.order) == (action, rooms, given.id)
    assert (row.person.name, row.writer.login) == (SPECIALIST.name, "agent")
    assert said in row.text
    assert f"{HEAD.name}, {HEAD.post}: конец экзамена" in row.text
    assert not row.open
    again = orders.get(store, given.id)
    assert again is not None
    assert again.state == "done"


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("archive", {"copies": [{**COPY, "state": "failed"}]}),
        ("import_footage", {"files": 0}),
        ("verify_bag", {"files": 3}),
    ],
)
def test_what_did_nothing_has_no_line(
    ledger: Ledger, store: Store, point: Point, clock: FakeClock, kind: str, result: dict[str, Any]
) -> None:
    given = order(ledger, kind, {"zones": ["room"], "folder": "/x"})
    end_with_line(ledger, point, clock, given, "done", result)
    assert AccessLog(ledger, point, clock).rows() == []
    ended = orders.get(store, given.id)
    assert ended is not None
    assert not ended.open


def test_order_and_line_stand_or_fall_together(
    ledger: Ledger, store: Store, point: Point, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = order(ledger, "export_span", {"cameras": ["R1-1"]})

    def refuse(*_arguments: object) -> None:
        raise StoreError(m("The disk is full."))

    monkeypatch.setattr(AccessLog, "add", refuse)
    with pytest.raises(StoreError):
        end_with_line(ledger, point, clock, given, "done", {"folder": "/x", "files": 1})
    found = orders.get(store, given.id)
    assert found is not None
    assert found.open


def test_cameras_that_the_point_no_longer_has_do_not_keep_an_order_open(
    ledger: Ledger, store: Store, point: Point, clock: FakeClock
) -> None:
    given = order(ledger, "export_span", {"cameras": ["GONE-1"]})
    end_with_line(ledger, point, clock, given, "done", {"folder": "/x", "files": 1})
    assert AccessLog(ledger, point, clock).rows() == []
    found = orders.get(store, given.id)
    assert found is not None
    assert not found.open
