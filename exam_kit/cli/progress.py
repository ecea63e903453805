"""How far a long work has come: one line of the terminal, written over and over."""

from __future__ import annotations

import sys

from exam_kit.archive.result import Progress
from exam_kit.i18n import _

__all__ = ["show_progress"]


def show_progress(name: str, now: Progress) -> None:
    """Over the line that was shown before; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return
    numbers = {"name": name, "done": now.done_bytes // 10**6, "whole": now.bytes // 10**6}
    if now.left_s is None:
        text = _("{name}: {done} of {whole} MB").format(**numbers)
    else:
        text = _("{name}: {done} of {whole} MB, {rate} MB/s, {left} s left").format(
            **numbers, rate=round(now.rate_bps / 1e6, 1), left=round(now.left_s)
        )
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
