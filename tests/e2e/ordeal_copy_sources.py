"""Recordings that change, vanish or cannot be read while they are copied, and names and sizes a carrier cannot hold."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from exam_kit.clock import iso
from exam_kit.home import Home
from exam_kit.store import Entry, Ledger, open_store
from tests.archive_day import BEGIN, DAY, add_piece
from tests.e2e.ordeal_copy_carrier import Carrier
from tests.e2e.ordeal_copy_day import Day, Moment
from tests.e2e.ordeal_copy_table import Row

__all__ = ["SOURCES", "SourceFault", "bad_source", "names", "run"]

FILES = 3
SIZE = 20 << 20
"""Bytes; more than the copy's buffers hold, so that a recording is still being read as its copy is begun."""
SMALL = 900_000
FOUR_GB = 1 << 32


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(bytes(path.stat().st_size))
    other.replace(path)


def _rewrite(path: Path) -> None:
    """In place, and its time is set back: only the hash can tell."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(before.st_size - 1000)
        byte = file.read(1)
        file.seek(before.st_size - 1000)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@dataclass(frozen=True)
class SourceFault:
    """`act` is done to a recording as it is opened, or (`kind` ``begin``) as its copy is begun."""

    name: str
    act: Callable[[Path], None]

    def __str__(self) -> str:
        return self.name


SOURCES = [
    SourceFault("recording appended to", _append),
    SourceFault("recording truncated", _truncate),
    SourceFault("recording replaced", _replace),
    SourceFault("recording rewritten in place, size and time kept", _rewrite),
    SourceFault("recording removed", Path.unlink),
]


def run(fault: SourceFault, folder: Path, times: int, dice: random.Random) -> Row:
    row = Row(fault.name, "this computer's disk")
    began = time.monotonic()
    for number in range(times):
        place = folder / f"{number}"
        day = Day.made(place, count=FILES, size=SIZE, seed=number)
        target = place / "drive"
        target.mkdir()
        hurt = dice.randint(1, FILES)
        moment = Moment(dice.choice(("source", "begin")), hurt, partial(_hurt, fault, day))
        outcome = day.attempt(target, moment=moment)
        row.times += 1
        row.counts["failed alone, named"] += len(outcome.failed)
        row.counts["copied as it was at birth"] += FILES - len(outcome.failed)
        row.said.update(_shape(message) for message in outcome.failed)
        if outcome.kind != "finished" or len(outcome.failed) > 1 or not outcome.acted:
            row.wrong.append(f"it ended: {outcome.kind} {outcome.text} {outcome.failed}")
        _look(day, [target], outcome.files, row)
        shutil.rmtree(place)
    row.took_s = time.monotonic() - began
    return row


def bad_source(folder: Path, times: int, dice: random.Random) -> Row:
    """The recorder's disk has bad sectors within one recording."""
    row = Row("bad sectors under a recording (dm error)", "ext4 behind dm")
    began = time.monotonic()
    for number in range(times):
        place = folder / f"{number}"
        home = Home.at(place / "home")
        (home.footage / str(DAY)).mkdir(parents=True)
        with Carrier(place, "ext4", 48, mapped=True) as disk:
            # The recordings lie on the failing disk, where the home expects them.
            (home.footage / str(DAY)).rmdir()
            (home.footage / str(DAY)).symlink_to(disk.mount, target_is_directory=True)
            day = Day.made(place, count=FILES, size=SMALL, seed=number)
            disk.put_back()  # out of memory with them
            name = dice.choice(sorted(day.truth))
            source = next(path for path in disk.mount.rglob("*.mp4") if path.name == name)
            assert disk.bad_sectors(source, dice.randrange(SMALL)), "the recording is not found on the disk"
            target = place / "drive"
            target.mkdir()
            outcome = day.attempt(target)
            row.times += 1
            row.counts["failed alone, named"] += len(outcome.failed)
            row.said.update(_shape(message) for message in outcome.failed)
            if outcome.kind != "finished" or len(outcome.failed) != 1 or name not in outcome.failed[0]:
                row.wrong.append(f"it ended: {outcome.kind} {outcome.text} {outcome.failed}")
            _look(day, [target], outcome.files, row)
        shutil.rmtree(place)
    row.took_s = time.monotonic() - began
    return row


