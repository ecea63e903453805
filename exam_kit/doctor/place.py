"""Is the place the kit lives in sound: its data folder, the point in it, passwords, the agent, the port."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator

from exam_kit.agent.status import agent_alive, heartbeat
from exam_kit.clock import Clock
from exam_kit.doctor.report import Finding, State
from exam_kit.errors import ExamKitError, m
from exam_kit.home import Home
from exam_kit.point import Point, Secrets, load_point

__all__ = ["agent", "free_port", "home_folder", "passwords", "point_file", "space"]

LEAST_FREE_BYTES = 2**30
"""Below this the database and the logs themselves are in danger; the room for recordings is a check of the profile."""


def home_folder(home: Home) -> Iterator[Finding]:
    if not home.root.exists():
        yield Finding("home", State.NOTE, m("{path}: not there yet; it is made at the first start", path=home.root))
        return
    for folder in (home.root, home.logs):
        if not folder.exists():
            continue
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b" ")
        except OSError as problem:
            yield Finding(
                "home",
                State.FAULT,
                m("{path}: cannot be written ({reason})", path=folder, reason=problem.strerror or str(problem)),
                m("Give this user the right to write there, or set EXAM_KIT_HOME to a folder that can be written."),
            )
            return
    yield Finding("home", State.OK, m("{path}", path=home.root))


def space(home: Home) -> Iterator[Finding]:
    place = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    seen = m("{free} GB free", free=f"{free / 1e9:.1f}")
    if free >= LEAST_FREE_BYTES:
        yield Finding("space", State.OK, seen)
    else:
        yield Finding("space", State.FAULT, seen, m("Free some space: below 1 GB the journal itself is in danger."))


def point_file(home: Home) -> Iterator[Finding]:
    if not home.point_file.exists():
        yield Finding(
            "point",
            State.NOTE,
            m("{path}: no point is set up; start.py starts the demo", path=home.point_file),
            m("Copy docs/point.example.toml there and fill it in."),
        )
        return
    try:
        point = load_point(home.point_file)
    except ExamKitError as problem:
        again = m("Correct the file and run 'exam-kit doctor' again.")
        yield Finding("point", State.FAULT, problem.message, again, problem.details)
        return
    yield Finding(
        "point",
        State.OK,
        m(
            "{region}-{code} {name}; rooms: {rooms}, cameras: {cameras}, exam days: {days}",
            region=point.region,
            code=point.code,
            name=point.name,
            rooms=len(point.rooms),
            cameras=len(point.cameras),
            days=len(point.days),
        ),
    )


def passwords(home: Home, point: Point | None) -> Iterator[Finding]:
    if os.name == "posix" and home.secrets.exists() and (mode := stat.S_IMODE(home.secrets.stat().st_mode)) & 0o077:
        yield Finding(
            "secrets",
            State.FAULT,
            m("{path}: others may read the passwords (mode {mode})", path=home.secrets, mode=f"{mode:04o}"),
            m("Run: {command}", command=f"chmod 600 '{home.secrets}'"),
        )
    secrets = Secrets(home)
    place = m("in the system's keyring") if secrets.place == "keyring" else m("in {path}", path=secrets.place)
    named = [camera.id for camera in point.cameras if camera.user] if point else []
    without = [camera for camera in named if not secrets.get(f"camera:{camera}")]
    if without:
        yield Finding(
            "secrets",
            State.FAULT,
            m("no password is kept for: {cameras}", cameras=", ".join(without)),
            m("Give each with 'exam-kit camera password CAMERA'."),
        )
    else:
        yield Finding("secrets", State.OK, place)


def agent(home: Home, clock: Clock) -> Iterator[Finding]:
    if agent_alive(home, clock):
        last = heartbeat(home, clock)
        yield Finding("agent", State.OK, m("runs, process {pid}", pid=last.pid if last else "?"))
    else:
        yield Finding("agent", State.NOTE, m("does not run"), m("To start it: python3 start.py"))


def free_port(home: Home, clock: Clock, port: int) -> Iterator[Finding]:
    with socket.socket() as probe:
        if os.name == "posix":
            # On Windows this option would let two programs share a port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            if agent_alive(home, clock):
                yield Finding("port", State.OK, m("{port}: in use, as the kit runs", port=port))
            else:
                yield Finding(
                    "port",
                    State.FAULT,
                    m("{port}: not free ({reason})", port=port, reason=problem.strerror or str(problem)),
                    m(
                        "Close the program that uses it, or start with another one: python3 start.py --port {other}",
                        other=port + 1,
                    ),
                )
            return
    yield Finding("port", State.OK, m("{port}: free", port=port))
