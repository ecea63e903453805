"""Commands that keep the house: up, demo, doctor, user."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from exam_kit import doctor
from exam_kit.agent.demo import DemoCameras, play_day, went_as_planned
from exam_kit.agent.demo_equipment import make_equipment
from exam_kit.agent.demo_people import make_people
from exam_kit.agent.demo_point import LEISURELY, is_demo, make_accounts, write_point
from exam_kit.agent.logfiles import log_to_file
from exam_kit.agent.status import AgentLock
from exam_kit.agent.supervisor import Child, Supervisor
from exam_kit.cli.words import add_json, answer, at_the_terminal, make_room, secret
from exam_kit.clock import SystemClock
from exam_kit.errors import PortTaken, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import _
from exam_kit.journal.person import clean
from exam_kit.point import load_point
from exam_kit.store import Account, Accounts, Ledger, Role, open_store
from exam_kit.store.rights import ROLE_LABELS
from exam_kit.web.port import bind

__all__ = ["DEFAULT_PORT", "add_commands", "nobody_there", "say_when_ready"]

DEFAULT_PORT = 8501
NOT_AS_PLANNED = 6


def add_commands(commands: Any) -> None:
    up = commands.add_parser("up", help=_("run the agent and the screens for the point in this home"))
    up.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=_("port on 127.0.0.1 (default {port})").format(port=DEFAULT_PORT)
    )
    up.set_defaults(run=_up)

    demo = commands.add_parser("demo", help=_("the made-up point with six synthetic cameras"))
    demo.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=_("port on 127.0.0.1 (default {port})").format(port=DEFAULT_PORT)
    )
    demo.add_argument(
        "--headless",
        action="store_true",
        help=_("play one compressed exam day without screens; ends with {code} when it did not go as planned").format(
            code=NOT_AS_PLANNED
        ),
    )
    add_json(demo)
    demo.set_defaults(run=_demo)

    check = commands.add_parser("doctor", help=_("check this installation"))
    add_json(check)
    check.set_defaults(run=_doctor)

    user = commands.add_parser("user", help=_("people who sign in")).add_subparsers(required=True, metavar="COMMAND")
    add = user.add_parser("add", help=_("add an account; the PIN is asked for, or read from standard input"))
    add.add_argument("login")
    add.add_argument("--name", required=True, help=_("as printed on forms"))
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    add.add_argument("--post", default="", help=_("position as printed on forms"))
    add.set_defaults(run=_user_add)
    pin = user.add_parser("pin", help=_("set a new PIN"))
    pin.add_argument("login")
    pin.set_defaults(run=_user_pin)
    listed = user.add_parser("list", help=_("list the accounts"))
    add_json(listed)
    listed.set_defaults(run=_user_list)


def _children(port: int) -> list[Child]:
    return [
        Child("agent", ["-m", "exam_kit.agent"], frozenset({10, 11, 12, 14, 16})),
        Child(
            "web", ["-m", "exam_kit.web.serve", "--port", str(port), "--with-parent"], frozenset({PortTaken.exit_code})
        ),
    ]


def say_when_ready(port: int, more: Sequence[str] = ()) -> Callable[[], None]:
    address = f"http://127.0.0.1:{port}/"
    # Made here: a thread begins with the default language, not with ours.
    opened = _("Exam Kit is open at {address} (Ctrl+C ends it)").format(address=address)
    silent = _("Exam Kit does not answer at {address}. See the log files.").format(address=address)

    def wait() -> None:
        for _try in range(300):
            try:
                with urllib.request.urlopen(f"{address}healthz", timeout=2):  # noqa: S310 - our own loopback address
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        else:
            print(silent, file=sys.stderr, flush=True)
            return
        print(opened, flush=True)
        for line in more:
            print(line, flush=True)

    return wait


def _up(options: argparse.Namespace) -> int:
    home = Home.find()
    if is_demo(home):
        return _demo_screens(home, options.port)
    load_point(home.point_file)
    make_room(home)
    home.create()
    nobody_there(home, options.port)
    log_to_file(home, "supervisor")
    return Supervisor(home, _children(options.port)).run(say_when_ready(options.port))


def _demo(options: argparse.Namespace) -> int:
    home = Home.find()
    if not options.headless:
        return _demo_screens(home, options.port)
    home.create()
    log_to_file(home, "demo")
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:5.1f} s  {text}", file=sys.stderr, flush=True)

    report = play_day(home, say)
    wrong = went_as_planned(report)
    report["not_as_planned"] = wrong
    summary = _("The demo day is over: verdict {verdict}, bag {bag}").format(
        verdict=report["verdict"], bag=report["archive"]["bag"]
    )
    answer(options, report, "\n".join([summary, *wrong]))
    return NOT_AS_PLANNED if wrong else 0


def nobody_there(home: Home, port: int) -> None:
    """Before anything is written or said: neither this data nor this port is another program's.

    Raises:
        AlreadyRunning: Exam Kit runs on this data.
        PortTaken: what answers there would pass for us.
    """
    with AgentLock(home, "supervisor"):
        bind(port).close()


def _demo_screens(home: Home, port: int) -> int:
    home.create()
    nobody_there(home, port)
    logging.basicConfig(level=logging.INFO)
    log_to_file(home, "supervisor")
    # Until the supervisor takes the signals over, an end by SIGTERM must still end the cameras' process.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    with DemoCameras(home) as cameras:
        point = write_point(home, SystemClock(), cameras.port, LEISURELY)
        store = open_store(home)
        ledger = Ledger(store, home)
        accounts = make_accounts(home, store, ledger)
        make_people(home, point, ledger)
        make_equipment(home, point, ledger)
        store.close()
        lines = [_("Accounts of the demo:")]
        lines += [f"  {one['login']:<11} PIN {one['pin']}  {_(ROLE_LABELS[Role(one['role'])])}" for one in accounts]
        return Supervisor(home, _children(port)).run(say_when_ready(port, lines))


def _doctor(options: argparse.Namespace) -> int:
    report = doctor.run(Home.find())
    answer(options, report.as_dict(), report.text())
    return report.exit_code


def _accounts() -> tuple[Accounts, Path]:
    home = Home.find()
    make_room(home)
    store = open_store(home)
    return Accounts(store, Ledger(store, home)), home.root


def _user_add(options: argparse.Namespace) -> int:
    accounts, _root = _accounts()
    role = Role(options.role)
    name = clean(options.name, "name")  # as journals take it, or its owner could write none
    post = clean(options.post or "", "post", required=False) or _(ROLE_LABELS[role])
    account = Account(options.login, name, role, post, "ru")
    accounts.create(account, secret("PIN: "), actor=at_the_terminal())
    print(_("{login}: the account is made.").format(login=options.login))
    return 0


def _user_pin(options: argparse.Namespace) -> int:
    accounts, _root = _accounts()
    if accounts.get(options.login) is None:
        raise UsageError(m("{login}: there is no such account. See 'exam-kit user list'.", login=options.login))
    accounts.set_pin(options.login, secret("PIN: "), actor=at_the_terminal())
    print(_("{login}: the new PIN is set.").format(login=options.login))
    return 0


def _user_list(options: argparse.Namespace) -> int:
    accounts, _root = _accounts()
    found = accounts.all()
    data = [{"login": one.login, "name": one.name, "role": one.role.value, "post": one.post} for one in found]
    answer(options, data, "\n".join(f"{one.login:<12} {one.name} — {_(ROLE_LABELS[one.role])}" for one in found))
    return 0
