"""`start.py` by its words."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from tools.install import environment, gate, wheels
from tools.install.lockfile import PLATFORMS
from tools.install.messages import SetupError, say, text
from tools.install.programs import become
from tools.install.stamp import folder, script_in

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent.parent
NEWEST = (3, 14)
"""The newest Python the lock has packages for; `requires-python` in pyproject.toml says the same."""


class _Words(argparse.ArgumentParser):
    """A parser that reports mistakes in the person's language."""

    def error(self, message: str) -> NoReturn:
        raise SetupError("usage", words=" ".join(sys.argv[1:]) or message)


def main(arguments: Sequence[str]) -> int:
    """Set up and start, or do what `arguments` ask; the exit code of what was started, or the fault's."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIO) and hasattr(stream, "reconfigure"):
            # A Windows console's code page may lack a letter of the message; a question mark is better than a crash.
            stream.reconfigure(errors="replace")
    try:
        return _run(list(arguments))
    except SetupError as problem:
        say(problem.key, to=sys.stderr, **problem.values)
        return problem.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(arguments: list[str]) -> int:
    if any(word in ("-h", "--help") for word in arguments[:2]) and arguments[:1] != ["test"]:
        print(text("help"))
        return 0
    if sys.version_info[:2] > NEWEST:
        raise SetupError("python_new", python=".".join(map(str, sys.version_info[:3])))
    _leave_own_environment(arguments)
    match arguments[:1]:
        case ["test"]:
            return gate.run_gate(ROOT, environment.ensure(ROOT, tests=True), arguments[1:])
        case ["wheels"]:
            return _wheels(arguments[1:])
        case _:
            return _start(arguments)


def _start(arguments: list[str]) -> int:
    words = _Words(add_help=False, allow_abbrev=False)
    words.add_argument("--port", type=int)
    words.add_argument("--install-only", action="store_true")
    chosen = words.parse_args(arguments)
    environment.ensure(ROOT)
    if chosen.install_only:
        say("installed")
        return 0
    home = Path(os.environ.get("EXAM_KIT_HOME") or ROOT / "home").expanduser()
    command = [str(script_in(folder(ROOT))), "up" if (home / "point.toml").exists() else "demo"]
    if chosen.port is not None:
        command += ["--port", str(chosen.port)]
    sys.stdout.flush()
    # Ctrl-C is for the app alone; where this process stays behind it, as on Windows, it must wait for the app to end.
    if os.name == "nt":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return become(command)


def _wheels(arguments: list[str]) -> int:
    words = _Words(add_help=False, allow_abbrev=False)
    words.add_argument("--platform", action="append", choices=sorted(PLATFORMS))
    words.add_argument("--python", action="append")
    chosen = words.parse_args(arguments)
    pythons = chosen.python or [f"{sys.version_info.major}.{sys.version_info.minor}"]
    if not all(re.fullmatch(r"3\.\d{1,2}", version) for version in pythons):
        raise SetupError("usage", words=" ".join(arguments))
    platforms = chosen.platform or [wheels.here().platform]
    targets = [wheels.Target(platform, version) for platform in platforms for version in pythons]
    wheels.fill(ROOT, targets)
    return 0


def _leave_own_environment(arguments: list[str]) -> None:
    """Started with `.venv`'s own Python, which may have to be replaced: go on with the one it was made from."""
    if Path(sys.prefix).resolve() != folder(ROOT).resolve():
        return
    base = getattr(sys, "_base_executable", "")
    if not base or Path(base) == Path(sys.executable):
        return
    sys.exit(become([base, str(ROOT / "start.py"), *arguments]))
