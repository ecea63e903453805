"""One experiment from beginning to end: run it in the machine, then look at the disk after every chosen cut.

The same code looks at the cuts here, when this user may mount the file system, and else inside the machine.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab import machine
from lab.experiment import Experiment, Found
from lab.logged_disk import OPTIONS, LoggedDisk, marker
from lab.write_log import Cut, Image, WriteLog, chosen, cuts, torn

__all__ = ["EXPERIMENTS", "MKFS", "Trial"]

EXPERIMENTS = {
    "recorder": ("lab.recorder", "RecorderExperiment"),
    "ledger": ("lab.ledger", "LedgerExperiment"),
    "copy": ("lab.copy", "CopyExperiment"),
}
"""Module and class; imported when needed, for the emulated machine takes a minute to import all of them."""
MKFS = {  # the smallest clusters, so that folders grow in small runs too
    "ext4": ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"),
    "vfat": ("mkfs.vfat", "-F", "32", "-s", "1"),
    "exfat": ("mkfs.exfat", "-c", "512"),
}
LOG_FACTOR = 6
"""The log holds everything that was ever written; it is a sparse file."""
BASE, DISK, LOG, FOUND = "base.img", "disk.img", "log.img", "found.json"
IN_MACHINE = Path("/run/lab")


@dataclass(frozen=True)
class Trial:
    """What is to be done. `points` 0: a cut after every write. `options` are the experiment's own."""

    experiment: str
    file_system: str = "ext4"
    points: int = 0
    seed: int = 1
    torn: bool = False
    careless: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def made(self) -> Experiment:
        module, name = EXPERIMENTS[self.experiment]
        made: Experiment = getattr(importlib.import_module(module), name)(careless=self.careless, **self.options)
        return made

    def run(self, work: Path, *, timeout_s: float) -> Found:
        """Everything, in the empty folder `work`.

        Raises:
            machine.MachineFault: the machine did not do its part.
        """
        experiment = self.made()
        experiment.prepare(work)
        size = experiment.size_mb << 20
        base = work / BASE
        _sized(base, size)
        subprocess.run([*MKFS[self.file_system], str(base)], check=True, stdout=subprocess.DEVNULL)
        (work / DISK).write_bytes(base.read_bytes())
        _sized(work / LOG, size * LOG_FACTOR)
        (work / "trial.json").write_text(json.dumps(asdict(self)))
        environment = {"PYTHONPATH": str(Path(__file__).with_name("careless"))} if self.careless else {}
        machine.run("lab.trial", ["run"], work, [work / DISK, work / LOG], timeout_s=timeout_s, environment=environment)
        if mounts_here(self.file_system):
            return self.look(work)
        machine.run("lab.trial", ["look"], work, [], timeout_s=timeout_s)
        return Found.read((work / FOUND).read_text())

    def look(self, work: Path) -> Found:
        """Bring the disk to every cut, mount it, check."""
        experiment, found = self.made(), Found()
        log = WriteLog(work / LOG)
        chance = random.Random(self.seed)  # noqa: S311 - places of cuts, not secrets
        every = torn(log, chance) if self.torn else cuts(log)
        picked = chosen(every, self.points, chance)
        found.counts["entries in the log"] = len(log.entries)
        found.counts["writes among them"] = sum(entry.writes for entry in log.entries)
        scratch = Path("/dev/shm") / f"exam-kit-lab-{os.getpid()}"  # noqa: S108 - memory: the disk itself plays no part
        scratch.mkdir()
        try:
            image = Image(work / BASE, scratch / "image", log)
            for cut in picked:
                image.forward(cut)
                self._one(experiment, image, cut, log, work, found)
            image.close()
        finally:
            for left in scratch.iterdir():
                if left.is_file():
                    left.unlink()
            (scratch / "mount").rmdir()
            scratch.rmdir()
        log.close()
        return found

    def _one(self, experiment: Experiment, image: Image, cut: Cut, log: WriteLog, work: Path, found: Found) -> None:
        found.counts["cuts"] += 1
        # A new file for every cut: mount reuses a loop device that is not let go yet, with all that it remembers.
        disk = image.path.with_name(f"cut-{cut.entries}")
        _copy(image.path, disk)
        try:
            with _mounted(disk, self.file_system) as mount:
                experiment.check(mount, work, log.marks(cut.promised), found)
        except subprocess.CalledProcessError as problem:
            found.breach("disks that do not mount", f"after {cut.entries} entries: {problem.stderr.strip()}")
        disk.unlink()


def mounts_here(file_system: str) -> bool:
    """May this user mount this file system on this computer?"""
    known = Path("/proc/filesystems").read_text().split()
    return os.geteuid() == 0 and file_system in known and Path("/dev/loop-control").exists()


@contextmanager
def _mounted(disk: Path, kind: str) -> Iterator[Path]:
    mount = disk.with_name("mount")
    mount.mkdir(exist_ok=True)
    options = ["loop", "rw", *OPTIONS.get(kind, ())]
    line = ["mount", "-t", kind, "-o", ",".join(options), str(disk), str(mount)]
    subprocess.run(line, check=True, capture_output=True, text=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        left = source.stat().st_size
        while left:
            left -= os.copy_file_range(reading.fileno(), writing.fileno(), left)


def _sized(path: Path, size: int) -> None:
    with path.open("wb") as target:
        target.truncate(size)


def main() -> None:
    """Inside the machine."""
    trial = Trial(**json.loads((IN_MACHINE / "trial.json").read_text()))
    if sys.argv[1] == "run":
        with LoggedDisk(Path("/dev/vda"), Path("/dev/vdb"), trial.file_system, Path("/run/logged")):
            trial.made().run(Path("/run/logged"), IN_MACHINE, marker())
    else:
        (IN_MACHINE / FOUND).write_text(trial.look(IN_MACHINE).written())


if __name__ == "__main__":
    main()
