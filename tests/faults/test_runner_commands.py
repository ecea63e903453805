"""Programs that a check runs: whatever they do, there is a record of it in time, and nothing of them stays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil
import pytest

from exam_kit.checks import NoFact, Reason
from exam_kit.checks.command import OUTPUT_CAP, Children, CommandRecord, run_command


def run(*argv: str, timeout_s: float = 5.0) -> CommandRecord:
    return run_command(argv, timeout_s=timeout_s, children=Children(), environment=dict(os.environ))


def sh(script: str, timeout_s: float = 5.0) -> CommandRecord:
    return run("sh", "-c", script, timeout_s=timeout_s)


def running(marker: str) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if marker in (p.info["cmdline"] or [])]


def test_a_record() -> None:
    record = sh("echo out; echo err >&2; exit 3")
    assert (record.rc, record.out, record.err, record.fault) == (3, "out\n", "err\n", None)
    assert record.elapsed_s < 5
    assert run("cat").out == "", "nobody is there to type"
    assert sh('echo "$LC_ALL"').answer() == "C\n"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["/no/such/program"], Reason.TOOL_ABSENT),
        (["/etc/passwd"], Reason.DENIED),
        (["sh", "-c", "exit 1"], Reason.ERROR),
        (["sh", "-c", "echo Access is denied >&2; exit 5"], Reason.DENIED),
        (["sh", "-c", "exit 126"], Reason.DENIED),
        (["sh", "-c", "kill -9 $$"], Reason.ERROR),
        (["sleep", "60"], Reason.TIMEOUT),
    ],
)
def test_no_answer(argv: list[str], reason: Reason) -> None:
    with pytest.raises(NoFact) as none:
        run(*argv, timeout_s=0.3 if argv[0] == "sleep" else 5).answer()
    assert none.value.fact.reason is reason
    assert none.value.fact.evidence["command"] == argv[0]


def test_a_program_that_never_stops_talking() -> None:
    record = run("yes", timeout_s=0.3)
    assert record.fault is Reason.TIMEOUT
    assert len(record.out) == OUTPUT_CAP


def test_what_is_left_in_the_background_neither_delays_nor_stays(until: Callable[..., None]) -> None:
    began = time.perf_counter()
    record = sh("echo done; sleep 1234 & exit 0", timeout_s=20)
    assert time.perf_counter() - began < 10
    assert (record.rc, record.out, record.fault) == (0, "done\n", None)
    until(lambda: not running("1234"), 3)


def test_closing_the_outputs_early_does_not_end_it_early() -> None:
    assert sh("exec >&- 2>&-; sleep 0.2; exit 7").rc == 7


def test_a_child_in_another_session_is_found(until: Callable[..., None]) -> None:
    record = sh("trap '' TERM; setsid sleep 2345 & wait", timeout_s=0.5)
    assert record.fault is Reason.TIMEOUT
    until(lambda: not running("2345"), 3)


def test_nothing_is_started_when_time_is_over() -> None:
    children = Children()
    children.kill()
    with pytest.raises(NoFact) as none:
        run_command(["true"], timeout_s=5, children=children, environment={})
    assert none.value.fact.reason is Reason.TIMEOUT
