"""Random changes to a ledger's database file, and how many `log verify` finds with one checkpoint kept elsewhere.

``python -m tests.e2e.ordeal_ledger --changes 200`` prints a line per kind of change. Ends with 1 when one was not
found, or when an untouched copy was accused.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from exam_kit.store.verify import verify_database
from tests.tamper import TAMPERINGS, tamper

ENTRIES = 120


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--changes", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    accused = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(Path(folder) / "home")
        ledger = Ledger(open_store(home), home)
        for number in range(ENTRIES):
            ledger.append("access.row", {"number": number, "text": "запись о доступе"}, "specialist")
        kept = ledger.checkpoint()
        assert kept is not None
        ledger.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.store.close()
        for number in range(given.changes):
            dice = random.Random(given.seed * 1_000_003 + number)
            kind = dice.choice(sorted(TAMPERINGS))
            copy = Path(folder) / f"copy-{number}.db"
            shutil.copy(home.store, copy)
            accused += not verify_database(copy, ledger.public_key, [kept.text()]).whole
            said = tamper(copy, kind, dice)
            made[kind] += 1
            whole = verify_database(copy, ledger.public_key, [kept.text()]).whole
            found[kind] += not whole
            if whole:
                print(f"NOT FOUND: {said}")
    for kind in sorted(made):
        print(f"{kind:<12} {found[kind]:>4} of {made[kind]:>4} found")
    print(f"{'all':<12} {found.total():>4} of {made.total():>4} found; untouched copies accused: {accused}")
    return 0 if found == made and not accused else 1


if __name__ == "__main__":
    sys.exit(main())
