"""The made-up point: what `exam-kit demo` writes when no point is set up. Nobody and nothing in it exists."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from exam_kit.agent.status import write_atomically
from exam_kit.clock import Clock
from exam_kit.errors import UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point, exam_end, load_point
from exam_kit.store import Account, Accounts, Ledger, Role, Store

__all__ = ["COMPRESSED", "LEISURELY", "Timetable", "camera_server_config", "is_demo", "make_accounts", "write_point"]

MARK = "# The demo's made-up exam point; written anew at every start of the demo."
"""First line of the demo's `point.toml`: by it the demo knows the file for its own."""
REGION, CODE, ZONE_NAME = "00", "0000", "Europe/Moscow"

ROOMS = (
    ("7777", "headquarters", "Штаб ППЭ"),
    ("0001", "room", "Аудитория 0001"),
    ("0002", "room", "Аудитория 0002"),
    ("COR1", "corridor", "Коридор, 1 этаж"),
    ("COR2", "corridor", "Коридор, 2 этаж"),
    ("ENTR", "entrance", "Вход"),
)
CAMERAS = (
    ("HQ-1", "7777"),
    ("R1-1", "0001"),
    ("R2-1", "0002"),
    ("COR1-1", "COR1"),
    ("COR2-1", "COR2"),
    ("ENTR-1", "ENTR"),
)
STATIONS = (
    ("AUTH-1", "authorisation", "7777"),
    ("PRINT-1", "print", "0001"),
    ("PRINT-2", "print", "0002"),
    ("SCAN-1", "scan", "7777"),
)
ACCOUNTS = (
    ("specialist", "Специалист Демо-ППЭ", Role.SPECIALIST, "технический специалист"),
    ("head", "Руководитель Демо-ППЭ", Role.HEAD_OF_POINT, "руководитель ППЭ"),
    ("member", "Член ГЭК Демо-ППЭ", Role.COMMISSION_MEMBER, "член ГЭК"),
    ("chair", "Председатель ГЭК Демо", Role.COMMISSION_HEAD, "председатель ГЭК"),
    ("region", "Администратор РЦОИ Демо", Role.REGIONAL_ADMIN, "администратор РЦОИ"),
)


@dataclass(frozen=True)
class Timetable:
    """When things happen on the demo's exam day, in seconds from its first moment."""

    check_s: float
    headquarters_s: float
    corridors_s: float
    rooms_s: float
    start_s: float
    duration_s: float
    tail_s: float

    @property
    def whole_s(self) -> float:
        """From the first moment to the end of the last window."""
        return self.start_s + self.duration_s + self.tail_s


LEISURELY = Timetable(
    check_s=60, headquarters_s=90, corridors_s=120, rooms_s=180, start_s=900, duration_s=1800, tail_s=600
)
"""A day that begins a minute after the start, for somebody who looks around."""

COMPRESSED = Timetable(check_s=2, headquarters_s=11, corridors_s=11, rooms_s=12, start_s=17, duration_s=24, tail_s=60)
"""A day in about a minute; the recording ends by the head's order, long before its windows do."""


def is_demo(home: Home) -> bool:
    """True when this home was made by the demo, and nobody has put a point of their own in its place."""
    if not home.demo_file.exists():
        return False
    try:
        return home.point_file.read_text(encoding="utf-8").startswith(MARK)
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        # Whatever it is, the demo did not write it.
        return False


def write_point(home: Home, clock: Clock, port: int, timetable: Timetable) -> Point:
    """Write the demo's `point.toml` with cameras on this port and an exam day that begins now.

    A demo day that still goes on keeps its times, so that a restart in the middle behaves as on a real day.

    Raises:
        UsageError: a real point is set up in this home.
    """
    if home.point_file.exists() and not is_demo(home):
        raise UsageError(
            m(
                "{home}: a real exam point is set up here, and the demo does not touch it. "
                "Set EXAM_KIT_HOME to another folder to see the demo.",
                home=home.root,
            )
        )
    now = clock.now().astimezone(ZoneInfo(ZONE_NAME))
    running = _running_day(home, clock)
    start = running or (now + timedelta(seconds=timetable.start_s)).replace(microsecond=0)
    text = _point_text(start, port, timetable)
    write_atomically(home.point_file, text)
    return load_point(home.point_file)


