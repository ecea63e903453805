"""What every probe is put through: all in order, remark, fault, absent, refused, silent, garbled, another language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exam_kit.checks import Reason, State
from tests.checks_world import World

CASES = ("ok", "warn", "fail", "absent", "denied", "timeout", "garbage", "locale")
ERRORS = ("absent", "denied", "timeout", "garbage")
"""Cases in which something went wrong: never green."""

Setup = Callable[[World], object]
RUSSIAN = {"LC_ALL": "ru_RU.UTF-8", "LANG": "ru_RU.UTF-8", "LANGUAGE": "ru"}


def both(*steps: Setup) -> Setup:
    """One step after the other."""

    def make(world: World) -> None:
        for step in steps:
            step(world)

    return make


def nothing(_world: World) -> None:
    """The machine as it is."""


@dataclass(frozen=True)
class Case:
    """How the machine is made, and what the probe must give on it; `rules` and `args` where they differ."""

    setup: Setup
    state: State
    reason: Reason | None = None
    rules: str | None = None
    args: str | None = None


@dataclass(frozen=True)
class Row:
    """One probe. A text in place of a case says why it cannot happen."""

    rules: str
    cases: Mapping[str, Case | str]
    args: str = "{}"


def fault(*rules: str, warn: str = "") -> str:
    """Rules in TOML's words: `fault('a, is = false', warn='b, above = 3')`."""
    fail = ", ".join(f"{{ of = {_first(rule)} }}" for rule in rules)
    said = f"expect.fail = [{fail}]" if rules else ""
    return said + (f"\nexpect.warn = [{{ of = {_first(warn)} }}]" if warn else "")


def _first(rule: str) -> str:
    name, _comma, condition = rule.partition(",")
    return f'"{name}",{condition}'


def script(world: World, name: str, body: str) -> None:
    """A program on the machine's PATH, by the body of its shell script."""
    path = world.bin / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def speak_russian(world: World) -> None:
    machine = world.context.machine
    world.context = world.context._replace(machine=machine._replace(environment={**machine.environment, **RUSSIAN}))


def windows(world: World, answer: Mapping[str, object]) -> None:
    """PowerShell that prints this answer."""
    world.context = world.context._replace(machine=world.context.machine._replace(platform="windows"))
    world.tool("powershell.exe", json.dumps(answer))


def by_file(
    path: str,
    ok: str,
    warn: str,
    fail: str,
    rules: str,
    args: str = "{}",
    /,
    *,
    before: Setup = nothing,
    **other: Case | str,
) -> Row:
    """A probe that reads a file of the system."""

    def says(text: str) -> Setup:
        return both(before, lambda world: world.file(path, text))

    def spoilt(how: str) -> Setup:
        return both(before, lambda world: world.spoil(path, how))

    cases: dict[str, Case | str] = {
        "ok": Case(says(ok), State.OK),
        "warn": Case(says(warn), State.WARN) if warn else "there is no middle",
        "fail": Case(says(fail), State.FAIL),
        "absent": Case(spoilt("absent"), State.UNKNOWN, Reason.TOOL_ABSENT),
        "denied": Case(spoilt("denied"), State.UNKNOWN, Reason.DENIED),
        "timeout": Case(spoilt("timeout"), State.UNKNOWN, Reason.TIMEOUT),
        "garbage": Case(spoilt("garbage"), State.UNKNOWN, Reason.ERROR),
        "locale": "a file of the system speaks no language",
        **other,
    }
    return Row(rules, cases, args)


def by_tool(
    tool: str,
    ok: str,
    warn: str,
    fail: str,
    rules: str,
    args: str = "{}",
    /,
    *,
    before: Setup = nothing,
    **other: Case | str,
) -> Row:
    """A probe that asks a program; `ok`, `warn` and `fail` are what it prints, or a script that begins with "#!"."""

    def body(said: str) -> str:
        return said.removeprefix("#!\n") if said.startswith("#!") else f"/bin/cat <<'END'\n{said}\nEND"

    def says(text: str) -> Setup:
        return both(before, lambda world: script(world, tool, body(text)))

    def how(word: str) -> Setup:
        return both(before, lambda world: world.tool(tool, word))

    def in_two_languages(world: World) -> None:
        before(world)
        script(world, tool, f'[ "$LC_ALL" = C ] || {{ echo "Состояние: неизвестно"; exit 0; }}\n{body(ok)}')
        speak_russian(world)

    cases: dict[str, Case | str] = {
        "ok": Case(says(ok), State.OK),
        "warn": Case(says(warn), State.WARN) if warn else "there is no middle",
        "fail": Case(says(fail), State.FAIL),
        "absent": Case(before, State.UNKNOWN, Reason.TOOL_ABSENT),
        "denied": Case(how("refuses"), State.UNKNOWN, Reason.DENIED),
        "timeout": Case(how("timeout"), State.UNKNOWN, Reason.TIMEOUT),
        "garbage": Case(how("\ufffd<html>502 Bad Gateway</html>"), State.UNKNOWN, Reason.ERROR),
        "locale": Case(in_two_languages, State.OK),
        **other,
    }
    return Row(rules, cases, args)
