"""A recorded day of random bytes in a home of its own: what every contender of `bench.archive` copies."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
from dataclasses import dataclass
from pathlib import Path

from exam_kit.cctv.rows import Rows
from exam_kit.clock import SystemClock, iso
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.store import Ledger, open_store

__all__ = ["DAY", "Footage", "record_day"]

DAY = dt.date(2026, 5, 28)
BEGIN = dt.datetime(2026, 5, 28, 5, 0, tzinfo=dt.UTC)
SEED = 5
BLOCK = 1 << 20
CAMERAS = {"COR1-1": "Коридор у лестницы", "COR1-2": "corridor north", "ENTR-1": "Вход", "ENTR-2": "entrance yard"}
"""Camera → words in its files' names."""

POINT = """
region = "77"
region_name = "Регион-образец"
code = "0001"
name = "Школа-образец"
address = "ул. Примерная, 1"
timezone = "Europe/Moscow"
profile = "demo"
check_lead_min = 120
check_window_min = 60

[recording]
headquarters = { lead_min = 165, tail_min = 120 }
room = { lead_min = 60, tail_min = 10 }
corridor = { lead_min = 120, tail_min = 30 }
entrance = { lead_min = 120, tail_min = 30 }

[[rooms]]
code = "COR1"
zone = "corridor"
[[rooms]]
code = "ENTR"
zone = "entrance"
""" + "".join(
    f'\n[[cameras]]\nid = "{camera}"\nroom = "{camera[:4]}"\nurl = "rtsp://127.0.0.1:9/{camera}"\nbitrate_mbps = 2\n'
    for camera in CAMERAS
)


@dataclass(frozen=True)
class Footage:
    """`folder` holds `files` files of `size` bytes in all, and nothing else; the home knows them by their hashes."""

    home: Path
    folder: Path
    files: int
    size: int


def record_day(home: Path, size: int, smallest: int, largest: int) -> Footage:
    """Close pieces of `smallest` to `largest` bytes, a minute each, camera by camera, until `size` bytes lie there."""
    kit = Home.at(home)
    kit.create()
    kit.point_file.write_text(POINT, encoding="utf-8")
    store, point = open_store(kit), load_point(kit.point_file)
    rows = Rows(store, Ledger(store, kit, SystemClock()), point)
    chance, made, files = random.Random(SEED), 0, 0
    while made < size:
        camera = list(CAMERAS)[files % len(CAMERAS)]
        start = BEGIN + dt.timedelta(minutes=files // len(CAMERAS))
        end = start + dt.timedelta(minutes=1)
        name = f"77_0001_{DAY:%Y%m%d}_{camera[:4]}_{CAMERAS[camera]}_{start:%H%M%S}-{end:%H%M%S}.mp4"
        path = f"{DAY}/{camera}/{name}"
        length, sha256 = _noise(kit.footage / path, min(chance.randint(smallest, largest), size - made))
        rows.segment_closed(
            {
                "camera": camera,
                "path": path,
                "opened_path": path,
                "from": iso(start),
                "to": iso(end),
                "frames": 1500,
                "bytes": length,
                "sha256": sha256,
                "reason": "cut",
            }
        )
        made, files = made + length, files + 1
    store.close()
    return Footage(home, kit.footage / str(DAY), files, made)


def _noise(path: Path, length: int) -> tuple[int, str]:
    """A new file of so many random bytes, and its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as target:
        for begin in range(0, length, BLOCK):
            block = os.urandom(min(BLOCK, length - begin))
            target.write(block)
            digest.update(block)
    return length, digest.hexdigest()
