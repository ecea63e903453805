"""The few probes of the comparison that the kit itself has no use for, registered as a site registers its own."""

from __future__ import annotations

import os
import stat

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact
from exam_kit.checks.processes import process_names
from exam_kit.checks.registry import probe

__all__: list[str] = []

LISTENING = "0A"


@probe("bench.file", readings={"exists": ("", "exists"), "kind": ("", "kind"), "mode": ("", "mode")})
def file(at: At, *, path: str) -> Fact:
    try:
        found = os.stat(at.machine.path(path))
    except FileNotFoundError:
        return Fact({"exists": False, "kind": None, "mode": None}, {"path": path})
    kind = "directory" if stat.S_ISDIR(found.st_mode) else "file"
    return Fact({"exists": True, "kind": kind, "mode": f"{stat.S_IMODE(found.st_mode):04o}"}, {"path": path})


@probe("bench.process", readings={"running": ("", "running")})
def process(at: At, *, name: str) -> Fact:
    return Fact({"running": name in process_names(at)}, {"name": name})


@probe("bench.port", readings={"listening": ("", "listening")})
def port(at: At, *, number: int) -> Fact:
    return Fact({"listening": number in at.once("ports", lambda: _ports(at))}, {"port": number})


def _ports(at: At) -> set[int]:
    rows = [line.split() for table in ("tcp", "tcp6") for line in at.machine.read_or(f"/proc/net/{table}").splitlines()]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if len(row) > 3 and row[3] == LISTENING}


@probe("bench.user", readings={"exists": ("", "exists"), "number": ("", "number")})
def user(at: At, *, name: str) -> Fact:
    return _named(at, "/etc/passwd", name)


@probe("bench.group", readings={"exists": ("", "exists"), "number": ("", "number")})
def group(at: At, *, name: str) -> Fact:
    return _named(at, "/etc/group", name)


def _named(at: At, path: str, name: str) -> Fact:
    rows = at.once(
        path, lambda: {row[0]: row for line in at.machine.read(path).splitlines() if (row := line.split(":"))}
    )
    row = rows.get(name)
    return Fact({"exists": row is not None, "number": int(row[2]) if row else None}, {"file": path, "name": name})


@probe("bench.mount", readings={"mounted": ("", "mounted"), "filesystem": ("", "file system")})
def mount(at: At, *, path: str) -> Fact:
    rows = at.once("mounts", lambda: [line.split() for line in at.machine.read("/proc/self/mounts").splitlines()])
    found = next((row for row in reversed(rows) if row[1] == path), None)
    return Fact({"mounted": found is not None, "filesystem": found[2] if found else None}, {"path": path})


@probe("bench.kernel", readings={"value": ("", "value")})
def kernel(at: At, *, name: str) -> Fact:
    return Fact({"value": at.machine.read(f"/proc/sys/{name.replace('.', '/')}")}, {"name": name})


@probe("bench.command", readings={"rc": ("", "exit code"), "said": ("", "said")})
def command(at: At, *, argv: list[str]) -> Fact:
    record = at.command(*argv)
    if record.fault is not None:
        record.answer()  # raises with the reason
    return Fact({"rc": record.rc, "said": record.out.strip()}, {"argv": argv})
