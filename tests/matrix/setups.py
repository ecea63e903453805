"""How the machine is made for each row of the matrix: files, tools, servers, the kit's own state."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from exam_kit.cctv.picture import PictureState
from exam_kit.cctv.references import Candidate, approve
from exam_kit.cctv.status import CameraStatus
from exam_kit.cctv.walk import finish_walk, start_walk
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.store import Account, Accounts, Ledger, Role
from tests.checks_matrix import Setup, both, nothing
from tests.checks_servers import http_server, portal
from tests.checks_world import World

NO_PROGRAM = "it asks no program"
NO_WORDS = "it reads no words"
OWN = "it reads the kit's own files, which this user owns"
NO_MIDDLE = "there is no middle"

open_servers = ExitStack()
"""Servers on loopback, closed by the tests that use them."""


def ledger_of(world: World) -> Ledger:
    return Ledger(world.context.store, world.context.home, world.context.clock)


def entry(world: World) -> None:
    ledger_of(world).append("agent.started", {}, "agent")


def later(world: World, hours: float) -> None:
    assert isinstance(world.context.clock, FakeClock)
    world.context.clock.advance(hours * 3600)


def checkpointed(age_h: float) -> Setup:
    def make(world: World) -> None:
        entry(world)
        ledger_of(world).checkpoint()
        later(world, age_h)

    return make


def garbled_checkpoint(world: World) -> None:
    entry(world)
    with world.context.store.transaction() as connection:
        connection.execute("INSERT INTO checkpoint (seq, text) VALUES (1, 'not a checkpoint')")


def changed_ledger(world: World) -> None:
    entry(world)
    with world.context.store.transaction() as connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET record = replace(record, 'agent.started', 'agent.stopped') WHERE seq = 2")


def no_store(world: World) -> None:
    other = Home.at(world.folder / "other")
    other.create()
    world.context = world.context._replace(home=other)


def garbled_store(world: World) -> None:
    no_store(world)
    world.context.home.store.write_bytes(b"garbage" * 1000)


def key_of_mode(mode: int) -> Setup:
    def make(world: World) -> None:
        entry(world)
        (world.context.home.keys / "ledger.key").chmod(mode)

    return make


def no_key(world: World) -> None:
    entry(world)
    (world.context.home.keys / "ledger.key").unlink()


def garbled_key(world: World) -> None:
    entry(world)
    (world.context.home.keys / "ledger.pub").write_text("garbage")


def people(*roles: Role) -> Setup:
    def make(world: World) -> None:
        accounts = Accounts(world.context.store, ledger_of(world), world.context.clock)
        for number, role in enumerate(roles):
            accounts.create(Account(f"user{number}", "Имя", role, "post", "ru"), "2468135", actor="agent")

    return make


def backup(age_h: float, text: str = "copy") -> Setup:
    def make(world: World) -> None:
        path = world.context.home.root / "backups" / "kit.db"
        path.parent.mkdir()
        path.write_text(text)
        made = world.context.clock.now().timestamp() - age_h * 3600
        os.utime(path, (made, made))

    return make


def passwords(world: World) -> None:
    world.context.secrets.set("camera:HQ-1", "s3cret-word")


ANNA = Account("anna", "Альфа Образцова", Role.SPECIALIST, "технический специалист", "ru")


def view(age_d: float, *, altered: bool = False) -> Setup:
    """A view that a person approved so many days ago."""

    def make(world: World) -> None:
        one_camera(world)
        at, home = world.context.clock.now(), world.context.home
        taken = Candidate("HQ-1", b"\xff\xd8picture", 1280, 720, at, PictureState.OK, caption=True)
        approve(ledger_of(world), home, ANNA, [taken])
        later(world, age_d * 24)
        if altered:
            (home.references / "HQ-1.jpg").write_bytes(b"")

    return make


def walk(age_d: float, *, moved: bool = True) -> Setup:
    """A walk test that ended so many days ago."""

    def make(world: World) -> None:
        one_camera(world)
        test = start_walk(ledger_of(world), ANNA, ["HQ-1"], 60.0)
        statuses = {"HQ-1": CameraStatus("HQ-1", motion_at=test.started_at if moved else None)}
        finish_walk(ledger_of(world), test, statuses, "anna")
        later(world, age_d * 24)

    return make


def one_camera(world: World, url: str = "rtsp://127.0.0.1:9/hq") -> None:
    camera = world.context.point.cameras[0].model_copy(update={"url": url})
    world.context = world.context._replace(point=world.context.point.model_copy(update={"cameras": (camera,)}))


def station_at(address: str) -> Setup:
    def make(world: World) -> None:
        station = world.context.point.stations[0].model_copy(update={"address": address})
        world.context = world.context._replace(point=world.context.point.model_copy(update={"stations": (station,)}))

    return make


def supplies(**entries: dict[str, str]) -> Setup:
    def make(world: World) -> None:
        for name, words in entries.items():
            for key, word in words.items():
                world.file(f"/sys/class/power_supply/{name}/{key}", word)

    return make


def spoilt(path: str, how: str, before: Setup = nothing) -> Setup:
    return both(before, lambda world: world.spoil(path, how))


def usb(*devices: tuple[str, str, bool]) -> Setup:
    """Devices as (VENDOR:PRODUCT, serial, is it a drive)."""

    def make(world: World) -> None:
        for number, (identity, serial, drive) in enumerate([("1d6b:0002", "", False), *devices]):
            vendor, _colon, product = identity.partition(":")
            folder = f"/sys/bus/usb/devices/1-{number}"
            world.file(f"{folder}/idVendor", vendor)
            world.file(f"{folder}/idProduct", product)
            world.file(f"{folder}/serial", serial)
            world.file(f"{folder}:1.0/bInterfaceClass", "08" if drive else "0b")

    return make


def camera_clock(off_s: float | None) -> Setup:
    """A camera whose web server tells a time that is so far off; None: it tells none."""

    def make(world: World) -> None:
        date = None if off_s is None else datetime.now(UTC) + timedelta(seconds=off_s)
        one_camera(world, f"{open_servers.enter_context(http_server(date=date))}/main.ts")

    return make


def silent_camera(world: World) -> None:
    one_camera(world, open_servers.enter_context(portal(b"")))


def garbled_camera(world: World) -> None:
    one_camera(world, open_servers.enter_context(portal(b"\x00\x01 not HTTP at all\r\n\r\n")))


def cron(line: str) -> Setup:
    def make(world: World) -> None:
        world.tool("clamscan", "ClamAV 1.0.7")
        world.file("/etc/crontab", f"SHELL=/bin/sh\n# planned\n{line}\n")

    return make


def clock_step(seconds: float) -> Setup:
    def make(world: World) -> None:
        entry(world)
        assert isinstance(world.context.clock, FakeClock)
        world.context.clock.step(seconds)

    return make


def wireless(world: World) -> None:
    world.file("/sys/class/net/eth0/operstate", "up")
    world.file("/sys/class/net/eth0/wireless/x", "")


def one_camera_without_user(world: World) -> None:
    one_camera(world)
    camera = world.context.point.cameras[0].model_copy(update={"user": None})
    world.context = world.context._replace(point=world.context.point.model_copy(update={"cameras": (camera,)}))


def server(answer: bytes, delay_s: float = 0.0) -> str:
    return open_servers.enter_context(portal(answer, delay_s))


def bare(address: str) -> str:
    return address.removeprefix("http://").rstrip("/")


OK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BUSY_ANSWER = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