def names(folder: Path, file_system: str) -> Row:
    """Cyrillic, names that differ only by case, signs that Windows' file systems refuse, and a file over 4 GB."""
    row = Row("names and sizes", file_system)
    began = time.monotonic()
    day = Day.made(folder, count=0, size=0)
    store = open_store(day.home)
    ledger = Ledger(store, day.home)
    for name in (
        "Запись № 1 — вход, ночь.mp4",
        "ēka ķirsis.mp4",
        "a.mp4",
        "A.mp4",
        "вход.mp4",
        "ВХОД.mp4",
        "plain.mp4",
    ):
        add_piece(store, ledger, day.home, "ENTR-1", name, random.Random(name).randbytes(300_000))
    refused = ["05:00?.mp4", 'quoted "x".mp4']
    if file_system in ("vfat", "exfat"):
        for name in refused:
            add_piece(store, ledger, day.home, "ENTR-1", name, name.encode() * 1000)
    alone = {"A.mp4", "a.mp4"}, {"ВХОД.mp4", "вход.mp4"}
    if file_system == "vfat":
        _add_sparse(ledger, day.home, "large.mp4", FOUR_GB)
    store.close()
    day.learn()
    with Carrier(folder, file_system, 40) as carrier:
        outcome = day.attempt(carrier.mount)
        row.times += len(day.truth)
        row.counts[f"ended: {outcome.kind}"] += 1
        row.counts["failed alone, named"] += len(outcome.failed)
        row.said.update(_shape(message) for message in outcome.failed)
        if outcome.kind != "finished":
            row.wrong.append(f"it ended: {outcome.kind} {outcome.text}")
        carrier.put_back()
        truth = day.judge(carrier.mount)
        row.looked_for += truth.acknowledged
        row.wrong += truth.wrong
        there = {path.name for path in carrier.mount.rglob("*.mp4")}
        pairs = [len(pair & there) for pair in alone]
        if outcome.kind == "finished" and pairs != [1, 1]:
            row.wrong.append(f"of names that differ by case {pairs} are there")
        failed = " ".join(outcome.failed)
        hard = set(refused) | {"large.mp4"}
        for name in day.truth.keys() - there:
            if name not in failed and outcome.kind == "finished":
                row.wrong.append(f"{name}: neither copied nor named")
            if name not in hard and not any(name in pair for pair in alone):
                row.wrong.append(f"{name}: not copied")
        row.counts["copied"] += len(there)
    row.took_s = time.monotonic() - began
    return row


def _hurt(fault: SourceFault, day: Day, path: Path) -> None:
    fault.act(day.source(path.name.removesuffix(".part")))


def _look(day: Day, targets: list[Path], files: int, row: Row) -> None:
    truth = day.judge(*targets)
    row.looked_for += truth.acknowledged
    row.wrong += truth.wrong
    there = sum(1 for target in targets for _path in target.rglob("*.mp4"))
    if there != files:
        row.wrong.append(f"{there} files are in the bag, {files} were told")


def _shape(message: str) -> str:
    return message.partition(": ")[2]


def _add_sparse(ledger: Ledger, home: Home, name: str, size: int) -> None:
    """A recording of zeros that takes no room here; it is too large to be hashed in passing."""
    relative = f"{DAY}/ENTR-1/{name}"
    with (home.footage / relative).open("wb") as file:
        file.truncate(size)
    sha256 = hashlib.sha256(name.encode()).hexdigest()

    def row(connection: sqlite3.Connection, entry: Entry) -> None:
        connection.execute(
            "INSERT INTO segment (camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason, seq) "
            "VALUES ('ENTR-1', ?, ?, ?, ?, 600, ?, ?, 'cut', ?)",
            (str(DAY), relative, iso(BEGIN), iso(BEGIN), size, sha256, entry.seq),
        )

    body = {"camera": "ENTR-1", "path": relative, "from": iso(BEGIN), "to": iso(BEGIN), "frames": 600}
    ledger.append("segment.closed", {**body, "bytes": size, "sha256": sha256, "reason": "cut"}, "agent", row)
