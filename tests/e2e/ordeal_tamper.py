"""Changes to a ledger by an attacker, and how many `log verify` finds with the region's first key and kept anchors.

``python -m tests.e2e.ordeal_tamper --count 100000`` prints a line per class of attack: found, and the first bad entry
named where the attack has one. A twentieth is also judged with less: the chain alone, with the checkpoints inside, with
the anchors kept outside. Then `--untouched` ledgers of many shapes, none of which may be accused. Ends with 1 when an
attack that changed something was not found, or when an untouched ledger was accused.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import KEY_CHANGED
from exam_kit.store.report import LedgerReport
from exam_kit.store.seal import Enrolment, SealKey
from exam_kit.store.verify import read_anchors, verify_database
from tests.tamper import ATTACKS, Loot, snapshot

ENTRIES = 44
OLDER = 26
FEWER_EVERY = 20
DEFENCES = ("chain", "checkpoints", "anchors")


def ground() -> Path | None:
    """Memory, where the system has it as a folder: the ordeal is about finding, not about the disk."""
    return Path("/dev/shm") if Path("/dev/shm").is_dir() else None


@dataclass
class Stage:
    """A ledger of the kit, what the region keeps of it, and what an attacker finds on the machine."""

    database: bytes
    key: VerifyKey
    anchors: list[str]
    seals: list[Enrolment]
    loot: Loot
    before: object

    @classmethod
    def build(cls, folder: Path) -> Stage:
        home = Home.at(folder / "home")
        ledger = Ledger(open_store(home), home)
        older = b""
        for number in range(ENTRIES):
            kind = "incident.step" if number % 5 == 0 else "access.row"
            ledger.append(
                kind, {"number": number, "text": f"запись о доступе № {number} é", "open": None}, "specialist"
            )
            if number % 11 == 10:
                ledger.checkpoint()
            if number == OLDER:
                older = _file(ledger, home)
        ledger.checkpoint()
        database = _file(ledger, home)
        seal = SealKey(home.keys)
        present, waiting = seal.read(), seal.waiting
        assert present is not None
        other = Home.at(folder / "other")
        foreign = Ledger(open_store(other), other)
        for number in range(ENTRIES):
            foreign.append("access.row", {"number": number}, "specialist")
        foreign.checkpoint()
        path = folder / "attacked-0.db"
        path.write_bytes(database)
        pem = (home.keys / "ledger.key").read_bytes()
        loot = Loot(path, older, _file(foreign, other), present.position, present.key, pem)
        return cls(database, ledger.public_key, read_anchors(home.anchors), waiting, loot, snapshot(path))

    def reset(self) -> None:
        """The untouched file under a new name: nothing that an attack left beside the last one matters."""
        old = self.loot.path
        for left in old.parent.glob(f"{old.name}*"):
            left.unlink()
        self.loot = replace(self.loot, path=old.with_name(f"attacked-{int(old.stem.rpartition('-')[2] or 0) + 1}.db"))
        self.loot.path.write_bytes(self.database)

    def judge(self, defence: str = "all") -> LedgerReport:
        if defence == "chain":
            report = verify_database(self.loot.path, None)
            report.findings = [
                f for f in report.findings if "checkpoint" not in f.kind and f.kind != "history rewritten"
            ]
            return report
        anchors = self.anchors if defence in ("anchors", "all") else []
        return verify_database(self.loot.path, self.key, anchors, self.seals if defence == "all" else [])


def _file(ledger: Ledger, home: Home) -> bytes:
    ledger.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return home.store.read_bytes()


@dataclass
class Tally:
    """Counts by class of attack."""

    made: Counter[str]
    idle: Counter[str]
    found: Counter[str]
    entries: Counter[str]
    named: Counter[str]
    kinds: dict[str, Counter[str]]
    fewer: Counter[str]
    missed: list[str]

    @classmethod
    def empty(cls) -> Tally:
        return cls(Counter(), Counter(), Counter(), Counter(), Counter(), {}, Counter(), [])

    def add(self, other: Tally) -> None:
        for name in ("made", "idle", "found", "entries", "named", "fewer"):
            getattr(self, name).update(getattr(other, name))
        for name, kinds in other.kinds.items():
            self.kinds.setdefault(name, Counter()).update(kinds)
        self.missed += other.missed


def attack_many(seed: int, numbers: range) -> Tally:
    """Attacks by number: the class goes round, the rest is chance from seed and number."""
    tally, names = Tally.empty(), sorted(ATTACKS)
    with tempfile.TemporaryDirectory(dir=ground()) as folder:
        stage = Stage.build(Path(folder))
        for number in numbers:
            name, dice = names[number % len(names)], random.Random(seed * 1_000_003 + number)
            stage.reset()
            told = ATTACKS[name](stage.loot, dice)
            attacked = stage.loot.path.read_bytes()
            log = stage.loot.path.with_name(stage.loot.path.name + "-wal")
            beside = log.read_bytes() if log.exists() else None
            report = stage.judge()
            if report.whole:
                # What changed nothing that anybody can read need not be found: spare bytes, a log SQLite ignores.
                stage.reset()
                stage.loot.path.write_bytes(attacked)
                if beside is not None:
                    stage.loot.path.with_name(stage.loot.path.name + "-wal").write_bytes(beside)
                if snapshot(stage.loot.path) == stage.before:
                    tally.idle[name] += 1
                    continue
                tally.missed.append(f"{name}, attack {number}: {told.what}")
            tally.made[name] += 1
            tally.found[name] += not report.whole
            if number // len(names) % FEWER_EVERY == 0:
                for defence in DEFENCES:
                    tally.fewer[defence] += not stage.judge(defence).whole
                tally.fewer["all"] += not report.whole
                tally.fewer["made"] += 1
            tally.kinds.setdefault(name, Counter()).update(sorted({finding.kind for finding in report.findings})[:3])
            if told.first is not None:
                tally.entries[name] += 1
                tally.named[name] += told.first in {finding.seq for finding in report.findings}
    return tally


def untouched(seed: int, numbers: range) -> list[str]:
    """Ledgers of many shapes that nobody touched; what was said of those that were accused."""
    accused = []
    with tempfile.TemporaryDirectory(dir=ground()) as folder:
        blank = Home.at(Path(folder) / "blank")
        empty = open_store(blank)
        empty.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        empty.close()
        for number in numbers:
            dice = random.Random(seed * 7_919 + number)
            home = Home.at(Path(folder) / f"home-{number}")
            home.create()
            shutil.copy(blank.store, home.store)
            ledger = Ledger(open_store(home), home)
            for entry in range(dice.randint(1, 60)):
                text = "".join(
                    chr(dice.choice([dice.randint(1, 0x7F), dice.randint(0x400, 0x4FF), 0x1F600])) for _ in range(9)
                )
                body = {
                    "n": entry,
                    "t": text,
                    "f": dice.choice([0.1, 1e21, 1e-7, 5.0, -0.0, 2**53 - 1]),
                    "l": [None, True, {}],
                }
                ledger.append(dice.choice(["access.row", "segment.closed"]), body, "specialist")
                if dice.random() < 0.1:
                    ledger.checkpoint()
                if dice.random() < 0.02:
                    ledger.begin_seal(KEY_CHANGED, {"why": "planned"}, "head")
            seals = SealKey(home.keys).waiting
            anchors = read_anchors(home.anchors)
            report = verify_database(home.store, ledger.public_key, anchors, seals)
            alone = verify_database(home.store, ledger.public_key, anchors)
            for one in (report, alone):
                if not one.whole:
                    accused.append(f"ledger {number}: {[str(finding.message) for finding in one.findings]}")
            if report.sealed != report.entries:
                accused.append(f"ledger {number}: {report.sealed} of {report.entries} entries proved by their seals")
            ledger.store.close()
            shutil.rmtree(home.root)
    return accused


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2_000)
    options.add_argument("--untouched", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    began, parts = time.monotonic(), given.processes
    shares = [range(given.count * n // parts, given.count * (n + 1) // parts) for n in range(parts)]
    clean = [range(given.untouched * n // parts, given.untouched * (n + 1) // parts) for n in range(parts)]
    tally = Tally.empty()
    with multiprocessing.get_context("spawn").Pool(parts) as pool:
        for part in pool.starmap(attack_many, [(given.seed, share) for share in shares]):
            tally.add(part)
        attacked_s = time.monotonic() - began
        accused = [said for part in pool.starmap(untouched, [(given.seed, share) for share in clean]) for said in part]
    show(tally)
    print(f"{given.count / attacked_s:.0f} attacks/s in {parts} processes")
    print(f"untouched ledgers: {given.untouched}, accused: {len(accused)}")
    for said in [*tally.missed[:20], *accused[:20]]:
        print(f"WRONG: {said}")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if tally.missed or accused else 0


def show(tally: Tally) -> None:
    print(f"{'attack':<52}{'found':>7}{'made':>7}{'idle':>6}{'entry named':>14}  told as")
    for name in sorted(ATTACKS):
        entry = f"{tally.named[name]}/{tally.entries[name]}" if tally.entries[name] else "-"
        kinds = ", ".join(kind for kind, _count in tally.kinds.get(name, Counter()).most_common(3))
        print(f"{name:<52}{tally.found[name]:>7}{tally.made[name]:>7}{tally.idle[name]:>6}{entry:>14}  {kinds}")
    total = f"{tally.named.total()}/{tally.entries.total()}"
    print(f"{'all':<52}{tally.found.total():>7}{tally.made.total():>7}{tally.idle.total():>6}{total:>14}")
    print(f"classes: {len(ATTACKS)}")
    if tally.fewer["made"]:
        shares = [f"{name} {100 * tally.fewer[name] / tally.fewer['made']:.1f} %" for name in (*DEFENCES, "all")]
        print(f"found with less, of {tally.fewer['made']}: " + ", ".join(shares))


if __name__ == "__main__":
    sys.exit(main())
