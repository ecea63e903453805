"""What a probe may know: the point, its day, the machine, and facts that are read once per run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from exam_kit.checks.model import Fact, Reason
from exam_kit.clock import Clock, SystemClock

if TYPE_CHECKING:  # an exam station has no packages for these
    from pathlib import Path

    from exam_kit.home import Home
    from exam_kit.point import ExamDay, Point, Secrets
    from exam_kit.store import Store

__all__ = ["CheckContext", "Machine", "NoFact", "SharedFacts"]

T = TypeVar("T")


class NoFact(Exception):
    """Raised by a probe or below it where there is no value; carries the fact that says why."""

    def __init__(self, reason: Reason, **evidence: Any) -> None:
        super().__init__(reason.value)
        self.fact = Fact.unknown(reason, **evidence)


class Machine(NamedTuple):
    """The computer under check. Tests and recorded facts give another root, PATH or platform.

    `platform` is "linux" or "windows"; `root` stands before /proc, /sys and /etc.
    """

    platform: str = "windows" if sys.platform == "win32" else "linux"
    root: Path | str = "/"
    environment: Mapping[str, str] = os.environ

    def read(self, path: str, *, most: int = -1) -> str:
        """The text of a file of the system, stripped; of its first `most` bytes, when that is given.

        Raises:
            NoFact: it is missing, refused or unreadable.
        """
        return self.bytes_of(path, most=most).decode("utf-8", errors="replace").strip()

    def bytes_of(self, path: str, *, most: int = -1) -> bytes:
        """As `read`, the bytes as they are."""
        try:
            with open(self.path(path), "rb", buffering=0) as source:
                return source.read(most)
        except FileNotFoundError as problem:
            raise NoFact(Reason.TOOL_ABSENT, missing=path) from problem
        except PermissionError as problem:
            raise NoFact(Reason.DENIED, path=path) from problem
        except OSError as problem:
            raise NoFact(Reason.ERROR, path=path, said=str(problem)) from problem

    def path(self, path: str) -> str:
        """Where a file of the system lies for this machine."""
        return os.path.join(self.root, path.lstrip("/"))

    def stamp(self, path: str) -> tuple[int, ...]:
        """What changes whenever this file is written or replaced.

        Raises:
            OSError: it is missing or refused.
        """
        found = os.stat(self.path(path))
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def names(self, path: str) -> list[str]:
        """What lies in a folder of the system, in order; nothing where there is no such folder.

        Raises:
            NoFact: it is refused or unreadable.
        """
        try:
            return sorted(os.listdir(self.path(path)))
        except FileNotFoundError:
            return []
        except PermissionError as problem:
            raise NoFact(Reason.DENIED, path=path) from problem
        except OSError as problem:
            raise NoFact(Reason.ERROR, path=path, said=str(problem)) from problem

    def has(self, program: str) -> bool:
        """Whether a program is on this machine's PATH."""
        import shutil

        return shutil.which(program, path=self.environment.get("PATH", "")) is not None

    def read_or(self, path: str, default: str = "") -> str:
        """As `read`, with a default where there is no such file or value."""
        try:
            return self.read(path)
        except NoFact:
            return default


class SharedFacts:
    """Facts that several checks of one run need, each read once; whoever comes second waits for the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def once(self, name: str, read: Callable[[], T], wait_s: float) -> T:
        """What `read` returned, or raised, the first time this name was asked for.

        Raises:
            NoFact: another check is still reading it after `wait_s` seconds.
        """
        with self._lock:
            kept = self._kept.get(name)
            mine = kept is None
            if kept is None:
                kept = self._kept[name] = _Kept()
        if mine:
            try:
                kept.value = read()
            except BaseException as problem:
                kept.problem = problem
                raise
            finally:
                kept.ready.set()
            return cast(T, kept.value)
        if not kept.ready.wait(max(wait_s, 0)):
            raise NoFact(Reason.TIMEOUT, waited_for=name)
        if kept.problem is not None:
            raise kept.problem
        return cast(T, kept.value)


class _Kept:
    def __init__(self) -> None:
        self.ready = threading.Event()
        self.value: Any = None
        self.problem: BaseException | None = None


class CheckContext(NamedTuple):
    """Where a run happens. `day` is the exam day it is for; None outside exam days."""

    point: Point
    home: Home
    store: Store
    secrets: Secrets
    day: ExamDay | None = None
    clock: Clock = SystemClock()
    machine: Machine = Machine()
