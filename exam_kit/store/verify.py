"""Proving the ledger, alone and offline, from the database file or from an export.

Every record is recomputed; the schema of the file is compared with ours (a dropped trigger is a finding); every
checkpoint kept in the store, in `anchors/` or given from outside must name an entry that is still there with that
hash. What this cannot see without an anchor kept elsewhere: a whole older copy of the disk put back together with
its anchors, and a chain recomputed after the last checkpoint.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import rfc8785

from exam_kit.clock import from_iso
from exam_kit.errors import Message, StoreError, m
from exam_kit.store.export import EXPORT_TITLE
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import GENESIS, Checkpoint, entry_hash
from exam_kit.store.schema import LEDGER_SCHEMA

__all__ = ["Finding", "LedgerReport", "read_anchors", "verify_database", "verify_export", "verify_export_stream"]

MOST_LINE_BYTES = 1 << 22
"""One entry of an export at most; the longest real ones, a whole check with its evidence, have some hundred kB."""

FIELDS = {"seq", "at", "boot", "mono", "actor", "kind", "body", "prev"}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, at which entry, in words."""

    kind: str
    seq: int | None
    message: Message


@dataclass
class LedgerReport:
    """What verification saw."""

    ledger: str = ""
    entries: int = 0
    head: str = ""
    head_at: str = ""
    checkpoints: int = 0
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """True when nothing is wrong and there was something to prove."""
        return not self.findings and self.entries > 0

    def add(self, kind: str, seq: int | None, message: Message) -> None:
        self.findings.append(Finding(kind, seq, message))

    def as_dict(self) -> dict[str, Any]:
        return {
            "whole": self.whole,
            "ledger": self.ledger,
            "entries": self.entries,
            "head": self.head,
            "head_at": self.head_at,
            "checkpoints": self.checkpoints,
            "anchors": self.anchors,
            "findings": [{"kind": f.kind, "entry": f.seq, "text": f.message.text()} for f in self.findings],
        }


def read_anchors(folder: Path) -> list[str]:
    """The texts of the checkpoints kept in `folder`; none when there is no such folder."""
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("checkpoint-*.txt"))]


def verify_database(path: Path, key: VerifyKey | None = None, anchors: Iterable[str] = ()) -> LedgerReport:
    """Verify the ledger inside a database file.

    `key` is the public key kept outside; without it the one in the first entry is used. `anchors` are texts of
    checkpoints kept elsewhere.

    Raises:
        StoreError: the file cannot be opened at all.
    """
    report = LedgerReport()
    if not path.exists():
        raise StoreError(m("{path}: there is no such file. Name the ledger's database or an export.", path=path))
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        _schema(connection, report)
        for (said,) in connection.execute("PRAGMA integrity_check"):
            if said != "ok":
                report.add(
                    "database damaged",
                    None,
                    m("The database file is damaged: {reason}. Restore it from the backup.", reason=said),
                )
        rows = connection.execute("SELECT seq, record, hash FROM ledger ORDER BY seq")
        kept = [row[0] for row in connection.execute("SELECT text FROM checkpoint ORDER BY seq")]
        numbers = [row[0] for row in connection.execute("SELECT seq FROM checkpoint ORDER BY seq")]
        _chain(rows, kept, numbers, key, anchors, report)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as problem:
        report.add(
            "database damaged",
            None,
            m("The database file is damaged: {reason}. Restore it from the backup.", reason=problem),
        )
    finally:
        connection.close()
    return report


def verify_export(path: Path, key: VerifyKey | None = None, anchors: Iterable[str] = ()) -> LedgerReport:
    """Verify an exported ledger file; arguments and errors as `verify_database`."""
    try:
        with path.open("rb") as source:
            return verify_export_stream(source, str(path), key, anchors)
    except OSError as problem:
        raise _no_export(path, problem) from problem


def verify_export_stream(
    source: BinaryIO, name: str, key: VerifyKey | None = None, anchors: Iterable[str] = ()
) -> LedgerReport:
    """Verify an export line by line, wherever it is read from; `name` is what messages call it."""
    try:
        header = json.loads(_line(source))
    except (ValueError, RecursionError) as problem:
        raise _no_export(name, problem) from problem
    if not isinstance(header, dict) or header.get("title") != EXPORT_TITLE:
        raise StoreError(m("{path}: is not a ledger export. Name the file 'log export' wrote.", path=name))
    report = LedgerReport()
    kept: list[str] = []
    try:
        _chain(_entries(source, kept), kept, None, key, anchors, report)
    except ValueError as problem:
        raise _no_export(name, problem) from problem
    if not any(f"\nseq {report.entries}\n" in text for text in kept):
        report.add(
            "unsigned end", report.entries, m("The export does not end with a checkpoint: its signed end was cut off.")
        )
    return report


def _line(source: BinaryIO) -> str:
    """The next line with its end, "" after the last. Only LF ends one: JSON keeps other separators as they were."""
    raw = source.readline(MOST_LINE_BYTES + 1)
    if len(raw) > MOST_LINE_BYTES:
        raise ValueError("a line is too long")
    return raw.decode("utf-8")


