"""kill -9 of a process that makes encrypted copies, and resumed each time.

What a row acknowledges must lie there under its sealed name and open with the region's key to the recording of birth;
an acknowledged file is not written again; nothing on the carrier may be readable without that key.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from pyrage import DecryptError, decrypt, x25519

from exam_kit.archive.age_open import open_bag
from exam_kit.archive.age_sink import EncryptingSink, secret_of
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.keys import SigningKey
from tests.archive_day import record
from tests.conftest import POINT_TOML
from tests.e2e.ordeal_copy_day import Attempt, Day, Moment, Outcome
from tests.e2e.ordeal_copy_table import Row

__all__ = ["encrypted_kills"]

FILES, SIZE = 20, 700_000
KILLS_PER_DAY = 20
AHEAD = 3

Seen = dict[Path, tuple[int, int]]
"""Acknowledged file → inode and time of its last change."""


def encrypted_kills(folder: Path, count: int, dice: random.Random, destinations: int = 1) -> Row:
    """`count` kills over as many days as that takes; each copy is opened and proved at its end."""
    row = Row(
        f"kill -9, encrypted, {destinations} destination{'s' if destinations > 1 else ''}", "this computer's disk"
    )
    began, number = time.monotonic(), 0
    while row.times < count and not row.wrong:
        number += 1
        place = folder / f"sealed-{destinations}-{number}"
        identity = x25519.Identity.generate()
        day = _recorded(place, identity, number)
        targets = [place / f"drive {copy}" for copy in range(1, destinations + 1)]
        for target in targets:
            target.mkdir()
        _day(day, identity, targets, min(KILLS_PER_DAY, count - row.times), dice, row)
    row.took_s = time.monotonic() - began
    return row


def _recorded(place: Path, identity: x25519.Identity, seed: int) -> Day:
    day = Day(place, encrypted=True)
    store = open_store(day.home)
    text = POINT_TOML + f'[region_centre]\nage = "{identity.to_public()}"\n'
    day.home.point_file.write_text(text, encoding="utf-8")
    ledger = Ledger(store, day.home)
    record(store, ledger, day.home, cameras=("COR1-1", "ENTR-1"), count=FILES // 2, size=SIZE, seed=seed)
    store.close()
    day.learn()
    return day


def _day(
    day: Day, identity: x25519.Identity, targets: Sequence[Path], count: int, dice: random.Random, row: Row
) -> None:
    seen: Seen = {}
    kills_left = count
    while waiting := day.unfinished(targets):
        outcome = _killed(day, waiting, len(seen), dice) if kills_left else day.attempt(*waiting)
        if outcome.kind == "killed":
            row.times += 1
            kills_left -= 1
        elif outcome.kind != "finished" or outcome.failed or set(outcome.copies) != {"finished"}:
            row.wrong.append(f"a resumed run ended: {outcome.kind} {outcome.text} {outcome.failed} {outcome.copies}")
            return
        _judge(day, identity, seen, row)
        row.wrong += [
            f"{path.relative_to(target)}: lies open on the carrier"
            for target in targets
            for path in target.rglob("*.mp4*")
        ]
    for target in targets:
        (bag,) = target.iterdir()
        (day.folder / "opened").mkdir(exist_ok=True)
        report = open_bag(bag, [identity], day.folder / "opened")
        opened = {path.name for path in (day.folder / "opened").rglob("*.mp4")}
        if not report.whole or not day.truth.keys() <= opened:
            row.wrong.append(f"{bag.name}: does not open to a whole bag")
        row.counts["bags opened and whole"] += 1
    row.counts["files archived"] += len(targets) * len(day.truth)


def _killed(day: Day, targets: Sequence[Path], verified: int, dice: random.Random) -> Outcome:
    """From outside, or as it opens a recording."""
    if dice.random() < 0.4:
        moment = Moment("source", dice.randint(1, AHEAD + 1), _suicide, late_s=dice.choice((0.0, dice.random() * 0.02)))
        return day.attempt(*targets, moment=moment)
    attempt = Attempt(day, targets)
    goal = verified + dice.randint(0, AHEAD * len(targets))
    while attempt.running() and len(_verified(day)) < goal:
        time.sleep(0.002)
    time.sleep(dice.random() * 0.03)
    attempt.kill()
    return attempt.end()


def _suicide(_path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _verified(day: Day) -> list[tuple[str, Path, CopyTask]]:
    """Job, bag and recording of every acknowledged row."""
    store = Store(day.home.store, read_only=True)
    try:
        rows = store.query(
            "SELECT f.job, f.path, f.bytes, f.sha256, j.bag FROM archive_file f JOIN archive_job j ON j.id = f.job "
            "WHERE f.state = 'verified'"
        )
        return [
            (row["job"], Path(row["bag"]), CopyTask(row["path"], Path(), row["bytes"], row["sha256"])) for row in rows
        ]
    finally:
        store.close()


def _judge(day: Day, identity: x25519.Identity, seen: Seen, row: Row) -> None:
    key = SigningKey.load_or_create(day.home.keys)
    now: Seen = {}
    for job, bag, task in _verified(day):
        root = bag if bag.exists() else bag.with_name(f"{bag.name}.part")
        sink = EncryptingSink(FolderSink(root), identity.to_public(), secret_of(key, job))
        sink.expect([task])
        path = root / sink.name(task.path)
        row.looked_for += 1
        try:
            plain = decrypt(path.read_bytes(), [identity])
        except (OSError, DecryptError) as problem:
            row.wrong.append(f"acknowledged and lost: {task.path}: {problem}")
            continue
        if hashlib.sha256(plain).hexdigest() != day.truth[Path(task.path).name][1]:
            row.wrong.append(f"acknowledged and differs: {task.path}")
        facts = path.stat()
        now[bag / sink.name(task.path)] = (facts.st_ino, facts.st_mtime_ns)
    row.wrong += [f"{path.name}: acknowledged, and written again" for path in seen if now.get(path) != seen[path]]
    seen.clear()
    seen.update(now)
