"""A recorded day and one archive run of it straight into a store, in a process of its own that a test can kill::

python -m tests.s3.direct HOME [FOLDER…]
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from exam_kit.archive.job import run_archive
from exam_kit.archive.result import ArchiveResult
from exam_kit.archive.s3 import Patience, Wire, keys_of
from exam_kit.archive.selection import Asked
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Secrets, load_point
from exam_kit.store import Ledger, open_store
from tests.archive_day import BORDERS, DAY, KEEP, papers, record
from tests.conftest import POINT_TOML

STORE = "region"
ADDRESS = f"s3://{STORE}"
PREFIX = "ппэ/77-0001"


class Keyed(Protocol):
    """A store's keys."""

    access: str
    secret: str


def make_home(folder: Path, *, pieces: int = 1, size: int = 20_000) -> Home:
    """`pieces` recordings of about `size` bytes for each of two cameras, nothing archived."""
    home = Home.at(folder / "home")
    home.create()
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    store = open_store(home)
    record(store, Ledger(store, home, SystemClock()), home, count=pieces, size=size)
    store.close()
    return home


def killed(home: Home, when: Callable[[], bool]) -> None:
    """Archive into the store in a process of its own, and kill that as soon as `when` says so."""
    child = subprocess.Popen([sys.executable, "-m", "tests.s3.direct", str(home.root)], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while not when() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    child.kill()
    child.wait()


def name_store(
    home: Home, server: Keyed, endpoint: str, bucket: str, *, retention: str = "none", age: str = ""
) -> None:
    """In point.toml, with its keys kept; with the region's `age` recipient the copies are encrypted."""
    text = (
        f'\n[[store]]\nname = "{STORE}"\nendpoint = "{endpoint}"\nbucket = "{bucket}"\nprefix = "{PREFIX}"\n'
        f'part_mb = 5\nretention = "{retention}"\n'
    )
    if age:
        text += f'[region_centre]\nage = "{age}"\n'
    home.point_file.write_text(POINT_TOML + text, encoding="utf-8")
    secrets = Secrets(home, file_only=True)
    secrets.set(f"store:{STORE}:access-key", server.access)
    secrets.set(f"store:{STORE}:secret-key", server.secret)


def wire_of(home: Home, name: str = STORE) -> Wire:
    store = load_point(home.point_file).object_store(name)
    return Wire(store, keys_of(store, Secrets(home, file_only=True)), home, Patience((0.05, 0.1, 0.2)))


def archive_to(home: Home, places: Sequence[Path | str], number: int = 0, **more: Any) -> ArchiveResult:
    """One run of the archive to these places."""
    store = open_store(home)
    clock, point = SystemClock(), load_point(home.point_file)
    asked = {"progress": lambda _now: None, "cancelled": lambda: False, "keep": KEEP, "documents": papers, **more}
    try:
        return run_archive(
            store=store,
            ledger=Ledger(store, home, clock),
            home=home,
            point=point,
            day=DAY,
            asked=Asked(tuple(BORDERS), encrypted=bool(point.region_centre.age)),
            destinations=places,
            actor="tech",
            ordered_by="head",
            clock=clock,
            number=number,
            wires=lambda name: wire_of(home, name),
            **asked,
        )
    finally:
        store.close()


if __name__ == "__main__":
    archive_to(Home.at(Path(sys.argv[1])), [*map(Path, sys.argv[2:]), ADDRESS], number=1)
