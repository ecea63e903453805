"""One archive job from the order to the sealed bag."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from exam_kit.archive.act import Document, HandoverAct, KeepRule
from exam_kit.archive.result import ArchiveResult, Progress
from exam_kit.clock import Clock
from exam_kit.home import Home
from exam_kit.point import Point, Zone
from exam_kit.store import Ledger, Store

__all__ = ["run_archive"]


def run_archive(
    *,
    store: Store,
    ledger: Ledger,
    home: Home,
    point: Point,
    day: dt.date,
    zones: Sequence[Zone],
    destination: Path,
    actor: str,
    ordered_by: str,
    documents: Callable[[HandoverAct], Sequence[Document]],
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    clock: Clock,
    keep: KeepRule | None = None,
    seal: str = "",
) -> ArchiveResult:
    """Copy the day's closed segments of `zones` into a sealed bag under `destination`."""
    raise NotImplementedError
