"""`exam-kit log`: prove, export and sign the ledger."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from exam_kit.cli.words import add_json, answer
from exam_kit.errors import NotSetUp, m
from exam_kit.home import Home
from exam_kit.i18n import _, ngettext
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.export import export_to
from exam_kit.store.keys import VerifyKey
from exam_kit.store.verify import LedgerReport, read_anchors, verify_database, verify_export

__all__ = ["add_commands"]

TAMPERED = 30
UNVERIFIABLE = 31


def add_commands(commands: Any) -> None:
    log = commands.add_parser("log", help=_("the ledger: verify, export, checkpoint")).add_subparsers(
        required=True, metavar="COMMAND"
    )
    verify = log.add_parser(
        "verify", help=_("prove the chain; ends with {code} when it was changed").format(code=TAMPERED)
    )
    verify.add_argument("path", nargs="?", type=Path, help=_("a database or an export (default: this home's database)"))
    verify.add_argument("--key", type=Path, help=_("the point's public key, kept elsewhere"))
    verify.add_argument(
        "--anchor",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help=_("a checkpoint kept elsewhere; repeatable"),
    )
    add_json(verify)
    verify.set_defaults(run=_verify)
    export = log.add_parser("export", help=_("write the ledger as one text file that proves itself"))
    export.add_argument("path", type=Path)
    add_json(export)
    export.set_defaults(run=_export)
    checkpoint = log.add_parser("checkpoint", help=_("sign the head of the chain and print it, to be kept elsewhere"))
    add_json(checkpoint)
    checkpoint.set_defaults(run=_checkpoint)


def _verify(options: argparse.Namespace) -> int:
    home = Home.find()
    own = options.path is None
    path: Path = home.store if own else options.path
    key = VerifyKey.load(options.key) if options.key else None
    anchors = [file.read_text(encoding="utf-8", errors="replace") for file in options.anchor]
    if own:
        if not path.exists():
            raise _nothing(home)
        if key is None and (home.keys / "ledger.pub").exists():
            key = VerifyKey.load(home.keys / "ledger.pub")
        anchors += read_anchors(home.anchors)
    with path.open("rb") as source:
        is_database = source.read(16) == b"SQLite format 3\0"
    report = verify_database(path, key, anchors) if is_database or own else verify_export(path, key, anchors)
    answer(options, report.as_dict(), _told(report))
    if report.whole:
        return 0
    return UNVERIFIABLE if {finding.kind for finding in report.findings} <= {"no key", "empty"} else TAMPERED


def _told(report: LedgerReport) -> str:
    count = ngettext("{count} entry", "{count} entries", report.entries).format(count=report.entries)
    if report.whole:
        lines = [_("The chain is whole: {entries}.").format(entries=count)]
    else:
        lines = [_("The chain is NOT whole: {entries} read.").format(entries=count)]
        lines += [f"  {finding.message.text()}" for finding in report.findings]
    lines.append(_("Head: {hash}").format(hash=report.head or "—"))
    lines.append(
        _("Signed checkpoints in the ledger: {inside}; kept beside it: {outside}").format(
            inside=report.checkpoints, outside=report.anchors
        )
    )
    return "\n".join(lines)


def _nothing(home: Home) -> NotSetUp:
    return NotSetUp(
        m(
            "{home}: there is no ledger here yet. Set EXAM_KIT_HOME to the folder that has it, or name the file.",
            home=home.root,
        )
    )


def _opened(home: Home) -> tuple[Store, Ledger]:
    if not home.store.exists():
        raise _nothing(home)
    store = open_store(home)
    return store, Ledger(store, home)


def _export(options: argparse.Namespace) -> int:
    _store, ledger = _opened(Home.find())
    last = export_to(ledger, options.path)
    answer(
        options,
        {"path": str(options.path), "entries": last},
        _("{path}: entries up to № {last}").format(path=options.path, last=last),
    )
    return 0


def _checkpoint(options: argparse.Namespace) -> int:
    _store, ledger = _opened(Home.find())
    made = ledger.checkpoint()
    text = made.text() if made else ""
    answer(options, {"checkpoint": text}, text.rstrip())
    return 0
