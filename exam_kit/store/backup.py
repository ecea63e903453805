"""Backups of the store: made while it is written to, proved before they count, put back without overwriting anything.

A backup is a folder: the database, the public key, `point.toml`, and `backup.json` that says what it should be. The
secret keys are not in it. A copy of the seal's key would open everything sealed after it, and a second folder is a
place others get at; after a restore the seal begins anew with an entry that says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

from exam_kit.clock import Clock, iso
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.db import Store, open_store
from exam_kit.store.durable import sync_file, sync_folder
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.report import LedgerReport
from exam_kit.store.verify import verify_database

__all__ = ["MADE", "RESTORED", "Backup", "backups_in", "make_backup", "restore_backup", "verify_backup"]

MADE, RESTORED = "backup.made", "backup.restored"
TITLE = "exam-kit backup v1"
_DATABASE, _NOTE, _KEY = "exam-kit.db", "backup.json", "ledger.pub"
_PREFIX = "exam-kit-"


@dataclass(frozen=True)
class Backup:
    """What `backup.json` says: the moment, the ledger with its last entry, and the hash of the database."""

    path: Path
    made_at: str
    ledger: str
    entries: int
    head: str
    sha256: str

    @classmethod
    def read(cls, path: Path) -> Backup:
        """Raises StoreError when the folder is not a backup."""
        try:
            note = json.loads((path / _NOTE).read_text(encoding="utf-8"))
            if note.pop("title") != TITLE:
                raise ValueError("another title")
            return cls(path, **note)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
            raise StoreError(
                m(
                    "{path}: is not a backup of the kit ({reason}). Name a folder 'backup make' made.",
                    path=path,
                    reason=problem,
                )
            ) from problem


def backups_in(folder: Path) -> list[Backup]:
    """The backups in a folder, oldest first; what is none, or unfinished, is left out."""
    found = []
    for note in sorted(folder.glob(f"{_PREFIX}*/{_NOTE}")):
        try:
            found.append(Backup.read(note.parent))
        except StoreError:  # a spoilt one must not keep the next from being made
            continue
    return found


def make_backup(ledger: Ledger, home: Home, folder: Path, keep: int, actor: str) -> Backup:
    """Copy the store to a new folder in `folder`, prove the copy, note it in the ledger, keep the last `keep`.

    Raises:
        StoreError: the copy is not whole; it is not kept, and nothing older is removed.
        OSError: the folder cannot be written.
    """
    made_at = ledger.clock.now()
    name = f"{_PREFIX}{made_at:%Y%m%dT%H%M%S.%fZ}"
    ledger.checkpoint()
    part = folder / f".{name}.part"
    part.mkdir(parents=True, mode=0o700)
    try:
        _copy(ledger, part / _DATABASE)
        (part / _KEY).write_bytes(ledger.public_key.pem())
        if home.point_file.exists():
            shutil.copyfile(home.point_file, part / "point.toml")
        report = verify_database(part / _DATABASE, ledger.public_key)
        if not report.whole:
            raise _not_whole(part, report)
        sha256 = _sha256(part / _DATABASE)
        made = Backup(folder / name, iso(made_at), report.ledger, report.entries, report.head, sha256)
        note = {key: value for key, value in asdict(made).items() if key != "path"}
        (part / _NOTE).write_text(json.dumps({"title": TITLE, **note}, indent=1) + "\n", encoding="utf-8")
        for file in part.iterdir():
            sync_file(file)
        sync_folder(part)
        part.replace(made.path)
        sync_folder(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    body = {"folder": str(folder), "name": name, "entries": made.entries, "head": made.head, "sha256": sha256}
    ledger.append(MADE, body, actor)
    # The one just made stays whatever the clock says of its age.
    # Another point may keep its copies in the same folder.
    older = [one for one in backups_in(folder) if one.path != made.path and one.ledger == made.ledger]
    for old in older[: max(len(older) + 1 - keep, 0)]:
        shutil.rmtree(old.path)
    return made


def verify_backup(path: Path, key: VerifyKey | None = None, anchors: list[str] | None = None) -> LedgerReport:
    """Prove a backup: the database is the one that was written, and its ledger is whole.

    Raises:
        StoreError: the folder is not a backup.
    """
    backup = Backup.read(path)
    report = verify_database(path / _DATABASE, key or VerifyKey.load(path / _KEY), anchors or ())
    if (report.ledger, report.entries, report.head) != (backup.ledger, backup.entries, backup.head) or (
        _sha256(path / _DATABASE) != backup.sha256
    ):
        report.add("backup changed", None, m("{path}: is not the copy that was made then.", path=path))
    return report


def restore_backup(home: Home, path: Path, clock: Clock, actor: str) -> tuple[Entry, Path]:
    """Put a backup in the store's place; the entry about it, and where the store that was there lies now.

    Nothing may run on this home. What was recorded after the backup stays in the folder set aside, with the anchors
    that prove it; anchors kept elsewhere tell everybody that an older copy was put back.

    Raises:
        StoreError: the backup is not whole; nothing was moved.
    """
    report = verify_backup(path)
    if not report.whole:
        raise _not_whole(path, report)
    aside = home.root / "aside" / f"store-{clock.now():%Y%m%dT%H%M%S.%fZ}"
    aside.mkdir(parents=True)
    before = _head_of(home.store)
    fresh = home.store.with_suffix(".restored")
    shutil.copyfile(path / _DATABASE, fresh)
    sync_file(fresh)
    for ending in ("", "-wal", "-shm"):
        old = home.store.with_name(home.store.name + ending)
        if old.exists():
            old.replace(aside / old.name)
    fresh.replace(home.store)
    sync_folder(home.store.parent)
    for anchor in _later_anchors(home.anchors, report.entries):
        anchor.replace(aside / anchor.name)
    store = open_store(home)
    ledger = Ledger(store, home, clock)
    body = {"from": str(path), "entries": report.entries, "head": report.head, "before": before, "aside": aside.name}
    entry = ledger.append(RESTORED, body, actor)
    ledger.checkpoint()
    store.close()
    return entry, aside


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


def _copy(ledger: Ledger, target: Path) -> None:
    with Store(target).told():  # a full or pulled disk is told as the trouble of the copy's file
        copy = sqlite3.connect(target)
        try:
            ledger.store.connection.backup(copy)
            # A file alone, without a log beside it, so that its hash says all.
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
    if os.name == "posix":
        target.chmod(0o600)


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


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _not_whole(path: Path, report: LedgerReport) -> StoreError:
    reasons = [finding.message for finding in report.findings]
    return StoreError(
        m(
            "{path}: the copy is not whole. Keep it as it is, and verify the ledger itself: exam-kit log verify.",
            path=path,
        ),
        reasons,
    )
