"""A home as it looks at eight in the morning of an exam day, for the screens to show."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from exam_kit.agent import orders
from exam_kit.agent.status import beat
from exam_kit.cctv.status import CameraStatus, Desired
from exam_kit.checks.model import Expectation, Fact, Reading, Reason, Result, Rule, Severity, State
from exam_kit.checks.profile import load_profile
from exam_kit.checks.results import finish_run, save_result, start_run
from exam_kit.clock import SystemClock, iso
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import ItemDraft
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.people import People, PersonDraft
from exam_kit.journal.people_profile import POINT_ROLES, load_people_profile
from exam_kit.point import Point, load_point
from exam_kit.store import Account, Accounts, Ledger, Role, Store, open_store

PINS = {"anna": "135790", "boris": "246801", "vera": "112358", "galina": "271828", "denis": "314159"}
PEOPLE = (
    Account("anna", "Альфа Первая Образцова", Role.SPECIALIST, "технический специалист", "ru"),
    Account("boris", "Бета Второй Образцов", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru"),
    Account("vera", "Вега Третья Образцова", Role.COMMISSION_MEMBER, "член ГЭК", "ru"),
    Account("galina", "Гамма Четвёртая Образцова", Role.COMMISSION_HEAD, "председатель ГЭК", "ru"),
    Account("denis", "Дельта Пятый Образцов", Role.REGIONAL_ADMIN, "администратор РЦОИ", "ru"),
)
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


def local_now(hour: int = 8) -> str:
    """An IANA zone in which it is about `hour` o'clock now, so that the day's plan always lies around the present."""
    offset = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return "Etc/GMT" if offset == 0 else f"Etc/GMT{-offset:+d}"


def write_point(home: Home, *, hour: int = 8) -> Point:
    parts = [
        'region = "77"\nregion_name = "Регион-образец"\ncode = "0001"\nname = "Школа-образец № 1"',
        f'address = "ул. Примерная, 1"\ntimezone = "{local_now(hour)}"\nprofile = "demo"',
        "check_lead_min = 120\ncheck_window_min = 60",
        "[recording.headquarters]\nlead_min = 165\ntail_min = 120",
        "[recording.room]\nlead_min = 60\ntail_min = 10",
        "[recording.corridor]\nlead_min = 120\ntail_min = 30",
        "[recording.entrance]\nlead_min = 120\ntail_min = 30",
        *(f'[[rooms]]\ncode = "{code}"\nzone = "{zone}"\nname = "{name}"' for code, zone, name in ROOMS),
        *(
            f'[[cameras]]\nid = "{name}"\nroom = "{room}"\nurl = "http://127.0.0.1:9/{name}.ts"\nbitrate_mbps = 2'
            for name, room in CAMERAS
        ),
        '[[stations]]\nid = "PRINT-1"\nrole = "print"\nroom = "7777"',
    ]
    home.point_file.write_text("\n".join(parts) + "\n", encoding="utf-8")
    zone = load_point(home.point_file).tz
    today = datetime.now(zone).date()
    with home.point_file.open("a", encoding="utf-8") as target:
        target.write(f'[[days]]\ndate = {today}\nstart = 10:00:00\nsubject = "Математика"\nduration_min = 235\n')
    return load_point(home.point_file)


def add_people(store: Store, ledger: Ledger) -> None:
    accounts = Accounts(store, ledger)
    for person in PEOPLE:
        accounts.create(person, PINS[person.login], actor="agent")


def add_register(ledger: Ledger, point: Point) -> None:
    """Everybody of the point appointed and briefed; a second commission member is still to be put on duty."""
    people = People(ledger, point, load_people_profile())
    boris, vera = PEOPLE[1], PEOPLE[2]
    for number, person in enumerate((one for one in PEOPLE if one.role in POINT_ROLES), 1):
        keeper = vera if person == boris else boris
        people.add(PersonDraft(person.name, person.role, person.post, person.login), keeper)
        people.appoint(number, f"{number}-к", people.today, PEOPLE[3].name, keeper)
        for needed in people.profile.needed(person.role):
            people.brief(number, needed.code, people.today, keeper.name, keeper)
    people.roster(point.days[0].date, [1, 2, 3], boris)


def add_equipment(ledger: Ledger, point: Point) -> None:
    """A few items, one of them with somebody and one faulty; some paper, less than the need."""
    anna, vera = PEOPLE[0], PEOPLE[2]
    book, stock = Equipment(ledger, point), Consumables(ledger, point)
    book.add(ItemDraft("101-001", "printer", "СН-1", "Лазер-2", "0001"), anna)
    book.add(ItemDraft("101-002", "printer", "СН-2", "Лазер-2", "7777", state="spare"), anna)
    book.add(ItemDraft("101-003", "laptop", "СН-3", "Лист-15", "7777"), anna)
    book.add(ItemDraft("101-004", "scanner", "СН-4", "Свет-3", "7777"), anna)
    book.issue(["101-003"], vera, anna, condition="исправен", signed=vera)
    book.set_state("101-004", "faulty", "полосы на снимке", anna, todo="протереть стекло")
    stock.receive("paper", 7, "накладная 7", anna)
    stock.set_basis(180, anna)


def add_footage(home: Home, store: Store, point: Point, clip: bytes = b"") -> None:
    """Camera states and segments: headquarters from 07:15, one gap of a corridor camera."""
    day = point.days[0].date
    clock = SystemClock()
    now = clock.now()
    begun = now - timedelta(minutes=50)
    gap = now - timedelta(minutes=22), now - timedelta(minutes=16)
    with store.transaction() as connection:
        for position, (camera, _room) in enumerate(CAMERAS):
            state = "lost" if camera == "COR2-1" else "off" if camera.startswith("R") else "recording"
            status = CameraStatus(camera, fps=25.0, bitrate=2.1e6, width=1920, height=1080, codec="h264")
            if state == "recording":
                status.picture, status.recorded_to = "ok", now
            if state == "lost":
                status.fault, status.gap_since = "camera_unreachable", begun
            desired = asdict(Desired("agent", "plan", "window of zone")) if state != "off" else None
            connection.execute(
                "INSERT INTO camera_state (camera, state, since, seen_at, desired, info) VALUES (?, ?, ?, ?, ?, ?)",
                (camera, state, iso(begun), iso(now), json.dumps(desired), json.dumps(status.info())),
            )
            if state != "recording":
                continue
            spans = [(begun, gap[0]), (gap[1], now)] if camera == "COR1-1" else [(begun, now)]
            for number, (start, end) in enumerate(_minutes(spans)):
                path = f"{day}/{camera}/{position}-{number}.mp4"
                target = home.footage / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(clip)
                connection.execute(
                    "INSERT INTO segment (camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (camera, str(day), path, iso(start), iso(end), 1500, 15_700_000, "ab" * 32, "next"),
                )
        connection.execute(
            "INSERT INTO gap (camera, from_at, to_at, cause, detail) VALUES ('COR1-1', ?, ?, 'camera_unreachable', '')",
            (iso(gap[0]), iso(gap[1])),
        )


def _minutes(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    pieces = []
    for start, end in spans:
        at = start
        while at < end:
            pieces.append((at, min(at + timedelta(minutes=5), end)))
            at += timedelta(minutes=5)
    return pieces


def add_checks(home: Home, store: Store, ledger: Ledger, point: Point) -> None:
    """A finished run with a result of every state that a screen draws differently."""
    clock = SystemClock()
    run = start_run(store, load_profile("demo", home), day=str(point.days[0].date), actor="anna", clock=clock)
    disk = Expectation(fail=(Rule("free", "below", 2e11),))
    for position, (state, fact) in enumerate(
        (
            (State.OK, Fact({"free": 3e11}, {"path": "/"})),
            (State.FAIL, Fact({"free": 1e11}, {"path": "/", "note": "<b>не разметка</b>"})),
            (State.UNKNOWN, Fact.unknown(Reason.TIMEOUT)),
            (State.WARN, Fact({"free": 2.1e11})),
            (State.SKIP, Fact.skip(Reason.NO_PLAN)),
            (State.PENDING, Fact.pending(roles=["specialist"])),
        )
    ):
        title = {language: f"{state} {language}" for language in ("ru", "en", "lv")}
        probe = "manual.item" if state is State.PENDING else "disk.free"
        readings = {"free": Reading("bytes", "")}
        result = Result(
            f"check-{state}", "", position, probe, title, title, Severity.BLOCKER, disk, readings, fact, state, (),
            iso(clock.now()), 0.2,
        )  # fmt: skip
        save_result(store, run.id, result)
    finish_run(ledger, run.id, clock=clock)


def add_journals(ledger: Ledger, point: Point) -> None:
    """An ended line, an open one, and an open incident."""
    log, now = AccessLog(ledger, point), SystemClock().now()
    anna = PEOPLE[0]
    log.add(AccessDraft("0001-0002", AccessAction.OPERABILITY_CHECK, now - timedelta(minutes=9), now), anna)
    log.add(AccessDraft("7777", AccessAction.VIEW_CORRECTED, now - timedelta(minutes=2)), anna)
    draft = IncidentDraft("cctv_lost", "Камера коридора не отвечает", now - timedelta(minutes=7), camera="COR2-1")
    Incidents(ledger, point).open(draft, anna)


def add_archive(store: Store, ledger: Ledger, point: Point, bag: Path) -> None:
    """An ended archive order whose bag is no longer there."""
    body = {"day": str(point.days[0].date), "zones": ["corridor"], "destination": str(bag.parent)}
    number = orders.give(ledger, "archive", body, actor="anna", ordered_by="boris", why="")
    order = orders.get(store, number)
    assert order is not None
    orders.end(
        ledger, order, "done", {"bag": str(bag), "files": 12, "bytes": 188_000_000, "read_back_bytes": 188_000_000}
    )


def prepare(root: Path, *, hour: int = 8, clip: bytes = b"") -> Home:
    """The whole of it in `root`."""
    home = Home.at(root)
    home.create()
    point = write_point(home, hour=hour)
    store = open_store(home)
    ledger = Ledger(store, home)
    add_people(store, ledger)
    add_register(ledger, point)
    add_equipment(ledger, point)
    add_footage(home, store, point, clip)
    add_checks(home, store, ledger, point)
    add_journals(ledger, point)
    add_archive(store, ledger, point, home.bags / "bag-1")
    beat(home, SystemClock())
    store.close()
    return home


def exam_date(home: Home) -> date:
    return load_point(home.point_file).days[0].date
