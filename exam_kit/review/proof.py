"""One verification of a home's ledger, in a process of its own: a long chain must not hold the screens up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exam_kit.clock import Clock
from exam_kit.errors import Message, StoreError, m
from exam_kit.home import Home
from exam_kit.store import Head
from exam_kit.store.keys import VerifyKey
from exam_kit.store.report import Finding, LedgerReport
from exam_kit.store.seal import SealKey
from exam_kit.store.verify import read_anchors, verify_database

__all__ = ["Proof", "prove", "proved_here"]

DEADLINE_S = 600


@dataclass(frozen=True)
class Proof:
    """What a verification saw; `head` is the last entry it read."""

    head: Head
    checked_at: datetime
    checkpoints: int
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        return not self.findings and self.head.seq > 0


def prove(home: Home, clock: Clock) -> Proof:
    """Verify the home's ledger in a child process.

    Raises:
        StoreError: it did not end, or ended without an answer.
    """
    at = clock.now()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "exam_kit.review.proof"],
            input=str(home.root).encode(),
            capture_output=True,
            timeout=DEADLINE_S,
            check=True,
            cwd=Path(__file__).resolve().parents[2],
        )
    except (subprocess.SubprocessError, OSError) as problem:
        raise StoreError(m("The check of the ledger did not come to its end. Check it again.")) from problem
    told = json.loads(done.stdout)
    findings = [Finding(kind, seq, Message(text, values), at_) for kind, seq, text, values, at_ in told["findings"]]
    return Proof(Head(told["entries"], told["head"]), at, told["checkpoints"], tuple(findings))


def proved_here(home: Home) -> LedgerReport:
    """The verification itself, against the key and the anchors that lie in the home."""
    public = home.keys / "ledger.pub"
    keys = [VerifyKey.load(public)] if public.exists() else []
    # Read before the entries are: what is written meanwhile must not look like missing.
    present = SealKey(home.keys).read()
    return verify_database(home.store, keys, read_anchors(home.anchors), moved_to=present.position if present else None)


def _told(report: LedgerReport) -> bytes:
    findings = [
        [
            one.kind,
            one.seq,
            one.message.template,
            {name: value if isinstance(value, int) else str(value) for name, value in one.message.values.items()},
            one.at,
        ]
        for one in report.findings
    ]
    told = {"entries": report.entries, "head": report.head, "checkpoints": report.checkpoints, "findings": findings}
    return json.dumps(told).encode()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)  # the recorder goes first
    sys.stdout.buffer.write(_told(proved_here(Home.at(Path(sys.stdin.buffer.read().decode())))))
