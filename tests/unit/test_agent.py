"""The agent's duties without hardware: a broken profile does not stop it, a failed blocker opens one sheet."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from exam_kit.agent import orders
from exam_kit.agent.loop import Agent
from exam_kit.agent.planner import PlannedRun
from exam_kit.agent.status import AgentLock, agent_alive
from exam_kit.checks.model import Reason, State, Verdict
from exam_kit.checks.report import cancelled_by
from exam_kit.checks.results import get_run
from exam_kit.clock import SystemClock, iso
from exam_kit.errors import AlreadyRunning
from exam_kit.home import Home
from exam_kit.journal.incidents import Incidents
from exam_kit.point import read_point
from exam_kit.store import Account, Accounts, Role
from tests.conftest import POINT_TOML

Until = Callable[..., None]


@pytest.fixture
def agent(home: Home) -> Iterator[Agent]:
    home.point_file.write_text(POINT_TOML.replace("2026-05-28", "2036-05-28"), encoding="utf-8")
    made = Agent(home, plan_beat_s=1)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def order(agent: Agent, kind: str, **body: object) -> int:
    return orders.give(agent.ledger, kind, body, actor="terminal:tester", ordered_by="head", why="test")


def ended(agent: Agent, number: int, until: Until) -> orders.Order:
    def is_over() -> bool:
        found = orders.get(agent.store, number)
        return found is not None and not found.open

    until(is_over, 90)
    found = orders.get(agent.store, number)
    assert found is not None
    return found


def test_the_agent_says_it_lives_and_only_one_may(agent: Agent, until: Until) -> None:
    until(lambda: agent_alive(agent.home))
    with pytest.raises(AlreadyRunning), AgentLock(agent.home):
        pass


def test_dead_cameras_fail_the_check_and_open_one_sheet_each(agent: Agent, until: Until) -> None:
    first = ended(agent, order(agent, "check", only=None), until)
    assert (first.state, first.result["verdict"]) == ("done", "not_ready")
    sheets = Incidents(agent.ledger, agent.point)
    until(lambda: len(sheets.all()) >= 4)
    opened = {sheet.camera for sheet in sheets.all()}
    assert opened >= {camera.id for camera in agent.point.cameras}
    count = len(sheets.all())
    assert ended(agent, order(agent, "check", only=None), until).state == "done"
    until(lambda: not agent.duties.finished_runs)
    assert len(sheets.all()) == count


def test_a_profile_with_mistakes_fails_the_check_in_words_and_stops_nothing_else(agent: Agent, until: Until) -> None:
    agent.home.profiles.mkdir(exist_ok=True)
    (agent.home.profiles / "demo.toml").write_text('season = "x"\n', encoding="utf-8")
    failed = ended(agent, order(agent, "check", only=None), until)
    assert failed.state == "failed"
    assert "demo.toml" in failed.result["error"]
    until(lambda: [sheet.category for sheet in Incidents(agent.ledger, agent.point).all()] == ["check_missed"])
    assert agent_alive(agent.home)


def test_a_check_run_at_a_wrong_time_opens_a_sheet_that_is_taken_back(agent: Agent) -> None:
    due = agent.clock.now()
    began = due - timedelta(minutes=90)
    run = PlannedRun("check:x", "check", "2026-05-28", due, due + timedelta(hours=1), began)
    agent.watch.check_missed(run)
    (sheet,) = Incidents(agent.ledger, agent.point).all()
    assert (sheet.category, sheet.restored_at) == ("check_missed", None)
    assert f"{began.astimezone(agent.point.tz):%d.%m.%Y %H:%M}" in sheet.description
    assert list(agent.ledger.entries(["plan.missed"]))[-1].body["began"] == iso(began)
    agent.watch.check_served(run.id)
    (sheet,) = Incidents(agent.ledger, agent.point).all()
    assert sheet.restored_at is not None


def test_an_archive_of_a_day_without_an_exam_is_refused_in_words(agent: Agent, until: Until) -> None:
    failed = ended(agent, order(agent, "archive", day="2020-01-01", zones=["corridor"], destination="/nowhere"), until)
    assert failed.state == "failed"
    assert "2020-01-01" in failed.result["error"]


def open_checks(agent: Agent, number: int) -> range:
    """One for each check of the order's run that has no answer yet."""
    found = orders.get(agent.store, number)
    assert found is not None
    return range(found.progress.get("done", 0), found.progress.get("total", 0))


