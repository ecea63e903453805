"""`exam-kit log`: prove, export and sign the ledger; its anchors and keys."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from exam_kit.archive.bag import LEDGER
from exam_kit.cli.log_keys import add_key_commands, nothing_here, opened
from exam_kit.cli.words import add_json, answer
from exam_kit.errors import Message, StoreError, m
from exam_kit.home import Home
from exam_kit.i18n import _, ngettext
from exam_kit.store import Ledger, Store
from exam_kit.store.checkpoint import LINE, Checkpoint, anchors_in
from exam_kit.store.compare import judge_copy
from exam_kit.store.enrol import to_enrol
from exam_kit.store.export import export_to
from exam_kit.store.keys import VerifyKey
from exam_kit.store.seal import Enrolment, SealKey
from exam_kit.store.verify import Finding, LedgerReport, read_anchors, verify_database, verify_export

__all__ = ["TAMPERED", "add_commands", "anchors_given", "told"]

TAMPERED = 30
UNVERIFIABLE = 31


def add_commands(commands: Any) -> None:
    log = commands.add_parser("log", help=_("the ledger: verify, export, anchors, keys")).add_subparsers(
        required=True, metavar="COMMAND"
    )
    verify = log.add_parser(
        "verify", help=_("prove the chain; ends with {code} when it was changed").format(code=TAMPERED)
    )
    verify.add_argument("path", nargs="?", type=Path, help=_("a database or an export (default: this home's database)"))
    verify.add_argument(
        "--key", action="append", type=Path, default=[], help=_("the point's public key, kept elsewhere; repeatable")
    )
    verify.add_argument(
        "--anchor",
        action="append",
        default=[],
        metavar="FILE|BAG|LINE",
        help=_("a checkpoint kept elsewhere: a file, the line of a printed code, an export or a bag; repeatable"),
    )
    verify.add_argument(
        "--against", action="append", type=Path, default=[], help=_("another copy, to tell where the two part ways")
    )
    verify.add_argument(
        "--seal",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help=_("the enrolment the region keeps: every seal is proved with it; repeatable"),
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
    add_key_commands(log)


def _verify(options: argparse.Namespace) -> int:
    home = Home.find()
    own = options.path is None
    path: Path = home.store if own else options.path
    keys = [VerifyKey.load(file) for file in options.key]
    seals = [Enrolment.load(file) for file in options.seal]
    anchors = given = [anchor for one in options.anchor for anchor in anchors_given(one)]
    moved_to, unread = None, list[Message]()
    if own:
        if not path.exists():
            raise nothing_here(home)
        if not keys and (home.keys / "ledger.pub").exists():
            keys = [VerifyKey.load(home.keys / "ledger.pub")]
        anchors = given + read_anchors(home.anchors)
        try:
            present = SealKey(home.keys).read()
        except StoreError as problem:
            unread.append(problem.message)  # the chain can be proved all the same
        else:
            moved_to = present.position if present else None
    with path.open("rb") as source:
        is_database = source.read(16) == b"SQLite format 3\0"
    if is_database or own:
        report = verify_database(path, keys, anchors, seals, moved_to=moved_to)
    else:
        report = verify_export(path, keys, anchors, seals)
    for other in options.against:
        judge_copy(path, other, report)
    if own and report.whole:
        _remind(home, report)
    for message in unread:
        report.remark("key unread", None, message)
    answer(options, report.as_dict(), "\n".join([told(report), *_held(given, report)]))
    if report.whole:
        return 0
    return UNVERIFIABLE if {finding.kind for finding in report.findings} <= {"no key", "empty"} else TAMPERED


def _remind(home: Home, report: LedgerReport) -> None:
    """Remark each first key that the region should have and that lies here still."""
    store = Store(home.store, read_only=True)
    try:
        for first in to_enrol(Ledger(store, home), home):
            text = m(
                "The first key of the seal, from entry № {seq} on, lies on this machine still. Hand it to the region: "
                "exam-kit log enrol --to FILE",
                seq=first.start,
            )
            report.remark("first key waits", first.start, text)
    except StoreError as problem:
        report.remark("key unread", None, problem.message)
    finally:
        store.close()


def anchors_given(given: str) -> list[str]:
    """The anchors of a file, of a bag's or another export, or the line itself as it was scanned or typed."""
    if given.lstrip().startswith(LINE):
        return [" ".join(given.split())]
    path = Path(given)
    if path.is_dir():
        path /= LEDGER
    return list(anchors_in(path.read_text(encoding="utf-8", errors="replace")))


def _held(given: Sequence[str], report: LedgerReport) -> Iterator[str]:
    """A line for each print or anchor given that the chain holds; the others are findings."""
    held = set()
    for text in given:
        try:
            anchor = Checkpoint.parse(text)
        except (ValueError, KeyError):
            continue
        if report.agreeing.get(anchor.seq) == anchor.at:
            held.add((anchor.seq, anchor.at))
    for seq, at in sorted(held):
        yield _("Agrees with the print or anchor of entry № {seq}, signed {at}.").format(seq=seq, at=at)


def told(report: LedgerReport) -> str:
    """What was seen, line by line."""
    count = ngettext("{count} entry", "{count} entries", report.entries).format(count=report.entries)
    if report.whole:
        lines = [_("The chain is whole: {entries}.").format(entries=count)]
    else:
        lines = [_("The chain is NOT whole: {entries} read.").format(entries=count)]
        lines += [_line(finding) for finding in report.findings]
    lines += [_line(remark) for remark in report.remarks]
    lines.append(
        _("Head: {hash} ({at})").format(hash=report.head, at=report.head_at)
        if report.head_at
        else _("Head: {hash}").format(hash=report.head or "—")
    )
    lines.append(
        _("Signed checkpoints in the ledger: {inside}; kept beside it: {outside}").format(
            inside=report.checkpoints, outside=report.anchors
        )
    )
    lines.append(
        _("Proved by their seals: {count}").format(count=report.sealed)
        if report.sealed
        else _("The seals were not proved: that takes the enrolment kept by the region (--seal).")
    )
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    """The finding, with the time of the entry it is about where that can be read."""
    text = finding.message.text()
    return f"  {text}" if not finding.at or finding.at in text else f"  {text} [{finding.at}]"


def _export(options: argparse.Namespace) -> int:
    _store, ledger = opened(Home.find())
    last = export_to(ledger, options.path)
    answer(
        options,
        {"path": str(options.path), "entries": last},
        _("{path}: entries up to № {last}").format(path=options.path, last=last),
    )
    return 0


def _checkpoint(options: argparse.Namespace) -> int:
    _store, ledger = opened(Home.find())
    made = ledger.checkpoint()
    text = made.text() if made else ""
    answer(options, {"checkpoint": text}, text.rstrip())
    return 0
