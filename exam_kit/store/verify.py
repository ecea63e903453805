"""Proving the ledger, alone and offline, from the database file or from an export.

Every entry is recomputed; the schema of the file is compared with ours (a dropped trigger is a finding); every
checkpoint kept in the store, in `anchors/` or given from outside must name an entry that is still there with that
hash; with the first key the region keeps, every seal is recomputed. What this cannot see stands in docs/ledger.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from exam_kit.errors import StoreError, m
from exam_kit.store.checkpoint import read_anchors
from exam_kit.store.export import EXPORT_TITLE
from exam_kit.store.halves import walk_database
from exam_kit.store.keys import VerifyKey
from exam_kit.store.report import Finding, LedgerReport
from exam_kit.store.schema import APPLICATION_ID, FIRST_LEDGER_SCHEMA, LEDGER_SCHEMA
from exam_kit.store.seal import Enrolment
from exam_kit.store.walk import Row, Stretch, walk
from exam_kit.store.witness import enrolled, judge_anchors, signing_keys

__all__ = [
    "Finding",
    "LedgerReport",
    "hashes_of",
    "read_anchors",
    "verify_database",
    "verify_export",
    "verify_export_stream",
]

MOST_LINE_BYTES = 1 << 22
"""One entry of an export at most; the longest real ones, a whole check with its evidence, have some hundred kB."""

SEALED_SINCE = 7
"""The version of the schema that brought the seal."""

Keys = VerifyKey | Sequence[VerifyKey] | None


def verify_database(
    path: Path,
    key: Keys = None,
    anchors: Iterable[str] = (),
    seals: Sequence[Enrolment] = (),
    *,
    moved_to: int | None = None,
) -> LedgerReport:
    """Verify the ledger inside a database file.

    `key` is the public key kept outside, or several; without one the one in the first entry is used. `anchors` are
    texts of checkpoints kept elsewhere, `seals` the enrolled first keys. `moved_to` is the entry that the seal's
    present key is for: a ledger that ends well before it was put back from an older copy.

    Raises:
        StoreError: the file cannot be opened at all.
    """
    report = LedgerReport()
    if not path.exists():
        raise StoreError(m("{path}: there is no such file. Name the ledger's database or an export.", path=path))
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        sealed = _schema(connection, report)
        kept = list(connection.execute("SELECT seq, text FROM checkpoint ORDER BY seq"))
        stretches, said = walk_database(connection, path, seals, sealed=sealed)
        for line in said:
            report.damaged(line)
        _judge(stretches, kept, key, anchors, seals, report)
        if moved_to is not None and report.entries + 1 < moved_to:
            report.add(
                "rolled back",
                report.entries + 1,
                m(
                    "Entry {seq}: the seal's key has moved on to entry {moved_to}; what stood between is missing.",
                    seq=report.entries + 1,
                    moved_to=moved_to,
                ),
            )
    except (sqlite3.DatabaseError, UnicodeDecodeError) as problem:
        report.damaged(problem)
    finally:
        connection.close()
    return report


def verify_export(
    path: Path, key: Keys = None, anchors: Iterable[str] = (), seals: Sequence[Enrolment] = ()
) -> LedgerReport:
    """Verify an exported ledger file; arguments and errors as `verify_database`."""
    try:
        with path.open("rb") as source:
            return verify_export_stream(source, str(path), key, anchors, seals)
    except OSError as problem:
        raise _no_export(path, problem) from problem


def verify_export_stream(
    source: BinaryIO, name: str, key: Keys = None, anchors: Iterable[str] = (), seals: Sequence[Enrolment] = ()
) -> LedgerReport:
    """Verify an export line by line, wherever it is read from; `name` is what messages call it."""
    _header(source, name)
    report = LedgerReport()
    kept: list[str] = []
    try:
        stretch = walk(_entries(source, kept), seals=seals)
        for _rest in _entries(source, kept):  # the checkpoints behind a fault
            continue
    except ValueError as problem:
        raise _no_export(name, problem) from problem
    _judge([stretch], kept, key, anchors, seals, report)
    if not any(f"\nseq {report.entries}\n" in text for text in kept):
        report.add(
            "unsigned end", report.entries, m("The export does not end with a checkpoint: its signed end was cut off.")
        )
    return report


def hashes_of(path: Path) -> Iterator[tuple[int, str, str]]:
    """Number, hash and text of each entry of a database or an export, unproved, to compare two copies."""
    with path.open("rb") as source:
        if source.read(16) != b"SQLite format 3\0":
            source.seek(0)
            _header(source, str(path))
            for seq, record, digest, _seal in _entries(source, []):
                yield seq, digest.decode(errors="replace"), record.decode(errors="replace")
            return
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        yield from connection.execute("SELECT seq, hash, record FROM ledger ORDER BY seq")
    finally:
        connection.close()


def _header(source: BinaryIO, name: str) -> None:
    try:
        header = json.loads(_line(source))
    except (ValueError, RecursionError) as problem:
        raise _no_export(name, problem) from problem
    if not isinstance(header, dict) or header.get("title") != EXPORT_TITLE:
        raise StoreError(m("{path}: is not a ledger export. Name the file 'log export' wrote.", path=name))


def _line(source: BinaryIO) -> bytes:
    """The next line with its end, b"" after the last. Only LF ends one: JSON keeps other separators as they were."""
    raw = source.readline(MOST_LINE_BYTES + 1)
    if len(raw) > MOST_LINE_BYTES:
        raise ValueError("a line is too long")
    return raw


def _entries(source: BinaryIO, kept: list[str]) -> Iterator[Row]:
    """Each entry; the texts of the checkpoints, which stand last, go to `kept`."""
    number = 0
    while line := _line(source):
        before, _tab, record = line.removesuffix(b"\n").partition(b"\t")
        if before == b"checkpoint":
            try:
                kept.append(str(json.loads(record)))
            except (ValueError, RecursionError):
                kept.append("")
            continue
        number += 1
        digest, _blank, seal = before.partition(b" ")
        yield number, record, digest, _unhexed(seal)


def _unhexed(text: bytes) -> bytes | None:
    try:
        return bytes.fromhex(text.decode("ascii")) or None
    except ValueError:
        return b""  # something stands there that is no seal


def _no_export(name: object, problem: Exception) -> StoreError:
    return StoreError(
        m("{path}: is not a ledger export ({reason}). Name the file 'log export' wrote.", path=name, reason=problem)
    )


def _schema(connection: sqlite3.Connection, report: LedgerReport) -> bool:
    """Compare the protection in the file with ours; True when the file has seals."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    columns = {row[1] for row in connection.execute("PRAGMA table_info(ledger)")}
    sealed = "seal" in columns
    ours = {name: _entered(name, sql) for name, sql in (LEDGER_SCHEMA if sealed else FIRST_LEDGER_SCHEMA).items()}
    found = {
        str(name): (kind, table, sql)
        for name, kind, table, sql in connection.execute(
            "SELECT name, type, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
            " AND (lower(tbl_name) IN ('ledger', 'checkpoint')"
            " OR (type IN ('trigger', 'view') AND (sql LIKE '%ledger%' OR sql LIKE '%checkpoint%')))"
        )
    }
    for name in sorted(ours.keys() | found.keys()):
        if found.get(name) != ours.get(name):
            report.add(
                "schema changed",
                None,
                m("The database's protection '{name}' was changed, added or removed.", name=name),
            )
    steps = connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0]
    if application != (APPLICATION_ID if sealed else 0) or version != steps or sealed != (version >= SEALED_SINCE):
        report.add("schema changed", None, m("The marks in the database's head are not the ones the kit set."))
    return sealed