SLOW = """from exam_kit.checks import At, Fact, check


@check(
    "slow",
    severity="major",
    fail=[{"of": "done", "is": False}],
    readings={"done": ("", "done")},
    timeout_s=25,
    title={"ru": "Долгая", "en": "Slow", "lv": "Ilga"},
    fix={"ru": "Ждать.", "en": "Wait.", "lv": "Gaidīt."},
)
def slow(at: At) -> Fact:
    return Fact({"done": at.command("sh", "-c", "touch %s; sleep 600.25").answer() == ""})
"""


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_a_check_that_runs_is_cancelled_its_programs_killed_and_nothing_of_it_is_green(
    agent: Agent, until: Until, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    for number in range(2):
        own = agent.home.root / "checks" / f"slow{number}.py"
        own.parent.mkdir(exist_ok=True)
        own.write_text((SLOW % begun).replace('"slow"', f'"slow-{number}"'), encoding="utf-8")
    number = order(agent, "check", only=None)
    until(begun.exists)
    # Whatever else there is has answered: nothing but the two holds the run up.
    until(lambda: len(open_checks(agent, number)) == 2)
    orders.give(agent.ledger, "cancel", {"order": number}, actor="terminal:petrova", ordered_by="petrova", why="test")
    done = ended(agent, number, until)
    assert (done.state, done.result["by"]) == ("cancelled", "terminal:petrova")
    run = get_run(agent.store, done.result["run"])
    assert cancelled_by(run) == "terminal:petrova"
    slow = [result for result in run.results if result.check.startswith("slow-")]
    assert [(one.state, one.fact.reason) for one in slow] == [(State.UNKNOWN, Reason.NOT_RUN)] * 2
    assert run.verdict is not None
    assert run.verdict is not Verdict.READY
    until(lambda: not [one for one in psutil.Process().children(recursive=True) if "600.25" in " ".join(one.cmdline())])
    assert list(agent.ledger.entries(["check.finished"]))[-1].body["cancelled_by"] == "terminal:petrova"


def test_an_order_nobody_took_can_be_cancelled(agent: Agent, until: Until) -> None:
    done = ended(agent, order(agent, "cancel", order=999), until)
    assert done.state == "done"


def test_recording_on_an_order_writes_the_log_row_on_behalf_of_who_gave_it(agent: Agent, until: Until) -> None:
    accounts = Accounts(agent.store, agent.ledger)
    accounts.create(
        Account("head", "Руководитель", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru"), "123456", actor="agent"
    )
    account = Account("spec", "Специалист", Role.SPECIALIST, "технический специалист", "ru")
    accounts.create(account, "123456", actor="agent")
    number = orders.give(agent.ledger, "record", {"cameras": ["R1-1"]}, actor="spec", ordered_by="head", why="проба")
    assert ended(agent, number, until).state == "done"
    (entry,) = agent.ledger.entries(["access.row"])
    assert entry.body["person"]["name"] == "Специалист"
    assert "Руководитель" in entry.body["text"]
    until(lambda: next(iter(agent.ledger.entries(["recording.started"])), None))
    until(lambda: Incidents(agent.ledger, agent.point).find_open("camera:R1-1"), 40)


def test_a_point_file_read_by_the_agent_is_the_one_in_the_home(agent: Agent) -> None:
    assert agent.point == read_point(agent.home.point_file.read_text(encoding="utf-8"))
    assert agent.clock.now() <= SystemClock().now()
