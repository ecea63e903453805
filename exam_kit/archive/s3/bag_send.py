"""A sealed bag sent to a store: recordings first, its lists last, the tag manifest as the very last.

Whoever finds a prefix with a tag manifest has a whole bag before him; one without is not finished, whatever else lies
there.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.bag import MANIFEST, SIGNATURE, TAGMANIFEST
from exam_kit.archive.bag_lists import read_list
from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.job_lock import job_lock
from exam_kit.archive.medium import sha256_of
from exam_kit.archive.result import FailedFile, Progress
from exam_kit.archive.s3.course import Course, last_moment
from exam_kit.archive.s3.faults import no_lock
from exam_kit.archive.s3.probe_record import trust_in
from exam_kit.archive.s3.sending import send_files
from exam_kit.archive.s3.sweeping import sweep_uploads
from exam_kit.archive.s3.told import Told
from exam_kit.archive.s3.uploads import Uploads, state_file
from exam_kit.archive.s3.wire import Cancelled, Wire
from exam_kit.archive.sink import CopyTask
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import Clock, iso
from exam_kit.errors import ArchiveError, m
from exam_kit.home import Home
from exam_kit.store.durable import sync_folder

__all__ = ["SendResult", "keep_evidence", "send_bag"]


@dataclass(frozen=True)
class SendResult:
    """How a sending ended. `proofs` counts objects by how they were proved; `carried` of them in earlier runs."""

    state: str
    bag: str
    bag_hash: str
    store: str
    place: str
    files: int
    bytes: int
    sent_bytes: int
    carried: int
    proofs: dict[str, int]
    read_back_bytes: int
    retained_until: str
    failed: tuple[FailedFile, ...]
    elapsed_s: float

    def as_dict(self) -> dict[str, Any]:
        told = [{"path": one.path, "text": one.message.text()} for one in self.failed]
        return {**vars(self), "failed": told, "elapsed_s": round(self.elapsed_s, 3)}


def send_bag(
    folder: Path,
    wire: Wire,
    home: Home,
    clock: Clock,
    *,
    progress: Callable[[Progress], None] = lambda _progress: None,
    paused: Callable[[], bool] = lambda: False,
    cancelled: Callable[[], bool] = lambda: False,
) -> SendResult:
    """Send the sealed bag in `folder`; safe to call again after anything: what arrived is not sent again.

    The evidence, object by object, is kept under `home` as ``reports/sent/<bag>@<store>.json``.

    Raises:
        ArchiveError: the bag is not whole; or the store failed (StoreFault): what arrived stays.
        AlreadyRunning: another process sends this bag to this store.
    """
    started = time.monotonic()
    store = wire.store
    report = verify_bag(folder, quick=True)
    if not report.whole:
        raise ArchiveError(
            m("{bag}: is not a whole bag; it is not sent. Look with: exam-kit verify {bag}", bag=folder),
            [finding.message for finding in report.findings],
        )
    until = None
    if store.retention != "none":
        until = _keep_until(report)
        if until is None:
            # An encrypted bag's outside says no date, and one without a keep rule has none: to send it unlocked where
            # a lock is asked for would be a quiet gap.
            raise ArchiveError(
                m(
                    "{bag}: names no keep-until date, and {store} is to lock what it gets until then; it is not sent. "
                    "Send it to a store without 'retention', or see that the profile has a keep rule and archive "
                    "straight into {store}.",
                    bag=folder,
                    store=store.name,
                )
            )
    trust = trust_in(home, store)
    if until is not None and not trust.lock:
        raise no_lock(store.name)
    bag = folder.name
    with job_lock(home.run, f"{store.name}-{bag}"):
        uploads = Uploads(state_file(home), f"{store.endpoint}/{store.bucket}")
        try:
            course = Course(wire, uploads, trust, until, cancelled)
            prefix = store.key_of(bag) + "/"
            waves = _waves(folder, report)
            everything = [task for wave in waves for task in wave]
            told = Told(course, everything, progress)
            # Asked before anything is read, so that wrong keys or a wrong bucket are told at once.
            there = {key: (size, etag) for key, size, etag in wire.listing(prefix, course.stopped)}
            sweep_uploads(course, prefix)
            for wave in waves:
                send_files(course, [(task, prefix + task.path) for task in wave], there, paused, told.beat)
                if course.tally.failed or course.stopped():
                    break
        except Cancelled:
            pass  # while the store was waited for; the result says so
        finally:
            uploads.close()
    tally = course.tally
    shown = tally.shown
    whole = len(shown) == len(everything)
    result = SendResult(
        state="finished" if whole else "failed" if tally.failed else "cancelled",
        bag=bag,
        bag_hash=report.bag_hash,
        store=store.name,
        place=f"s3://{store.name}/{bag}",
        files=len(shown),
        bytes=sum(task.bytes for task in everything if task.path in shown),
        sent_bytes=tally.sent_bytes,
        carried=len(tally.carried),
        proofs=dict(Counter(shown.values())),
        read_back_bytes=sum(one.read_bytes for one in tally.proved.values()),
        retained_until=course.until_text,
        failed=tuple(FailedFile(task.path, message) for task, message in tally.failed),
        elapsed_s=time.monotonic() - started,
    )
    if whole:
        keep_evidence(home, result, everything, shown, iso(clock.now()))
    return result


def _keep_until(report: BagReport) -> dt.datetime | None:
    """Of the bag; None when it names none."""
    try:
        return last_moment(dt.date.fromisoformat(report.info.get("Keep-Until", "")))
    except ValueError:
        return None


def _waves(folder: Path, report: BagReport) -> list[list[CopyTask]]:
    """Recordings and documents; the lists and tags; the tag manifest."""
    payload, tags = (_listed(folder, name, payload=name == MANIFEST) for name in (MANIFEST, TAGMANIFEST))
    first = [_task(folder, path, sha256) for path, sha256 in payload.items()]
    second = [_task(folder, path, sha256) for path, sha256 in tags.items()]
    second.append(_task(folder, SIGNATURE, sha256_of(folder / SIGNATURE)[0]))
    return [first, second, [_task(folder, TAGMANIFEST, report.bag_hash)]]


def _listed(folder: Path, name: str, *, payload: bool) -> dict[str, str]:
    with (folder / name).open("rb") as source:
        return read_list(source, name, payload=payload)


def _task(folder: Path, path: str, sha256: str) -> CopyTask:
    source = folder / path
    return CopyTask(path, source, source.stat().st_size, sha256)


def keep_evidence(home: Home, result: SendResult, tasks: Sequence[CopyTask], shown: Mapping[str, str], at: str) -> None:
    """Write down how every object was proved, until the next sending of this bag to this store."""
    folder = home.reports / "sent"
    folder.mkdir(parents=True, exist_ok=True)
    objects = [
        {"path": task.path, "bytes": task.bytes, "sha256": task.sha256, "proved": shown[task.path]} for task in tasks
    ]
    text = json.dumps({"at": at, **result.as_dict(), "objects": objects}, ensure_ascii=False, indent=1)
    path = folder / f"{result.bag}@{result.store}.json"
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as target:
        target.write(text + "\n")
        target.flush()
        os.fsync(target.fileno())
    part.replace(path)
    sync_folder(folder)
