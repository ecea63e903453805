"""Clock and channel, against real little servers on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from exam_kit.checks import CheckContext, Reason, State
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Ledger, Store
from tests.checks_servers import time_server
from tests.checks_world import World


@pytest.fixture
def world(tmp_path: Path, point: Point, home: Home, store: Store, clock: FakeClock) -> World:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return World(tmp_path / "machine", context)


# --- clock ------------------------------------------------------------------------------------------------------------

OFFSET_RULES = 'expect.fail = [{ of = "offset", above = 60 }]\nexpect.warn = [{ of = "offset", above = 5 }]'


def _unsynchronised(answer: bytearray) -> bytes:
    answer[0] |= 0xC0
    return bytes(answer)


def _foreign(answer: bytearray) -> bytes:
    answer[24:32] = b"another!"
    return bytes(answer)


@pytest.mark.parametrize(
    ("off_s", "spoil", "state", "reason"),
    [
        (0, bytes, State.OK, None),
        (12, bytes, State.WARN, None),
        (-12, bytes, State.WARN, None),
        (-3600, bytes, State.FAIL, None),
        (0, lambda _answer: b"", State.UNKNOWN, Reason.TIMEOUT),
        (0, lambda _answer: b"HTTP/1.1 400", State.UNKNOWN, Reason.ERROR),
        (0, _unsynchronised, State.UNKNOWN, Reason.ERROR),
        (0, _foreign, State.UNKNOWN, Reason.ERROR),
    ],
)
def test_clock_offset(
    world: World, off_s: float, spoil: Callable[[bytearray], bytes], state: State, reason: Reason | None
) -> None:
    with time_server(off_s, spoil) as server:
        result = world.check("clock.offset", OFFSET_RULES, f'{{ servers = ["{server}"] }}', timeout_s=0.8)
    assert (result.state, result.fact.reason) == (state, reason)
    if state is not State.UNKNOWN:
        assert abs(result.fact.evidence["offset_s"] - off_s) < 1


def test_one_good_time_server_is_enough(world: World) -> None:
    with time_server(0) as good:
        servers = json.dumps([good, "no-such-host.invalid", "127.0.0.1:9"])
        assert world.check("clock.offset", OFFSET_RULES, f"{{ servers = {servers} }}", timeout_s=3).state is State.OK


def test_clock_offset_without_a_network(world: World) -> None:
    result = world.check("clock.offset", OFFSET_RULES, '{ servers = ["no-such-host.invalid"] }', timeout_s=2)
    assert result.state is State.UNKNOWN


@pytest.mark.parametrize(("zone", "state"), [("Europe/Moscow", State.OK), ("Asia/Yekaterinburg", State.FAIL)])
def test_clock_zone(world: World, zone: str, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert world.check("clock.zone", 'expect.fail = [{ of = "difference", above = 0 }]').state is state
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("step_s", "state"), [(10, State.OK), (-20, State.WARN), (-7200, State.FAIL)])
def test_clock_set_back(world: World, ledger: Ledger, clock: FakeClock, step_s: float, state: State) -> None:
    ledger.append("agent.started", {}, "agent")
    clock.step(step_s)
    rules = 'expect.fail = [{ of = "behind", above = 60 }]\nexpect.warn = [{ of = "behind", above = 5 }]'
    assert world.check("clock.forward", rules).state is state


# --- network ----------------------------------------------------------------------------------------------------------

CHANNEL_RULES = (
    'expect.fail = [{ of = "reached", is_not = "answer" }]\n'
    'expect.warn = [{ of = "took", above = 0.25 }, { of = "status", above = 499 }]'
)


@contextmanager
def portal(answer: bytes, delay_s: float = 0.0) -> Iterator[str]:
    """A real server on loopback that answers with these bytes; with none it stays silent."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _asker = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(line,), daemon=True).start()

    def talk(line: socket.socket) -> None:
        with closing(line):
            if not line.recv(2048):
                return
            done.wait(delay_s if answer else 30)
            line.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        done.set()
        listener.close()


@pytest.mark.parametrize(
    ("answer", "delay_s", "state", "reached"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, State.OK, "answer"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 0, State.OK, "answer"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 0, State.WARN, "answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0.3, State.WARN, "answer"),
        (b"\x00\x01 not HTTP at all\r\n\r\n", 0, State.FAIL, "connection"),
        (b"", 0, State.FAIL, "connection"),
    ],
)
def test_channel(world: World, answer: bytes, delay_s: float, state: State, reached: str) -> None:
    with portal(answer, delay_s) as url:
        result = world.check("network.channel", CHANNEL_RULES, f'{{ url = "{url}" }}', timeout_s=1 if not answer else 5)
    assert (result.state, result.fact.values["reached"]) == (state, reached)


@pytest.mark.parametrize(
    ("url", "reached"),
    [("http://127.0.0.1:9/", "name"), ("http://no-such-host.invalid/", "nothing"), ("https://127.0.0.1:9/", "name")],
)
def test_channel_that_is_not_there(world: World, url: str, reached: str) -> None:
    result = world.check("network.channel", CHANNEL_RULES, f'{{ url = "{url}" }}')
    assert (result.state, result.fact.values["reached"]) == (State.FAIL, reached)


def test_an_address_that_is_none(world: World) -> None:
    assert world.check("network.channel", CHANNEL_RULES, '{ url = "http://x:port/" }').state is State.UNKNOWN


def test_the_camera_network_of_a_point_without_cameras(world: World) -> None:
    world.context = world.context._replace(point=world.context.point.model_copy(update={"cameras": ()}))
    result = world.check("network.channel", CHANNEL_RULES, '{ url = "cameras" }')
    assert (result.state, result.fact.reason) == (State.SKIP, Reason.NO_CAMERAS)
