"""The rows of a job: which one this is, what is verified, how it ended."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exam_kit.archive.bag import bag_name
from exam_kit.archive.result import FailedFile
from exam_kit.archive.selection import Asked
from exam_kit.archive.sink import PART, CopyTask
from exam_kit.clock import Clock, iso
from exam_kit.errors import Message
from exam_kit.point import Point
from exam_kit.store import Store

__all__ = ["Job", "JobRows", "kept_message"]


@dataclass(frozen=True)
class Job:
    """One archive job. `id` is also the act's number; `bag` is where the sealed bag will stand.

    `name` is the bag's own name; an encrypted one stands under another, which tells nothing. `address` is that of a bag
    in a store (``s3://STORE/BAG``, the name that `bag` has); its small files are then made in `bag`, on this computer.
    """

    id: str
    name: str
    bag: Path
    copy: int
    resumed: bool
    address: str = ""

    @property
    def destination(self) -> str:
        """The folder or the store."""
        return self.address.rpartition("/")[0] if self.address else str(self.bag.parent)

    @property
    def part(self) -> Path:
        return self.bag.with_name(self.bag.name + PART)


class JobRows:
    """`archive_job` and `archive_file` of one store; written by the thread that runs the job."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def open(
        self,
        point: Point,
        day: dt.date,
        asked: Asked,
        destination: Path,
        serial: str = "",
        begun_on: Mapping[str, str] | None = None,
    ) -> Job:
        """The job of this day, destination and choice that has not ended well, else a new one with the next number.

        `serial` is that of the drive at `destination`, `begun_on` those that jobs were begun on ("": not known). What
        lies on a drive tells whose it is, wherever it is mounted now; another drive in the same place takes up nothing.
        """
        named = asked.key()
        with self._store.transaction() as connection:
            open_jobs = self._store.query(
                "SELECT id, bag, destination FROM archive_job WHERE day = ? AND zones = ? "
                "AND state NOT IN ('finished', 'given_up') ORDER BY started_at DESC",
                (str(day), named),
            )
            found = [job for job in open_jobs if _lies(Path(job["bag"]), destination)]
            found += [
                job
                for job in open_jobs
                if job["destination"] == str(destination) and _same_drive((begun_on or {}).get(job["id"], ""), serial)
            ]
            if found:
                bag = destination / Path(found[0]["bag"]).name
                connection.execute(
                    "UPDATE archive_job SET state = 'running', ended_at = NULL, detail = '', destination = ?, bag = ? "
                    "WHERE id = ?",
                    (str(destination), str(bag), found[0]["id"]),
                )
                return Job(found[0]["id"], _name(point, day, asked, _copy(bag)), bag, _copy(bag), True)
            return self._new(connection, point, day, asked, destination)

    def begun_at(self, point: Point, day: dt.date, asked: Asked, address: str, folder: Path) -> Job | None:
        """The job for the store at `address` that has not ended well, to be taken up; its small files in `folder`."""
        with self._store.transaction() as connection:
            found = self._store.query(
                "SELECT id, bag FROM archive_job WHERE day = ? AND zones = ? AND destination = ? "
                "AND state NOT IN ('finished', 'given_up') ORDER BY started_at DESC LIMIT 1",
                (str(day), asked.key(), address),
            )
            if not found:
                return None
            connection.execute(
                "UPDATE archive_job SET state = 'running', ended_at = NULL, detail = '' WHERE id = ?", (found[0]["id"],)
            )
        bag = folder / str(found[0]["bag"]).rpartition("/")[2]
        name = _name(point, day, asked, _copy(bag))
        return Job(found[0]["id"], name, bag, _copy(bag), True, f"{address}/{bag.name}")

    def new_at(
        self, point: Point, day: dt.date, asked: Asked, address: str, folder: Path, there: Collection[str]
    ) -> Job:
        """A new job for the store at `address`, in which `there` are names of bags."""
        with self._store.transaction() as connection:
            return self._new(connection, point, day, asked, folder, address, there)

    def _new(
        self,
        connection: sqlite3.Connection,
        point: Point,
        day: dt.date,
        asked: Asked,
        destination: Path,
        address: str = "",
        there: Collection[str] = (),
    ) -> Job:
        named = asked.key()
        jobs = self._store.query("SELECT id, zones, bag FROM archive_job WHERE day = ?", (str(day),))
        # Encrypted or not, given up or not: two bags of one name that differ could not be told apart by people.
        alike = {replace(asked, encrypted=encrypted).key() for encrypted in (False, True)}
        taken = {_copy(job["bag"]) for job in jobs if job["zones"] in alike}
        copy = 0
        while True:
            copy += 1
            name = _name(point, day, asked, copy)
            bag = destination / (f"sealed-{secrets.token_hex(6)}_copy{copy}" if asked.encrypted else name)
            lies = bag.exists() or bag.with_name(bag.name + PART).exists() or bag.name in there
            if copy not in taken and not lies:
                break
        number = 1 + max((int(found[1]) for job in jobs if (found := re.search(r"-(\d+)$", job["id"]))), default=0)
        job_id = f"{point.region}-{point.code}-{day:%Y%m%d}-{number}"
        where = f"{address}/{bag.name}" if address else ""
        connection.execute(
            "INSERT INTO archive_job (id, day, destination, zones, state, started_at, bag) "
            "VALUES (?, ?, ?, ?, 'running', ?, ?)",
            (job_id, str(day), address or str(destination), named, iso(self._clock.now()), where or str(bag)),
        )
        return Job(job_id, name, bag, copy, False, where)

    def verified(self, job: Job) -> dict[str, tuple[int, str]]:
        """Path → size and hash of the files whose acknowledgement reached the store."""
        rows = self._store.query(
            "SELECT path, bytes, sha256 FROM archive_file WHERE job = ? AND state = 'verified'", (job.id,)
        )
        return {row["path"]: (row["bytes"], row["sha256"]) for row in rows}

    def plan(self, job: Job, tasks: Sequence[CopyTask], carried: set[str]) -> None:
        """Write a row for every file of the job: verified for those carried over, pending for the others."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM archive_file WHERE job = ?", (job.id,))
            connection.executemany(
                "INSERT INTO archive_file (job, path, source, bytes, sha256, state) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        job.id,
                        task.path,
                        str(task.source),
                        task.bytes,
                        task.sha256,
                        "verified" if task.path in carried else "pending",
                    )
                    for task in tasks
                ],
            )
            connection.execute(
                "UPDATE archive_job SET files = ?, bytes = ? WHERE id = ?",
                (len(tasks), sum(task.bytes for task in tasks), job.id),
            )
            self._count(connection, job)

    def acknowledge(self, job: Job, tasks: Sequence[CopyTask]) -> None:
        """These files are proved and journaled: their rows say so, durably."""
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE archive_file SET state = 'verified', detail = '' WHERE job = ? AND path = ?",
                [(job.id, task.path) for task in tasks],
            )
            self._count(connection, job)

    def fail(self, job: Job, path: str, message: Message) -> None:
        """Also of a file that was never planned, as the carrier cannot hold it."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO archive_file (job, path, source, bytes, sha256, state, detail) "
                "VALUES (?, ?, '', 0, '', 'failed', ?) "
                "ON CONFLICT (job, path) DO UPDATE SET state = 'failed', detail = excluded.detail",
                (job.id, path, _kept(message)),
            )
            self._count(connection, job)

    def failed(self, job: str) -> tuple[FailedFile, ...]:
        """The files that this job could not copy, and why."""
        rows = self._store.query(
            "SELECT path, detail FROM archive_file WHERE job = ? AND state = 'failed' ORDER BY path", (job,)
        )
        found = ((row["path"], kept_message(row["detail"])) for row in rows)
        return tuple(FailedFile(path, message) for path, message in found if message is not None)

    def _count(self, connection: sqlite3.Connection, job: Job) -> None:
        connection.execute(
            "UPDATE archive_job SET (done_files, done_bytes) = (SELECT count(*), coalesce(sum(bytes), 0) "
            "FROM archive_file WHERE job = archive_job.id AND state = 'verified') WHERE id = ?",
            (job.id,),
        )

    def state(self, connection: sqlite3.Connection, job: Job, state: str, seq: int, message: Message | None) -> None:
        """Set the job's state together with the ledger's entry `seq`; called inside the entry's transaction."""
        ended = None if state in ("running", "sealing") else iso(self._clock.now())
        connection.execute(
            "UPDATE archive_job SET state = ?, ended_at = ?, detail = ?, seq = ? WHERE id = ?",
            (state, ended, _kept(message) if message else "", seq, job.id),
        )

    def mark(self, job: Job, state: str) -> None:
        """Set the state alone."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE archive_job SET state = ? WHERE id = ?", (state, job.id))


def _name(point: Point, day: dt.date, asked: Asked, copy: int) -> str:
    return bag_name(point, day, asked.zones, copy, asked.more(point))


def _lies(bag: Path, destination: Path) -> bool:
    """Whether what was begun as `bag` lies in `destination` now, and nowhere else that is known."""
    names = (bag.name, bag.name + PART)
    return any((destination / name).is_dir() for name in names) and (
        bag.parent == destination or not any(bag.with_name(name).exists() for name in names)
    )


def _same_drive(begun: str, now: str) -> bool:
    """By serial numbers; a number that nobody knows denies nothing."""
    return not begun or not now or begun == now


def _copy(bag: str | Path) -> int:
    """The copy's number, which ends a bag's name."""
    return int(str(bag).rpartition("copy")[2])


def _kept(message: Message) -> str:
    """A message as it is kept in a row: still translatable when it is shown."""
    values: dict[str, Any] = {
        name: value if isinstance(value, int | float) else str(value) for name, value in message.values.items()
    }
    return json.dumps({"template": message.template, "values": values}, ensure_ascii=False)


def kept_message(detail: str) -> Message | None:
    """The message in a row's `detail`; None when there is none."""
    if not detail:
        return None
    found = json.loads(detail)
    return Message(found["template"], found["values"])
