"""Orders and windows at random: what records, what the ledger says of it and what was ordered agree at every step."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exam_kit.agent import orders, planner
from exam_kit.agent.underway import Underway
from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.status import Desired
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets, camera_windows, read_point
from exam_kit.store import Ledger, Store, open_store
from tests.conftest import POINT_TOML

CAMERAS = ("HQ-1", "R1-1", "COR1-1")
BEGIN = datetime(2026, 5, 28, 3, 30, tzinfo=UTC)

steps = st.lists(
    st.tuples(
        st.sampled_from(("nothing", "nothing", "record", "stop", "restart")),
        st.sets(st.sampled_from(CAMERAS), min_size=1),
        st.integers(1, 150),
    ),
    min_size=1,
    max_size=12,
)


class Hand:
    """In the workers' place: notes how the ledger stood when it was told to act."""

    pids: tuple[int, ...] = ()

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.acts: list[tuple[str, str, int]] = []

    def start(self, order: Any) -> None:
        self.acts.append(("started", order.source.camera, self._ledger.head().seq))

    def stop(self, camera: str, _reason: str) -> None:
        self.acts.append(("stopped", camera, self._ledger.head().seq))

    def watch(self) -> None:
        return

    def end(self, _reason: str, _wait_s: float) -> None:
        return


def expected(point: Point, store: Store, now: datetime) -> set[str]:
    """Which cameras should record, told apart from the product's own way: the last order, else the window."""
    found = set()
    for camera in point.cameras:
        last = next((o for o in orders.recent(store, limit=1000) if camera.id in o.body["cameras"]), None)
        opened = [w for w in camera_windows(point, camera) if w.start <= now < w.end]
        if last is None:
            on = bool(opened)
        else:
            on = last.kind == "record" or any(window.start > last.given_at for window in opened)
        if on:
            found.add(camera.id)
    return found


def check_act(ledger: Ledger, point: Point, act: tuple[str, str, int], now: datetime) -> None:
    """The word for it stood in the ledger before it was done: an order, or the plan with its window."""
    what, camera, head = act
    before = [entry for entry in ledger.entries(prefix="recording.") if entry.seq <= head]
    said = [entry for entry in before if entry.body["camera"] == camera][-1]
    assert said.kind == f"recording.{what}"
    if said.body["order"] is not None:
        given = orders.get(ledger.store, said.body["order"])
        assert given is not None
        assert camera in given.body["cameras"]
        assert given.kind == ("record" if what == "started" else "stop")
        assert [e.seq for e in ledger.entries(["order.given"]) if e.seq < said.seq and e.at == given.given_at]
    elif what == "started":
        zone = point.zone_of(point.camera(camera))
        assert (said.body["ordered_by"], zone in said.body["why"]) == ("plan", True)
        assert any(window.holds(now) for window in camera_windows(point, point.camera(camera)))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_what_records_was_ordered_or_planned_and_the_ledger_said_so_first(
    told: list[tuple[str, set[str], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, clock, point = Home.at(Path(folder)), FakeClock(BEGIN), read_point(POINT_TOML)
        home.create()
        store = open_store(home)
        ledger = Ledger(store, home, clock)
        hand = Hand(ledger)

        def begin() -> tuple[Recorder, Underway]:
            made = Recorder(point, home, store, ledger, clock, Secrets(home, file_only=True))
            made._crew = made._reports._crew = hand  # type: ignore[assignment]
            made.recover()
            return made, Underway(store, point, clock)

        recorder, underway = begin()
        for act, cameras, minutes in told:
            clock.advance(1)
            if act == "restart":
                recorder.close("agent stopped")
                recorder, underway = begin()
            elif act != "nothing":
                orders.give(
                    ledger, act, {"cameras": sorted(cameras)}, actor="terminal:smirnov", ordered_by="petrova", why="w"
                )
            hand.acts.clear()
            wishes = underway.hold(planner.recording_wishes(store, point, clock.now()))
            recorder.set_desired(wishes.record, wishes.stop)
            recorder.tick()
            assert set(wishes.record) == expected(point, store, clock.now())
            for done in hand.acts:
                check_act(ledger, point, done, clock.now())
            says: dict[str, str] = {}
            for entry in ledger.entries(prefix="recording."):
                says[entry.body["camera"]] = entry.kind
            on = {camera for camera, kind in says.items() if kind == "recording.started"}
            desired = {camera for camera, seen in recorder.status().items() if seen.desired is not None}
            assert on == desired == set(wishes.record)
            clock.advance(60 * minutes)
        recorder.close("test ended")
        store.close()


def test_a_late_stop_keeps_recording_after_the_window_until_the_order(
    store: Store, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    """The head prolongs a room before its window ends; nothing but the head's word ends it."""
    window = camera_windows(point, point.camera("R1-1"))[0]
    clock.advance((window.end - clock.now()).total_seconds() - 60)
    give = {"actor": "terminal:smirnov", "ordered_by": "petrova", "why": "the exam goes on"}
    orders.give(ledger, "record", {"cameras": ["R1-1"]}, **give)
    clock.advance(timedelta(hours=2).total_seconds())
    assert planner.recording_wishes(store, point, clock.now()).record["R1-1"].ordered_by == "petrova"
    orders.give(ledger, "stop", {"cameras": ["R1-1"]}, **give)
    wishes = planner.recording_wishes(store, point, clock.now())
    assert "R1-1" not in wishes.record
    assert isinstance(wishes.stop["R1-1"], Desired)
