"""Checks that wait, hang, leave children behind or break: the run ends in time, and nothing unknown is green."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from exam_kit.checks import At, CheckContext, Fact, Reason, Result, State, Verdict, probe, run_checks
from exam_kit.checks.profile import Profile, read_profile
from exam_kit.clock import FakeClock
from exam_kit.errors import UsageError
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Store

READING = {"n": ("", "")}
never = threading.Event()


@probe("test.wait", lane="waiting", readings=READING)
def wait(at: At, *, seconds: float) -> Fact:
    never.wait(seconds)
    return Fact({"n": seconds})


@probe("test.hang", lane="waiting", readings=READING)
def hang(at: At) -> Fact:
    """Deaf to everything, with a child that ignores requests to end and has a child of its own in another session."""
    at.command("sh", "-c", "trap '' TERM INT; setsid sleep 300 & sleep 300 & wait; sleep 300", timeout_s=1000)
    never.wait(1000)
    return Fact({"n": 1})


@probe("test.hang_locally", readings=READING)
def hang_locally(at: At) -> Fact:
    never.wait(1000)
    return Fact({"n": 1})


@probe("test.quick", readings=READING)
def quick(at: At, *, n: float = 1.0) -> Fact:
    return Fact({"n": n})


@probe("test.shared", readings=READING)
def shared(at: At) -> Fact:
    at.once("test.shared", lambda: never.wait(0.3))
    return Fact({"n": 1})


@probe("test.broken", readings=READING)
def broken(at: At, *, how: str) -> Fact:
    match how:
        case "denied":
            raise PermissionError("not for you")
        case "timeout":
            raise TimeoutError("too slow")
        case "error":
            raise ZeroDivisionError("division by zero at rtsp://viewer:s3cret@10.0.0.7/main")
        case "garbage":
            return "ok"  # type: ignore[return-value]
        case _:
            raise SystemError(how)


def profile_of(*checks: str, budget_s: float = 60) -> Profile:
    """A profile of checks given as `id, probe, args, timeout_s` in TOML's words."""
    texts = 'title = { ru = "т", en = "t", lv = "t" }\n'
    head = f'season = "t"\nvalid_from = 2026-01-01\nsource = "test"\nbudget_s = {budget_s}\n{texts}'
    rest = f'severity = "blocker"\n{texts}fix = {{ ru = "и", en = "f", lv = "l" }}\n'
    rule = 'expect.fail = [{ of = "n", below = 0 }]\n'
    return read_profile(head + "".join(f"[[checks]]\n{check}\n{rule}{rest}" for check in checks), "test")


def line(check_id: str, probe_name: str, timeout_s: float, args: str = "{}") -> str:
    return f'id = "{check_id}"\nprobe = "{probe_name}"\nargs = {args}\ntimeout_s = {timeout_s}'


@pytest.fixture
def context(point: Point, home: Home, store: Store, clock: FakeClock) -> CheckContext:
    return CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)


@pytest.fixture
def no_child_left() -> Callable[[], bool]:
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    def gone() -> bool:
        now = psutil.process_iter(["pid", "name"])
        mine = {child.pid for child in psutil.Process().children(recursive=True)} - before
        return not mine and not any("sleep" in (p.info["name"] or "") for p in now if _session_started_here(p.pid))

    return gone


def _session_started_here(pid: int) -> bool:
    """A process that left our tree (its parent died) still carries our environment."""
    try:
        return psutil.Process(pid).environ().get("EXAM_KIT_TEST_RUN") == str(os.getpid())
    except psutil.Error:
        return False


def test_sixty_checks_wait_side_by_side(context: CheckContext) -> None:
    longest_s = 1.5
    waits = [0.32 + (number % 5) * 0.01 for number in range(59)]
    waits.insert(7, longest_s)
    assert len(waits) == 60
    assert sum(waits) > 20
    profile = profile_of(*(line(f"w{n}", "test.wait", 5, f"{{ seconds = {s} }}") for n, s in enumerate(waits)))
    began = time.perf_counter()
    run = run_checks(profile, context)
    took = time.perf_counter() - began
    assert run.counts["ok"] == 60
    assert took <= longest_s + 0.3


def test_twenty_hung_checks_are_ended_and_leave_no_process(
    context: CheckContext,
    no_child_left: Callable[[], bool],
    until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXAM_KIT_TEST_RUN", str(os.getpid()))
    limit_s = 1.0
    hung = [line(f"h{n}", "test.hang", limit_s) for n in range(20)]
    good = [line(f"g{n}", "test.quick", 5) for n in range(20)]
    began = time.perf_counter()
    run = run_checks(profile_of(*hung, *good), context._replace(machine=type(context.machine)()))
    took = time.perf_counter() - began
    until(no_child_left, 2)
    states = {result.check: (result.state, result.fact.reason) for result in run.results}
    assert all(states[f"h{n}"] == (State.UNKNOWN, Reason.TIMEOUT) for n in range(20))
    assert all(states[f"g{n}"][0] is State.OK for n in range(20))
    assert run.verdict is Verdict.INCOMPLETE
    assert took < limit_s + 0.5


def test_a_lane_of_two_survives_two_that_hang(context: CheckContext) -> None:
    hung = [line(f"h{n}", "test.hang_locally", 0.3) for n in range(4)]
    run = run_checks(profile_of(*hung, line("last", "test.quick", 5)), context)
    assert [result.state for result in run.results] == [State.UNKNOWN] * 4 + [State.OK]


def test_the_budget_ends_what_runs_and_what_waits(context: CheckContext) -> None:
    profile = profile_of(*(line(f"h{n}", "test.hang_locally", 10) for n in range(6)), budget_s=60)
    profile.budget_s = 0.3
    run = run_checks(profile, context)
    assert {(r.state, r.fact.reason) for r in run.results} == {(State.UNKNOWN, Reason.TIMEOUT)}
    assert len(run.results) == 6


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("denied", Reason.DENIED),
        ("timeout", Reason.TIMEOUT),
        ("error", Reason.ERROR),
        ("garbage", Reason.ERROR),
        ("other", Reason.ERROR),
    ],
)
def test_a_broken_probe_is_unknown_with_its_reason(context: CheckContext, how: str, reason: Reason) -> None:
    run = run_checks(profile_of(line("b", "test.broken", 5, f'{{ how = "{how}" }}')), context)
    (result,) = run.results
    assert (result.state, result.fact.reason) == (State.UNKNOWN, reason)
    assert "s3cret" not in str(result.as_dict())


