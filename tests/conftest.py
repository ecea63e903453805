"""Fixtures that every kind of test shares: a home in a temporary folder, a held clock, a small point."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, read_point
from exam_kit.store import Ledger, Store, open_store

POINT_TOML = """
region = "77"
region_name = "Регион-образец"
code = "0001"
name = "Школа-образец"
address = "ул. Примерная, 1"
timezone = "Europe/Moscow"
profile = "demo"
check_lead_min = 120
check_window_min = 60

[recording.headquarters]
lead_min = 165
tail_min = 120
[recording.room]
lead_min = 60
tail_min = 10
[recording.corridor]
lead_min = 120
tail_min = 30
[recording.entrance]
lead_min = 120
tail_min = 30

[[rooms]]
code = "7777"
zone = "headquarters"
name = "Штаб ППЭ"
[[rooms]]
code = "0001"
zone = "room"
[[rooms]]
code = "0002"
zone = "room"
[[rooms]]
code = "COR1"
zone = "corridor"
[[rooms]]
code = "ENTR"
zone = "entrance"

[[cameras]]
id = "HQ-1"
room = "7777"
url = "rtsp://127.0.0.1:9/hq"
user = "viewer"
bitrate_mbps = 2
[[cameras]]
id = "R1-1"
room = "0001"
url = "rtsp://127.0.0.1:9/r1"
bitrate_mbps = 2
[[cameras]]
id = "COR1-1"
room = "COR1"
url = "http://127.0.0.1:9/cor1.ts"
bitrate_mbps = 2
[[cameras]]
id = "ENTR-1"
room = "ENTR"
url = "http://127.0.0.1:9/entr.ts"
bitrate_mbps = 2

[[stations]]
id = "PRINT-1"
role = "print"
room = "7777"

[[days]]
date = 2026-05-28
start = 10:00:00
subject = "Математика"
duration_min = 235
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.at(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 5, 28, 5, 0, tzinfo=UTC))


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def ledger(store: Store, home: Home, clock: FakeClock) -> Ledger:
    return Ledger(store, home, clock)


@pytest.fixture
def point() -> Point:
    return read_point(POINT_TOML)


@pytest.fixture
def until() -> Callable[..., None]:
    """`until(condition, seconds=10)`: wait for the condition; fail with its name when time is up."""

    def wait(condition: Callable[[], object], seconds: float = 10.0) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > ends:
                pytest.fail(f"not within {seconds} s: {condition}")
            time.sleep(0.02)

    return wait
