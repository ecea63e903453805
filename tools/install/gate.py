"""Every check of the project, one after another; all run even when one fails. pytest's summary is the last line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.install.messages import say
from tools.install.programs import clean_environment, show

__all__ = ["run_gate", "summary_line"]

_SUMMARY = re.compile(r"^(=+ )?.*\b\d+ (passed|failed|errors?|skipped|deselected)\b.* in [\d.]+s.*$|no tests ran in ")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run_gate(root: Path, python: Path, pytest_arguments: Sequence[str]) -> int:
    """0 when everything passed, else 1."""
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
    code, summary = _pytest(root, python, pytest_arguments)
    if code != 0:
        failed.append("pytest")
    say("gate_step", step="coverage")
    for command in (["combine", "-q"], ["report", "--skip-covered", "--skip-empty"]):
        show([str(python), "-m", "coverage", *command], cwd=root, extra=_beside(root))
    say(
        "gate_bad" if failed else "gate_good",
        steps=", ".join(failed or [*(name for name, _command in steps), "pytest"]),
    )
    print(summary, flush=True)
    return 1 if failed else 0


def _beside(root: Path) -> dict[str, str]:
    # The linters and the tests read modules that lie beside the package and are not installed.
    return {"PYTHONPATH": str(root)}


def _pytest(root: Path, python: Path, arguments: Sequence[str]) -> tuple[int, str]:
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    command = [str(python), "-m", "coverage", "run", "-m", "pytest", *colour, *arguments]
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**clean_environment(), **_beside(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    summary = ""
    with process.stdout:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            summary = summary_line(line) or summary
    code = process.wait()
    return code, summary or f"pytest: exit code {code}"


def summary_line(line: str) -> str:
    """The line when it is pytest's closing summary, else ""."""
    return line.rstrip("\n") if _SUMMARY.search(_COLOUR.sub("", line).rstrip()) else ""
