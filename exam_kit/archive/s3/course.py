"""What the threads of one sending share, and what they hand to one another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from exam_kit.archive.s3.proof import Shown, Trust
from exam_kit.archive.s3.uploads import Arrived, Part, Uploads
from exam_kit.archive.s3.wire import Wire
from exam_kit.archive.sink import CopyTask
from exam_kit.errors import Message

__all__ = ["Course", "File", "Piece", "Tally", "last_moment"]


@dataclass
class Tally:
    """What a sending did: objects proved now and `carried` from earlier, and how; parts and bytes that left."""

    proved: dict[str, Shown] = field(default_factory=dict)
    carried: dict[str, Arrived] = field(default_factory=dict)
    failed: list[tuple[CopyTask, Message]] = field(default_factory=list)
    sent_bytes: int = 0
    done_bytes: int = 0

    @property
    def shown(self) -> dict[str, str]:
        """By path how each object that is there was proved, now or earlier."""
        carried = {path: one.how for path, one in list(self.carried.items())}
        return carried | {path: one.how for path, one in list(self.proved.items())}


def last_moment(keep_until: date) -> datetime:
    """The keep-until date to its last moment anywhere on Earth."""
    return datetime.combine(keep_until, time(12), UTC) + timedelta(days=1)


@dataclass
class File:
    """One file in flight; `open` counts parts that are read and not answered for, and one for the reading itself."""

    task: CopyTask
    key: str
    upload_id: str = ""
    parts: dict[int, Part] = field(default_factory=dict)
    open: int = 1
    given_up: bool = False


@dataclass(frozen=True)
class Piece:
    """Something for a sender: part `number` of a file, 0 for a whole one; without data: look at what lies there."""

    file: File
    number: int
    data: bytes | None
    sha256: str = ""


@dataclass
class Course:
    """`until` locks every object till then, in the store's `retention` mode; `lock` guards the tally and the files."""

    wire: Wire
    uploads: Uploads
    trust: Trust
    until: datetime | None
    asked: Callable[[], bool]
    tally: Tally = field(default_factory=Tally)
    lock: threading.Lock = field(default_factory=threading.Lock)
    broken: Exception | None = None

    def stopped(self) -> bool:
        """Whether to leave off: somebody asked for it, or a thread met what ends the run."""
        return self.broken is not None or self.asked()

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self.wire.call(operation, stopped=self.stopped, **arguments)

    def fail(self, file: File, message: Message) -> None:
        """This file is not sent; the others go on."""
        with self.lock:
            file.given_up = True
            self.tally.failed.append((file.task, message))

    def retention(self) -> dict[str, Any]:
        if self.until is None:
            return {}
        return {"ObjectLockMode": self.wire.store.retention.upper(), "ObjectLockRetainUntilDate": self.until}

    @property
    def until_text(self) -> str:
        return self.until.isoformat() if self.until else ""
