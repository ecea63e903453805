"""The ledger as one text file that proves itself elsewhere.

First line: what it is and whose (point, public key). Then one line per entry: hash, a blank and its seal where it has
one, TAB, canonical JSON. Then the checkpoints, each on one line. Nothing in it needs this program to be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from exam_kit.store.checkpoint import IN_EXPORT
from exam_kit.store.ledger import Ledger

__all__ = ["EXPORT_TITLE", "export_lines", "export_to"]

EXPORT_TITLE = "exam-kit ledger export v1"


def export_lines(ledger: Ledger, up_to: int | None = None) -> Iterator[str]:
    """The export, line by line without line ends; entries up to number `up_to`, or all."""
    last = ledger.head().seq if up_to is None else up_to
    header = {"title": EXPORT_TITLE, "ledger": ledger.id, "key": ledger.public_key.pem().decode()}
    yield json.dumps(header, ensure_ascii=False, sort_keys=True)
    connection = ledger.store.connection
    entries = "SELECT record, hash, seal FROM ledger WHERE seq <= ? ORDER BY seq"
    for record, digest, seal in connection.execute(entries, (last,)):
        yield f"{digest} {seal.hex()}\t{record}" if seal else f"{digest}\t{record}"
    for (text,) in connection.execute("SELECT text FROM checkpoint WHERE seq <= ? ORDER BY seq", (last,)):
        yield IN_EXPORT + json.dumps(text)


def export_to(ledger: Ledger, path: Path) -> int:
    """Write the export to `path`, ending with a fresh checkpoint; the number of the last entry."""
    made = ledger.checkpoint()
    last = made.seq if made else ledger.head().seq
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as target:
        for line in export_lines(ledger, last):
            target.write(line + "\n")
    return last
