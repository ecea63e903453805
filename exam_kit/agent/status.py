"""Whether the agent lives: a heartbeat file, and a lock only one agent can hold."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from exam_kit.clock import Clock, SystemClock, from_iso, iso
from exam_kit.errors import AlreadyRunning, m
from exam_kit.home import Home

__all__ = ["AgentLock", "Heartbeat", "agent_alive", "beat", "heartbeat", "write_atomically"]

STALE_AFTER_S = 10.0


@dataclass(frozen=True)
class Heartbeat:
    """What the agent last said of itself. `age_s` is by the clock that also counts sleep."""

    pid: int
    at: datetime
    age_s: float
    same_boot: bool


def beat(home: Home, clock: Clock) -> None:
    """Write the heartbeat."""
    text = json.dumps({"pid": os.getpid(), "at": iso(clock.now()), "boot_s": clock.boot(), "boot": clock.boot_id()})
    write_atomically(home.run / "agent.json", text)


def heartbeat(home: Home, clock: Clock | None = None) -> Heartbeat | None:
    """The last heartbeat; None when there was never one or it cannot be read."""
    clock = clock or SystemClock()
    try:
        data = json.loads((home.run / "agent.json").read_text(encoding="utf-8"))
        return Heartbeat(
            int(data["pid"]),
            from_iso(data["at"]),
            clock.boot() - float(data["boot_s"]),
            data["boot"] == clock.boot_id(),
        )
    except (OSError, ValueError, KeyError):
        return None


def agent_alive(home: Home, clock: Clock | None = None) -> bool:
    """True when the agent said so within the last seconds of this boot."""
    last = heartbeat(home, clock)
    return last is not None and last.same_boot and -1 <= last.age_s < STALE_AFTER_S


class AgentLock:
    """Held for as long as an agent runs; the system lets go of it however the process ends."""

    def __init__(self, home: Home, name: str = "agent") -> None:
        self._path = home.run / f"{name}.lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> AgentLock:
        """Raises AlreadyRunning when another process holds it."""
        self._file = self._path.open("a+")
        try:
            _lock(self._file)
        except OSError as problem:
            self._file.close()
            raise AlreadyRunning(
                m(
                    "{home}: Exam Kit already runs on this data. Use the window that is open, or stop it first.",
                    home=self._path.parent.parent,
                )
            ) from problem
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def _lock(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file of state; a reader sees the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
