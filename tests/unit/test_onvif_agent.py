"""What the agent does by ONVIF: keeps the cameras' words, sets a clock on order and never in an exam, hears alarms."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from exam_kit.agent import orders
from exam_kit.agent.camera_clock import SetClocks, why_not_now
from exam_kit.agent.camera_words import CameraWords, kept_words
from exam_kit.agent.loop import Agent
from exam_kit.cctv.onvif.events import Notice
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.errors import UsageError
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessLog
from exam_kit.journal.incidents import Incidents
from exam_kit.point import Point, Secrets, read_point
from exam_kit.store import Ledger, Store
from tests.conftest import POINT_TOML
from tests.onvif_simulator import PASSWORD, USER, Simulator

Until = Callable[..., None]
SCENE = "tns1:VideoSource/GlobalSceneChange/ImagingService"


def with_onvif(url: str, *, year: int = 2036) -> str:
    """The point with an exam in `year`, its room camera asked at `url`."""
    toml = POINT_TOML.replace("2026-05-28", f"{year}-05-28")
    asked = f'url = "rtsp://127.0.0.1:9/r1"\nuser = "{USER}"\nonvif = "{url}"'
    return toml.replace('url = "rtsp://127.0.0.1:9/r1"', asked)


@pytest.fixture
def secrets(home: Home) -> Secrets:
    kept = Secrets(home, file_only=True)
    kept.set("camera:R1-1", PASSWORD)
    return kept


@pytest.fixture
def camera() -> Iterator[Simulator]:
    with Simulator(-86400, ntp=True) as running:
        yield running


@pytest.fixture
def agent(home: Home, secrets: Secrets, camera: Simulator) -> Iterator[Agent]:
    home.point_file.write_text(with_onvif(camera.url), encoding="utf-8")
    made = Agent(home, plan_beat_s=1)
    made.secrets = made.duties.secrets = secrets
    made.words = CameraWords(made.point, home, made.ledger, secrets, made.clock)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def obeyed(agent: Agent, until: Until, **body: object) -> orders.Order:
    number = orders.give(
        agent.ledger, "camera_clock", body, actor="terminal:tester", ordered_by="head", why="a day behind"
    )

    def is_over() -> bool:
        found = orders.get(agent.store, number)
        return found is not None and not found.open

    until(is_over, 30)
    found = orders.get(agent.store, number)
    assert found is not None
    return found


def test_a_clock_a_day_off_is_known_and_set_on_order(agent: Agent, camera: Simulator, until: Until) -> None:
    until(lambda: kept_words(agent.home, "R1-1"), 30)
    words = kept_words(agent.home, "R1-1")
    assert words is not None
    assert (words.maker, words.model, words.by_ntp) == ("Simulated & Co", "SIM-2", True)
    assert words.offset_s == pytest.approx(-86400, abs=1)

    order = obeyed(agent, until, cameras=["R1-1", "HQ-1"])
    assert order.state == "done"
    assert abs(camera.skew_s) < 1
    assert abs(order.result["set"]["R1-1"]["after"]["offset_s"]) < 1
    assert "ONVIF" in order.result["not_set"]["HQ-1"]
    words = kept_words(agent.home, "R1-1")
    assert words is not None
    assert words.offset_s is not None
    assert abs(words.offset_s) < 1
    assert words.model == "SIM-2"

    kinds = [entry.kind for entry in agent.ledger.entries()]
    assert kinds.index("order.given") < kinds.index("camera.clock_to_set") < kinds.index("camera.clock_set")
    (row,) = [one for one in AccessLog(agent.ledger, agent.point).rows() if one.action is AccessAction.CLOCK_SET]
    assert row.order == order.id
    told = re.search(r"было (-?\d+\.\d)", row.text)
    assert told is not None
    assert float(told[1]) == pytest.approx(-86400, abs=1)
    assert "head" in row.text
    assert "a day behind" in row.text


def test_what_was_to_be_done_is_in_the_ledger_although_the_camera_never_confirmed(
    agent: Agent, camera: Simulator, until: Until
) -> None:
    camera.instead["SetSystemDateAndTime"] = lambda request: request.connection.close()
    order = obeyed(agent, until, cameras=["R1-1"])
    assert order.state == "failed"
    entries = [entry for entry in agent.ledger.entries() if entry.kind.startswith("camera.clock")]
    assert [entry.kind for entry in entries] == ["camera.clock_to_set", "camera.clock_set"]
    assert "error" in entries[1].body
    (row,) = [one for one in AccessLog(agent.ledger, agent.point).rows() if one.action is AccessAction.CLOCK_SET]
    assert row.order == order.id


def local(hour: int, minute: int = 0) -> datetime:
    """28 May, Moscow."""
    return datetime(2026, 5, 28, hour - 3, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("camera_id", "now", "recording", "because"),
    [
        ("R1-1", local(8), set(), None),
        ("R1-1", local(8, 59), set(), None),
        ("R1-1", local(9), set(), "planned recording time, which ends at 14:05"),
        ("R1-1", local(10), set(), "during an exam. Wait until it ends at 13:55"),
        ("R1-1", local(14, 4), set(), "planned recording time"),
        ("R1-1", local(14, 5), set(), None),
        ("R1-1", local(20), {"R1-1"}, "while it is recorded"),
        ("R1-1", local(20), {"ENTR-1"}, None),
        # Headquarters record before the rooms do, and nobody's clock moves while the exam is on.
        ("HQ-1", local(8), set(), "planned recording time"),
    ],
)
def test_when_a_clock_may_be_set(
    point: Point, camera_id: str, now: datetime, recording: set[str], because: str | None
) -> None:
    why = why_not_now(point, point.camera(camera_id), FakeClock(now), recording)
    assert (why is None) if because is None else (why is not None and because in str(why))


def test_no_clock_is_touched_in_an_exam(
    home: Home, store: Store, ledger: Ledger, secrets: Secrets, camera: Simulator
) -> None:
    point, clock = read_point(with_onvif(camera.url, year=2026)), FakeClock(local(10, 30))
    number = orders.give(
        ledger, "camera_clock", {"cameras": ["R1-1"]}, actor="terminal:tester", ordered_by="head", why="wrong"
    )
    order = orders.get(store, number)
    assert order is not None
    with pytest.raises(UsageError, match="during an exam"):
        SetClocks(point, home, ledger, secrets, clock, set).obey(order)
    assert camera.calls == []
    assert not [entry for entry in ledger.entries() if entry.kind.startswith("camera.clock")]


def test_a_recording_that_begins_meanwhile_keeps_the_clock_as_it_is(
    home: Home, store: Store, ledger: Ledger, secrets: Secrets, camera: Simulator
) -> None:
    point = read_point(with_onvif(camera.url))
    number = orders.give(
        ledger, "camera_clock", {"cameras": ["R1-1"]}, actor="terminal:tester", ordered_by="head", why="wrong"
    )
    order = orders.get(store, number)
    assert order is not None
    told = iter([set(), {"R1-1"}])
    with pytest.raises(UsageError, match="while it is recorded"):
        SetClocks(point, home, ledger, secrets, SystemClock(), lambda: next(told)).obey(order)
    assert "SetSystemDateAndTime" not in camera.calls
    assert camera.skew_s == -86400


def test_a_zone_that_made_up_for_a_wrong_time_is_set_with_it(
    home: Home, store: Store, ledger: Ledger, secrets: Secrets
) -> None:
    """Greenwich's zone with Moscow's time: the picture is right, and must not become wrong by the setting."""
    with Simulator(3 * 3600, zone="UTC0") as camera:
        point = read_point(with_onvif(camera.url))
        number = orders.give(
            ledger, "camera_clock", {"cameras": ["R1-1"]}, actor="terminal:tester", ordered_by="head", why="UTC"
        )
        order = orders.get(store, number)
        assert order is not None
        done = SetClocks(point, home, ledger, secrets, SystemClock(), set).obey(order)
        assert abs(camera.skew_s) < 2
        assert camera.zone == "MSK-3"
    assert abs(done["set"]["R1-1"]["after"]["worst_s"]) < 2


@pytest.mark.parametrize("recorded", [True, False])
def test_tampering_is_journaled_and_while_recording_it_is_an_incident(
    home: Home, ledger: Ledger, clock: FakeClock, secrets: Secrets, camera: Simulator, until: Until, recorded: bool
) -> None:
    point = read_point(with_onvif(camera.url))
    recording = {"R1-1"} if recorded else set()
    words = CameraWords(point, home, ledger, secrets, SystemClock())
    words.start()

    def told() -> list[bool]:
        words.tick(recording)
        return [bool(entry.body["on"]) for entry in ledger.entries() if entry.kind == "camera.tampered"]

    try:
        until(lambda: camera.subscriptions, 20)
        camera.happen("tns1:Device/Trigger/DigitalInput", True)
        camera.happen(SCENE, True)
        until(lambda: told() == [True], 20)
        sheets = Incidents(ledger, point, SystemClock())
        assert [sheet.camera for sheet in sheets.all()] == (["R1-1"] if recorded else [])
        words._told = {key: (on, at - 60) for key, (on, at) in words._told.items()}
        camera.happen(SCENE, False)
        until(lambda: told() == [True, False], 20)
        assert all(sheet.restored_at is not None for sheet in sheets.all())
    finally:
        words.close()


def test_an_alarm_that_lasts_when_the_recording_begins_is_an_incident_then(
    point: Point, home: Home, ledger: Ledger, clock: FakeClock, secrets: Secrets
) -> None:
    words = CameraWords(point, home, ledger, secrets, clock)
    words._heard.put(("R1-1", Notice(SCENE, "", True, None)))
    words.tick(set())
    assert Incidents(ledger, point, clock).all() == []
    words.tick({"R1-1"})
    (sheet,) = Incidents(ledger, point, clock).all()
    assert (sheet.camera, sheet.restored_at) == ("R1-1", None)
    head = ledger.head().seq
    words.tick({"R1-1"})
    assert ledger.head().seq == head
    clock.advance(60)
    words._heard.put(("R1-1", Notice(SCENE, "", False, None)))
    words.tick({"R1-1"})
    assert Incidents(ledger, point, clock).all()[0].restored_at is not None


def test_an_alarm_that_flickers_is_written_once_in_a_while(
    point: Point, home: Home, ledger: Ledger, clock: FakeClock, secrets: Secrets
) -> None:
    words = CameraWords(point, home, ledger, secrets, clock)
    for second in range(20):
        words._heard.put(("R1-1", Notice(SCENE, "", second % 2 == 0, None)))
        words.tick(set())
        clock.advance(1)
    # Twenty changes in twenty seconds: at once, then the state it is in after ten quiet seconds each.
    assert len([entry for entry in ledger.entries() if entry.kind == "camera.tampered"]) == 2


def test_an_alarm_that_ended_while_no_agent_ran_is_noted_as_over(
    point: Point, home: Home, ledger: Ledger, clock: FakeClock, secrets: Secrets
) -> None:
    def heard(words: CameraWords, on: bool) -> None:
        words._heard.put(("R1-1", Notice(SCENE, "", on, None)))
        words.tick({"R1-1"})

    heard(CameraWords(point, home, ledger, secrets, clock), True)
    sheets = Incidents(ledger, point, clock)
    assert [sheet.restored_at for sheet in sheets.all()] == [None]
    # A new subscription begins with the state as it is.
    heard(CameraWords(point, home, ledger, secrets, clock), False)
    assert [sheet.restored_at is not None for sheet in sheets.all()] == [True]


def test_a_refused_sign_in_is_said_once_and_the_right_password_is_tried_at_once(
    home: Home, ledger: Ledger, secrets: Secrets, camera: Simulator, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exam_kit.agent.camera_words.LOOK_S", 0.05)
    secrets.set("camera:R1-1", "not-this-one")
    point = read_point(with_onvif(camera.url))
    words = CameraWords(point, home, ledger, secrets, SystemClock())
    words.start()

    def problem() -> str:
        kept = kept_words(home, "R1-1")
        return str(kept.problem) if kept and kept.problem else ""

    try:
        until(problem, 20)
        assert "refuses the sign-in" in problem()
        assert camera.calls.count("GetDeviceInformation") == 1
        for file in home.run.rglob("*.json"):
            assert "not-this-one" not in file.read_text(encoding="utf-8")
        secrets.set("camera:R1-1", PASSWORD)
        until(lambda: not problem(), 20)
        kept = kept_words(home, "R1-1")
        assert kept is not None
        assert kept.model == "SIM-2"
    finally:
        words.close()


def test_a_camera_that_answers_at_once_is_not_asked_without_a_pause(
    home: Home, ledger: Ledger, secrets: Secrets, camera: Simulator, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exam_kit.agent.camera_words.PULL_LEAST_S", 60.0)
    for topic in range(50):
        camera.happen(f"tns1:Device/{topic}", True)
    monkeypatch.setattr("exam_kit.agent.camera_words.PULL_S", 0.0)
    words = CameraWords(read_point(with_onvif(camera.url)), home, ledger, secrets, SystemClock())
    words.start()
    try:
        until(lambda: "Renew" in camera.calls, 20)
        camera.happen("tns1:Device/more", True)  # would be pulled at once
        time.sleep(0.5)
        assert camera.calls.count("PullMessages") == 1
    finally:
        words.close()


def test_words_that_cannot_be_read_are_no_words(home: Home) -> None:
    assert kept_words(home, "R1-1") is None
    (home.run / "onvif").mkdir()
    (home.run / "onvif" / "R1-1.json").write_text('{"asked_at": "soon"}', encoding="utf-8")
    assert kept_words(home, "R1-1") is None


def test_a_fault_of_ours_is_told_beside_the_older_words(
    home: Home, ledger: Ledger, secrets: Secrets, camera: Simulator, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a camera said before must not go on looking like what it says now."""

    def broken(_client: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("exam_kit.agent.camera_words.information", broken)
    words = CameraWords(read_point(with_onvif(camera.url)), home, ledger, secrets, SystemClock())
    words.start()

    def problem(language: str = "en") -> str:
        kept = kept_words(home, "R1-1")
        return kept.problem.text(language) if kept and kept.problem else ""

    try:
        until(problem, 20)
        assert "fault of the program" in problem()
        assert len({problem(language) for language in ("ru", "en", "lv")}) == 3
    finally:
        words.close()