def _entered(name: str, sql: str) -> tuple[str, str, str]:
    """Kind, table and text, as SQLite enters them for one of ours; each is named after its table."""
    return sql.split()[1].lower(), name.partition("_")[0], sql


def _judge(
    stretches: Sequence[Stretch],
    kept: Sequence[tuple[int, str]] | Sequence[str],
    key: Keys,
    anchors: Iterable[str],
    seals: Sequence[Enrolment],
    report: LedgerReport,
) -> None:
    """Join the stretches, and hear what stands beside the chain."""
    faults: list[Finding] = []
    prev = ""
    whole: list[Stretch] = []
    for stretch in stretches:
        if stretch.first > 1 and stretch.prev != prev:
            text = m("Entry {seq}: it does not follow the entry before it.", seq=stretch.first)
            faults.append(Finding("chain broken", stretch.first, text))
            break
        whole.append(stretch)
        report.ledger = report.ledger or stretch.ledger
        report.sealed += stretch.sealed
        faults += [fault for fault in (stretch.seal_fault, stretch.fault) if fault]
        if stretch.unsealed is not None:
            text = m("Entry {seq}: its seal is missing.", seq=stretch.unsealed)
            faults.append(Finding("seal missing", stretch.unsealed, text))
        report.head, report.head_at, prev = stretch.head, stretch.head_at, stretch.head
        report.entries = stretch.last
        if stretch.fault:
            break
    report.findings += faults
    broken = any(stretch.fault for stretch in whole) or len(whole) < len(stretches)
    if not report.entries and not broken:
        report.add("empty", None, m("The ledger has no entries: there is nothing to prove."))
    named = [entry for stretch in whole for entry in stretch.keys]
    given = [key] if isinstance(key, VerifyKey) else list(key or ())
    keys = signing_keys(named, given, report)
    if not broken or report.entries:
        enrolled(named, seals, report, broken=broken)
    if keys:
        judge_anchors(kept, anchors, keys, _hash_of(whole), report, broken=broken)


def _hash_of(stretches: Sequence[Stretch]) -> Callable[[int], str | None]:
    def hash_of(seq: int) -> str | None:
        return next((stretch.hash_of(seq) for stretch in stretches if stretch.first <= seq <= stretch.last), None)

    return hash_of
