"""kill -9 while two processes append, over and over: every acknowledged entry there, the chain whole, no hole.

``python -m tests.e2e.ordeal_append --kills 1000``: in each round two processes write lines of the access log and other
entries as fast as they can; one or both are killed at a random moment. What an append returned for was told to the
parent through a pipe. Ends with 1 when an acknowledged entry is missing, a number of the ledger or of the access log
has a hole or stands twice, the chain is not whole, a seal does not hold, or the seal's key does not fit the ledger.
POSIX only: the processes are forked, so that a round costs milliseconds.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.access_row import LINES
from exam_kit.journal.person import AGENT
from exam_kit.point import Point, load_point
from exam_kit.store import Ledger, open_store
from exam_kit.store.seal import Enrolment, SealKey
from exam_kit.store.verify import read_anchors, verify_database
from tests.conftest import POINT_TOML

WRITERS = 2
PROVE_EVERY = 100


@dataclass
class Ordeal:
    """One home, and everything that was promised in it."""

    home: Home
    point: Point
    first: Enrolment
    promised: dict[int, str] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)
    kills: int = 0
    looked: int = 0
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, root: Path) -> Ordeal:
        home = Home.at(root / "home")
        store = open_store(home)
        home.point_file.write_text(POINT_TOML, encoding="utf-8")
        Ledger(store, home).append("agent.started", {}, "agent")
        store.close()
        (first,) = SealKey(home.keys).waiting
        return cls(home, load_point(home.point_file), first)

    def round(self, dice: random.Random) -> None:
        """Start the writers, kill them, take down what they were promised."""
        children = {}
        for number in range(WRITERS):
            told, tell = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(told)
                _write_until_killed(self.home, self.point, number, tell)
            os.close(tell)
            children[child] = told
        heard = {told: os.read(told, 1 << 16) for told in children.values()}  # each has had an answer
        time.sleep(dice.random() * 0.03)
        order = dice.sample(list(children), len(children))
        for place, child in enumerate(order):
            os.kill(child, signal.SIGKILL)
            self.kills += 1
            if place == 0 and dice.random() < 0.5:  # the other goes on alone for a while
                time.sleep(dice.random() * 0.02)
        for child, told in children.items():
            os.waitpid(child, 0)
            while more := os.read(told, 1 << 16):
                heard[told] += more
            os.close(told)
        for text in heard.values():
            for line in text.decode().split("\n")[:-1]:  # an unfinished line was not a promise
                seq, digest, no = line.split(":")
                self.promised[int(seq)] = digest
                if no:
                    self.lines.add(int(no))

    def look(self) -> None:
        """Is all there that was promised in the last rounds, and nothing twice?"""
        store = open_store(self.home)
        try:
            after = self.looked
            rows = store.query("SELECT seq, hash FROM ledger WHERE seq > ?", (after,))
            found = {row["seq"]: row["hash"] for row in rows}
            if sorted(found) != list(range(after + 1, after + 1 + len(found))):
                self.wrong.append(f"round ending with kill {self.kills}: the numbers of the ledger have a hole")
            lost = [seq for seq, digest in self.promised.items() if seq > after and found.get(seq) != digest]
            self.wrong += [f"acknowledged entry {seq} lost or changed (kill {self.kills})" for seq in lost]
            self.looked = max(found, default=after)
        finally:
            store.close()

    def prove(self) -> None:
        """The whole chain with the region's first key; the access log's numbers; the key against the ledger."""
        store = open_store(self.home)
        ledger = Ledger(store, self.home)
        ledger.append("agent.started", {}, "agent")
        ledger.checkpoint()
        report = verify_database(self.home.store, ledger.public_key, read_anchors(self.home.anchors), [self.first])
        self.wrong += [f"kill {self.kills}: {finding.message}" for finding in report.findings]
        if report.sealed != report.entries:
            self.wrong.append(f"kill {self.kills}: {report.sealed} of {report.entries} entries proved by their seals")
        numbers = [entry.body["no"] for entry in ledger.entries(LINES)]
        if numbers != list(range(1, len(numbers) + 1)):
            self.wrong.append(f"kill {self.kills}: the numbers of the access log have a hole")
        if not self.lines <= set(numbers):
            self.wrong.append(f"kill {self.kills}: an acknowledged line of the access log is missing")
        present = SealKey(self.home.keys).read()
        if present is None or present.position != report.entries + 1:
            self.wrong.append(f"kill {self.kills}: the seal's key does not stand at the next entry")
        store.close()


def _write_until_killed(home: Home, point: Point, number: int, tell: int) -> None:
    """In the child: append, and say so only after the append returned."""
    with suppress(BaseException):
        store = open_store(home)
        ledger = Ledger(store, home)
        log = AccessLog(ledger, point)
        while True:
            draft = AccessDraft("0001", AccessAction.OPERABILITY_CHECK, ledger.clock.now() - timedelta(minutes=5))
            row = log.add(draft, AGENT)
            os.write(tell, f"{row.seq}:{row.hash}:{row.number}\n".encode())
            entry = ledger.append("lab.entry", {"from": number, "text": "x" * 200}, "agent")
            os.write(tell, f"{entry.seq}:{entry.hash}:\n".encode())
    os._exit(3)


def run(root: Path, kills: int, seed: int = 0) -> Ordeal:
    dice = random.Random(seed)
    ordeal = Ordeal.begin(root)
    rounds = 0
    while ordeal.kills < kills:
        ordeal.round(dice)
        ordeal.look()
        rounds += 1
        if rounds % PROVE_EVERY == 0:
            ordeal.prove()
    ordeal.prove()
    return ordeal


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ordeal = run(Path(folder), given.kills, given.seed)
        print(
            f"kills: {ordeal.kills}; acknowledged entries looked for: {len(ordeal.promised)}, "
            f"lines of the access log among them: {len(ordeal.lines)}; entries in the ledger: {ordeal.looked}"
        )
    print(f"wrong: {len(ordeal.wrong)}; {time.monotonic() - began:.0f} s")
    for said in ordeal.wrong[:20]:
        print(f"WRONG: {said}")
    return 1 if ordeal.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
