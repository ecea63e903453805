"""`exam-kit review`: take the books along as one file, and read such a file on another machine."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exam_kit.cli.log import anchors_given
from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal
from exam_kit.errors import RefusedEntry, UsageError, m
from exam_kit.home import kit_root
from exam_kit.i18n import _, current_language
from exam_kit.review.bundle import make_bundle
from exam_kit.review.bundle_home import settle
from exam_kit.review.bundle_read import Bundle, read_bundle
from exam_kit.store.keys import VerifyKey

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    review = commands.add_parser(
        "review",
        help=_("prove a review bundle and read it on this machine; 'review make FILE' writes one"),
    )
    review.add_argument("path", nargs="+", metavar="BUNDLE | make FILE", help=_("the bundle, or where to write one"))
    review.add_argument("--key", type=Path, help=_("the point's public key, kept elsewhere"))
    review.add_argument(
        "--anchor",
        action="append",
        default=[],
        metavar="FILE|LINE",
        help=_("a checkpoint kept elsewhere: a file, the line of a printed code, an export or a bag; repeatable"),
    )
    review.add_argument("--check", action="store_true", help=_("prove it only, without the screen"))
    review.add_argument("--port", type=int, default=0, help=_("port on 127.0.0.1 (default: any free one)"))
    add_json(review)
    review.set_defaults(run=_review)


def _review(options: argparse.Namespace) -> int:
    match options.path:
        case ["make", target]:
            return _make(options, Path(target))
        case [bundle]:
            return _read(options, Path(bundle))
    raise UsageError(m("review: name one bundle, or 'make' and the file to write."))


def _make(options: argparse.Namespace, path: Path) -> int:
    desk = Desk.open()
    if path.exists():
        raise RefusedEntry(m("{path}: is there already. Name a new file.", path=path))
    made = make_bundle(desk.home, desk.point, desk.ledger, at_the_terminal(), path)
    desk.store.close()
    told = {"path": str(made.path), "entries": made.entries, "bytes": made.bytes}
    text = _("{path}: written, entries up to № {entries}, {bytes} bytes").format(**told)
    answer(options, told, text)
    return 0


def _read(options: argparse.Namespace, path: Path) -> int:
    key = VerifyKey.load(options.key) if options.key else None
    anchors = [anchor for given in options.anchor for anchor in anchors_given(given)]
    for name in ("SIGTERM", "SIGHUP"):  # also when the terminal is closed no copy of the books stays behind
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda _number, _frame: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="exam-kit-review-") as folder:
        unpacked = Path(folder) / "bundle"
        unpacked.mkdir()
        bundle = read_bundle(path, unpacked, key, anchors)
        report = bundle.report
        told = {
            "entries": report.entries,
            "head": report.head,
            "head_at": report.head_at,
            "key": bundle.key.fingerprint,
            "key_given": bundle.outside,
            "anchors": len(anchors),
        }
        answer(options, told, "\n".join(_told(path, bundle, anchors)))
        if options.check:
            return 0
        home, once = settle(bundle, Path(folder) / "home", path.name, current_language(), len(anchors))
        return _show(home.root, once, options.port)


def _told(path: Path, bundle: Bundle, anchors: Sequence[str]) -> list[str]:
    report, key = bundle.report, bundle.key.fingerprint
    lines = [
        _("{path}: whole, entries {entries}, the last of {time}.").format(
            path=path, entries=report.entries, time=report.head_at
        )
    ]
    if bundle.outside:
        lines.append(_("Its key is the one that was given with --key: {key}.").format(key=key))
    else:
        lines.append(
            _("Its key came with the bundle itself: whose it is is not proved. Compare {key} with the region.").format(
                key=key
            )
        )
    if anchors:
        lines.append(_("Anchors given from outside and matched: {count}.").format(count=len(anchors)))
    return lines


def _show(root: Path, once: str, port: int) -> int:
    """Serve the review until Ctrl+C; the folder is taken away afterwards."""
    environment = {**os.environ, "EXAM_KIT_HOME": str(root), "PYTHONPATH": str(kit_root())}
    environment["EXAM_KIT_LANGUAGE"] = current_language()
    arguments = [sys.executable, "-m", "exam_kit.web.serve", "--port", str(port), "--with-parent"]
    with subprocess.Popen(
        arguments, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as web:
        assert web.stdout is not None
        try:
            line = web.stdout.readline()
            if line:
                address = f"{json.loads(line)['url']}open?once={once}"
                print(_("Open this address once, on this machine (Ctrl+C ends it): {address}").format(address=address))
                sys.stdout.flush()
            return web.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            web.terminate()
