"""Is what the kit remembers sound: the signing key, the database, the ledger."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator

from exam_kit.doctor.report import Finding, State
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store import Ledger, Store
from exam_kit.store.enrol import to_enrol
from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.migrations import migrations
from exam_kit.store.seal import SealKey
from exam_kit.store.verify import read_anchors, verify_database

__all__ = ["database", "keys", "ledger"]


def keys(home: Home) -> Iterator[Finding]:
    private, public = home.keys / "ledger.key", home.keys / "ledger.pub"
    if not private.exists():
        if home.store.exists():
            yield Finding(
                "keys",
                State.FAULT,
                m("{path}: the signing key is gone, and there is a ledger", path=private),
                m("Restore it from the backup: checkpoints cannot be continued with another key."),
            )
        else:
            yield Finding("keys", State.NOTE, m("not made yet; it is made at the first start"))
        return
    key = SigningKey.load_or_create(home.keys)
    mode = stat.S_IMODE(private.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        yield Finding(
            "keys",
            State.FAULT,
            m("{path}: others may read the key (mode {mode})", path=private, mode=f"{mode:04o}"),
            m("Run: {command}", command=f"chmod 600 '{private}'"),
        )
    elif not public.exists() or VerifyKey.load(public).fingerprint != key.public.fingerprint:
        yield Finding(
            "keys",
            State.FAULT,
            m("{path}: does not belong to the signing key", path=public),
            m("Restore the folder of keys from the backup."),
        )
    else:
        yield Finding("keys", State.OK, m("{fingerprint}", fingerprint=key.public.fingerprint))


def database(home: Home) -> Iterator[Finding]:
    if not home.store.exists():
        yield Finding("store", State.NOTE, m("not made yet; it is made at the first start"))
        return
    store = Store(home.store, read_only=True)
    try:
        said = [row["integrity_check"] for row in store.query("PRAGMA integrity_check")]
        pending = len(migrations.pending(store.db))
    except (sqlite3.DatabaseError, StoreError) as problem:
        said, pending = [str(problem)], 0
    finally:
        store.close()
    if said != ["ok"]:
        yield Finding(
            "store",
            State.FAULT,
            m("{path}: damaged: {reason}", path=home.store, reason=said[0] if said else ""),
            m("Stop the kit and restore the database from the backup; recordings are not touched by this."),
        )
    elif pending:
        yield Finding("store", State.NOTE, m("whole; the next start brings it up to date"))
    else:
        yield Finding("store", State.OK, m("whole, {size} MB", size=f"{home.store.stat().st_size / 1e6:.1f}"))


def ledger(home: Home) -> Iterator[Finding]:
    if not home.store.exists():
        yield Finding("ledger", State.NOTE, m("not made yet; it is made at the first start"))
        return
    public = home.keys / "ledger.pub"
    try:
        key = VerifyKey.load(public) if public.exists() else None
        present = SealKey(home.keys).read()
        moved_to = present.position if present else None
        report = verify_database(home.store, key, read_anchors(home.anchors), moved_to=moved_to)
    except StoreError as problem:
        yield Finding("ledger", State.UNKNOWN, problem.message)
        return
    if report.whole:
        seen = m(
            "whole: entries {entries}, checkpoints {checkpoints}",
            entries=report.entries,
            checkpoints=report.checkpoints,
        )
        yield Finding("ledger", State.OK, seen)
        yield from _first_keys(home)
        return
    for finding in report.findings:
        yield Finding(
            "ledger",
            State.FAULT,
            finding.message,
            m("Run 'exam-kit log verify', keep this disk as it is and tell the commission."),
        )


def _first_keys(home: Home) -> Iterator[Finding]:
    store = Store(home.store, read_only=True)
    try:
        waiting = to_enrol(Ledger(store, home), home)
    except StoreError as problem:
        yield Finding("ledger", State.UNKNOWN, problem.message)
        return
    finally:
        store.close()
    for first in waiting:
        yield Finding(
            "ledger",
            State.NOTE,
            m("the first key of the seal, from entry {seq} on, lies here still", seq=first.start),
            m("Hand it to the region: exam-kit log enrol --to FILE, on a stick for example."),
        )
