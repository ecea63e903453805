"""kill -9 of the archiving process at random moments, and resumed each time."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from exam_kit.store import Store
from tests.e2e.ordeal_copy_day import Attempt, Day, Moment, Outcome
from tests.e2e.ordeal_copy_table import Row

__all__ = ["kills"]

FILES, SIZE = 40, 700_000
KILLS_PER_DAY = 20
AHEAD = 3
"""A run may get so many files further before it is killed."""


def kills(folder: Path, count: int, dice: random.Random, destinations: int = 1) -> Row:
    """`count` kills over as many days as that takes; each day is archived to its end and looked through."""
    row = Row(f"kill -9, {destinations} destination{'s' if destinations > 1 else ''}", "this computer's disk")
    began = time.monotonic()
    number = 0
    while row.times < count and not (number and row.wrong):
        number += 1
        place = folder / f"kill-{destinations}-{number}"
        day = Day.made(place, cameras=("COR1-1", "ENTR-1"), count=FILES // 2, size=SIZE, seed=number)
        targets = [place / f"drive {copy}" for copy in range(1, destinations + 1)]
        for target in targets:
            target.mkdir()
        _day(day, targets, min(KILLS_PER_DAY, count - row.times), dice, row)
    row.took_s = time.monotonic() - began
    return row


def _day(day: Day, targets: Sequence[Path], count: int, dice: random.Random, row: Row) -> None:
    seen: set[tuple[str, str]] = set()
    left: dict[Path, int] = {}
    read = Counter[str]()
    for _kill in range(count):
        outcome = _killed(day, targets, len(seen), dice)
        _again(outcome, left, seen, row, targets)
        read.update(outcome.proved)
        if outcome.kind != "killed":
            if outcome.kind != "finished":
                row.wrong.append(f"a resumed run ended: {outcome.kind} {outcome.text}")
            break
        row.times += 1
        now = _verified(day)
        if not seen <= now:
            row.wrong.append(f"{len(seen - now)} rows lost their acknowledgement")
        seen = now
        truth = day.judge(*targets)
        row.looked_for += truth.acknowledged
        row.wrong += truth.wrong
        left = {path: path.stat().st_size for target in targets for path in target.rglob("*.mp4*")}
    last = day.attempt(*targets)
    _again(last, left, seen, row, targets)
    read.update(last.proved)
    if last.kind != "finished" or last.failed:
        row.wrong.append(f"the last run ended: {last.kind} {last.text} {last.failed}")
    truth = day.judge(*targets)
    row.looked_for += truth.acknowledged
    row.wrong += truth.wrong
    whole = sum(1 for target in targets for path in target.rglob("*.mp4") if path.name in day.truth)
    if whole != len(targets) * len(day.truth):
        row.wrong.append(f"{whole} of {len(targets) * len(day.truth)} files are in the bags")
    row.counts["files archived"] += whole
    row.counts["bytes archived"] += len(targets) * sum(size for size, _sha256 in day.truth.values())
    row.counts["bags whole"] += len(targets) if not truth.wrong else 0
    row.counts["files read back again"] += sum(read.values()) - len(targets) * len(day.truth)


def _killed(day: Day, targets: Sequence[Path], verified: int, dice: random.Random) -> Outcome:
    """Half of the times from outside, anywhere within a file; half of the times between two steps of the copy."""
    if dice.random() < 0.5:
        kind = dice.choice(("begin", "prove", "source"))
        moment = Moment(kind, dice.randint(1, AHEAD + 1), _suicide, late_s=dice.choice((0.0, dice.random() * 0.01)))
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


def _verified(day: Day) -> set[tuple[str, str]]:
    """Job and path of every acknowledged row."""
    store = Store(day.home.store, read_only=True)
    try:
        return {(r["job"], r["path"]) for r in store.query("SELECT job, path FROM archive_file WHERE state='verified'")}
    finally:
        store.close()


def _again(
    outcome: Outcome, left: dict[Path, int], seen: set[tuple[str, str]], row: Row, targets: Sequence[Path]
) -> None:
    """What the run after a kill copied though bytes of it lay there."""
    begun = Counter(outcome.began)
    names = Counter(path.name.removesuffix(".part") for path, size in left.items() if size)
    twice = sum(min(times, names[name]) for name, times in begun.items())
    row.counts["files copied again"] += twice
    row.counts["bytes copied again"] += sum(
        size for path, size in left.items() if begun[path.name.removesuffix(".part")]
    )
    row.most["files copied again after one kill"] = max(twice, row.most.get("files copied again after one kill", 0))
    if twice > len(targets):
        row.wrong.append(f"{twice} files copied again after one kill")
    acknowledged = Counter(Path(path).name for _job, path in seen)
    for name, times in begun.items():
        if times + acknowledged[name] > len(targets):
            row.wrong.append(f"{name}: acknowledged and copied again")
