"""A region and its points for tests: real bags of small files, made by the kit's own archive."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from exam_kit.archive.bag import INFO, SIGNATURE, TAGMANIFEST
from exam_kit.archive.job import run_archive
from exam_kit.archive.selection import Asked
from exam_kit.archive.supplement import LABEL
from exam_kit.clock import FakeClock, iso
from exam_kit.home import Home
from exam_kit.point import Point, RegionCentre, Zone, load_point, zone_windows
from exam_kit.region.desk import RegionDesk
from exam_kit.region.register import read_file
from exam_kit.region.settings import init_region
from exam_kit.store import Entry, Ledger, Store, open_store
from exam_kit.store.keys import SigningKey

DAYS = (dt.date(2026, 5, 28), dt.date(2026, 6, 1))
ZONES = (Zone.CORRIDOR, Zone.ENTRANCE)
AFTER = dt.datetime(2026, 6, 2, 6, 0, tzinfo=dt.UTC)
"""Both days are over; only the second may still be delivered in time."""

_POINT = """
region = "77"
region_name = "Москва"
code = "{code}"
name = "Школа № {number}"
address = "Садовая ул., 1"
timezone = "Europe/Moscow"
profile = "ege-2026"
check_lead_min = 120
check_window_min = 30
rooms = [{{code = "COR1", zone = "corridor"}}, {{code = "ENTR", zone = "entrance"}}]
cameras = [
  {{id = "COR1-1", room = "COR1", url = "rtsp://127.0.0.1/1", bitrate_mbps = 2}},
  {{id = "ENTR-1", room = "ENTR", url = "rtsp://127.0.0.1/2", bitrate_mbps = 2}},
]
[recording.corridor]
lead_min = 2
tail_min = 1
[recording.entrance]
lead_min = 2
tail_min = 1
{days}
"""
_DAY = """
[[days]]
date = {day}
start = 10:00:00
subject = "Русский язык"
duration_min = 3
"""


@dataclass
class Post:
    """One exam point with its own home, ledger and key."""

    home: Home
    point: Point
    store: Store
    ledger: Ledger
    clock: FakeClock
    piece_bytes: int = 30_000

    @property
    def id(self) -> str:
        return f"{self.point.region}-{self.point.code}"

    @property
    def key_file(self) -> Path:
        return self.home.keys / "ledger.pub"

    def record(
        self, day: dt.date, *, cameras: tuple[str, ...] = ("COR1-1", "ENTR-1"), minutes: tuple[int, int] = (0, 6)
    ) -> None:
        """One-minute pieces of random bytes, from minute to minute of the zone's window."""
        noise = random.Random(f"{self.id}{day}{cameras}{minutes}")
        exam = self.point.day(day)
        assert exam is not None
        for camera in cameras:
            zone = self.point.zone_of(self.point.camera(camera))
            begins = zone_windows(self.point, exam)[zone].start
            for minute in range(*minutes):
                start = begins + dt.timedelta(minutes=minute)
                content = noise.randbytes(self.piece_bytes + minute)
                self._piece(day, camera, content, start, start + dt.timedelta(minutes=1))

    def _piece(self, day: dt.date, camera: str, content: bytes, start: dt.datetime, end: dt.datetime) -> None:
        name = f"77_{self.point.code}_{day:%Y%m%d}_{camera}_{start:%H%M%S}-{end:%H%M%S}.mp4"
        relative = f"{day}/{camera}/{name}"
        path = self.home.footage / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()

        def row(connection: sqlite3.Connection, entry: Entry) -> None:
            connection.execute(
                "INSERT INTO segment (camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason, seq) "
                "VALUES (?, ?, ?, ?, ?, 600, ?, ?, 'cut', ?)",
                (camera, str(day), relative, iso(start), iso(end), len(content), sha256, entry.seq),
            )

        body = {"camera": camera, "path": relative, "from": iso(start), "to": iso(end), "frames": 600}
        self.ledger.append(
            "segment.closed", {**body, "bytes": len(content), "sha256": sha256, "reason": "cut"}, "agent", row
        )

    def bag(self, day: dt.date, stick: Path, *, age: str | None = None, supplement: int = 0) -> Path:
        """Archive the day to a stick; the sealed bag, encrypted where an age recipient is given."""
        stick.mkdir(parents=True, exist_ok=True)
        result = run_archive(
            store=self.store,
            ledger=self.ledger,
            home=self.home,
            point=self.point.model_copy(update={"region_centre": RegionCentre(age=age)}) if age else self.point,
            day=day,
            asked=Asked(ZONES, encrypted=age is not None, supplement=supplement),
            destination=stick,
            actor="tech",
            ordered_by="head",
            documents=lambda _act: (),
            progress=lambda _progress: None,
            cancelled=lambda: False,
            clock=self.clock,
        )
        assert result.bag is not None
        return result.bag


def make_point(root: Path, number: int, days: tuple[dt.date, ...] = DAYS) -> Post:
    """A point with a corridor and an entrance camera, six planned minutes each a day."""
    home = Home.at(root)
    home.create()
    text = _POINT.format(code=f"{number:04}", number=number, days="".join(_DAY.format(day=day) for day in days))
    home.point_file.write_text(text, encoding="utf-8")
    clock = FakeClock(AFTER)
    store = open_store(home)
    ledger = Ledger(store, home, clock)
    return Post(home, load_point(home.point_file), store, ledger, clock)


def make_region(root: Path, *posts: Post) -> RegionDesk:
    """A region that has registered these points with their keys."""
    home = Home.at(root)
    init_region(home, "77", "Москва", "Europe/Moscow", "ru")
    desk = RegionDesk.open(home, FakeClock(AFTER))
    register_points(desk, *posts)
    return desk


def register_points(desk: RegionDesk, *posts: Post) -> None:
    for post in posts:
        desk.register.add(read_file(post.home.root), actor="denis", source=str(post.home.root))
    desk.catch_up()


def as_stick(bag: Path, stick: Path) -> Path:
    """The bag as it lies on another carrier."""
    stick.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copytree(bag, stick / bag.name))


def as_supplement(post: Post, bag: Path, first: Path) -> None:
    """Say in `bag` that it completes `first`, and sign it anew with the point's key, as the point does."""
    first_hash = hashlib.sha256((first / TAGMANIFEST).read_bytes()).hexdigest()
    info = (bag / INFO).read_bytes() + f"{LABEL}: {first.name} {first_hash}\n".encode()
    old, new = hashlib.sha256((bag / INFO).read_bytes()).hexdigest(), hashlib.sha256(info).hexdigest()
    (bag / INFO).write_bytes(info)
    tags = (bag / TAGMANIFEST).read_bytes().replace(old.encode(), new.encode())
    (bag / TAGMANIFEST).write_bytes(tags)
    (bag / SIGNATURE).write_bytes(SigningKey.load_or_create(post.home.keys).sign(tags))
    *_others, sealed = post.ledger.entries(["archive.finished"])
    bag_hash = hashlib.sha256(tags).hexdigest()
    post.ledger.append("archive.finished", {**sealed.body, "bag_hash": bag_hash}, "tech")


def flip_a_byte(bag: Path) -> Path:
    """One bit of one recording is not what it was; the file."""
    victim = next(iter(sorted(bag.rglob("*.mp4"))))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    return victim
