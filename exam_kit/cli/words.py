"""What the commands share: the opened home, answers as JSON or text, and who sits at the terminal."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.agent.demo_left import leave_demo
from exam_kit.agent.orders import TERMINAL
from exam_kit.clock import Clock, SystemClock
from exam_kit.home import Home
from exam_kit.i18n import _
from exam_kit.point import Point, Secrets, load_point
from exam_kit.store import Accounts, Ledger, Store, open_store

__all__ = ["Desk", "acting", "add_as", "add_json", "answer", "at_the_terminal", "make_room", "secret"]


@dataclass(frozen=True)
class Desk:
    """An opened home with a point set up in it."""

    home: Home
    point: Point
    store: Store
    ledger: Ledger
    secrets: Secrets
    clock: Clock

    @classmethod
    def open(cls) -> Desk:
        """Raises NotSetUp, PointInvalid or StoreError."""
        home = Home.find()
        point = load_point(home.point_file)
        make_room(home)
        store = open_store(home)
        clock = SystemClock()
        return cls(home, point, store, Ledger(store, home, clock), Secrets(home), clock)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help=_("answer as JSON, on the screen or in FILE")
    )


def add_as(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="login",
        metavar="LOGIN",
        help=_("act under this account; its PIN is asked for, or read from standard input"),
    )


def acting(desk: Desk, options: argparse.Namespace) -> str:
    """Who acts: the account named with --as, once its PIN fits, otherwise whoever owns the terminal."""
    if not options.login:
        return at_the_terminal()
    return Accounts(desk.store, desk.ledger, desk.clock).check(options.login, secret("PIN: ")).login


def answer(options: argparse.Namespace, data: Any, text: str) -> None:
    """Give the answer: JSON where it was asked for, else text."""
    if options.json is None:
        print(text)
        return
    written = json.dumps(data, ensure_ascii=False, indent=2)
    if options.json == "-":
        print(written)
    else:
        Path(options.json).write_text(written + "\n", encoding="utf-8")
        print(text, file=sys.stderr)


def make_room(home: Home) -> None:
    """A point of one's own where the demo was: the demo's data is set aside, and where to is said."""
    aside = leave_demo(home, SystemClock())
    if aside is not None:
        print(_("The demo's data was set aside: {folder}").format(folder=aside), file=sys.stderr)


def at_the_terminal() -> str:
    """The actor of commands given on the command line: whoever owns the terminal owns the data's folder as well."""
    return f"{TERMINAL}{getpass.getuser()}"


def secret(prompt: str) -> str:
    """Typed without echo on a terminal; one line of standard input otherwise. Never an argument: those are public."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
