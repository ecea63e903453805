"""kill -9 of the archiving process at random moments, and resumed each time."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exam_kit.store import Store
from tests.e2e.ordeal_copy_day import Attempt, Day, Moment, Outcome
from tests.e2e.ordeal_copy_table import Row

__all__ = ["Left", "again", "kills"]

FILES, SIZE = 40, 700_000
KILLS_PER_DAY = 20
AHEAD = 3
"""A run may get so many files further before it is killed."""


@dataclass(frozen=True)
class Left:
    """A copy, whole or not, that lay there after kill number `kill`."""

    kill: int
    bytes: int


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
    left: dict[Path, Left] = {}
    read = 0
    kills_left = count
    while waiting := day.unfinished(targets):
        # Who has a finished bag is not asked for another copy.
        outcome = _killed(day, waiting, len(seen), dice) if kills_left else day.attempt(*waiting)
        again(outcome, left, seen, row, targets)
        read += len(outcome.proved)
        now = _verified(day)
        if not seen <= now:
            row.wrong.append(f"{len(seen - now)} rows lost their acknowledgement")
        seen = now
        truth = day.judge(*targets)
        row.looked_for += truth.acknowledged
        row.wrong += truth.wrong
        if outcome.kind == "killed":
            row.times += 1
            kills_left -= 1
            left = _left(targets, left, outcome, kills_left)
        elif outcome.kind != "finished" or outcome.failed or set(outcome.copies) != {"finished"}:
            row.wrong.append(f"a resumed run ended: {outcome.kind} {outcome.text} {outcome.failed} {outcome.copies}")
            return
    whole = sum(1 for target in targets for path in target.rglob("*.mp4") if path.name in day.truth)
    if whole != len(targets) * len(day.truth):
        row.wrong.append(f"{whole} of {len(targets) * len(day.truth)} files are in the bags")
    row.counts["files archived"] += whole
    row.counts["bytes archived"] += len(targets) * sum(size for size, _sha256 in day.truth.values())
    row.counts["bags whole"] += len(targets)
    row.counts["files read back again"] += read - len(targets) * len(day.truth)


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
    """Bag and path of every acknowledged row."""
    store = Store(day.home.store, read_only=True)
    try:
        rows = store.query(
            "SELECT j.bag, f.path FROM archive_file f JOIN archive_job j ON j.id = f.job WHERE f.state = 'verified'"
        )
        return {(row["bag"], row["path"]) for row in rows}
    finally:
        store.close()


def _left(targets: Sequence[Path], before: dict[Path, Left], outcome: Outcome, kill: int) -> dict[Path, Left]:
    """What lies there after a kill, by final path; what an earlier kill left untouched stays that one's."""
    found = {}
    for target in targets:
        for path in target.rglob("*.mp4*"):
            final = path.with_name(path.name.removesuffix(".part"))
            old = before.get(final)
            found[final] = old if old and final not in outcome.began else Left(kill, path.stat().st_size)
    return found


def again(
    outcome: Outcome, left: dict[Path, Left], seen: set[tuple[str, str]], row: Row, targets: Sequence[Path]
) -> None:
    """What a run copied though bytes of it lay there, or twice: at most one file for each kill and destination."""
    for target in targets:
        begun = [path for path in outcome.began if path.is_relative_to(target)]
        again = [left[path] for path in set(begun) if path in left and left[path].bytes]
        row.counts["files copied again"] += len(again)
        row.counts["bytes copied again"] += sum(one.bytes for one in again)
        each = Counter(one.kill for one in again)
        most = "copied again for one kill at one destination"
        row.most[most] = max([row.most.get(most, 0), *each.values()])
        row.wrong += [f"{count} files copied again for one kill" for count in each.values() if count > 1]
        row.wrong += [f"{path.name}: copied twice in one run" for path, count in Counter(begun).items() if count > 1]
    acknowledged = {(Path(bag).parent, Path(path).name) for bag, path in seen}
    row.wrong += [
        f"{path.name}: acknowledged and copied again"
        for path in outcome.began
        if any(path.name == name and path.is_relative_to(target) for target, name in acknowledged)
    ]
