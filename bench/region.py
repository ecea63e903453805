"""How fast a region's catalogue answers: ``python -m bench.region [--points 300 --days 8 --cameras 29]``.

The register is a real one, in its CSV files; what was delivered is written into the catalogue directly, as if bags had
been taken: nearly all of it, with a camera missing here and minutes there. Printed are milliseconds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from exam_kit.clock import FakeClock, iso
from exam_kit.home import Home
from exam_kit.point import Zone
from exam_kit.region.days import lacking, point_days
from exam_kit.region.desk import RegionDesk
from exam_kit.region.expected import Expected, Listed
from exam_kit.region.reckoned import reckon
from exam_kit.region.settings import init_region

__all__ = ["FIRST", "NOW", "deliver", "register_season"]

FIRST = dt.date(2026, 5, 25)
HOURS = 8
NOW = dt.datetime(2026, 6, 20, tzinfo=dt.UTC)


def register_season(desk: RegionDesk, points: int, days: int, cameras: int) -> None:
    """`points` of `cameras` each on every one of `days`, eight hours a day."""
    listed = []
    for number in range(1, points + 1):
        expected = []
        for offset in range(days):
            day = FIRST + dt.timedelta(days=offset)
            start = dt.datetime.combine(day, dt.time(5), tzinfo=dt.UTC)
            expected += [
                Expected(day, "Русский язык", Zone.ROOM, f"{camera:04}", f"C{camera:02}", start, start + _hours(HOURS))
                for camera in range(1, cameras + 1)
            ]
        listed.append(Listed("77", f"{number:04}", f"Школа № {number}", "Europe/Moscow", None, expected))
    desk.register.add(listed, actor="bench", source="bench")
    desk.catch_up()


def deliver(desk: RegionDesk, seed: int = 1) -> int:
    """Nine of ten camera days whole, one of a hundred missing, the rest with holes; how many lack."""
    chance = random.Random(seed)
    lack = 0
    rows = desk.catalogue.query("SELECT point, day, camera, zone, place, from_at FROM expected")
    with desk.catalogue.transaction():
        for row in rows:
            start = dt.datetime.fromisoformat(row.pop("from_at"))
            fate = chance.random()
            lack += fate > 0.9
            if fate > 0.99:
                continue
            hole = dt.timedelta(minutes=chance.randint(2, 30)) if fate > 0.9 else dt.timedelta()
            edges = [start, start + _hours(2), start + _hours(5), start + _hours(HOURS)]
            for one, other in pairwise(edges):
                desk.catalogue.put("span", [row | {"bag": "bench", "from_at": iso(one), "to_at": iso(other - hole)}])
        for row in desk.catalogue.query("SELECT point, day FROM expected GROUP BY point, day"):
            reckon(desk.catalogue, desk.region, row["point"], row["day"])
    return lack


def _hours(count: float) -> dt.timedelta:
    return dt.timedelta(hours=count)


def _ms(work: Callable[[], object], times: int = 9) -> float:
    taken = []
    for _time in range(times):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.region", description=__doc__)
    options.add_argument("--points", type=int, default=300)
    options.add_argument("--days", type=int, default=8)
    options.add_argument("--cameras", type=int, default=29)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-region-") as folder:
        home = Home.at(Path(folder) / "region")
        init_region(home, "77", "Москва", "Europe/Moscow", "ru")
        desk = RegionDesk.open(home, FakeClock(NOW))
        begun = time.perf_counter()
        register_season(desk, given.points, given.days, given.cameras)
        registered = time.perf_counter()
        lack = deliver(desk)
        delivered = time.perf_counter()
        catalogue, last = desk.catalogue, FIRST + dt.timedelta(days=given.days - 1)
        print(f"points {given.points}, days {given.days}, cameras {given.cameras}: ", end="")
        print(f"{given.points * given.days * given.cameras} camera days, {lack} of them lack footage")
        print(f"registered in {registered - begun:.1f} s, delivered and reckoned in {delivered - registered:.1f} s")
        print(f"catalogue: {catalogue.path.stat().st_size / 1e6:.1f} MB")
        print(f"open the region anew:              {_ms(lambda: RegionDesk.open(home).close()):8.1f} ms")
        print(f"points x days, all:                {_ms(lambda: point_days(catalogue, NOW)):8.1f} ms")
        print(f"points x days, one day:            {_ms(lambda: point_days(catalogue, NOW, day=last)):8.1f} ms")
        print(f"what is missing, all, with causes: {_ms(lambda: lacking(catalogue)):8.1f} ms")
        print(f"what is missing, one day:          {_ms(lambda: lacking(catalogue, day=last)):8.1f} ms")
        one = ["77-0007"]
        print(f"what is missing, one point:        {_ms(lambda: lacking(catalogue, points=one)):8.1f} ms")
        again = _ms(lambda: reckon(catalogue, desk.region, one[0], str(last)))
        print(f"one point and day reckoned anew:   {again:8.1f} ms")
        desk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
