"""Copies of the store by themselves: once a day and after each exam, here and in a second folder.

Beside the copies the second folder gets the signed head of the ledger, a line in `anchors.txt` whenever there is a new
one: at least every ten minutes of activity something stands outside this disk that a rewritten ledger does not fit.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path

from exam_kit.clock import from_iso
from exam_kit.errors import ExamKitError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.point.plan import day_span
from exam_kit.store import Ledger
from exam_kit.store.backup import MADE, make_backup
from exam_kit.store.checkpoint import Checkpoint

__all__ = ["BackupDuty"]

log = logging.getLogger(__name__)

FAILED = "backup.failed"
AGAIN = timedelta(hours=1)
"""After a failure; a disk that is not there is not asked for every minute."""
ANCHOR_WAIT_S = 2.0
"""So long the agent waits for the second folder. One on a network may hang; orders and recording must not."""


class BackupDuty:
    """Makes a copy when one is due, in a thread of its own. `tick` is called now and then."""

    def __init__(self, point: Point, home: Home, ledger: Ledger) -> None:
        self._point = point
        self._home = home
        self._ledger = ledger
        self._thread: threading.Thread | None = None
        self._not_before: dict[Path, datetime] = {}
        self._anchored = ""
        self._outside: threading.Thread | None = None

    @property
    def folders(self) -> list[Path]:
        second = self._point.backups.folder
        return [self._home.backups, *([Path(second)] if second else [])]

    def tick(self) -> None:
        """Begin what is due."""
        if self._thread is not None and self._thread.is_alive():
            return
        due = [folder for folder in self.folders if self._due(folder)]
        if due:
            self._thread = threading.Thread(target=self._make, args=(due,), name="backup", daemon=True)
            self._thread.start()

    def close(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def anchor(self) -> Checkpoint | None:
        """Sign the head, and keep the line outside as well, where there is an outside just now."""
        made = self._ledger.checkpoint()
        second = self._point.backups.folder
        busy = self._outside is not None and self._outside.is_alive()
        if made is not None and second and made.line() != self._anchored and not busy:
            place = Path(second) / "anchors.txt"
            self._outside = threading.Thread(target=self._note, args=(place, made.line()), name="anchor", daemon=True)
            self._outside.start()
            self._outside.join(ANCHOR_WAIT_S)
        return made

    def _note(self, place: Path, line: str) -> None:
        try:
            if not place.parent.is_dir():
                return
            with place.open("a", encoding="utf-8", newline="\n") as target:
                target.write(line + "\n")
                target.flush()
                os.fsync(target.fileno())
        except OSError as problem:
            log.error("%s: the ledger's head could not be noted: %s", place, problem)
            return
        self._anchored = line

    def _due(self, folder: Path) -> bool:
        now = self._ledger.clock.now()
        if now < self._not_before.get(folder, now):
            return False
        last = self._last(folder)
        if last is None or last.astimezone(self._point.tz).date() != now.astimezone(self._point.tz).date():
            return True
        ends = [day_span(self._point, day)[1] for day in self._point.days]
        return any(last < end <= now for end in ends)

    def _last(self, folder: Path) -> datetime | None:
        """When the ledger says the last copy in that folder was made."""
        rows = self._ledger.store.query(
            "SELECT at FROM ledger WHERE kind = ? AND json_extract(record, '$.body.folder') = ?"
            " ORDER BY seq DESC LIMIT 1",
            (MADE, str(folder)),
        )
        return from_iso(rows[0]["at"]) if rows else None

    def _make(self, folders: list[Path]) -> None:
        try:
            for folder in folders:
                self._make_one(folder)
        finally:
            self._ledger.store.close()  # this thread's connection

    def _make_one(self, folder: Path) -> None:
        try:
            if folder != self._home.backups and not folder.is_dir():
                # A disk that is not connected must not become a folder on the one that is.
                raise FileNotFoundError(2, "the folder is not there", str(folder))
            made = make_backup(self._ledger, self._home, folder, self._point.backups.keep, "agent")
            log.info("backup %s: entries up to %d", made.path, made.entries)
        except (ExamKitError, OSError) as problem:
            self._not_before[folder] = self._ledger.clock.now() + AGAIN
            log.error("backup in %s: %s", folder, problem)
            self._ledger.append(FAILED, {"folder": str(folder), "reason": str(problem)}, "agent")
