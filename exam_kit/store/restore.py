"""Putting a backup in the store's place: proved with this home's own keys, nothing overwritten, nobody writing beside.

What was there goes to a folder aside, with the anchors and the first keys that belong to what came after the copy.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from exam_kit.clock import Clock
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store.backup import DATABASE, not_whole, verify_backup
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.db import open_store
from exam_kit.store.durable import sync_file, sync_folder
from exam_kit.store.enrol import to_enrol
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import KEY_KINDS, Entry, Ledger
from exam_kit.store.report import LedgerReport
from exam_kit.store.seal import SealKey

__all__ = ["RESTORED", "home_keys", "restore_backup"]

RESTORED = "backup.restored"

_WAIT_S = 2.0
"""For a command that is just ending; a program that runs on does not let go however long one waits."""


def home_keys(home: Home) -> list[VerifyKey]:
    """The public keys this home knows as its own: the one in `keys/`, and those its ledger names, before and after."""
    public = home.keys / "ledger.pub"
    found = [VerifyKey.load(public)] if public.exists() else []
    for pem in _named(home.store):
        try:
            found.append(VerifyKey.from_pem(pem.encode()))
        except ValueError:  # `log verify` tells of it; here it only vouches for nothing
            continue
    return list({key.fingerprint: key for key in found}.values())


def restore_backup(
    home: Home, path: Path, clock: Clock, actor: str, keys: Sequence[VerifyKey] = ()
) -> tuple[Entry, Path]:
    """Put a backup in the store's place; the entry about it, and where the store that was there lies now.

    Nothing may run on this home. `keys` are the point's public keys, kept elsewhere; without them this home's own.
    Anchors kept elsewhere tell everybody that an older copy was put back.

    Raises:
        StoreError: there is no key to prove the backup with, it is not whole or another's, or the store is in use;
            nothing was moved.
    """
    report = _proved(path, keys or home_keys(home))
    waiting, _present = SealKey(home.keys).waiting, SealKey(home.keys).read()  # one that cannot be read is told here
    _let_go(home.store)
    aside = home.root / "aside" / f"store-{clock.now():%Y%m%dT%H%M%S.%fZ}"
    aside.mkdir(parents=True)
    before = _head_of(home.store)
    fresh = home.store.with_suffix(".restored")
    shutil.copyfile(path / DATABASE, fresh)
    sync_file(fresh)
    _put_aside(home.store, aside)
    fresh.replace(home.store)
    sync_folder(home.store.parent)
    for anchor in _later_anchors(home.anchors, report.entries):
        anchor.replace(aside / anchor.name)
    store = open_store(home)
    ledger = Ledger(store, home, clock)
    here = to_enrol(ledger, home)
    for first in waiting:
        if first not in here:
            SealKey(home.keys).put_aside(first, aside)
    body = {"from": str(path), "entries": report.entries, "head": report.head, "before": before, "aside": aside.name}
    entry = ledger.append(RESTORED, body, actor)
    ledger.checkpoint()
    store.close()
    return entry, aside


def _proved(path: Path, keys: Sequence[VerifyKey]) -> LedgerReport:
    if not keys:
        raise StoreError(
            m(
                "{path}: cannot be proved here: this home has no key of its own yet, and the key inside a copy proves "
                "nothing. Give the point's ledger.pub, kept elsewhere: --key FILE.",
                path=path,
            )
        )
    report = verify_backup(path, keys)
    if any(finding.kind == "foreign key" for finding in report.findings):
        raise StoreError(
            m(
                "{path}: is of another ledger than this home's, or made by somebody else: its key is none of this "
                "home's. If it is this point's, give the point's ledger.pub, kept elsewhere: --key FILE.",
                path=path,
            )
        )
    if not report.whole:
        raise not_whole(path, report)
    return report


def _let_go(path: Path) -> None:
    """See that no other program has the store open; what its log holds is taken into the file.

    An open connection keeps a lock on the file, and what it wrote afterwards would go to the one set aside. A file
    that is damaged asks nobody: to replace it is what the copy is for.

    Raises:
        StoreError: somebody has it open.
    """
    if not path.exists():
        return
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return
        raise StoreError(
            m(
                "{path}: another program has the database open, the screens for example. Close it (exam-kit up, or its "
                "service) and give the command again; nothing was moved.",
                path=path,
            )
        ) from problem
    except sqlite3.DatabaseError:
        return
    finally:
        connection.close()


def _put_aside(path: Path, aside: Path) -> None:
    """Give the file a second name aside; under its own it stays until the copy takes its place, in one step. A power
    cut in between must not leave a home without a store: the next start would begin a new one, numbers and all."""
    if path.exists():
        try:
            (aside / path.name).hardlink_to(path)
        except OSError:  # a file system without such names
            shutil.copyfile(path, aside / path.name)
            sync_file(aside / path.name)
    for ending in ("-wal", "-shm"):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(aside / beside.name)
    sync_folder(aside)


def _named(path: Path) -> list[str]:
    """The public keys that the ledger in a file names; none where it cannot be read."""
    if not path.exists():
        return []
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT json_extract(record, '$.body.key') FROM ledger WHERE kind IN (SELECT value FROM json_each(?))",
            (json.dumps(KEY_KINDS),),
        )
        return [pem for (pem,) in rows if isinstance(pem, str)]
    except sqlite3.DatabaseError:
        return []
    finally:
        connection.close()


def _later_anchors(folder: Path, entries: int) -> list[Path]:
    """The files of checkpoints behind entry `entries`; one that cannot be read stays, and `log verify` tells of it."""
    later = []
    for path in sorted(folder.glob("checkpoint-*.txt")):
        try:
            if Checkpoint.parse(path.read_text(encoding="utf-8", errors="replace")).seq > entries:
                later.append(path)
        except (ValueError, KeyError):
            continue
    return later


def _head_of(path: Path) -> dict[str, object] | None:
    """Where the ledger that is set aside ended; None when there is none that can be read."""
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        row = connection.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return {"seq": row[0], "hash": row[1]} if row else None
