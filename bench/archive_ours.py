"""Ours in a process of its own, as the agent runs it: the whole archive job, from the choice to the sealed bag.

    python -m bench.archive_ours [--encrypted] HOME DESTINATION [DESTINATION]

Says "ready" when it has started, begins at a line of input, and prints as JSON what the run took. Progress goes into
the order's row as the agent writes it; the hand-over's papers are stand-ins of a few bytes, for what a form costs to
print is not what is measured here.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from pyrage import x25519

from bench.archive_footage import DAY
from bench.archive_meter import io_read_bytes, peak_bytes
from exam_kit.agent import orders
from exam_kit.agent.archiving import reported
from exam_kit.archive.act import Document, HandoverAct, KeepRule
from exam_kit.archive.job import run_archive
from exam_kit.archive.result import Progress
from exam_kit.archive.selection import Asked
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Zone, load_point
from exam_kit.store import Ledger, open_store

__all__ = ["main"]


ENCRYPTED = "--encrypted"


def _papers(act: HandoverAct) -> list[Document]:
    return [Document("акт приёма-передачи.pdf", b"%PDF-1.7 " + act.number.encode())]


def _run(home: Home, destinations: list[Path], *, encrypted: bool) -> dict[str, Any]:
    store, clock = open_store(home), SystemClock()
    ledger, point = Ledger(store, home, clock), load_point(home.point_file)
    centre = point.region_centre.model_copy(update={"age": str(x25519.Identity.generate().to_public())})
    point = point.model_copy(update={"region_centre": centre})
    body = {"day": str(DAY), "destinations": [str(destination) for destination in destinations]}
    order = orders.give(ledger, "archive", body, actor="terminal:tech", ordered_by="head", why="bench")
    sealing_at = 0.0
    tell = reported(store, order, clock)

    def progress(now: Progress) -> None:
        nonlocal sealing_at
        tell(now)
        if now.phase == "sealing" and not sealing_at:
            sealing_at = time.monotonic()

    print("ready", flush=True)
    sys.stdin.readline()
    began, read, spent = time.monotonic(), io_read_bytes(), _cpu_s()
    result = run_archive(
        store=store,
        ledger=ledger,
        home=home,
        point=point,
        day=DAY,
        asked=Asked((Zone.CORRIDOR, Zone.ENTRANCE), encrypted=encrypted),
        destinations=destinations,
        actor="terminal:tech",
        ordered_by="head",
        documents=_papers,
        progress=progress,
        cancelled=lambda: False,
        clock=clock,
        keep=KeepRule(month=3, day=1, years=1, source="bench"),
    )
    ended = time.monotonic()
    return {
        "whole": all(copy.state == "finished" and not copy.failed for copy in result.copies),
        "copies": len(result.copies),
        "bytes": result.bytes,
        "seconds": ended - began,
        "sealing_s": ended - sealing_at,
        "cpu_s": _cpu_s() - spent,
        "peak_bytes": peak_bytes(),
        "read_bytes": io_read_bytes() - read,
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(*words: str) -> None:
    home, *destinations = (Path(word) for word in words if word != ENCRYPTED)
    print(json.dumps(_run(Home.at(home), destinations, encrypted=ENCRYPTED in words)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
