"""A small sealed bag, attacked in every way we know: what verification says, touches and costs each time.

``python -m tests.e2e.ordeal_bag`` prints a line per attack: the exit code, the time, the peak memory of the process
that verified, and the reason it gave. Ends with 1 when an attack was not answered as it must be, when something was
written or anything beside the bag opened, or when memory went past the bound.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bag_attacks import ATTACKS, Attack, run
from tests.bag_forger import Forger, Made, forger, make

PEAK_BYTES = 500_000_000
"""What verification of the worst of these may take; a bag of MOST_FILES honest files takes about as much."""

ROOT = Path(__file__).resolve().parents[2]


def verified(bag: Path, key: Path | None) -> dict[str, Any]:
    """What a process of its own says of the bag."""
    command = [sys.executable, "-B", "-m", "tests.bag_child", str(bag), *([str(key)] if key else [])]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    if said.returncode:
        raise RuntimeError(said.stderr)
    told: dict[str, Any] = json.loads(said.stdout)
    return told


def faults(attack: Attack, told: dict[str, Any], attacked: Forger) -> list[str]:
    """What is wrong with the answer to an attack."""
    outside = attacked.outside / "secret.mp4"
    return [
        text
        for text, wrong in (
            (f"ended with {told['code']}, not {attack.code}", told["code"] != attack.code),
            (f"does not say {attack.said!r}", attack.said not in told["text"]),
            (f"chain {told['chain']}, not {attack.chain}", bool(attack.chain) and told["chain"] != attack.chain),
            ("text or page holds characters that command or markup", not told["clean"] or told["script"]),
            (f"written: {told['written']}", bool(told["written"])),
            (f"opened beside the bag: {told['beside']}", bool(told["beside"])),
            ("the file outside was changed", outside.read_bytes() != b"secret"),
            (f"took {told['peak_bytes'] // 10**6} MB", told["peak_bytes"] > PEAK_BYTES),
        )
        if wrong
    ]


def attacked(folder: Path, attack: Attack, own: Made, other: Made) -> tuple[dict[str, Any], list[str]]:
    """One attack on a fresh copy; the answer, and what is wrong with it."""
    folder.mkdir()
    made = forger(folder, own, other)
    run(attack, made)
    key = folder / "outside-key.pub"
    key.write_bytes(own.key.public.pem())
    told = verified(made.bag, key if attack.given else None)
    told["beside"] = [path for path in told["beside"] if path != str(key)]
    wrong = faults(attack, told, made)
    assert made.bag.is_relative_to(folder)
    shutil.rmtree(folder)
    return told, wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="leave out what takes long to prepare")
    given = options.parse_args()
    bad, peak, written, beside, count = 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="ordeal-bag-") as name:
        folder = Path(name)
        own, other = make(folder / "own", "0001", 1), make(folder / "other", "0002", 2)
        clean = verified(own.bag, None)
        print(f"{'untouched':<44} {clean['code']:>3} {clean['elapsed_s']:>6.2f} s {_mb(clean)}  {_reason(clean)}")
        for attack in ATTACKS:
            if given.short and attack.long:
                continue
            count += 1
            told, wrong = attacked(folder / "attack", attack, own, other)
            peak, written = max(peak, told["peak_bytes"]), written + len(told["written"])
            beside += len(told["beside"])
            bad += bool(wrong)
            took = f"{told['elapsed_s']:>6.2f} s {_mb(told)}"
            print(f"{attack.name:<44} {told['code']:>3} {took}  {_reason(told)}", flush=True)
            for fault in wrong:
                print(f"    WRONG: {fault}")
    print(
        f"attacks: {count}; answered as they must be: {count - bad}; written outside: {written}; "
        f"opened outside: {beside}; peak memory: {peak / 1e6:.0f} MB, "
        f"of the untouched bag: {clean['peak_bytes'] / 1e6:.0f} MB"
    )
    return 0 if not bad and clean["code"] == 0 else 1


def _mb(told: dict[str, Any]) -> str:
    return f"{told['peak_bytes'] / 1e6:>5.0f} MB"


def _reason(told: dict[str, Any]) -> str:
    found = [line[2:] for line in told["text"].splitlines() if line.startswith("- ")]
    return found[0][:110] if found else "whole"


if __name__ == "__main__":
    sys.exit(main())
