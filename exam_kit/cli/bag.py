"""Bags on the command line: proving them, and opening encrypted ones. Neither needs a point or an agent."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exam_kit.archive.age_open import identities_in, open_bag
from exam_kit.archive.bag_find import bags_at
from exam_kit.archive.bag_report import EXIT_CODES, BagReport
from exam_kit.archive.supplement import relate
from exam_kit.archive.verify import verify_bag
from exam_kit.cli.words import add_json, answer
from exam_kit.clock import SystemClock
from exam_kit.forms.verify_report import verify_html
from exam_kit.i18n import _, current_language
from exam_kit.store.keys import VerifyKey

__all__ = ["add_commands"]

TOLD_EVERY_S = 0.3


def add_commands(commands: Any) -> None:
    verify = commands.add_parser(
        "verify", help=_("prove a bag; 0 whole, 20 changed, 21 missing, 22 unexpected, 23 no bag")
    )
    verify.add_argument(
        "path", type=_where, help=_("a bag's folder, the folder above several, or s3://STORE/BAG of point.toml")
    )
    verify.add_argument("--quick", action="store_true", help=_("names and sizes only; proves no content"))
    verify.add_argument("--key", type=Path, help=_("the point's public key, kept elsewhere"))
    verify.add_argument("--html", type=Path, metavar="FILE", help=_("also write the report as one page for people"))
    add_json(verify)
    verify.set_defaults(run=_verify)

    opened = commands.add_parser("open", help=_("decrypt an encrypted bag into a plain one and prove it"))
    opened.add_argument("bag", type=Path)
    opened.add_argument(
        "--identity", type=Path, required=True, metavar="FILE", help=_("the region's secret age key, in its file")
    )
    opened.add_argument("--to", type=Path, required=True, metavar="FOLDER", help=_("where the plain bag is to stand"))
    opened.add_argument("--key", type=Path, help=_("the point's public key, kept elsewhere"))
    add_json(opened)
    opened.set_defaults(run=_open)


def _where(text: str) -> str | Path:
    return text if text.startswith("s3://") else Path(text)


def _verify(options: argparse.Namespace) -> int:
    key = VerifyKey.load(options.key) if options.key else None
    if isinstance(options.path, str):
        from exam_kit.cli.stores import verify_at  # needs a point, and a store; a folder needs neither

        with _Progress(options.path) as told:
            reports = [verify_at(options.path, quick=options.quick, key=key, progress=told)]
        bags: list[Path] = []
    else:
        bags, reports = bags_at(options.path), []
    for number, bag in enumerate(bags, start=1):
        with _Progress(f"{number}/{len(bags)} {bag.name}") as told:
            reports.append(verify_bag(bag, quick=options.quick, key=key, progress=told))
    relate(reports)
    if options.html:
        page = verify_html(reports, SystemClock().now(), current_language())
        options.html.write_text(page, encoding="utf-8", errors="backslashreplace")
    code = _worst(reports)
    alone = reports[0].as_dict()
    together = {"exit_code": code, "bags": [report.as_dict() for report in reports]}
    answer(options, alone if len(reports) == 1 else together, "\n\n".join(report.text() for report in reports))
    return code


def _worst(reports: Sequence[BagReport]) -> int:
    """The exit code that stands for all: 23, 20, 21, 22, 0."""
    found = {report.exit_code for report in reports}
    worst = (EXIT_CODES[outcome] for outcome in ("not_a_bag", "changed", "missing", "unexpected"))
    return next((code for code in worst if code in found), 0)


def _open(options: argparse.Namespace) -> int:
    key = VerifyKey.load(options.key) if options.key else None
    identities = identities_in(options.identity)
    options.to.mkdir(parents=True, exist_ok=True)
    with _Progress(options.bag.name) as told:
        report = open_bag(options.bag, identities, options.to, key=key, progress=told)
    answer(options, report.as_dict(), report.text())
    return report.exit_code


class _Progress:
    """One line that is written over, on a terminal; nothing where nobody looks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = sys.stderr.isatty()
        self._began = self._told = time.monotonic()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_problem: object) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def __call__(self, done: int, whole: int) -> None:
        now = time.monotonic()
        if not self._shown or now - self._told < TOLD_EVERY_S:
            return
        self._told = now
        rate = done / max(now - self._began, 0.001)
        left = max(whole - done, 0) / max(rate, 1.0)
        text = _("{name}: {done} of {whole} MB, {rate} MB/s, {left} s left").format(
            name=self._name, done=done // 10**6, whole=whole // 10**6, rate=round(rate / 1e6), left=round(left)
        )
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
