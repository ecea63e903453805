"""An order of several copies whose agent dies or ends on the way: every copy is made once, and told as it is."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exam_kit.agent import orders
from exam_kit.agent.loop import Agent
from exam_kit.archive import verify_bag
from exam_kit.archive.sink import CopyTask, FolderSink, Proof
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from tests.archive_day import DAY, record
from tests.conftest import POINT_TOML

ROOT = Path(__file__).parents[2]
Until = Callable[..., None]


@pytest.fixture
def sticks(home: Home, tmp_path: Path) -> list[Path]:
    """A recorded day, and two drives for it."""
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    store = open_store(home)
    record(store, Ledger(store, home), home)
    store.close()
    made = [tmp_path / name for name in ("one", "two")]
    for stick in made:
        stick.mkdir()
    return made


def give(home: Home, sticks: list[Path]) -> int:
    store = open_store(home)
    body = {"day": str(DAY), "zones": ["corridor", "entrance"], "destinations": [str(stick) for stick in sticks]}
    number = orders.give(Ledger(store, home), "archive", body, actor="terminal:tech", ordered_by="head", why="test")
    store.close()
    return number


@contextmanager
def an_agent(home: Home) -> Iterator[Agent]:
    agent = Agent(home, plan_beat_s=60)
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        yield agent
    finally:
        agent.stop()
        thread.join(30)
        assert not thread.is_alive()


def order_of(agent: Agent, number: int) -> orders.Order:
    found = orders.get(agent.store, number)
    assert found is not None
    return found


def finished(agent: Agent) -> list[dict[str, Any]]:
    return [dict(entry.body) for entry in agent.ledger.entries(["archive.finished"])]


def the_two(agent: Agent, order: orders.Order, sticks: list[Path]) -> None:
    """One whole bag on each stick, named by the ledger once, and told by the order."""
    assert order.state == "done", order.result
    assert sorted(body["destination"] for body in finished(agent)) == [1, 2]
    assert [copy["state"] for copy in order.result["copies"]] == ["finished", "finished"]
    for stick, copy in zip(sticks, order.result["copies"], strict=True):
        (bag,) = stick.iterdir()
        assert (copy["bag"], copy["files"], copy["destination"]) == (str(bag), 6, str(stick))
        assert verify_bag(bag).bag_hash == copy["bag_hash"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize(("point", "had"), [("before-end", 2), ("one-finished", 1)])
def test_killed_after_a_copy_was_finished(home: Home, sticks: list[Path], until: Until, point: str, had: int) -> None:
    number = give(home, sticks)
    child = subprocess.run(
        [sys.executable, "-m", "tests.agent_child", str(home.root), point], cwd=ROOT, timeout=90, check=False
    )
    assert child.returncode == -signal.SIGKILL
    store = open_store(home)
    before = [entry.seq for entry in Ledger(store, home).entries(["archive.finished"])]
    assert len(before) == had
    store.close()
    with an_agent(home) as agent:
        until(lambda: not order_of(agent, number).open, 60)
        order = order_of(agent, number)
        the_two(agent, order, sticks)
        assert {str(copy["said"]["en"]["deficiencies"]) for copy in order.result["copies"]} != {"[]"}
        assert all(copy["read_back_bytes"] > 0 for copy in order.result["copies"])


def test_an_agent_that_ends_goes_on_with_the_copy_that_was_not_finished(
    home: Home, sticks: list[Path], until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = give(home, sticks)
    really = FolderSink.prove

    def slow(sink: FolderSink, task: CopyTask, stopped: Callable[[], bool] = lambda: False, xxh3: str = "") -> Proof:
        while sink.root.parent == sticks[1] and not stopped():
            time.sleep(0.01)
        return really(sink, task, stopped, xxh3)

    monkeypatch.setattr(FolderSink, "prove", slow)

    def first_has_all(agent: Agent) -> bool:
        told = order_of(agent, number).progress.get("to", [])
        return bool(told) and told[0]["done_files"] == told[0]["files"] > 0

    with an_agent(home) as agent:
        until(lambda: first_has_all(agent), 60)
        agent.stop()
    monkeypatch.undo()
    store = open_store(home)
    left = orders.get(store, number)
    assert left is not None and left.open and left.result == {}
    assert [entry.body["destination"] for entry in Ledger(store, home).entries(["archive.finished"])] == [1]
    store.close()
    with an_agent(home) as agent:
        until(lambda: not order_of(agent, number).open, 60)
        the_two(agent, order_of(agent, number), sticks)


def test_what_a_person_cancelled_stays_so_although_the_agent_died(home: Home, sticks: list[Path], until: Until) -> None:
    number = give(home, sticks)
    store = open_store(home)
    ledger = Ledger(store, home)
    with store.transaction() as connection:
        connection.execute("UPDATE orders SET state = 'taken' WHERE id = ?", (number,))
    by = orders.give(ledger, "cancel", {"order": number}, actor="terminal:tech", ordered_by="tech", why="")
    order = orders.get(store, by)
    assert order is not None
    orders.end(ledger, order, "done", {})
    store.close()
    with an_agent(home) as agent:
        until(lambda: not order_of(agent, number).open, 60)
        ended = order_of(agent, number)
        assert ended.state == "cancelled" and finished(agent) == []
        assert [copy["state"] for copy in ended.result["copies"]] == ["cancelled", "cancelled"]
