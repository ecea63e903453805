"""`exam-kit`: the kit on the command line.

Every command has ``--help`` and, where it tells something, ``--json``. What it ends with stands in
`docs/exit-codes.md`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import locale
import os
import sys
from collections.abc import Sequence
from typing import Any

from exam_kit import __version__
from exam_kit.errors import AccessDenied, ExamKitError, m
from exam_kit.i18n import LANGUAGES, _, set_language

__all__ = ["main"]

ROOMS = {
    "house": ("up", "demo", "doctor", "user"),
    "camera": ("camera",),
    "checks": ("check", "lint"),
    "day": ("record", "archive"),
    "bag": ("verify", "open"),
    "footage": ("footage",),
    "keep": ("receipt", "keep"),
    "log": ("log",),
    "backup": ("backup",),
    "region": ("region",),
    "review": ("review",),
    "station": ("station",),
    "stores": ("store", "send"),
    "solutions": ("solutions",),
}
"""Module of this package and the commands it adds; only the module of the command that is called is loaded."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    set_language(_system_language())
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(_rooms(arguments)).parse_args(arguments)
    set_language(options.language or _system_language())
    try:
        return int(options.run(options))
    except ExamKitError as problem:
        return _told(options, problem)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as problem:
        return _told(options, _refused(problem))
    except KeyboardInterrupt:
        return 130


def _told(options: argparse.Namespace, problem: ExamKitError) -> int:
    if getattr(options, "json", None) == "-":
        print(json.dumps({"error": problem.text(), "exit_code": problem.exit_code}, ensure_ascii=False))
    print(problem.text(), file=sys.stderr)
    return problem.exit_code


def _refused(problem: OSError) -> AccessDenied:
    """A file that was named and cannot be used."""
    return AccessDenied(
        m(
            "{path}: cannot be used ({reason}). Check the name, and that this user may read and write there.",
            path=problem.filename or "—",
            reason=problem.strerror or problem,
        )
    )


def _system_language() -> str:
    """The language of the system's settings; Russian where they name none of ours."""
    named = os.environ.get("EXAM_KIT_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    code = (named or locale.getlocale()[0] or "")[:2].lower()
    return code if code in LANGUAGES else "ru"


def _rooms(arguments: Sequence[str]) -> list[str]:
    """The rooms to load: that of the command, or all of them where it is not plain which one is meant."""
    words = [word for before, word in zip(["", *arguments], arguments, strict=False) if before != "--language"]
    command = next((word for word in words if not word.startswith("-")), None)
    return [room for room, commands in ROOMS.items() if command in commands] or list(ROOMS)


def _parser(rooms: Sequence[str]) -> argparse.ArgumentParser:
    parser: Any = argparse.ArgumentParser(
        prog="exam-kit", description=_("Exam Kit: checks, recording, archive, journals.")
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--language", choices=sorted(LANGUAGES), help=_("language of messages (default: the system's)"))
    commands = parser.add_subparsers(title=_("commands"), required=True, metavar="COMMAND")
    for room in rooms:
        importlib.import_module(f"{__name__}.{room}").add_commands(commands)
    return parser  # type: ignore[no-any-return]
