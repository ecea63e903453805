"""The one way a check runs another program."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import IO, NamedTuple

from exam_kit.checks.model import Reason
from exam_kit.checks.site import NoFact

__all__ = ["Children", "CommandRecord", "run_command"]

OUTPUT_CAP = 1_000_000
"""Bytes kept of each output; a program gone mad must not fill the memory."""

# On Windows: a group of its own and no flashing console. Elsewhere `start_new_session` gives the group.
_NO_WINDOW = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)


class CommandRecord(NamedTuple):
    """What became of one run of a program. `fault` is None when it ended by itself, whatever its `rc`."""

    argv: tuple[str, ...]
    rc: int | None
    out: str
    err: str
    elapsed_s: float
    fault: Reason | None = None

    def answer(self) -> str:
        """The output of a run that went well.

        Raises:
            NoFact: it did not run, did not end in time, or ended with an error.
        """
        if self.fault is not None:
            raise NoFact(self.fault, command=self.argv[0], said=self.err[:300])
        if self.rc != 0:
            refused = "denied" in self.err.lower() or self.rc == 126
            raise NoFact(
                Reason.DENIED if refused else Reason.ERROR, command=self.argv[0], rc=self.rc, said=self.err[:300]
            )
        return self.out


class Children:
    """The programs one check has started. When its time is up they are killed, and no more are started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        _everyone.add(self)

    def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a program in a process group of its own.

        Raises:
            NoFact: this check's time is over.
            OSError: it cannot be started.
        """
        with self._lock:
            if self._closed:
                raise NoFact(Reason.TIMEOUT, command=argv[0])
            child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
                creationflags=_NO_WINDOW,
            )
            self._running.add(child)
            return child

    def ended(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.discard(child)

    def kill(self) -> None:
        """Kill every one that still runs, with all it has started, and refuse new ones."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for child in running:
            _kill_tree(child)


_everyone: weakref.WeakSet[Children] = weakref.WeakSet()


@atexit.register
def _leave_nobody() -> None:
    for children in list(_everyone):
        children.kill()


def run_command(
    argv: Sequence[str],
    *,
    timeout_s: float,
    children: Children,
    environment: Mapping[str, str],
) -> CommandRecord:
    """Run a program with messages in the C locale and no input, and kill it after `timeout_s` seconds."""
    began = time.perf_counter()

    def record(rc: int | None, out: str, err: str, fault: Reason | None = None) -> CommandRecord:
        return CommandRecord(tuple(argv), rc, out, err, round(time.perf_counter() - began, 4), fault)

    spoken = {**environment, "LC_ALL": "C", "LANGUAGE": "C"}
    try:
        child = children.start(argv, spoken)
    except FileNotFoundError as problem:
        return record(None, "", str(problem), Reason.TOOL_ABSENT)
    except PermissionError as problem:
        return record(None, "", str(problem), Reason.DENIED)
    except OSError as problem:
        return record(None, "", str(problem), Reason.ERROR)
    try:
        out, err = _Reader(child.stdout), _Reader(child.stderr)
        ends = began + timeout_s
        in_time = _ended(child, out, err, ends)
        if not in_time:
            _kill_tree(child)
            out.wait(time.perf_counter() + 0.2)
        return record(child.returncode, out.text(), err.text(), None if in_time else Reason.TIMEOUT)
    finally:
        _kill_group(child)  # what it left in the background
        children.ended(child)


def _ended(child: subprocess.Popen[bytes], out: _Reader, err: _Reader, ends: float) -> bool:
    """Wait for the program and its outputs; False when they are not through at `ends`.

    Both outputs usually end with the program, and waiting for them costs nothing. One that leaves something in the
    background keeps them open: then its own end counts.
    """
    while (now := time.perf_counter()) < ends:
        if out.wait(min(ends, now + 0.05)) and err.wait(min(ends, now + 0.05)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(ends - time.perf_counter(), 0.001))
            return child.returncode is not None
        if child.poll() is not None:
            out.wait(time.perf_counter() + 0.1)
            err.wait(time.perf_counter() + 0.1)
            return True
    return False


class _Reader:
    """Reads one output to its end, keeping the first part."""

    def __init__(self, source: IO[bytes] | None) -> None:
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, args=(source,), daemon=True)
        self._thread.start()

    def _read(self, source: IO[bytes] | None) -> None:
        if source is None:
            return
        with source:
            while block := os.read(source.fileno(), 65536):
                self._kept += block[: OUTPUT_CAP - len(self._kept)]

    def wait(self, ends: float) -> bool:
        self._thread.join(max(ends - time.perf_counter(), 0))
        return not self._thread.is_alive()

    def text(self) -> str:
        return bytes(self._kept).decode("utf-8", errors="replace")


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        # The group keeps its number while any member lives, also when the first one has ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def _descendants(child: subprocess.Popen[bytes]) -> Callable[[], None]:
    """What kills all that the program has started so far; does nothing where psutil is missing, as on a station."""
    try:
        import psutil
    except ImportError:
        return lambda: None
    try:
        found = psutil.Process(child.pid).children(recursive=True)
    except psutil.Error:
        found = []

    def kill() -> None:
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.2)  # a busy machine takes a moment to end what was killed

    return kill


def _kill_tree(child: subprocess.Popen[bytes]) -> None:
    """Kill a program, its process group, and descendants that left the group."""
    end_descendants = _descendants(child)
    _kill_group(child)
    end_descendants()
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    # Killed, it ends at once unless the kernel holds it; then it ends later and is nobody's to wait for.
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(0.2)
