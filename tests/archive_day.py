"""A recorded day without cameras: files with the right hashes, rows and ledger entries; and one archive run of it.

Run as a program it archives the day in a process of its own, which a test can kill::

    python -m tests.archive_day HOME DESTINATION
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from exam_kit.archive.act import Document, HandoverAct, KeepRule
from exam_kit.archive.job import run_archive
from exam_kit.archive.result import ArchiveResult, Progress
from exam_kit.archive.selection import Asked
from exam_kit.archive.sink import FolderSink
from exam_kit.clock import Clock, SystemClock, iso
from exam_kit.home import Home
from exam_kit.point import Point, Zone, load_point
from exam_kit.store import Entry, Ledger, Store, open_store

DAY = dt.date(2026, 5, 28)
BEGIN = dt.datetime(2026, 5, 28, 5, 0, tzinfo=dt.UTC)
KEEP = KeepRule(month=3, day=1, years=1, source="test")
BORDERS = [Zone.CORRIDOR, Zone.ENTRANCE]


def record(
    store: Store,
    ledger: Ledger,
    home: Home,
    *,
    cameras: Sequence[str] = ("COR1-1", "ENTR-1"),
    count: int = 3,
    size: int = 20_000,
    seed: int = 1,
) -> list[Path]:
    """Closed one-minute pieces of random bytes from 05:00 UTC on; sizes differ and are mostly not whole blocks."""
    noise = random.Random(seed)
    made = []
    for camera in cameras:
        for number in range(count):
            start = BEGIN + dt.timedelta(minutes=number)
            end = start + dt.timedelta(minutes=1)
            name = f"77_0001_20260528_{camera.split('-')[0]}_{camera}_{start:%H%M%S}-{end:%H%M%S}.mp4"
            content = noise.randbytes(size + number)
            made.append(add_piece(store, ledger, home, camera, name, content, start, end))
    return made


def add_piece(
    store: Store,
    ledger: Ledger,
    home: Home,
    camera: str,
    name: str,
    content: bytes,
    start: dt.datetime = BEGIN,
    end: dt.datetime = BEGIN + dt.timedelta(minutes=1),
) -> Path:
    """One closed piece on the disk, in the ledger and in the table."""
    relative = f"{DAY}/{camera}/{name}"
    path = home.footage / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()

    def row(connection: sqlite3.Connection, entry: Entry) -> None:
        connection.execute(
            "INSERT INTO segment (camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason, seq) "
            "VALUES (?, ?, ?, ?, ?, 600, ?, ?, 'cut', ?)",
            (camera, str(DAY), relative, iso(start), iso(end), len(content), sha256, entry.seq),
        )

    body = {"camera": camera, "path": relative, "from": iso(start), "to": iso(end), "frames": 600}
    ledger.append("segment.closed", {**body, "bytes": len(content), "sha256": sha256, "reason": "cut"}, "agent", row)
    return path


def papers(act: HandoverAct) -> list[Document]:
    return [Document("акт приёма-передачи.pdf", b"%PDF-1.7 " + act.number.encode()), Document("act.json", b"{}\n")]


def archive(
    store: Store,
    ledger: Ledger,
    home: Home,
    point: Point,
    destination: Path,
    clock: Clock,
    *,
    zones: Sequence[Zone] = tuple(BORDERS),
    documents: Callable[[HandoverAct], Sequence[Document]] = papers,
    progress: Callable[[Progress], None] = lambda _progress: None,
    cancelled: Callable[[], bool] = lambda: False,
    keep: KeepRule | None = KEEP,
    make: bool = True,
    also_to: Sequence[Path] = (),
    paused: Callable[[], bool] = lambda: False,
    encrypt: bool = False,
    supplement: int = 0,
) -> ArchiveResult:
    """Run the archive; the destinations are made first unless `make` is false."""
    for place in (destination, *also_to) if make else ():
        place.mkdir(exist_ok=True)
    return run_archive(
        store=store,
        ledger=ledger,
        home=home,
        point=point,
        day=DAY,
        asked=Asked(tuple(zones), encrypted=encrypt, supplement=supplement),
        destinations=[destination, *also_to],
        actor="tech",
        ordered_by="head",
        documents=documents,
        progress=progress,
        cancelled=cancelled,
        paused=paused,
        clock=clock,
        keep=keep,
    )


def note_starts(log: Path) -> None:
    """Note every file that a copy begins to write, so that a test can count what was copied twice."""
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(".mp4.part") and int(str(arguments[2])) & os.O_CREAT:
            os.write(fd, f"{Path(str(arguments[0])).name}\n".encode())

    sys.addaudithook(hook)


def main(root: str, destination: str) -> None:
    note_starts(Path(root) / "starts.txt")
    home = Home.at(Path(root))
    store = open_store(home)
    clock = SystemClock()
    archive(store, Ledger(store, home, clock), home, load_point(home.point_file), Path(destination), clock)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])


@contextmanager
def cancelled_after(files: int) -> Iterator[Callable[[], bool]]:
    """A `cancelled` for `archive` that says yes once so many files have their names; the next one waits for that."""
    enough, asked, named = threading.Event(), threading.Event(), 0
    accept = FolderSink.accept

    def counted(sink: FolderSink, path: str) -> None:
        nonlocal named
        if named == files:
            enough.set()
            asked.wait(30)
        accept(sink, path)
        named += 1

    def cancelled() -> bool:
        if enough.is_set():
            asked.set()
        return enough.is_set()

    with patch.object(FolderSink, "accept", counted):
        yield cancelled