def _entries(source: BinaryIO, kept: list[str]) -> Iterator[tuple[int, str, str]]:
    """Number, record and hash of each entry; the texts of the checkpoints, which stand last, go to `kept`."""
    number = 0
    while line := _line(source):
        digest, _tab, record = line.removesuffix("\n").partition("\t")
        if digest == "checkpoint":
            try:
                kept.append(str(json.loads(record)))
            except ValueError:
                kept.append("")
        else:
            number += 1
            yield number, record, digest


def _no_export(name: object, problem: Exception) -> StoreError:
    return StoreError(
        m("{path}: is not a ledger export ({reason}). Name the file 'log export' wrote.", path=name, reason=problem)
    )


def _schema(connection: sqlite3.Connection, report: LedgerReport) -> None:
    found = dict(
        connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE tbl_name IN ('ledger', 'checkpoint') AND sql IS NOT NULL"
        )
    )
    for name in sorted(LEDGER_SCHEMA.keys() | found.keys()):
        if found.get(name) != LEDGER_SCHEMA.get(name):
            report.add(
                "schema changed",
                None,
                m("The database's protection '{name}' was changed, added or removed.", name=name),
            )


def _chain(
    rows: Iterator[Any],
    kept: list[str],
    numbers: list[int] | None,
    key: VerifyKey | None,
    anchors: Iterable[str],
    report: LedgerReport,
) -> None:
    hashes: dict[int, str] = {}
    prev, opened = "", ""
    for expected, (seq, record, digest) in enumerate(rows, start=1):
        fault = None
        data = _record(record)
        if data is None:
            fault = ("entry unreadable", m("Entry {seq}: its text was changed.", seq=seq))
        elif seq != expected or data["seq"] != expected:
            fault = ("entry out of place", m("Entry {seq}: entries were removed, added or swapped here.", seq=expected))
        elif expected == 1:
            report.ledger = _ledger_id(data)
            opened = str(data["body"].get("key", "")) if isinstance(data["body"], dict) else ""
            if data["kind"] != GENESIS or not report.ledger:
                fault = ("entry changed", m("Entry {seq}: the first entry does not open a ledger.", seq=1))
        if fault is None and data is not None:
            if data["prev"] != prev:
                fault = ("chain broken", m("Entry {seq}: it does not follow the entry before it.", seq=seq))
            elif entry_hash(report.ledger, record) != digest:
                fault = ("entry changed", m("Entry {seq}: its content does not match its hash.", seq=seq))
        report.entries = expected
        if fault is not None:
            report.add(fault[0], expected, fault[1])
            return
        hashes[expected] = prev = digest
        report.head, report.head_at = digest, str(data["at"]) if data else ""
    _checkpoints(kept, numbers, opened, key, list(anchors), hashes, report)


def _record(record: object) -> dict[str, Any] | None:
    """The entry when the text is canonical and of the right shape."""
    try:
        data = json.loads(record) if isinstance(record, str) else None
        if not isinstance(data, dict) or set(data) != FIELDS or rfc8785.dumps(data).decode() != record:
            return None
        from_iso(data["at"])
    except (ValueError, TypeError, rfc8785.CanonicalizationError):
        return None
    return data


def _ledger_id(data: dict[str, Any]) -> str:
    return str(data["body"].get("ledger", "")) if isinstance(data["body"], dict) else ""


def _checkpoints(
    kept: list[str],
    numbers: list[int] | None,
    opened: str,
    key: VerifyKey | None,
    anchors: list[str],
    hashes: dict[int, str],
    report: LedgerReport,
) -> None:
    if not report.entries:
        report.add("empty", None, m("The ledger has no entries: there is nothing to prove."))
    if key is None:
        try:
            key = VerifyKey.from_pem(opened.encode())
        except ValueError:
            report.add("no key", 1, m("Entry {seq}: the ledger names no usable public key.", seq=1))
            return
    elif opened.strip() and opened.encode().strip() != key.pem().strip():
        report.add("foreign key", 1, m("The ledger was opened with another key than the point's."))
    report.checkpoints, report.anchors = len(kept), len(anchors)
    for position, text in enumerate([*kept, *anchors]):
        inside = position < len(kept)
        try:
            checkpoint = Checkpoint.parse(text)
        except (ValueError, KeyError):
            report.add("checkpoint damaged", None, m("A kept checkpoint cannot be read: its text was changed."))
            continue
        moved = inside and numbers is not None and numbers[position] != checkpoint.seq
        if checkpoint.text() != text or moved or not checkpoint.signed_by(key):
            report.add(
                "checkpoint forged",
                checkpoint.seq,
                m("The checkpoint of entry {seq} is not signed with the point's key.", seq=checkpoint.seq),
            )
        elif checkpoint.ledger != report.ledger:
            report.add("foreign checkpoint", checkpoint.seq, m("A checkpoint belongs to another ledger."))
        elif checkpoint.seq not in hashes:
            report.add(
                "tail missing",
                len(hashes) + 1,
                m(
                    "Entries {first} to {last} are missing: a kept checkpoint proves they existed.",
                    first=len(hashes) + 1,
                    last=checkpoint.seq,
                ),
            )
        elif hashes[checkpoint.seq] != checkpoint.hash:
            report.add(
                "history rewritten",
                checkpoint.seq,
                m(
                    "Entry {seq} is not the one that a kept checkpoint signed: the chain was rewritten.",
                    seq=checkpoint.seq,
                ),
            )
