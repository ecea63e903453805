"""Carriers that fail while a day is copied to them: what is said, what stays, and whether the next run ends well."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.ordeal_copy_carrier import Carrier
from tests.e2e.ordeal_copy_day import Day, Moment, Outcome
from tests.e2e.ordeal_copy_table import Row

__all__ = ["MEDIA", "MediumFault", "one_of_two", "run"]

FILES, SIZE = 6, 900_000
LATE_S = 0.02

Act = Callable[[Carrier, Path, random.Random], None]
"""Given the recording that is being copied."""


@dataclass(frozen=True)
class MediumFault:
    """`act` is done as a file of the copy is opened (`kind`, see Moment), or before the run when `kind` is empty.

    `words`: one of them stands in the message; without any the run ends well in spite of the fault. `noticed`: the
    file that was hurt must have been copied again or named as failed. `honest` false: a carrier that lies about what
    it wrote; nothing may be called finished there, and no more can be promised.
    """

    name: str
    act: Act
    kind: str = "begin"
    words: tuple[str, ...] = ()
    mend: Callable[[Carrier], None] = Carrier.put_back
    mapped: bool = False
    only: tuple[str, ...] = ("ext4", "vfat", "exfat")
    noticed: bool = False
    honest: bool = True
    gone: bool = False
    large: bool = False

    def __str__(self) -> str:
        return self.name


def _flip(carrier: Carrier, source: Path, dice: random.Random) -> None:
    assert carrier.flip(source, dice.randrange(source.stat().st_size)), "the copy is not found on the medium"


def _bad(carrier: Carrier, source: Path, dice: random.Random) -> None:
    assert carrier.bad_sectors(source, dice.randrange(source.stat().st_size)), "the copy is not found on the medium"


def _nothing(_carrier: Carrier) -> None:
    pass


MEDIA = [
    MediumFault("too small", lambda _c, _s, _d: None, kind="", words=("not enough space",), mend=_nothing, large=True),
    MediumFault("full", lambda c, _s, _d: c.fill(), words=("is full",), mend=Carrier.free),
    MediumFault("pulled", lambda c, _s, _d: c.pull(), words=("is gone", "failed"), mend=Carrier.put_back, gone=True),
    MediumFault("device gone", lambda c, _s, _d: c.shut_down(), words=("failed", "is gone", "cannot be written"),
                only=("ext4",)),
    MediumFault("device gone (dm error)", lambda c, _s, _d: c.fail_everything(),
                words=("failed", "is gone", "cannot be written"), mapped=True),
    MediumFault("read-only", lambda c, _s, _d: c.read_only(), kind="", words=("cannot be written",)),
    MediumFault("read-only in the middle", lambda c, _s, _d: c.abort(), words=("cannot be written", "failed"),
                only=("ext4",)),
    MediumFault("writes fail (dm-flakey)", lambda c, _s, _d: c.fail_writes(), words=("failed", "cannot be written"),
                mapped=True),
    MediumFault("bad sectors when read back (dm error)", _bad, kind="prove", words=("failed",), mapped=True),
    MediumFault("a bit flipped before the read-back", _flip, kind="prove", mend=_nothing, noticed=True),
    MediumFault("writes are dropped in silence (dm-flakey)", lambda c, _s, _d: c.drop_writes(),
                words=("failed", "gave back", "does not verify", "not one"), mapped=True, honest=False),
    MediumFault("slow: 20 ms more for each access (dm-delay)", lambda c, _s, _d: c.slow_down(20), kind="",
                mapped=True),
]  # fmt: skip


def run(fault: MediumFault, folder: Path, file_system: str, times: int, dice: random.Random) -> Row:
    """`times` days, each on a new carrier."""
    row = Row(fault.name, file_system + (" behind dm" if fault.mapped else ""))
    began = time.monotonic()
    size = 9 * SIZE if fault.large else SIZE
    template = Day.made(folder / "media", count=FILES, size=size)
    for number in range(times):
        place = folder / f"{number}"
        day = template.again(place)
        with Carrier(place, file_system, 40, mapped=fault.mapped) as carrier:
            _round(fault, day, carrier, dice, row)
        shutil.rmtree(place)
    shutil.rmtree(folder / "media")
    row.took_s = time.monotonic() - began
    return row


def one_of_two(fault: MediumFault, folder: Path, times: int, dice: random.Random) -> Row:
    """Two destinations at once; `fault` hits the first, and the second must not notice."""
    row = Row(f"one of two destinations: {fault.name}", "ext4")
    began = time.monotonic()
    template = Day.made(folder / "media", count=FILES, size=SIZE)
    for _time in range(times):
        place = folder / "two"
        day = template.again(place)
        other = place / "other"
        other.mkdir()
        with Carrier(place, "ext4", 40) as carrier:
            # Which of the two begins a file first is left to chance; each begins every file once.
            moment = Moment("begin", dice.randint(1, 2 * FILES - 2), partial(_act, fault, carrier, dice))
            outcome = day.attempt(carrier.mount, other, moment=moment)
            row.times += 1
            row.counts[f"ended: {outcome.kind}"] += 1
            fault.mend(carrier)
            truth = day.judge(carrier.mount, other)
            row.looked_for += truth.acknowledged
            row.wrong += truth.wrong
            said, state = outcome.copies if len(outcome.copies) == 2 else (outcome.text, outcome.kind)
            row.said[said.partition(": ")[2]] += 1
            if state != "finished" or not any(word in said for word in fault.words) or outcome.failed:
                row.wrong.append(f"it ended: {outcome.kind} {outcome.text} {outcome.copies} {outcome.failed}")
            again = day.attempt(*day.unfinished([carrier.mount, other]))
            truth = day.judge(carrier.mount, other)
            row.looked_for += truth.acknowledged
            row.wrong += truth.wrong
            row.counts["resumed to a whole bag"] += again.kind == "finished"
            if again.kind != "finished":
                row.wrong.append(f"resumed, it ended: {again.kind} {again.text}")
        shutil.rmtree(place)
    shutil.rmtree(folder / "media")
    row.took_s = time.monotonic() - began
    return row


def _act(fault: MediumFault, carrier: Carrier, dice: random.Random, path: Path) -> None:
    fault.act(carrier, path, dice)


def _round(fault: MediumFault, day: Day, carrier: Carrier, dice: random.Random, row: Row) -> None:
    hurt: list[Path] = []
    seed = dice.random()

    def act(path: Path) -> None:
        fault.act(carrier, day.source(path.name.removesuffix(".part")), random.Random(seed))

    moment = None
    if fault.kind:
        number = dice.randint(1, FILES)
        # What hits one file must hit it right then; the rest may fall anywhere.
        late_s = dice.random() * LATE_S if fault.kind == "begin" and dice.random() < 0.5 else 0.0
        moment = Moment(fault.kind, number, act, late_s)
    else:
        fault.act(carrier, day.home.root, dice)
    outcome = day.attempt(carrier.mount, moment=moment)
    row.times += 1
    row.counts[f"ended: {outcome.kind}"] += 1
    if fault.gone and not carrier.mount.is_mount() and any(carrier.mount.iterdir()):
        row.wrong.append("something was written to the system's own disk in the place of the carrier")
    if moment is not None and not outcome.acted:
        row.counts["the copy was over before"] += 1
    elif fault.noticed:
        hurt = [outcome.proved[moment.number - 1]] if moment is not None else []
    fault.mend(carrier)
    if not fault.honest:
        if outcome.kind == "finished" and not outcome.failed and outcome.acted:
            row.wrong.append("accepted though different: a bag on a carrier that dropped what was written")
        row.counts["refused"] += outcome.kind == "said" or bool(outcome.failed)
        return
    truth = day.judge(carrier.mount)
    row.looked_for += truth.acknowledged
    row.wrong += truth.wrong
    _ending(fault, outcome, moment, row)
    for path in hurt:
        noticed = outcome.began.count(path) > 1 or any(path.name in message for message in outcome.failed)
        row.counts["noticed"] += noticed
        if not noticed:
            row.wrong.append(f"{path.name}: the flipped bit was not noticed")
    if fault.large or outcome.kind == "finished":
        return
    again = day.attempt(carrier.mount)
    truth = day.judge(carrier.mount)
    row.looked_for += truth.acknowledged
    row.wrong += truth.wrong
    if again.kind == "finished" and not again.failed:
        row.counts["resumed to a whole bag"] += 1
    else:
        row.wrong.append(f"resumed, it ended: {again.kind} {again.text} {again.failed}")


def _ending(fault: MediumFault, outcome: Outcome, moment: Moment | None, row: Row) -> None:
    """Did it end as it should: with a message that has the right word, or well?"""
    missed = moment is not None and not outcome.acted
    if outcome.kind == "said":
        row.said[outcome.text.splitlines()[0].partition(": ")[2]] += 1
        if not any(word in outcome.text for word in fault.words):
            row.wrong.append(f"it said: {outcome.text}")
    elif outcome.kind != "finished":
        row.wrong.append(f"it ended: {outcome.kind} {outcome.text}")
    elif outcome.failed:
        row.wrong.append(f"files failed: {outcome.failed}")
    elif fault.words and not missed and not (moment and moment.late_s):
        row.wrong.append("it ended well, as if nothing had been")
