"""`exam-kit backup`: copies of the store, made, proved and put back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from exam_kit.agent.status import AgentLock
from exam_kit.cli.log import TAMPERED, told
from exam_kit.cli.log_keys import opened
from exam_kit.cli.words import add_json, answer, at_the_terminal
from exam_kit.clock import SystemClock
from exam_kit.errors import m
from exam_kit.home import Home
from exam_kit.i18n import _
from exam_kit.point import load_point
from exam_kit.point.model import Backups
from exam_kit.store.backup import make_backup, verify_backup
from exam_kit.store.checkpoint import anchors_in
from exam_kit.store.keys import VerifyKey
from exam_kit.store.restore import home_keys, restore_backup

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    backup = commands.add_parser("backup", help=_("copies of the database and ledger")).add_subparsers(
        required=True, metavar="COMMAND"
    )
    make = backup.add_parser("make", help=_("make a proved copy now; what runs goes on running"))
    make.add_argument("folder", nargs="?", type=Path, help=_("where to (default: the home's backups)"))
    add_json(make)
    make.set_defaults(run=_make)
    verify = backup.add_parser(
        "verify", help=_("prove a copy; ends with {code} when it was changed").format(code=TAMPERED)
    )
    verify.add_argument("path", type=Path)
    _add_key(verify)
    verify.add_argument(
        "--anchor", action="append", type=Path, default=[], help=_("a checkpoint kept elsewhere: shows an older copy")
    )
    add_json(verify)
    verify.set_defaults(run=_verify)
    restore = backup.add_parser("restore", help=_("put a copy in the database's place; the present one is set aside"))
    restore.add_argument("path", type=Path)
    _add_key(restore)
    add_json(restore)
    restore.set_defaults(run=_restore)


def _add_key(command: argparse.ArgumentParser) -> None:
    words = _("the point's ledger.pub, kept elsewhere (default: this home's own keys); repeatable")
    command.add_argument("--key", action="append", type=Path, default=[], metavar="FILE", help=words)


def _make(options: argparse.Namespace) -> int:
    home = Home.find()
    _store, ledger = opened(home)
    keep = load_point(home.point_file).backups.keep if home.point_file.exists() else Backups().keep
    made = make_backup(ledger, home, options.folder or home.backups, keep, at_the_terminal())
    text = _("{path}: made and proved, entries up to № {last}").format(path=made.path, last=made.entries)
    answer(options, {"path": str(made.path), "entries": made.entries, "head": made.head}, text)
    return 0


def _verify(options: argparse.Namespace) -> int:
    anchors = [text for file in options.anchor for text in anchors_in(file.read_text(encoding="utf-8"))]
    keys = [VerifyKey.load(file) for file in options.key] or home_keys(Home.find())
    report = verify_backup(options.path, keys, anchors)
    if not keys:
        own = m("Proved with the key inside the copy only, which says nothing of who made it. Give the point's: --key.")
        report.remark("own key", None, own)
    answer(options, report.as_dict(), told(report))
    return 0 if report.whole else TAMPERED


def _restore(options: argparse.Namespace) -> int:
    home = Home.find()
    home.create()
    keys = [VerifyKey.load(file) for file in options.key]
    with AgentLock(home):
        entry, aside = restore_backup(home, options.path, SystemClock(), at_the_terminal(), keys)
    text = _("The copy stands in place (entry № {seq} says so). What was there before: {folder}")
    answer(options, {"entry": entry.seq, "aside": str(aside)}, text.format(seq=entry.seq, folder=aside))
    return 0