def test_results_are_told_as_they_come(context: CheckContext) -> None:
    seen: list[tuple[str, int, int]] = []

    def on_result(result: Result, done: int, total: int) -> None:
        seen.append((result.check, done, total))

    slow = line("slow", "test.wait", 5, "{ seconds = 0.3 }")
    run_checks(profile_of(slow, line("quick", "test.quick", 5)), context, on_result=on_result)
    assert seen == [("quick", 1, 2), ("slow", 2, 2)]


def test_when_the_listener_fails_the_children_end(
    context: CheckContext,
    no_child_left: Callable[[], bool],
    until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXAM_KIT_TEST_RUN", str(os.getpid()))
    here = context._replace(machine=type(context.machine)())

    def on_result(result: Result, done: int, total: int) -> None:
        until(lambda: len(psutil.Process().children()) > 0)
        raise RuntimeError("the screen went away")

    checks = [line("h", "test.hang", 20), line("q", "test.wait", 5, "{ seconds = 0.1 }")]
    with pytest.raises(RuntimeError, match="screen"):
        run_checks(profile_of(*checks), here, on_result=on_result)
    until(no_child_left, 3)


def test_only_some(context: CheckContext) -> None:
    profile = profile_of(line("a", "test.quick", 5), line("b", "test.quick", 5))
    run = run_checks(profile, context, only=["b"])
    assert [(r.check, r.state, r.fact.reason) for r in run.results] == [
        ("a", State.UNKNOWN, Reason.NOT_RUN),
        ("b", State.OK, None),
    ]
    assert run.verdict is Verdict.INCOMPLETE
    with pytest.raises(UsageError, match="nobody"):
        run_checks(profile, context, only=["nobody"])


def test_a_hung_probe_does_not_keep_the_process(tmp_path: Path) -> None:
    """A whole process: one probe deaf in a thread, one waiting for a child; it ends by itself, children with it."""
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            """
            import threading, sys
            from pathlib import Path
            from exam_kit.checks import *
            from exam_kit.checks.profile import read_profile
            from exam_kit.home import Home
            from exam_kit.point import read_point, Secrets
            from exam_kit.store import open_store
            from tests.conftest import POINT_TOML

            @probe("test.deaf", readings={"n": ("", "")})
            def deaf(at):
                at.command("sleep", "321", timeout_s=1000)
                threading.Event().wait()

            home = Home.at(Path(sys.argv[1]))
            store = open_store(home)
            text = 'title = { ru = "т", en = "t", lv = "t" }\\nfix = { ru = "т", en = "t", lv = "t" }\\n'
            head = 'season = "t"\\nvalid_from = 2026-01-01\\nsource = "t"\\nbudget_s = 9\\n'
            head += text.splitlines()[0] + "\\n"
            body = '[[checks]]\\nid = "d"\\nprobe = "test.deaf"\\nseverity = "major"\\ntimeout_s = 0.5\\n' \\
                   'expect.fail = [{ of = "n", below = 0 }]\\n' + text
            context = CheckContext(read_point(POINT_TOML), home, store, Secrets(home, file_only=True))
            run = run_checks(read_profile(head + body, "t"), context)
            print(run.results[0].state, run.results[0].fact.reason)
            """
        )
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "home")],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.stdout.split() == ["unknown", "timeout"], done.stderr
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "321"]]


def test_checks_of_one_probe_do_not_fill_the_lane_while_they_wait_for_one_fact(context: CheckContext) -> None:
    """Eight that share a slow fact come first in the profile; the one after them is answered before they are."""
    shared = [line(f"s{n}", "test.shared", 5) for n in range(8)]
    seen: list[str] = []
    run_checks(
        profile_of(*shared, line("other", "test.quick", 5)),
        context,
        on_result=lambda result, _done, _total: seen.append(result.check),
    )
    assert seen[0] == "other"
    assert len(seen) == 9


def test_a_run_that_is_ended_waits_for_nobody(context: CheckContext) -> None:
    """Also not for a check that only waits: what has no answer is unknown, and its thread is left behind."""
    profile = profile_of(
        line("long", "test.hang", 30), line("first", "test.quick", 30), line("last", "test.hang_locally", 30)
    )
    told: list[Result] = []
    began = time.monotonic()
    run = run_checks(profile, context, on_result=lambda result, _done, _all: told.append(result), ended=lambda: told)
    assert time.monotonic() - began < 15, "half of what the checks were given"
    found = {result.check: (result.state, result.fact.reason) for result in run.results}
    assert found == {
        "long": (State.UNKNOWN, Reason.NOT_RUN),
        "first": (State.OK, None),
        "last": (State.UNKNOWN, Reason.NOT_RUN),
    }
