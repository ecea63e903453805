"""Every probe under everything that can happen to it; a new probe without a row in `tests.matrix` fails here."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from exam_kit.checks import (
    CheckContext,
    Reason,
    State,
    own,  # noqa: F401 - registers its probe
)
from exam_kit.checks.model import Expectation
from exam_kit.checks.registry import all_probes
from exam_kit.checks.verdicts import rejudge
from exam_kit.clock import FakeClock
from exam_kit.home import Home, kit_root
from exam_kit.point import Point, Secrets
from exam_kit.store import Store
from tests.checks_matrix import CASES, ERRORS, Case, Row, fault
from tests.checks_world import World
from tests.matrix import computer, devices, kit, programs
from tests.matrix import network as network_rows
from tests.matrix.looks import REFUSED, SEEN, SILENT_CAMERAS, by_camera, looked
from tests.matrix.setups import (
    open_servers,
    server,
)

MACHINE = {**computer.rows(), **programs.rows(), **devices.rows(), **kit.rows()}
NETWORK = ("network.channel", "network.reserve", "network.throughput", "network.tls", "network.dns",
           "network.stations", "network.closed", "printer.supplies", "clock.offset")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _close_servers() -> Iterator[None]:
    yield
    open_servers.close()


@pytest.fixture
def world(tmp_path: Path, point: Point, home: Home, store: Store, clock: FakeClock) -> World:
    context = CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)
    return World(tmp_path / "machine", context)


@pytest.fixture(scope="module")
def synthetic_camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a camera that really sends."""
    config = tmp_path_factory.mktemp("cameras") / "cameras.json"
    camera = {"id": "HQ-1", "room": "7777", "zone": "headquarters", "label": "7777"}
    settings = {"region": "77", "point": "0001", "timezone": "Europe/Moscow", "fps": 10, "width": 1280, "height": 720}
    config.write_text(json.dumps({**settings, "cameras": [camera]}), encoding="utf-8")
    argv = [sys.executable, "-m", "exam_kit.cctv.synthetic", "--cameras", str(config), "--port", "0"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=kit_root()) as sending:
        assert sending.stdout is not None
        assert sending.stdin is not None
        port = json.loads(sending.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}/cameras/HQ-1.ts"
        sending.stdin.close()
        sending.wait(20)


@pytest.fixture(scope="module")
def network() -> dict[str, Row]:
    return network_rows.rows()


def own_probes() -> set[str]:
    return {name for name, probe in all_probes().items() if probe.function.__module__.startswith("exam_kit.")}


def test_every_probe_has_its_row(network: dict[str, Row]) -> None:
    assert set(network) == set(NETWORK)
    rows = {*MACHINE, *network, *SEEN}
    assert rows == own_probes(), rows ^ own_probes()
    assert len(rows) >= 45
    for name, row in {**MACHINE, **network}.items():
        assert tuple(case for case in CASES if case in row.cases) == CASES, name


def put_through(world: World, probe: str, row: Row, name: str) -> None:
    case = row.cases[name]
    if isinstance(case, str):
        pytest.skip(case)
    case.setup(world)
    timeout_s = 0.35 if name == "timeout" else 4.0
    if probe == "network.stations" and name in ("warn", "fail"):
        timeout_s = 0.8
    rules, args = row.rules if case.rules is None else case.rules, row.args if case.args is None else case.args
    if probe.startswith("camera."):
        result = by_camera(world.context, {probe: (rules, args)}, timeout_s)[probe]
    else:
        result = world.check(probe, rules, args, timeout_s)
    said = (result.fact.values, result.fact.evidence)
    assert (result.state, result.fact.reason) == (case.state, case.reason), said
    if name in ERRORS:
        assert result.state is not State.OK, said
    if result.state not in (State.OK, State.SKIP):
        assert result.fact.evidence, "evidence is what a person looks at"


POSSIBLE = [
    (probe, name)
    for probe, row in MACHINE.items()
    for name in CASES
    if not isinstance(row.cases[name], str)
]  # fmt: skip


@pytest.mark.parametrize(("probe", "name"), POSSIBLE)
def test_state_on_this_machine(world: World, probe: str, name: str) -> None:
    put_through(world, probe, MACHINE[probe], name)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("probe", NETWORK)
def test_state_over_the_network(world: World, network: dict[str, Row], probe: str, name: str) -> None:
    if isinstance(network[probe].cases[name], str):
        return  # it cannot happen; the row says why
    put_through(world, probe, network[probe], name)


def test_states_of_a_camera_that_answers(world: World, synthetic_camera: str) -> None:
    for name, result in looked(world, synthetic_camera, 15).items():
        assert result.state is State.OK, (name, result.fact)
        for rules, state in ((SEEN[name][1], State.WARN), (SEEN[name][2], State.FAIL)):
            judged = rejudge(result, _expectation(rules, state))
            assert judged.state is state, (name, rules, result.fact.values)


def _expectation(rule: str, state: State) -> Expectation:
    said = tomllib.loads(fault(rule) if state is State.FAIL else fault(warn=rule))["expect"]
    return Expectation.from_dict({"fail": said.get("fail", []), "warn": said.get("warn", [])})


@pytest.mark.parametrize(
    ("case", "answer", "reason"),
    [
        ("absent", None, Reason.ERROR),
        ("denied", REFUSED, Reason.DENIED),
        ("timeout", b"", Reason.TIMEOUT),
        ("garbage", b"\x00\x01 not HTTP at all\r\n\r\n", Reason.ERROR),
    ],
)
def test_states_of_a_camera_that_does_not(
    world: World, case: str, answer: bytes | None, reason: Reason
) -> None:  # fmt: skip
    url = "http://127.0.0.1:9/x.ts" if answer is None else f"{server(answer)}x.ts"
    # Only silence has to be waited for; a busy machine needs its time to start what looks.
    for name, result in looked(world, url, 2.5 if case == "timeout" else 15).items():
        if name == "camera.answers" and case in SILENT_CAMERAS:
            assert result.state is State.FAIL, (name, result.fact)
        else:
            assert (result.state, result.fact.reason) == (State.UNKNOWN, reason), (name, result.fact)
        assert result.fact.evidence


def test_a_certificate_of_another_authority_is_told(world: World, network: dict[str, Row]) -> None:
    """Somebody who reads along shows a certificate that the machine trusts, from an unexpected authority."""
    ok = network["network.tls"].cases["ok"]
    assert isinstance(ok, Case)
    assert ok.args is not None
    args = ok.args.replace("Exam authority", "Somebody else")
    result = world.check("network.tls", network["network.tls"].rules, args)
    assert result.state is State.FAIL
    assert result.fact.values["issuer"] == "Exam authority"
