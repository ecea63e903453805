"""The tools the archive is compared with: how each brings a folder to a drive and makes sure of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.archive_footage import Footage
from bench.archive_meter import run
from bench.archive_routes import Ground, Measured, Route
from bench.rivals import ascmhl, bagit

__all__ = ["Peer", "Step", "peers"]


@dataclass(frozen=True)
class Step:
    """One command. Caches are dropped before the first that verifies; `silent`: any output means that it differs."""

    argv: Sequence[str]
    verifies: bool = False
    cwd: Path | None = None
    stdout: Path | None = None
    silent: bool = False


class Peer(Route):
    """A tool of others, as commands one after another. `sources` is how often the verifying steps read the source."""

    def __init__(
        self,
        name: str,
        steps: Callable[[Path, Path, Path], list[Step]],
        *,
        verifies: bool = True,
        sources: int = 0,
        environment: Mapping[str, str] | None = None,
        clear: Callable[[Path], None] = lambda _source: None,
        complete: Callable[[Path, Footage], None] | None = None,
    ) -> None:
        self.name, self.verifies = name, verifies
        self._steps, self._sources, self._environment, self._clear = steps, sources, environment, clear
        self._complete = complete or _complete

    def measure(self, ground: Ground) -> Measured:
        footage, scratch, drive = ground.footage, ground.scratch, ground.drives[0]
        copy = drive.folder / footage.folder.name
        total = Measured(0, 0, 0, 0, 0, footage.size)
        dropped = False
        try:
            for step in self._steps(footage.folder, copy, scratch):
                if step.verifies and not dropped:
                    ground.drop_caches()
                    dropped = True
                before = drive.read_bytes()
                took = run(step.argv, scratch / "log", cwd=step.cwd, environment=self._environment, stdout=step.stdout)
                if step.silent and took.output:
                    raise SystemExit(f"{self.name}: {took.output[-2000:]}")
                after = drive.read_bytes()
                total = replace(
                    total,
                    seconds=total.seconds + took.seconds,
                    cpu_s=total.cpu_s + took.cpu_s,
                    peak_bytes=max(total.peak_bytes, took.peak_bytes),
                )
                if step.verifies:
                    # A drive of its own counts for itself; else what the tool read of the source is taken off.
                    own = took.read_bytes - self._sources * footage.size
                    read = after - before if before is not None and after is not None else max(own, 0)
                    total = replace(total, verify_s=total.verify_s + took.seconds, verify_read=total.verify_read + read)
            self._complete(copy, footage)
        finally:
            self._clear(footage.folder)
        return total


def _complete(copy: Path, footage: Footage) -> None:
    """Every file lies there in its length (ascmhl and bagit add files of their own); whether it is whole they say."""
    have = sorted((path.name, path.stat().st_size) for path in copy.rglob("*.mp4"))
    want = sorted((path.name, path.stat().st_size) for path in footage.folder.rglob("*.mp4"))
    if have != want:
        raise SystemExit(f"{copy}: the copy is not complete")


def peers(cache: Path, scratch: Path, only: Sequence[str]) -> dict[str, Peer]:
    """Those to compare with, of these short names (empty: all). What a tool needs is fetched when it is wanted."""
    made: dict[str, Callable[[], Peer]] = {
        "cp": lambda: Peer("cp -r, sync", lambda source, copy, _scratch: _cp(source, copy), verifies=False),
        "sha256sum": lambda: Peer("sha256sum, cp, sha256sum -c", _sha256sum),
        "rsync": lambda: Peer("rsync -a, rsync -c", _rsync(_found("rsync")), sources=1),
        "rclone": lambda: Peer(
            "rclone copy, check",
            _rclone(_found("rclone")),
            sources=1,
            environment={**os.environ, "RCLONE_CONFIG": str(scratch / "rclone.conf")},
        ),
        "bagit": lambda: Peer("cp, bagit.py make, validate", _bagit(str(bagit(cache)))),
        "ascmhl": lambda: Peer("ascmhl, cp, ascmhl", _ascmhl(str(ascmhl(cache))), clear=_no_history),
    }
    return {name: make() for name, make in made.items() if not only or name in only}


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"{program} is not here: apt-get install --no-install-recommends rclone rsync")
    return path


def _cp(source: Path, copy: Path) -> list[Step]:
    return [Step(["cp", "-r", str(source), str(copy)]), _sync(copy)]


def _sync(copy: Path) -> Step:
    return Step(["sync", "-f", str(copy.parent)])


def _sha256sum(source: Path, copy: Path, scratch: Path) -> list[Step]:
    listed = scratch / "SHA256SUMS"
    listed.unlink(missing_ok=True)
    names = sorted(str(path.relative_to(source)) for path in source.rglob("*.mp4"))
    return [
        Step(["sha256sum", "--", *names], cwd=source, stdout=listed),
        *_cp(source, copy),
        Step(["sha256sum", "--check", "--strict", "--quiet", str(listed)], verifies=True, cwd=copy),
    ]


def _rsync(program: str) -> Callable[[Path, Path, Path], list[Step]]:
    def steps(source: Path, copy: Path, _scratch: Path) -> list[Step]:
        ends = [f"{source}/", f"{copy}/"]
        return [
            Step([program, "-a", *ends]),
            _sync(copy),
            Step([program, "-a", "-c", "-n", "-i", *ends], verifies=True, silent=True),
        ]

    return steps


def _rclone(program: str) -> Callable[[Path, Path, Path], list[Step]]:
    def steps(source: Path, copy: Path, _scratch: Path) -> list[Step]:
        ends = [str(source), str(copy)]
        return [
            Step([program, "copy", *ends]),
            _sync(copy),
            Step([program, "check", *ends], verifies=True),
        ]

    return steps


def _bagit(program: str) -> Callable[[Path, Path, Path], list[Step]]:
    tool = [program, "--quiet", "--processes", "2"]

    def steps(source: Path, copy: Path, _scratch: Path) -> list[Step]:
        copied, synced = _cp(source, copy)
        return [
            copied,
            Step([*tool, "--sha256", str(copy)]),
            synced,
            Step([*tool, "--validate", str(copy)], verifies=True),
        ]

    return steps


def _ascmhl(program: str) -> Callable[[Path, Path, Path], list[Step]]:
    """Its fast hash; a second `create` checks against the history that came along, and adds to it."""
    create = [program, "create", "-h", "xxh128"]

    def steps(source: Path, copy: Path, _scratch: Path) -> list[Step]:
        return [Step([*create, str(source)]), *_cp(source, copy), Step([*create, str(copy)], verifies=True)]

    return steps


def _no_history(source: Path) -> None:
    """ascmhl writes its history beside what it hashed."""
    shutil.rmtree(source / "ascmhl", ignore_errors=True)
