"""A point with stations, a stick it has made, and what the stick's checks bring back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from exam_kit.checks import Profile
from exam_kit.checks.profile import read_profile
from exam_kit.checks.station import Taken, take
from exam_kit.checks.station_kit import Made, make_kit
from exam_kit.checks.station_run import check_station, open_kit
from exam_kit.clock import Clock, FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, read_point
from exam_kit.store import Ledger, Store, open_store
from tests.conftest import POINT_TOML

STATIONS_TOML = """
[[stations]]
id = "SCAN-1"
role = "scan"
room = "7777"
[[stations]]
id = "ORG-1"
role = "organiser"
room = "0001"
main = false

[[days]]
"""

HEAD = """
season = "2026"
valid_from = 2026-01-15
source = "a test"
budget_s = 30
title = { ru = "Станции", en = "Stations", lv = "Stacijas" }
[stations]
result_max_age_h = 24
clock_ahead_max_min = 10
"""

CHECK = """
[[checks]]
id = "{id}"
probe = "{probe}"
{more}
severity = "{severity}"
timeout_s = 5
roles = {roles}
title = {{ ru = "{id} ru", en = "{id} en", lv = "{id} lv" }}
fix = {{ ru = "исправить", en = "mend", lv = "labot" }}
"""

CHECKS: tuple[tuple[str, str, str, str, str], ...] = (
    ("memory", "memory.size", "expect.fail = [{ of = 'total', below = 1 }]", "blocker", '["station"]'),
    ("cpu", "cpu.cores", "expect.fail = [{ of = 'cores', below = 1 }]", "major", '["station"]'),
    ("zone", "clock.zone", "expect.fail = [{ of = 'difference', above = 1440 }]", "major", '["print", "scan"]'),
    (
        "channel",
        "network.channel",
        "args = { url = 'http://192.0.2.1/' }\nexpect.fail = [{ of = 'reached', is = 'answer' }]",
        "major",
        '["scan"]',
    ),
    ("test-print", "manual.confirm", "", "minor", '["print"]'),
    ("ledger", "ledger.whole", "expect.fail = [{ of = 'whole', is = false }]", "blocker", '["laptop"]'),
)


def profile_text(changes: Mapping[str, str] | None = None) -> str:
    changes = changes or {}
    return HEAD + "".join(
        CHECK.format(id=name, probe=probe, more=changes.get(name, more), severity=severity, roles=roles)
        for name, probe, more, severity, roles in CHECKS
    )


@dataclass
class Site:
    """A point's laptop: its home, journal and profile."""

    home: Home
    point: Point
    store: Store
    ledger: Ledger
    profile: Profile
    clock: Clock

    @classmethod
    def at(cls, folder: Path, clock: Clock, *, code: str = "0001") -> Site:
        home = Home.at(folder)
        home.create()
        toml = POINT_TOML.replace('code = "0001"', f'code = "{code}"', 1).replace("[[days]]", STATIONS_TOML)
        store = open_store(home)
        ledger = Ledger(store, home, clock)
        return cls(home, read_point(toml), store, ledger, read_profile(profile_text(), "stations"), clock)

    def stick(self, folder: Path, **more: Any) -> Made:
        return make_kit(
            folder,
            point=self.point,
            profile=self.profile,
            ledger=self.ledger,
            actor="ivanov",
            receiver=more.pop("receiver", "00" * 32),
            wheels=folder.parent / "no-wheels",
            **more,
        )

    def result(self, folder: Path, station: str = "PRINT-1", clock: Clock | None = None) -> bytes:
        """What the stick's check of this computer writes."""
        path, _run = check_station(open_kit(folder), station, clock=clock or self.clock)
        return path.read_bytes()

    def take(self, data: bytes, *, clock: Clock | None = None, **more: Any) -> Taken:
        return take(
            data,
            ledger=self.ledger,
            home=self.home,
            point=self.point,
            profile=more.pop("profile", self.profile),
            actor="ivanov",
            clock=clock or self.clock,
            name="file.txt",
            **more,
        )


def later(clock: Clock, **by: float) -> FakeClock:
    return FakeClock(clock.now() + timedelta(**by))
