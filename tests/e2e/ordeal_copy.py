"""The fault table of the copy: processes killed, carriers and recordings that fail, every system call failing once.

``python -m tests.e2e.ordeal_copy [--kills 200] [--times 10] [--calls 400] [--encrypted] [--only WORD …] [--json FILE]``
prints a row for every fault: how many acknowledged files were looked for, how many of them were lost or wrong, how it
ended.
Ends with 1 when a promise was broken.

Carriers are loop devices with file systems of their own, which needs root. FAT32, exFAT and the device mapper are
tried in the emulated machine of the power lab (``lab/machine.py``) where this computer's kernel lacks them. Rows whose
fault cannot be made here say why. A word after ``--only`` stands in
``fault=place``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import machine
from tests.e2e import ordeal_copy_calls, ordeal_copy_carrier, ordeal_copy_sources
from tests.e2e.ordeal_copy_encrypted import encrypted_kills
from tests.e2e.ordeal_copy_kill import kills
from tests.e2e.ordeal_copy_media import MEDIA, MediumFault, one_of_two
from tests.e2e.ordeal_copy_media import run as medium_fault
from tests.e2e.ordeal_copy_table import HEAD, Row, read_rows

__all__ = ["Part", "main", "parts"]

IN_MACHINE = Path("/run/lab")
TIMES_IN_MACHINE = 3
"""At most so many repetitions where the processor is emulated."""
MACHINE_S = 5400.0


@dataclass(frozen=True)
class Part:
    """One row: `make` gives it from an empty folder. `file_system` and `mapped` say which carrier it needs."""

    fault: str
    make: Callable[[Path], Row]
    file_system: str = ""
    mapped: bool = False

    @property
    def where(self) -> str:
        if not self.file_system:
            return "this computer's disk"
        return self.file_system + (" behind dm" if self.mapped else "")

    def why_not(self) -> str:
        if self.fault == "a system call fails":
            return ordeal_copy_calls.why_not()
        return ordeal_copy_carrier.why_not(self.file_system, mapped=self.mapped) if self.file_system else ""


def parts(count: int, times: int, calls: int, seed: int) -> list[Part]:
    """All rows: `count` kills, `times` repetitions of each fault, at most `calls` injections."""
    dice = random.Random(seed)
    made = [
        Part("kill -9, 1 destination", lambda folder: kills(folder, count, dice)),
        Part("kill -9, 2 destinations", lambda folder: kills(folder, count, dice, 2)),
        Part("kill -9, encrypted, 1 destination", lambda folder: encrypted_kills(folder, count, dice)),
        Part("kill -9, encrypted, 2 destinations", lambda folder: encrypted_kills(folder, count, dice, 2)),
        Part("a system call fails", lambda folder: ordeal_copy_calls.call_faults(folder, calls)),
    ]
    made += [Part(fault.name, partial(_source, fault, times, dice)) for fault in ordeal_copy_sources.SOURCES]
    made.append(Part("bad sectors under a recording (dm error)",
                     lambda folder: ordeal_copy_sources.bad_source(folder, times, dice), "ext4", True))  # fmt: skip
    made += [
        Part(fault.name, partial(_medium, fault, file_system, times, dice), file_system, fault.mapped)
        for file_system in ("ext4", "vfat", "exfat")
        for fault in MEDIA
        if file_system in fault.only
    ]
    made += [
        Part(f"one of two destinations: {fault.name}", partial(_one_of_two, fault, times, dice), "ext4")
        for fault in MEDIA
        if fault.name in ("full", "pulled", "device gone")
    ]
    made += [
        Part("names and sizes", partial(_names, file_system), file_system) for file_system in ("ext4", "vfat", "exfat")
    ]
    return made


def _source(fault: ordeal_copy_sources.SourceFault, times: int, dice: random.Random, folder: Path) -> Row:
    return ordeal_copy_sources.run(fault, folder, times, dice)


def _medium(fault: MediumFault, file_system: str, times: int, dice: random.Random, folder: Path) -> Row:
    return medium_fault(fault, folder, file_system, times, dice)


def _one_of_two(fault: MediumFault, times: int, dice: random.Random, folder: Path) -> Row:
    return one_of_two(fault, folder, times, dice)


def _names(file_system: str, folder: Path) -> Row:
    return ordeal_copy_sources.names(folder, file_system)


def _rows(wanted: Iterable[Part], given: argparse.Namespace, inside: bool) -> Generator[Row, None, None]:
    """Those that can be made here, then those that the machine makes."""
    elsewhere = []
    for part in wanted:
        reason = part.why_not()
        if not reason:
            with tempfile.TemporaryDirectory(prefix="exam-kit-ordeal-") as folder:
                yield _made(part, Path(folder))
        elif inside or given.here or not part.file_system or machine.missing():
            more = f"; {machine.missing()}" if part.file_system and machine.missing() and not inside else ""
            yield Row(part.fault, part.where, why_not=reason + more)
        else:
            elsewhere.append(part)
    if elsewhere:
        yield from _in_machine(elsewhere, given)


def _made(part: Part, folder: Path) -> Row:
    try:
        return part.make(folder)
    except (RuntimeError, AssertionError, TimeoutError) as problem:
        return Row(part.fault, part.where, wrong=[f"the ordeal itself failed: {problem}"])


def _in_machine(wanted: list[Part], given: argparse.Namespace) -> Generator[Row, None, None]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="exam-kit-ordeal-") as folder:
        work = Path(folder)
        exact = [f"{part.fault}={part.where}" for part in wanted]
        arguments = ["--inside", "--times", str(min(given.times, TIMES_IN_MACHINE)), "--seed", str(given.seed)]
        try:
            machine.run("tests.e2e.ordeal_copy", [*arguments, "--only", *exact], work, [], timeout_s=MACHINE_S)
        except machine.MachineFault as problem:
            yield Row("faults in the emulated machine", "QEMU", wrong=[f"the machine: {problem}"])
        if (work / "rows.json").exists():
            for row in read_rows((work / "rows.json").read_text()):
                row.where += " (QEMU)"
                yield row
    print(f"in the emulated machine: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _wanted(part: Part, words: list[str]) -> bool:
    name = f"{part.fault}={part.where}"
    return not words or any(word in name for word in words)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--times", type=int, default=10, help="repetitions of every other fault (10)")
    options.add_argument("--calls", type=int, default=400, help="at most so many injected system calls (400)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", nargs="+", default=[], metavar="WORD")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    options.add_argument("--encrypted", action="store_true", help="only the rows of encrypted copies")
    options.add_argument("--here", action="store_true", help="leave out what needs the emulated machine")
    options.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that mounts are undone
    words = ["encrypted"] if given.encrypted else given.only
    wanted = [p for p in parts(given.kills, given.times, given.calls, given.seed) if _wanted(p, words)]
    rows: list[Row] = []
    target = IN_MACHINE / "rows.json" if given.inside else given.json
    print(HEAD, flush=True)
    with contextlib.closing(_rows(wanted, given, given.inside)) as made:
        for row in made:
            rows.append(row)
            print(row.line(), flush=True)
            if target is not None:
                target.write_text(json.dumps([row.as_dict() for row in rows], ensure_ascii=False, indent=1))
    _tell(rows)
    return 1 if any(row.wrong for row in rows) and not given.inside else 0


def _tell(rows: list[Row]) -> None:
    said: Counter[str] = Counter()
    for row in rows:
        said.update(row.said)
    print("\nmessages:")
    for text, count in said.most_common():
        print(f"  {count} × {' / '.join(text.splitlines())}")
    broken = [f"{row.fault} ({row.where}): {wrong}" for row in rows for wrong in row.wrong]
    print("\n" + ("\n".join(broken) or "everything promised held"))


if __name__ == "__main__":
    sys.exit(main())
