"""Every command is found, and a command loads its own module only."""

from __future__ import annotations

import argparse

import pytest

from exam_kit.cli import ROOMS, _parser, _rooms


@pytest.mark.parametrize(
    ("arguments", "rooms"),
    [
        (["check"], ["checks"]),
        (["archive"], ["day"]),
        (["--language", "lv", "log", "verify"], ["log"]),
        (["--language=ru", "lint", "check"], ["checks"]),
        (["--help"], list(ROOMS)),
        ([], list(ROOMS)),
        (["nonsense", "check"], list(ROOMS)),
    ],
)
def test_the_room_of_a_command(arguments: list[str], rooms: list[str]) -> None:
    assert _rooms(arguments) == rooms


@pytest.mark.parametrize("room", ROOMS)
def test_the_table_names_the_commands_a_room_adds(room: str) -> None:
    (commands,) = (one for one in _parser([room])._actions if isinstance(one, argparse._SubParsersAction))
    assert tuple(commands.choices) == ROOMS[room]
