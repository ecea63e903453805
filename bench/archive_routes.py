"""What a route of `bench.archive` is, what is measured of it, and ours."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.archive_disks import Drive
from bench.archive_footage import Footage
from bench.archive_meter import drop_caches, end

__all__ = ["Ground", "Measured", "Ours", "Route"]

OURS_ENDS_S = 3600.0


@dataclass(frozen=True)
class Measured:
    """One turn of one route. `verify_read` counts bytes that its verification read of the copy, from the device."""

    seconds: float
    verify_s: float
    cpu_s: float
    peak_bytes: int
    verify_read: int
    copies_bytes: int
    sealing_s: float = 0.0


@dataclass(frozen=True)
class Ground:
    """What is copied, where to, and a folder for what a tool says; `everything`: the whole cache is dropped."""

    footage: Footage
    drives: Sequence[Drive]
    scratch: Path
    everything: bool

    def drop_caches(self) -> None:
        drop_caches([self.footage.folder, *(drive.folder for drive in self.drives)], everything=self.everything)


class Route:
    """`verifies`: it reads its copy again. `measure` leaves the copy where it is, for the caller to remove."""

    name: str
    verifies: bool

    def measure(self, ground: Ground) -> Measured:
        raise NotImplementedError


class Ours(Route):
    """The archive job of the kit, to the given drives by their numbers."""

    def __init__(self, name: str, drives: Sequence[int], *, encrypted: bool = False) -> None:
        self.name, self.verifies = name, True
        self._drives, self._words = drives, ["--encrypted"] if encrypted else []

    def measure(self, ground: Ground) -> Measured:
        footage, scratch = ground.footage, ground.scratch
        chosen = [ground.drives[number] for number in self._drives]
        argv = [sys.executable, "-m", "bench.archive_ours", *self._words, str(footage.home)]
        argv += [str(one.folder) for one in chosen]
        before = [drive.read_bytes() for drive in chosen]
        with (scratch / "log").open("wb") as log:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                cwd=Path(__file__).parent.parent,
            )
            assert child.stdin is not None and child.stdout is not None
            try:
                started = child.stdout.readline()
                began = time.monotonic()
                if started:
                    child.stdin.write("\n")
                    child.stdin.flush()
                line = child.stdout.readline()
                seconds = time.monotonic() - began
                child.wait(OURS_ENDS_S)
            finally:
                end(child)
                child.stdin.close()
                child.stdout.close()
        if not line or child.returncode:
            raise SystemExit(f"{self.name}: {(scratch / 'log').read_text(errors='replace')[-2000:]}")
        told = json.loads(line)
        if not told["whole"] or told["copies"] != len(chosen) or told["bytes"] != footage.size:
            raise SystemExit(f"{self.name}: the archive is not whole: {line}")
        after = [drive.read_bytes() for drive in chosen]
        own = told["read_bytes"] - footage.size
        read = sum(b - a for a, b in zip(before, after, strict=True) if a is not None and b is not None)
        return Measured(
            seconds,
            0.0,
            told["cpu_s"],
            told["peak_bytes"],
            read if all(count is not None for count in before) else own,
            footage.size * len(chosen),
            told["sealing_s"],
        )
