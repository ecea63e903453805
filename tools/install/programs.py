"""Calling other programs: every call goes through here, with an environment in which `.venv` is all there is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["ask", "become", "clean_environment", "last_line", "show"]

_ELSEWHERE = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what would send packages elsewhere than into `.venv`."""
    kept = {name: value for name, value in environment.items() if name not in _ELSEWHERE}
    return {**kept, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1", "PIP_USER": "0"}


def ask(
    command: Sequence[str], *, cwd: Path | None = None, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program without input; its exit code and all it said."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**clean_environment(), **(extra or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def show(command: Sequence[str], *, cwd: Path, extra: Mapping[str, str] | None = None) -> int:
    """Run a program that writes to the terminal; its exit code."""
    return subprocess.run(command, cwd=cwd, env={**clean_environment(), **(extra or {})}, check=False).returncode


def become(command: list[str]) -> int:
    """Run a program in this process's place, so that signals, input and the exit code are its own."""
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606 - a shell between would keep signals to itself
    # Windows has no exec: its imitation would give the prompt back at once.
    return subprocess.run(command, check=False).returncode


def last_line(said: str) -> str:
    """The last line that is not empty: where programs say what is wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""
