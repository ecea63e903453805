"""``python -m lab.power``: cut the power at the writes of a real run and count what was lost.

fetch: download the lab's kernel. recorder, ledger, copy: the experiments. Ends with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab import kernel, machine
from lab.experiment import Found
from lab.trial import EXPERIMENTS, MKFS, Trial

__all__ = ["main"]

TIMEOUT_S = 3600.0


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 when every promise was kept, 1 when not, 2 when the lab cannot work here."""
    wanted = _parser().parse_args(arguments)
    if wanted.experiment == "fetch":
        print(kernel.fetch().image)
        return 0
    reason = machine.missing()
    if reason:
        print(f"power: {reason}", file=sys.stderr)
        return 2
    options = {name: value for name in ("seconds", "cameras", "appends", "files", "encrypted")
               if (value := getattr(wanted, name, None)) is not None}  # fmt: skip
    trial = Trial(wanted.experiment, wanted.fs, 0 if wanted.every else wanted.points, wanted.seed, wanted.torn,
                  wanted.careless, options)  # fmt: skip
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="exam-kit-lab-") as folder:
        work = Path(wanted.keep or folder)
        work.mkdir(parents=True, exist_ok=True)
        try:
            found = trial.run(work, timeout_s=TIMEOUT_S)
        except (machine.MachineFault, subprocess.CalledProcessError) as problem:
            print(f"power: {problem}", file=sys.stderr)
            return 2
    _print(trial, found, time.monotonic() - began)
    return 1 if found.broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.power", description=__doc__)
    commands = parser.add_subparsers(dest="experiment", required=True)
    commands.add_parser("fetch", help="download the lab's kernel and busybox and unpack them; nothing is installed")
    for name in EXPERIMENTS:
        command = commands.add_parser(name)
        which = command.add_mutually_exclusive_group()
        which.add_argument("--points", type=int, default=200, metavar="N", help="so many cuts at random (200)")
        which.add_argument("--every", action="store_true", help="a cut after every write")
        command.add_argument("--fs", choices=sorted(MKFS), default="ext4", help="the file system (ext4)")
        command.add_argument("--seed", type=int, default=1, help="for the choice of the cuts")
        command.add_argument(
            "--torn", action="store_true", help="cut within flushes instead: half of the unsecured writes are on disk"
        )
        command.add_argument(
            "--careless", action="store_true", help="the control: the same work without syncing; losses must be found"
        )
        command.add_argument("--keep", metavar="FOLDER", help="leave disk and log there")
        match name:
            case "recorder":
                command.add_argument("--seconds", type=float, help="how long to record (90)")
                command.add_argument("--cameras", type=int, help="how many cameras (4)")
            case "ledger":
                command.add_argument("--appends", type=int, help="how many entries (200)")
            case "copy":
                command.add_argument("--files", type=int, help="how many files (30)")
                command.add_argument("--encrypted", action="store_true", default=None, help="as age files")
    return parser


def _print(trial: Trial, found: Found, took_s: float) -> None:
    model = "within flushes, half of the writes on disk" if trial.torn else "after a write, the disk's cache lost"
    print(f"{trial.experiment} on {trial.file_system}, cuts {model}, {took_s:.0f} s")
    for name, count in found.counts.items():
        print(f"  {name}: {count}")
    for name, value in found.most.items():
        print(f"  {name}: {value:.1f}")
    print(f"  promises broken: {sum(found.broken.values())}")
    for name, count in found.broken.items():
        print(f"    {name}: {count}")
    for example in found.examples:
        print(f"      for example {example}")


if __name__ == "__main__":
    sys.exit(main())
