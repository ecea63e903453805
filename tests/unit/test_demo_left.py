"""From the demo to one's own point, as the README tells it: copy `point.toml` into the same home and start again."""

from __future__ import annotations

import pytest

from exam_kit.agent.demo_left import leave_demo
from exam_kit.agent.demo_point import LEISURELY, is_demo, make_accounts, write_point
from exam_kit.agent.status import AgentLock
from exam_kit.clock import FakeClock
from exam_kit.errors import AlreadyRunning, UsageError
from exam_kit.home import Home
from exam_kit.store import Accounts, Ledger, open_store
from exam_kit.web.signin import demo_accounts
from tests.conftest import POINT_TOML


@pytest.fixture
def demo(home: Home, clock: FakeClock) -> Home:
    write_point(home, clock, 8000, LEISURELY)
    store = open_store(home)
    make_accounts(home, store, Ledger(store, home, clock))
    store.close()
    return home


def test_the_demo_never_writes_over_a_point_put_in_its_place(demo: Home, clock: FakeClock) -> None:
    assert is_demo(demo) and demo_accounts(demo)
    demo.point_file.write_text(POINT_TOML, encoding="utf-8")
    assert not is_demo(demo)
    assert demo_accounts(demo) == []  # their PINs open nothing of a real point
    with pytest.raises(UsageError):
        write_point(demo, clock, 8000, LEISURELY)
    assert demo.point_file.read_text(encoding="utf-8") == POINT_TOML


def test_the_demos_data_is_set_aside_for_the_real_point(demo: Home, clock: FakeClock) -> None:
    assert leave_demo(demo, clock) is None  # nobody has put anything in its place
    demo.point_file.write_text(POINT_TOML, encoding="utf-8")
    demo.secrets.write_text("{}", encoding="utf-8")
    aside = leave_demo(demo, clock)
    assert aside is not None
    assert (aside / "demo.json").exists() and (aside / "store" / "exam-kit.db").exists()
    assert demo.secrets.exists() and demo.point_file.read_text(encoding="utf-8") == POINT_TOML
    store = open_store(demo)
    assert Accounts(store, Ledger(store, demo, clock)).all() == []
    store.close()
    assert leave_demo(demo, clock) is None


def test_a_demo_that_still_runs_is_not_pulled_away_from_under_it(demo: Home, clock: FakeClock) -> None:
    demo.point_file.write_text(POINT_TOML, encoding="utf-8")
    with AgentLock(demo, "supervisor"), pytest.raises(AlreadyRunning):
        leave_demo(demo, clock)
    assert demo.store.exists()
