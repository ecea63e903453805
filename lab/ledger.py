"""The ledger under power cuts: every entry whose append returned is there, and the chain is whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from exam_kit.errors import StoreError
from exam_kit.home import Home
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.ledger import KEY_LOST
from exam_kit.store.seal import SealKey
from exam_kit.store.verify import verify_database
from lab.experiment import Found

__all__ = ["LedgerExperiment"]

THREADS = 2
CHECKPOINT_EVERY = 25


def key_kept(home: Home) -> bool:
    """Is the key that the ledger's first entry names still the one to sign with, and its public half readable?"""
    store = Store(home.store, read_only=True)
    try:
        first = next(Ledger(store, home).entries(("ledger.opened",)), None)
    finally:
        store.close()
    try:
        halves = SigningKey.load_or_create(home.keys).public, VerifyKey.load(home.keys / "ledger.pub")
    except StoreError:
        return False
    return first is not None and all(key.fingerprint == first.body["fingerprint"] for key in halves)


class LedgerExperiment:
    """Two threads append as fast as they can, with a checkpoint now and then."""

    size_mb = 24

    def __init__(self, appends: int = 200, *, careless: bool = False) -> None:
        self._appends = appends
        self._careless = careless

    def prepare(self, work: Path) -> None:
        """Nothing is needed."""

    def run(self, disk: Path, work: Path, mark: Callable[[str], None]) -> None:
        home = Home.at(disk / "home")
        store = open_store(home)
        ledger = Ledger(store, home)
        faults: list[BaseException] = []

        def append(name: str) -> None:
            self._maybe_careless(store)
            try:
                for number in range(self._appends // THREADS):
                    entry = ledger.append("lab.entry", {"from": name, "number": number, "text": "x" * 300}, "agent")
                    mark(f"entry:{entry.seq}:{entry.hash}")
                    if number % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1:
                        made = ledger.checkpoint()
                        if made is not None:
                            mark(f"anchor:{made.seq}:{made.hash}")
            except (StoreError, OSError) as problem:
                faults.append(problem)
            finally:
                store.close()

        threads = [threading.Thread(target=append, args=(f"thread {number}",)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
        if faults:
            raise faults[0]

    def check(self, disk: Path, work: Path, marks: list[str], found: Found) -> None:
        promised = {int(seq): digest for kind, seq, digest in (m.split(":") for m in marks) if kind == "entry"}
        anchors = [int(mark.split(":")[1]) for mark in marks if mark.startswith("anchor:")]
        found.counts["acknowledged entries looked for"] += len(promised)
        home = Home.at(disk / "home")
        if not promised:
            return
        try:
            store = open_store(home)  # as the agent does after the power is back: the journal is taken in
            rows = {row["seq"]: row["hash"] for row in store.query("SELECT seq, hash FROM ledger")}
            ledger = Ledger(store, home)
            ledger.append("agent.started", {}, "agent")  # sealed on, with the key the cut left
            lost = [entry.seq for entry in ledger.entries((KEY_LOST,))]
            store.close()
            waiting = SealKey(home.keys).waiting
            report = verify_database(home.store, seals=waiting)
        except StoreError as problem:
            found.breach("databases that do not open", str(problem))
            return
        for seq, digest in promised.items():
            if rows.get(seq) != digest:
                found.breach("acknowledged entries lost or changed", f"entry {seq} of {max(rows, default=0)}")
        if not key_kept(home):
            found.breach("signing keys lost or changed", str(home.keys))
        if lost or not waiting or report.sealed != report.entries:
            said = f"begun anew at {lost}, {report.sealed} of {report.entries} entries proved"
            found.breach("seals lost or ahead of the entries", said)
        if not report.whole:
            found.breach("chains not whole", "; ".join(str(finding.kind) for finding in report.findings))
        for seq in anchors:
            path = home.anchors / f"checkpoint-{seq:08d}.txt"
            if not path.exists() or f"\nseq {seq}\n" not in path.read_text():
                found.breach("acknowledged checkpoints lost or torn", path.name)

    def _maybe_careless(self, store: Store) -> None:
        """The control: the same work on a database that does not wait for the disk."""
        if self._careless:
            store.connection.execute("PRAGMA synchronous=OFF")
            os.sync()
