"""Backups of the store: made while it is written to, proved before they count (put back by `restore`).

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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from exam_kit.clock import iso
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.store.db import Store
from exam_kit.store.durable import sync_file, sync_folder
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import Ledger
from exam_kit.store.report import LedgerReport
from exam_kit.store.verify import verify_database

__all__ = ["DATABASE", "MADE", "Backup", "backups_in", "make_backup", "not_whole", "own_key", "verify_backup"]

MADE = "backup.made"
TITLE = "exam-kit backup v1"
DATABASE, _NOTE, _KEY = "exam-kit.db", "backup.json", "ledger.pub"
_PREFIX = "exam-kit-"
_DEAD = timedelta(days=1)
"""What was begun so long ago and has no name yet was left by a power cut: no copy takes a day."""


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
    _sweep(folder, f".{_PREFIX}*.part", made_at)
    _sweep(home.anchors, "*.part", made_at)
    part = folder / f".{name}.part"
    part.mkdir(parents=True, mode=0o700)
    try:
        _copy(ledger, part / DATABASE)
        (part / _KEY).write_bytes(ledger.public_key.pem())
        if home.point_file.exists():
            shutil.copyfile(home.point_file, part / "point.toml")
        report = verify_database(part / DATABASE, ledger.public_key)
        if not report.whole:
            raise not_whole(part, report)
        sha256 = _sha256(part / DATABASE)
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


def verify_backup(path: Path, keys: Sequence[VerifyKey] = (), anchors: Sequence[str] = ()) -> LedgerReport:
    """Prove a backup: the database is the one that was written, and its ledger is whole.

    Without `keys` the one inside the backup is taken: that proves that nothing changed by itself, not who made it.

    Raises:
        StoreError: the folder is not a backup.
    """
    backup = Backup.read(path)
    report = verify_database(path / DATABASE, keys or own_key(path), anchors)
    if (report.ledger, report.entries, report.head) != (backup.ledger, backup.entries, backup.head) or (
        _sha256(path / DATABASE) != backup.sha256
    ):
        report.add("backup changed", None, m("{path}: is not the copy that was made then.", path=path))
    return report


def own_key(path: Path) -> VerifyKey:
    """The key a backup brings with it. Raises StoreError when there is none."""
    return VerifyKey.load(path / _KEY)


def _sweep(folder: Path, pattern: str, now: datetime) -> None:
    """Remove what a kill or a power cut left unfinished long ago."""
    for left in folder.glob(pattern):
        if now.timestamp() - left.lstat().st_mtime < _DEAD.total_seconds():
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)  # what stays of it must not keep the next copy from being made
        else:
            left.unlink()


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


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def not_whole(path: Path, report: LedgerReport) -> StoreError:
    reasons = [finding.message for finding in report.findings]
    return StoreError(
        m(
            "{path}: the copy is not whole. Keep it as it is, and verify the ledger itself: exam-kit log verify.",
            path=path,
        ),
        reasons,
    )