def _running_day(home: Home, clock: Clock) -> datetime | None:
    if not home.point_file.exists():
        return None
    point = load_point(home.point_file)
    for day in point.days:
        if clock.now() < exam_end(point, day):
            return datetime.combine(day.date, day.start, tzinfo=point.tz)
    return None


def _point_text(start: datetime, port: int, timetable: Timetable) -> str:
    def lead(seconds: float) -> str:
        return f"{(timetable.start_s - seconds) / 60:.4f}"

    tail = f"{timetable.tail_s / 60:.4f}"
    parts = [
        MARK,
        f'region = "{REGION}"\nregion_name = "Демонстрационный регион"\ncode = "{CODE}"',
        'name = "Демонстрационный ППЭ"\naddress = "вымышленный адрес, 1"',
        f'timezone = "{ZONE_NAME}"\nprofile = "demo"',
        f"check_lead_min = {lead(timetable.check_s)}",
        f"check_window_min = {(timetable.start_s - timetable.check_s) / 60:.4f}",
    ]
    for zone, begin in (
        ("headquarters", timetable.headquarters_s),
        ("room", timetable.rooms_s),
        ("corridor", timetable.corridors_s),
        ("entrance", timetable.corridors_s),
    ):
        parts.append(f"[recording.{zone}]\nlead_min = {lead(begin)}\ntail_min = {tail}")
    parts += [f'[[rooms]]\ncode = "{code}"\nzone = "{zone}"\nname = "{name}"' for code, zone, name in ROOMS]
    parts += [
        f'[[cameras]]\nid = "{camera}"\nroom = "{room}"\nurl = "http://127.0.0.1:{port}/cameras/{camera}.ts"\n'
        "bitrate_mbps = 2.0"
        for camera, room in CAMERAS
    ]
    parts += [f'[[stations]]\nid = "{name}"\nrole = "{role}"\nroom = "{room}"' for name, role, room in STATIONS]
    parts.append(
        f'[[days]]\ndate = {start.date()}\nstart = {start.time()}\nsubject = "Математика (демо)"\n'
        f"duration_min = {timetable.duration_s / 60:.4f}"
    )
    return "\n\n".join(parts) + "\n"


def camera_server_config() -> str:
    """The configuration of the synthetic camera server, JSON."""
    zones = {code: (zone, name) for code, zone, name in ROOMS}
    return json.dumps(
        {
            "region": REGION,
            "point": CODE,
            "timezone": ZONE_NAME,
            "fps": 10,
            "width": 1280,
            "height": 720,
            "cameras": [
                {"id": camera, "room": room, "zone": zones[room][0], "label": zones[room][1]}
                for camera, room in CAMERAS
            ],
        },
        ensure_ascii=False,
    )


def make_accounts(home: Home, store: Store, ledger: Ledger) -> list[dict[str, str]]:
    """The demo's accounts with their PINs: ``login, name, role, pin``. Kept in `demo.json` for its sign-in page."""
    if home.demo_file.exists():
        kept: list[dict[str, str]] = json.loads(home.demo_file.read_text(encoding="utf-8"))["accounts"]
        return kept
    accounts = Accounts(store, ledger)
    made = []
    for login, name, role, post in ACCOUNTS:
        pin = f"{secrets.randbelow(10**6):06d}"
        if accounts.get(login) is None:
            accounts.create(Account(login, name, role, post, "ru"), pin, actor="agent")
        else:
            accounts.set_pin(login, pin, actor="agent")
        made.append({"login": login, "name": name, "role": role.value, "pin": pin})
    write_atomically(home.demo_file, json.dumps({"accounts": made}, ensure_ascii=False, indent=1))
    return made
