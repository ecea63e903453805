"""Will the disk last the day: its own word (SMART), its file system, and the carrier for the second copy."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.probes.disk import day_need, nearest
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

BROKEN, FAILING = 0b111, 0b1000
"""smartctl's exit bits 0 to 2: it could not ask; bit 3: the disk says that it is failing (smartctl(8))."""


@probe(
    "disk.health",
    readings={
        "healthy": ("", N_("in good health")),
        "disks": ("", N_("disks")),
        "worn": ("%", N_("worn")),
        "bad_sectors": ("", N_("bad sectors")),
    },
)
def health(at: At) -> Fact:
    """What every disk says of itself (SMART): `healthy` when all do, the worst wear and number of bad sectors."""
    if at.machine.platform == "windows":
        return windows.disks(windows.facts(at))
    listed = _smart(at, "--scan")
    names = [str(entry["name"]) for entry in listed.get("devices", []) if isinstance(entry, dict) and "name" in entry]
    if not names:
        raise NoFact(Reason.ERROR, command="smartctl", said="no disk that tells its health")
    told = {name: _disk(_smart(at, "-H", "-A", name)) for name in names}
    worn = [disk["worn"] for disk in told.values() if disk["worn"] is not None]
    bad = [disk["bad_sectors"] for disk in told.values() if disk["bad_sectors"] is not None]
    return Fact(
        {
            "healthy": all(disk["passed"] for disk in told.values()),
            "disks": len(told),
            "worn": max(worn, default=None),
            "bad_sectors": max(bad, default=None),
        },
        {"disks": told},
    )


def _smart(at: At, *args: str) -> dict[str, Any]:
    record = at.command("smartctl", "-j", *args)
    if record.fault is not None:
        record.answer()
    try:
        said = json.loads(record.out)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        record.answer()
        raise NoFact(Reason.ERROR, command="smartctl", said=record.out[:200])
    if record.rc is None or record.rc & BROKEN:
        messages = " ".join(str(m.get("string")) for m in said.get("smartctl", {}).get("messages", []))
        refused = "permission" in messages.lower() or "denied" in messages.lower()
        raise NoFact(Reason.DENIED if refused else Reason.ERROR, command="smartctl", rc=record.rc, said=messages[:300])
    return said


def _disk(said: dict[str, Any]) -> dict[str, Any]:
    passed = said.get("smart_status", {}).get("passed")
    if not isinstance(passed, bool):
        raise NoFact(Reason.ERROR, command="smartctl", said="the disk does not tell its health")
    nvme = said.get("nvme_smart_health_information_log", {})
    table = {entry.get("id"): entry for entry in said.get("ata_smart_attributes", {}).get("table", [])}
    reallocated = table.get(5, {}).get("raw", {}).get("value")
    return {
        "model": said.get("model_name", ""),
        "passed": passed,
        "worn": nvme.get("percentage_used"),
        "bad_sectors": reallocated if reallocated is not None else nvme.get("media_errors"),
        "temperature_c": said.get("temperature", {}).get("current"),
    }


@probe(
    "disk.filesystem",
    readings={
        "kind": ("", N_("file system")),
        "writable": ("", N_("writable")),
        "errors": ("", N_("errors")),
    },
)
def filesystem(at: At) -> Fact:
    """The file system under the footage: its kind, whether it is mounted for writing, the errors it counted.

    `errors` is 0 for kinds that keep no count; "0" there is what the kernel's mount state says, nothing more.
    """
    folder = nearest(at.context.home.footage)
    if at.machine.platform == "windows":
        return Fact({"kind": "windows", "writable": os.access(folder, os.W_OK), "errors": 0}, {"folder": str(folder)})
    mounts = [mount for line in at.machine.read("/proc/self/mountinfo").splitlines() if (mount := _mount(line))]
    under = [mount for mount in mounts if PurePosixPath(folder).is_relative_to(mount["at"])]
    if not under:
        raise NoFact(Reason.ERROR, source="/proc/self/mountinfo", folder=str(folder))
    # Mounted twice on one place, the later one is on top.
    mount = max(enumerate(under), key=lambda pair: (len(pair[1]["at"]), pair[0]))[1]
    counted = at.machine.read_or(f"/sys/fs/ext4/{Path(mount['device']).name}/errors_count")
    return Fact(
        {
            "kind": mount["kind"],
            "writable": "rw" in mount["options"].split(",") and "rw" in mount["state"].split(","),
            "errors": int(counted) if counted.isdigit() else 0,
        },
        {**mount, "folder": str(folder), "counts_errors": counted.isdigit()},
    )


def _mount(line: str) -> dict[str, str] | None:
    """One line of proc(5)'s mountinfo; None when it is none."""
    left, dash, right = line.partition(" - ")
    first, last = left.split(), right.split()
    if not dash or len(first) < 6 or len(last) < 3:
        return None
    place = first[4].replace("\\040", " ")
    return {"at": place, "options": first[5], "kind": last[0], "device": last[1], "state": last[2]}


@probe(
    "disk.carrier",
    readings={
        "there": ("", N_("connected")),
        "separate": ("", N_("apart from the recording's disk")),
        "ratio": ("times", N_("free space to need")),
        "free": ("bytes", N_("free")),
    },
)
def carrier(at: At, *, folder: str) -> Fact:
    """The carrier for the verified second copy: connected, another device than the footage's, and large enough."""
    place = Path(folder)
    try:
        status = place.stat()
    except FileNotFoundError:
        return Fact({"there": False, "separate": None, "ratio": None, "free": None}, {"folder": folder})
    usage = shutil.disk_usage(place)
    need = day_need(at)
    return Fact(
        {
            "there": True,
            "separate": status.st_dev != nearest(at.context.home.footage).stat().st_dev,
            "ratio": round(usage.free / need, 3) if need else None,
            "free": usage.free,
        },
        {"folder": folder, "need_bytes": need, "total_bytes": usage.total},
    )
