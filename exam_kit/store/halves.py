"""A long chain walked by two processes, each a half, while a third part of the work, SQLite's own check, goes beside.

The second half and the check run as programs of their own (``python -m exam_kit.store.halves``): they need nothing of
the process that asks for them, whichever that is. What they are asked comes by their standard input.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from exam_kit.errors import Message, StoreError, m
from exam_kit.store.ledger import KEY_KINDS
from exam_kit.store.report import Finding
from exam_kit.store.seal import Enrolment
from exam_kit.store.walk import KeyEntry, Row, Stretch, walk

__all__ = ["LONG_ENTRIES", "read_rows", "walk_database"]

LONG_ENTRIES = 60_000
"""Below this a second process costs more than it saves."""

PART = {
    True: "SELECT seq, record, hash, seal FROM ledger WHERE seq BETWEEN ? AND ? ORDER BY seq",
    False: "SELECT seq, record, hash, NULL FROM ledger WHERE seq BETWEEN ? AND ? ORDER BY seq",
}
ALL = {
    True: "SELECT seq, record, hash, seal FROM ledger ORDER BY seq",
    False: "SELECT seq, record, hash, NULL FROM ledger ORDER BY seq",
}
SEALS_BEGUN = """SELECT json_extract(record, '$.body.seal_from') FROM ledger
WHERE kind IN (SELECT value FROM json_each(?)) AND seq <= ?"""

_FIRST_SHARE = 0.37
"""SQLite's own check is made by the process that walks the first part."""
_DEADLINE_S = 900


def read_rows(connection: sqlite3.Connection, first: int, last: int | None, *, sealed: bool) -> Iterator[Row]:
    """Entries as bytes in the order of their numbers; all there are, whatever they are, where no part is named."""
    connection.text_factory = bytes
    try:
        if first != 1 or last is not None:
            yield from connection.execute(PART[sealed], (first, last if last is not None else 2**63 - 1))
        else:
            yield from connection.execute(ALL[sealed])
    finally:
        connection.text_factory = str


def walk_database(
    connection: sqlite3.Connection, path: Path, seals: Sequence[Enrolment], *, sealed: bool
) -> tuple[list[Stretch], list[str]]:
    """The stretches of the chain in the file, and what SQLite's integrity check said beside "ok"."""
    (entries,) = connection.execute("SELECT max(seq) FROM ledger").fetchone()
    if not isinstance(entries, int) or entries < LONG_ENTRIES:
        said = integrity(connection)
        return [_walked(connection, 1, None, sealed=sealed, seals=seals)], said
    middle = int(entries * _FIRST_SHARE)
    ledger = connection.execute("SELECT json_extract(record, '$.body.ledger') FROM ledger WHERE seq = 1").fetchone()
    began = connection.execute(SEALS_BEGUN, (json.dumps(KEY_KINDS), middle))
    starts = {start for (start,) in began if isinstance(start, int)}
    # A seal that began anew before the middle with a key nobody gave proves nothing after it.
    latest = max(starts, default=0)
    usable = [one for one in seals if one.start > middle or one.start >= latest]
    asked = {
        "path": str(path.absolute()),
        "first": middle + 1,
        "ledger": str(ledger[0]) if ledger else "",
        "sealed": sealed,
        "begun": bool(starts),
        "seals": [one.text() for one in usable],
    }
    with subprocess.Popen(
        [sys.executable, "-m", "exam_kit.store.halves"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    ) as second:
        assert second.stdin is not None
        second.stdin.write(json.dumps(asked).encode())
        second.stdin.close()
        second.stdin = None
        one = _walked(connection, -(2**63), middle, sealed=sealed, seals=seals)
        said = integrity(connection)
        try:
            answer, _nothing = second.communicate(timeout=_DEADLINE_S)
        except subprocess.TimeoutExpired as problem:
            second.kill()
            raise StoreError(m("The verification's second process did not end. Verify again.")) from problem
    if second.returncode != 0:
        raise StoreError(m("The verification's second process ended early. Verify again."))
    if one.fault is not None:
        return [one], said
    return [one, _unpacked(answer)], said


def _walked(
    connection: sqlite3.Connection,
    first: int,
    last: int | None,
    *,
    sealed: bool,
    seals: Sequence[Enrolment],
    ledger: str = "",
    begun: bool = False,
) -> Stretch:
    """Walk a part of the file; where it cannot be read on is a fault of the entry that stood there."""
    trouble: list[str] = []  # not the exception: its frames would keep the file open

    def rows() -> Iterator[Row]:
        try:
            yield from read_rows(connection, first, last, sealed=sealed)
        except sqlite3.DatabaseError as problem:
            trouble.append(str(problem))

    seen = walk(rows(), first=max(first, 1), ledger=ledger, begun=begun, seals=seals)
    if trouble and seen.fault is None:
        text = m("Entry {seq}: the file cannot be read here ({reason}).", seq=seen.last + 1, reason=trouble[0])
        seen.fault = Finding("entry unreadable", seen.last + 1, text)
    return seen


def integrity(connection: sqlite3.Connection) -> list[str]:
    """SQLite's own check of pages and indexes; empty when it is content."""
    try:
        return [str(said) for (said,) in connection.execute("PRAGMA integrity_check") if said != "ok"]
    except sqlite3.DatabaseError as problem:
        return [str(problem)]


def _packed(stretch: Stretch) -> bytes:
    def told(finding: Finding | None) -> Any:
        return finding and [finding.kind, finding.seq, finding.message.template, dict(finding.message.values)]

    whole = {name: value for name, value in vars(stretch).items() if name not in ("hashes", "keys")}
    whole |= {"fault": told(stretch.fault), "seal_fault": told(stretch.seal_fault)}
    whole["keys"] = [asdict(entry) for entry in stretch.keys]
    return json.dumps(whole).encode() + b"\n" + bytes(stretch.hashes)


def _unpacked(answer: bytes) -> Stretch:
    head, _end, hashes = answer.partition(b"\n")
    whole = json.loads(head)
    for name in ("fault", "seal_fault"):
        if whole[name]:
            kind, seq, template, values = whole[name]
            whole[name] = Finding(kind, seq, Message(template, values))
    whole["keys"] = [KeyEntry(**entry) for entry in whole["keys"]]
    return Stretch(**whole, hashes=bytearray(hashes))


def _main(asked: dict[str, Any], out: BinaryIO) -> None:
    connection = sqlite3.connect(f"{Path(asked['path']).as_uri()}?mode=ro", uri=True)
    seals = [Enrolment.parse(text) for text in asked["seals"]]
    before = {"ledger": asked["ledger"], "begun": asked["begun"]}
    try:
        seen = _walked(connection, asked["first"], None, sealed=asked["sealed"], seals=seals, **before)
    finally:
        connection.close()
    out.write(_packed(seen))


if __name__ == "__main__":
    _main(json.loads(sys.stdin.read()), sys.stdout.buffer)
