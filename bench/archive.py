"""`python -m bench.archive`: the archive beside the tools people copy and check with, all in one interleaved run.

The same recorded day (pieces of 15 to 30 MB, random bytes) goes to this disk and to a drive throttled as a USB one is,
from a source throttled too. Every route ends with its bytes on the medium: who does not sync is followed by a sync that
is timed. Caches are dropped before each tool and before it verifies (not timed), and what its verification then read
of the copy is counted at the device. Nothing is asserted. Peers: `apt-get install --no-install-recommends rclone
rsync`; bagit.py and ascmhl get environments of their own in the cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.archive_age import age_peers
from bench.archive_disks import Drive, in_own_namespace, throttled_drive, undone, why_not_throttled
from bench.archive_footage import Footage, record_day
from bench.archive_meter import hashing_s_per_gb, run
from bench.archive_peers import peers
from bench.archive_report import Outcome, as_dict, goals, table
from bench.archive_routes import Ground, Measured, Ours, Route

__all__ = ["main"]

GIB = 1 << 30
MIB = 1 << 20
MB = 1_000_000
ROOM, QUICK_ROOM = 320 * MIB, 64 * MIB
"""Beside the footage on a drive: the file system's own, the home's database, the bag's lists."""


class _Bench:
    """One temporary folder and what is measured in it."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options, self._folder = options, folder
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        wanted = options.only or (["cp"] if options.quick else [])
        self._routes: dict[str, Route] = dict(peers(options.cache, self._scratch, wanted))
        if options.encrypted:
            self._routes |= age_peers(self._scratch)
        if not options.only or "ours" in options.only:
            self._routes["ours"] = Ours("ours", [0])
            if not options.quick:
                self._routes["ours-second"] = Ours("ours, second drive", [1])
                self._routes["ours-both"] = Ours("ours, both drives at once", [0, 1])
        if options.encrypted:
            self._routes["ours-encrypted"] = Ours("ours, encrypted", [0], encrypted=True)

    def fast(self) -> Outcome:
        """On the disk the folder lies on."""
        place = self._folder / "this-disk"
        drives = [Drive(place / "first"), Drive(place / "second")]
        for drive in drives:
            drive.folder.mkdir(parents=True)
        return self._measure("this disk", place / "home", drives, throttled=False)

    def throttled(self) -> Outcome:
        read, write = self._options.read_mbps * MB, self._options.write_mbps * MB
        size = self._size() * 51 // 50 + (QUICK_ROOM if self._options.quick else ROOM)
        with undone() as stack:
            source = throttled_drive(stack, self._folder, "source", size, read, 0)
            drives = [throttled_drive(stack, self._folder, name, size, read, write) for name in ("first", "second")]
            place = f"drives throttled to {self._options.read_mbps} MB/s read and {self._options.write_mbps} MB/s write"
            return self._measure(place, source.folder / "home", drives, throttled=True)

    def _size(self) -> int:
        return 6 * MIB if self._options.quick else int(self._options.gib * GIB)

    def _measure(self, place: str, home: Path, drives: Sequence[Drive], *, throttled: bool) -> Outcome:
        smallest, largest = (MIB, 2 * MIB) if self._options.quick else (15 * MB, 30 * MB)
        footage = record_day(home, self._size(), smallest, largest)
        everything = os.geteuid() == 0 and not self._options.quick
        ground = Ground(footage, drives, self._scratch, everything)
        floors: list[float] = []
        turns: dict[str, list[Measured]] = {name: [] for name in self._routes}
        for number in range(self._options.rounds):
            if not self._options.quick:
                floors.append(self._floor(footage, drives[0]))
            # The order turns, so that nobody always comes after the same neighbour.
            names = list(self._routes)
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                ground.drop_caches()
                turn = self._routes[name].measure(ground)
                turns[name].append(turn)
                _say(f"  round {number + 1}, {self._routes[name].name}: {turn.seconds:.2f} s, CPU {turn.cpu_s:.2f} s")
                for drive in drives:
                    self._empty(drive.folder)
        shutil.rmtree(self._inside(footage.home))
        return Outcome(place, throttled, footage.size, footage.files, floors, turns, self._routes)

    def _floor(self, footage: Footage, drive: Drive) -> float:
        """Seconds of writing as many bytes past the page cache."""
        target = drive.folder / "floor"
        count = -(-footage.size // MIB)
        argv = ["dd", "if=/dev/zero", f"of={target}", f"bs={MIB}", f"count={count}", "oflag=direct", "conv=fsync"]
        took = run(argv, self._scratch / "log")
        self._empty(drive.folder)
        _say(f"  dd oflag=direct: {took.seconds:.2f} s")
        return took.seconds

    def _empty(self, folder: Path) -> None:
        """Remove what a turn left, and let the file system settle before the next."""
        for path in self._inside(folder).iterdir():
            if path.name == "lost+found":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        run(["sync", "-f", str(folder)], self._scratch / "log")

    def _inside(self, path: Path) -> Path:
        if not path.resolve().is_relative_to(self._folder):
            raise RuntimeError(f"{path} is not of this run")
        return path


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _ended(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0, help="size of the day (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument("--only", nargs="+", metavar="TOOL", help="cp sha256sum rsync rclone bagit ascmhl ours")
    parser.add_argument("--disks", nargs="+", choices=("this", "throttled"), help="default: both; --quick: this")
    parser.add_argument("--read-mbps", type=int, default=200, help="throttled read, 10⁶ bytes a second (default 200)")
    parser.add_argument("--write-mbps", type=int, default=100, help="throttled write (default 100)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every turn there too")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made (default: the cache folder)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exam-kit-bench",
        help="folder for the peers, outside the project",
    )
    parser.add_argument("--encrypted", action="store_true", help="also encrypted copies, beside age itself")
    parser.add_argument("--quick", action="store_true", help="a few MB, this disk, cp and ours: that it runs")
    options = parser.parse_args()
    options.disks = options.disks or (["this"] if options.quick else ["this", "throttled"])
    options.rounds = 1 if options.quick else options.rounds
    return options


def main() -> None:
    options = _options()
    if "throttled" in options.disks:
        reason = why_not_throttled()
        if reason:
            _say(f"no throttled drive: {reason}")
            options.disks.remove("throttled")
        else:
            in_own_namespace()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    place = options.folder or options.cache
    place.mkdir(parents=True, exist_ok=True)
    free, need = shutil.disk_usage(place).free, 0 if options.quick else int(4 * options.gib * GIB) + 4 * ROOM
    if free < need:
        raise SystemExit(f"{place}: {free / GIB:.1f} GiB free, {need / GIB:.1f} GiB needed")
    outcomes, began, load = [], time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-archive-", dir=place) as folder:
        bench = _Bench(options, Path(folder).resolve())
        for disk in options.disks:
            _say(f"{disk}:")
            outcomes.append(bench.fast() if disk == "this" else bench.throttled())
    print(
        f"{platform.python_version()} on {os.cpu_count()} cores, load {load:.1f} before and {os.getloadavg()[0]:.1f} "
        f"after; {options.rounds} rounds, medians; {time.monotonic() - began:.0f} s in all"
    )
    print(f"SHA-256 alone, of bytes in the processor's cache: {hashing_s_per_gb():.2f} s/GB")
    for outcome in outcomes:
        print(*table(outcome), *(f"  {goal}" for goal in ([] if options.quick else goals(outcome))), sep="\n")
    if options.json:
        told = {"load": load, "rounds": options.rounds, "outcomes": [as_dict(outcome) for outcome in outcomes]}
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
