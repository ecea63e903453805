"""`exam-kit log anchor | enrol | rekey`: what leaves the machine so that the ledger can be proved elsewhere."""

from __future__ import annotations

import argparse
import io
import os
from pathlib import Path
from typing import Any

import segno

from exam_kit.cli.words import add_json, answer, at_the_terminal
from exam_kit.errors import NotSetUp, RefusedEntry, m
from exam_kit.home import Home
from exam_kit.i18n import _
from exam_kit.region.desk import RegionDesk
from exam_kit.region.settings import is_region
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.durable import sync_folder
from exam_kit.store.enrol import to_enrol
from exam_kit.store.ledger import ENROLLED
from exam_kit.store.rekey import change_keys, settle_keys
from exam_kit.store.seal import SealKey

__all__ = ["add_key_commands", "nothing_here", "opened"]


def add_key_commands(log: Any) -> None:
    anchor = log.add_parser("anchor", help=_("sign the head of the chain as one line, for paper, a stick or a code"))
    anchor.add_argument("--to", type=Path, metavar="FILE", help=_("add the line to this file, on a stick for example"))
    anchor.add_argument(
        "--qr", nargs="?", const="-", metavar="FILE", help=_("as a QR code: on the screen, or a picture")
    )
    add_json(anchor)
    anchor.set_defaults(run=_anchor)
    enrol = log.add_parser("enrol", help=_("hand the first key of the seal to the region, and forget it here"))
    enrol.add_argument("--to", type=Path, metavar="FILE", help=_("write it to this new file, then forget it here"))
    enrol.add_argument(
        "--qr", action="store_true", help=_("show it as a QR code on the screen; it is not forgotten yet")
    )
    enrol.add_argument("--done", action="store_true", help=_("the region has it: forget it here"))
    add_json(enrol)
    enrol.set_defaults(run=_enrol)
    rekey = log.add_parser("rekey", help=_("make both keys of the ledger new, as planned or after a loss"))
    rekey.add_argument("--why", required=True, help=_("why, as it will stand in the ledger"))
    rekey.add_argument("--by", required=True, help=_("who announces it: the head of the point, by name"))
    add_json(rekey)
    rekey.set_defaults(run=_rekey)


def nothing_here(home: Home) -> NotSetUp:
    return NotSetUp(
        m(
            "{home}: there is no ledger here yet. Set EXAM_KIT_HOME to the folder that has it, or name the file.",
            home=home.root,
        )
    )


def opened(home: Home) -> tuple[Store, Ledger]:
    if not home.store.exists():
        raise nothing_here(home)
    store = open_store(home)
    ledger = Ledger(store, home)
    settle_keys(ledger, home)
    return store, ledger


def _anchor(options: argparse.Namespace) -> int:
    home = Home.find()
    _store, ledger = opened(home)
    made = ledger.checkpoint()
    if made is None and ledger.head().seq:
        raise RefusedEntry(
            m("The ledger does not name the signing key that lies here. Announce it: exam-kit log rekey.")
        )
    if made is None:
        raise nothing_here(home)
    if options.to:
        _add_line(options.to, made.line())
    text = made.line()
    if options.qr == "-":
        text = f"{_drawn(text)}\n{text}"
    elif options.qr:
        segno.make(made.line(), error="m").save(options.qr, scale=4)
    answer(options, {"anchor": made.line(), "entry": made.seq, "at": made.at}, text)
    return 0


def _enrol(options: argparse.Namespace) -> int:
    home = Home.find()
    _store, ledger = opened(home)
    seal = SealKey(home.keys)
    waiting = to_enrol(ledger, home)
    if not waiting:
        raise RefusedEntry(
            m("The first key was handed over already and is not here. For a new one: exam-kit log rekey.")
        )
    first, *others = waiting  # always the oldest, so that what --done forgets is what --qr showed
    if options.to:
        _write_new(options.to, first.text())
    if options.qr:
        print(_drawn(first.text()))
    if options.to or options.done:
        way = "file" if options.to else "code"
        ledger.append(ENROLLED, {"from": first.start, "by": way}, at_the_terminal())
        seal.hand_over(first)
        text = _("The first key is forgotten here. Give it to the region; with it every entry since № {seq} is proved.")
    else:
        text = _("The first key waits here. It is forgotten with --to FILE, or with --done once the region has it.")
    lines = [text.format(seq=first.start)]
    if others:
        more = _("Another first key waits, from entry № {seq} on. Give the command again for it.")
        lines.append(more.format(seq=others[0].start))
    said = {"from": first.start, "waits": not (options.to or options.done), "others": [one.start for one in others]}
    answer(options, said, "\n".join(lines))
    return 0


def _rekey(options: argparse.Namespace) -> int:
    home = Home.find()
    _store, ledger = opened(home)
    if not options.why.strip() or not options.by.strip():
        raise RefusedEntry(m("The change of the keys needs a reason and a name. Give both."))
    entry = change_keys(ledger, home, f"{options.why} ({options.by})", at_the_terminal())
    text = _("Entry № {seq}: both keys are new. Hand the new first key to the region: exam-kit log enrol.")
    lines = [text.format(seq=entry.seq)]
    if is_region(home):
        desk = RegionDesk.open(home)  # which writes the new key for the points
        desk.close()
        lines.append(_("Give {key} to every point: receipts are signed with the new key.").format(key=desk.key_file))
    answer(options, {"entry": entry.seq, "kind": entry.kind}, "\n".join(lines))
    return 0


def _drawn(text: str) -> str:
    """The code in characters, for a dark or a light terminal alike."""
    out = io.StringIO()
    segno.make(text, error="m").terminal(out, compact=True)
    return out.getvalue()


def _add_line(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as target:
        target.write(line + "\n")
        target.flush()
        os.fsync(target.fileno())
    sync_folder(path.absolute().parent)


def _write_new(path: Path, text: str) -> None:
    """A file that only its owner reads, on the disk before this returns; FileExistsError where there is one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    sync_folder(path.absolute().parent)
