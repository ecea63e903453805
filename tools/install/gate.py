"""Every check of the project, one after another; all run even when one fails. The last line counts the tests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.install.messages import say
from tools.install.programs import clean_environment, show

__all__ = ["run_gate", "run_tests", "tally"]

_SUMMARY = re.compile(r"^(=+ )?.*\b\d+ (passed|failed|errors?|skipped|deselected)\b.* in [\d.]+s.*$")
_COUNT = re.compile(r"\b(\d+) (passed|failed|error|skipped)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_SEVERAL = (
    "tests/unit",
    "tests/property",
    *(f"tests/faults/test_{name}.py" for name in (
        "archive_carrier", "archive_kill", "archive_ordeal", "archive_orders", "imports_kill", "ledger_kill",
        "onvif_bad_answers", "s3_direct", "s3_short",
    )),
)  # fmt: skip
"""Their tests do not watch the clock or a browser: several run at a time."""
_SCREENS = "tests/ui"
"""Two browsers, each with a server and a home of its own; the tests of one file stay together, in their order."""
_SECOND_TRIES = 3
"""A few tests of cameras, processes and screens may be held up by a busy computer. They are run a second time, and the
log says so; more of them are no accident."""


def run_gate(root: Path, python: Path, pytest_arguments: Sequence[str]) -> int:
    """0 when everything passed, else 1. With `pytest_arguments` one plain run of pytest takes the place of both."""
    tools = python.parent
    steps: list[tuple[str, list[str]]] = [
        ("ruff check", [str(python), "-m", "ruff", "check", "."]),
        ("ruff format", [str(python), "-m", "ruff", "format", "--check", "."]),
        ("mypy", [str(python), "-m", "mypy"]),
        ("lint-imports", [str(tools / "lint-imports")]),
        ("catalogue", [str(python), "-m", "tools.catalogue"]),
    ]
    failed = []
    for name, command in steps:
        say("gate_step", step=name)
        if show(command, cwd=root, extra=_beside(root)) != 0:
            failed.append(name)
    say("gate_step", step="pytest")
    good, counts = _chosen(root, python, pytest_arguments) if pytest_arguments else run_tests(root, python)
    if not good:
        failed.append("pytest")
    say(
        "gate_bad" if failed else "gate_good",
        steps=", ".join(failed or [*(name for name, _command in steps), "pytest"]),
    )
    broken = counts["failed"] + counts["error"]
    print(f"{counts['passed']} passed, {broken} failed, {counts['skipped']} skipped", flush=True)
    return 1 if failed else 0


def _beside(root: Path) -> dict[str, str]:
    # The linters and the tests read modules that lie beside the package and are not installed.
    return {"PYTHONPATH": str(root)}


def _chosen(root: Path, python: Path, arguments: Sequence[str]) -> tuple[bool, Counter[str]]:
    code, counts = _pytest(root, python, arguments)
    return code == 0, counts


def run_tests(root: Path, python: Path) -> tuple[bool, Counter[str]]:
    """All tests: did they pass, at least at the second try, and how many of what outcome."""
    several = [path for path in _SEVERAL if (root / path).exists()]
    screens = [_SCREENS] if (root / _SCREENS).exists() else []
    parts = [
        ["-n", "2", "--cache-clear", *several],
        ["tests", *(f"--ignore={path}" for path in several + screens)],
        *(["-n", "2", "--dist", "loadfile", path] for path in screens),
    ]
    ended = [_pytest(root, python, ["--durations=10", *part]) for part in parts]
    codes = {code for code, _counts in ended}
    counts = sum((found for _code, found in ended), Counter[str]())
    broken = counts["failed"] + counts["error"]
    if 1 in codes and codes <= {0, 1}:
        if broken > _SECOND_TRIES:
            return False, counts
        say("gate_again", count=broken)
        code, again = _pytest(root, python, ["--last-failed", "--last-failed-no-failures=none", "tests"])
        counts = Counter({"passed": counts["passed"], "skipped": counts["skipped"]}) + again
        return code == 0, counts
    return codes == {0}, counts


def _pytest(root: Path, python: Path, arguments: Sequence[str]) -> tuple[int, Counter[str]]:
    """Its exit code and how many tests passed, failed, …"""
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    process = subprocess.Popen(
        [str(python), "-m", "pytest", *colour, *arguments],
        cwd=root,
        env={**clean_environment(), **_beside(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    counts: Counter[str] = Counter()
    with process.stdout:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            counts = tally(line) or counts
    return process.wait(), counts


def tally(line: str) -> Counter[str]:
    """What pytest's closing line counts; empty for every other line."""
    plain = _COLOUR.sub("", line).rstrip()
    if not _SUMMARY.search(plain):
        return Counter()
    return Counter({outcome: int(count) for count, outcome in _COUNT.findall(plain)})
