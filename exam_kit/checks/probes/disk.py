"""Is there room for what is planned, and is the disk fast enough for it?"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.i18n import N_
from exam_kit.point import exam_start, zone_windows

if TYPE_CHECKING:
    from exam_kit.point import ExamDay, Point

BLOCK = 1 << 20
TRIAL_S = 2.0


@probe(
    "disk.free",
    readings={
        "ratio": ("times", N_("free space to need")),
        "free": ("bytes", N_("free")),
        "need": ("bytes", N_("needed")),
        "share": ("%", N_("free share")),
    },
)
def free(at: At, *, copies: int = 1) -> Fact:
    """Free space where footage is kept, against Σ bit rate × hours still planned for the exam day.

    `copies`: how many copies of the footage lie on this disk (2 when the archive is first made here).
    """
    folder = nearest(at.context.home.footage)
    day = at.context.day or _next_day(at)
    usage = shutil.disk_usage(folder)
    planned = day_need(at)
    need = planned * copies
    if need <= 0:
        return Fact.skip(Reason.NO_PLAN, free_bytes=usage.free)
    return Fact(
        {
            "ratio": round(usage.free / need, 3),
            "free": usage.free,
            "need": need,
            "share": round(100 * usage.free / usage.total, 1),
        },
        {
            "folder": str(folder),
            "day": str(day.date) if day else "",
            "planned_bytes": planned,
            "copies": copies,
            "cameras": len(at.context.point.cameras),
        },
    )


def day_need(at: At) -> int:
    """Bytes that the recording of the exam day (or of the next one) still needs; 0 when none is planned."""
    day = at.context.day or _next_day(at)
    return planned_bytes(at.context.point, day, at.context.clock.now().timestamp()) if day else 0


def planned_bytes(point: Point, day: ExamDay, now: float) -> int:
    """What the day's recording still needs, in bytes; the whole day's when its windows are over (a rehearsal).

    `now` is a POSIX timestamp.
    """
    windows = zone_windows(point, day)
    whole = rest = 0.0
    for camera in point.cameras:
        window = windows.get(point.zone_of(camera))
        if window is None:
            continue
        bytes_per_s = camera.bitrate_mbps * 1e6 / 8
        whole += bytes_per_s * (window.end - window.start).total_seconds()
        rest += bytes_per_s * max(window.end.timestamp() - max(window.start.timestamp(), now), 0.0)
    return int(rest or whole)


def _next_day(at: At) -> ExamDay | None:
    """The first exam day that has not begun; the last one when all are over."""
    point, now = at.context.point, at.context.clock.now()
    days = sorted(point.days, key=lambda day: day.date)
    return next((day for day in days if exam_start(point, day) > now), days[-1] if days else None)


def nearest(folder: Path) -> Path:
    """The folder, or the part of its path that exists already."""
    return next((path for path in (folder, *folder.parents) if path.exists()), folder)


@probe(
    "disk.write_speed",
    readings={"ratio": ("times", N_("speed to need")), "speed": ("bytes_per_s", N_("write speed"))},
)
def write_speed(at: At, *, megabytes: int = 32) -> Fact:
    """How fast new data really reaches the disk where footage is kept, against the bit rate of all cameras at once."""
    need = sum(camera.bitrate_mbps for camera in at.context.point.cameras) * 1e6 / 8
    folder = nearest(at.context.home.footage)
    block = os.urandom(BLOCK)  # a disk that compresses must not look faster than it is
    written, ends = 0, time.perf_counter() + min(TRIAL_S, at.remaining_s(keep_s=0.5))
    with tempfile.TemporaryFile(dir=folder, prefix=".write-test-", buffering=0) as target:
        began = time.perf_counter()
        while written < megabytes * BLOCK and time.perf_counter() < ends:
            written += target.write(block)
            os.fsync(target.fileno())
        took = time.perf_counter() - began
    if not written:
        return Fact.unknown(Reason.TIMEOUT, folder=str(folder))
    speed = written / took
    return Fact(
        {"ratio": round(speed / need, 2) if need else None, "speed": round(speed)},
        {"folder": str(folder), "written_bytes": written, "took_s": round(took, 4), "need_bytes_per_s": round(need)},
    )
