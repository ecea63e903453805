"""The agent's orders about copies: two destinations of which one fails, a bag verified, kept footage deleted."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exam_kit.agent import orders
from exam_kit.agent.loop import Agent
from exam_kit.archive.deletion import SignedPin, order_deletion
from exam_kit.archive.delivered import take_receipt
from exam_kit.archive.receipt import Receipt, write_receipt
from exam_kit.home import Home
from exam_kit.store import Account, Accounts, Ledger, Role, open_store
from exam_kit.store.keys import SigningKey
from tests.archive_day import DAY, KEEP, record
from tests.conftest import POINT_TOML

Until = Callable[..., None]


@pytest.fixture
def agent(home: Home, tmp_path: Path) -> Iterator[Agent]:
    region = SigningKey.load_or_create(tmp_path / "region")
    (home.keys / "region.pub").write_bytes(region.public.pem())
    text = POINT_TOML + '[region_centre]\nkey = "keys/region.pub"\n'
    home.point_file.write_text(text, encoding="utf-8")
    store = open_store(home)
    record(store, Ledger(store, home), home)
    store.close()
    made = Agent(home, plan_beat_s=60)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def served(agent: Agent, until: Until, kind: str, **body: Any) -> orders.Order:
    number = orders.give(agent.ledger, kind, body, actor="terminal:tester", ordered_by="head", why="test")
    until(lambda: not _get(agent, number).open, 90)
    return _get(agent, number)


def _get(agent: Agent, number: int) -> orders.Order:
    found = orders.get(agent.store, number)
    assert found is not None
    return found


def test_from_two_copies_to_the_deletion_by_two(agent: Agent, until: Until, tmp_path: Path) -> None:
    stick, gone = tmp_path / "stick", tmp_path / "not-plugged-in"
    stick.mkdir()
    made = served(agent, until, "archive", day=str(DAY), zones=["corridor"], destinations=[str(stick), str(gone)])
    assert (made.state, [one["state"] for one in made.result["copies"]]) == ("done", ["finished", "failed"])
    assert str(gone) in made.result["copies"][1]["said"]["en"]["error"]
    bag = Path(made.result["bag"])
    assert bag.parent == stick and made.result["files"] == 3

    whole = served(agent, until, "verify_bag", path=str(bag))
    assert (whole.state, whole.result["outcome"], whole.result["signature"]) == ("done", "whole", "valid")
    assert set(whole.result["text"]) == {"ru", "en", "lv"}
    next(bag.rglob("*.mp4")).write_bytes(b"changed")
    changed = served(agent, until, "verify_bag", path=str(bag))
    assert (changed.state, changed.result["outcome"]) == ("done", "changed")

    accounts, region = Accounts(agent.store, agent.ledger), SigningKey.load_or_create(tmp_path / "region")
    for login, pin in (("anna", "135790"), ("boris", "246801")):
        accounts.create(Account(login, f"Имя {login}", Role.REGIONAL_ADMIN, "РЦОИ", "ru"), pin, actor="agent")
    receipt = Receipt(
        "77", "0001", DAY, bag.name, made.result["bag_hash"], 1, agent.clock.now(), "taken", 3, 1, 3.0, 3.0, 9.0
    )
    take_receipt(agent.ledger, agent.home, agent.point, write_receipt(region, receipt), "tech")
    two = SignedPin("anna", "135790"), SignedPin("boris", "246801")
    ordered = order_deletion(
        agent.ledger, agent.home, accounts, KEEP, DAY, dt.date(2030, 1, 1), two, "срок истёк", "12"
    )
    kept = served(agent, until, "delete_footage", deletion=ordered.seq)
    today = agent.clock.now().date()
    if today <= KEEP.until(DAY):  # the agent goes by its own clock, whoever ordered
        assert (kept.result["files"], kept.result["left"]) == (0, 3)
        assert "the date is not past" in kept.result["why_left"]["en"]
    else:
        assert (kept.result["files"], kept.result["left"]) == (3, 0)
    refused = served(agent, until, "delete_footage", deletion=ordered.seq)
    assert refused.state == "failed"


def test_single_cameras_and_a_span_are_chosen(agent: Agent, until: Until, tmp_path: Path) -> None:
    body = {"day": str(DAY), "zones": [], "destination": str(tmp_path)}
    one = served(
        agent,
        until,
        "archive",
        **body,
        cameras=["ENTR-1"],
        **{"from": "2026-05-28T05:00:30.000Z"},
        to="2026-05-28T05:01:00.000Z",
    )
    assert one.state == "done", one.result
    assert [path.name.split("_")[4] for path in Path(one.result["bag"]).rglob("*.mp4")] == ["ENTR-1"]
    refused = served(agent, until, "archive", **body, cameras=["NONE-1"])
    assert refused.state == "failed" and "NONE-1" in refused.result["error"]


def test_of_an_order_of_which_no_copy_could_be_made_each_is_told_for_itself(
    agent: Agent, until: Until, tmp_path: Path
) -> None:
    gone, footage = tmp_path / "not-plugged-in", agent.home.footage
    ended = served(agent, until, "archive", day=str(DAY), zones=["corridor"], destinations=[str(gone), str(footage)])
    assert (ended.state, [one["state"] for one in ended.result["copies"]]) == ("failed", ["failed", "failed"])
    said = [one["said"]["en"]["error"] for one in ended.result["copies"]]
    assert "there is no such folder" in said[0] and "own footage" in said[1]
    assert "такой папки нет" in ended.result["error"] and str(footage) in ended.result["error"]
    for place, other in ((gone, footage), (footage, gone)):
        until(lambda place=place: agent.watch._incidents.find_open(f"archive:{DAY}:{place}") is not None, 30)
        sheet = agent.watch._incidents.find_open(f"archive:{DAY}:{place}")
        assert sheet is not None and str(place) in sheet.description and str(other) not in sheet.description
