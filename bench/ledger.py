"""The ledger's speed: an acknowledged append beside a plain SQLite insert, and the proof of a long chain.

``python -m bench.ledger`` prints medians and percentiles of both appends, taken in turns in one run on one disk with
synchronous=FULL, and what `log verify` needs for a million entries, with and without the region's first key.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import rfc8785

from exam_kit.clock import iso
from exam_kit.home import Home
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.ledger import entry_hash
from exam_kit.store.seal import Enrolment, SealKey, evolved, seal_of
from exam_kit.store.verify import read_anchors, verify_database

BODY: dict[str, Any] = {
    "point": "77-0001",
    "year": 2026,
    "no": 1,
    "writer": {"name": "Специалист Т. Т.", "post": "технический специалист", "login": "spec"},
    "person": {"name": "Специалист Т. Т.", "post": "технический специалист", "login": "spec"},
    "date": "2026-05-28",
    "rooms": ["0001", "0002"],
    "start": "2026-05-28T05:00:00.000000Z",
    "end": None,
    "action": "operability_check",
    "text": "проверка работоспособности",
    "responsible": None,
    "order": None,
}
WARM_UP = 20


def timed(act: object) -> float:
    """Milliseconds."""
    assert callable(act)
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def told(name: str, times_ms: list[float]) -> None:
    cuts = statistics.quantiles(times_ms, n=100)
    print(
        f"{name:<34} median {statistics.median(times_ms):7.3f} ms   p95 {cuts[94]:7.3f}   p99 {cuts[98]:7.3f}   "
        f"max {max(times_ms):7.3f}   n {len(times_ms)}"
    )


def appends(folder: Path, count: int) -> None:
    """Ours and the plain insert in turns, so that both meet the same load of the machine."""
    home = Home.at(folder / "appends")
    ledger = Ledger(open_store(home), home)
    plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode=WAL")
    plain.execute("PRAGMA synchronous=FULL")
    plain.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
    text = rfc8785.dumps(BODY).decode()

    def insert() -> None:
        plain.execute("BEGIN IMMEDIATE")
        plain.execute("INSERT INTO row (text) VALUES (?)", (text,))
        plain.execute("COMMIT")

    ours, theirs = [], []
    for _turn in range(count + WARM_UP):
        ours.append(timed(lambda: ledger.append("access.row", BODY, "spec")))
        theirs.append(timed(insert))
    ours, theirs = ours[WARM_UP:], theirs[WARM_UP:]
    told("ledger, acknowledged append", ours)
    told("plain SQLite insert, FULL", theirs)
    print(f"{'ratio of the medians':<34} {statistics.median(ours) / statistics.median(theirs):7.2f}")
    plain.close()
    ledger.store.close()


def long_chain(home: Home, entries: int) -> tuple[Store, Ledger, Enrolment]:
    """A ledger of that many sealed entries, written in one transaction by the kit's own format."""
    store = open_store(home)
    ledger = Ledger(store, home)
    ledger.append("agent.started", {}, "agent")
    (first,) = SealKey(home.keys).waiting
    head, ledger_id = ledger.head(), ledger.id
    prev, key = head.hash, evolved(first.key, head.seq)
    at, boot = iso(ledger.clock.now()), ledger.clock.boot_id()
    with store.transaction() as connection:
        for seq in range(head.seq + 1, entries + 1):
            whole: dict[str, Any] = {
                "seq": seq,
                "at": at,
                "boot": boot,
                "mono": seq / 8,
                "actor": "spec",
                "kind": "access.row",
            }
            record = rfc8785.dumps({**whole, "kind": "access.row", "body": BODY | {"no": seq}, "prev": prev}).decode()
            prev = entry_hash(ledger_id, record)
            values = (seq, record, prev, seal_of(key, prev))
            connection.execute("INSERT INTO ledger (seq, record, hash, seal) VALUES (?, ?, ?, ?)", values)
            key = evolved(key)
    ledger.append("agent.stopped", {}, "agent")  # brings the key up by a million steps
    ledger.checkpoint()
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store, ledger, first


def proofs(folder: Path, entries: int, rounds: int) -> None:
    home = Home.at(folder / "long")
    store, ledger, first = long_chain(home, entries)
    print(f"{home.store.stat().st_size / 1e6:.0f} MB in {ledger.head().seq} entries")
    anchors = read_anchors(home.anchors)
    ways: tuple[tuple[str, list[Enrolment]], ...] = (
        ("log verify, anchors", []),
        ("log verify, anchors and enrolment", [first]),
    )
    times: dict[str, list[float]] = {name: [] for name, _seals in ways}
    for _round in range(rounds):  # in turns, so that both meet the same load of the machine
        for name, seals in ways:
            began = time.perf_counter()
            report = verify_database(home.store, ledger.public_key, anchors, seals)
            times[name].append(time.perf_counter() - began)
            assert report.whole, report.findings
            assert report.agreeing, "the anchors were heard"
            assert report.sealed == (report.entries if seals else 0)
    for name, _seals in ways:
        median = statistics.median(times[name])
        rate = report.entries / median
        print(f"{name:<34} median {median:7.2f} s    best {min(times[name]):.2f}    {rate:,.0f} entries/s")
    print(f"load of the machine: {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")
    store.close()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--appends", type=int, default=2_000)
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        appends(Path(folder), given.appends)
        proofs(Path(folder), given.entries, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
