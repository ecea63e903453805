"""`exam-kit up`: one parent that keeps the agent and the screens alive.

Children are told to end by closing their standard input, which works the same on every system and also happens by
itself when this process dies; so nothing is left behind.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from exam_kit.agent.status import AgentLock
from exam_kit.home import Home

__all__ = ["Child", "Supervisor", "until_stdin_closes"]

log = logging.getLogger(__name__)

GRACE_S = 20.0
"""How long a child may take to end cleanly: closing and hashing segments comes first."""

SETTLED_S = 15.0
"""Who lived this long had all it needs to run."""


@dataclass
class Child:
    """One process to keep alive.

    `final_codes` are exits that are not mended by starting again, as long as it never ran well. In the middle of an
    exam day a damaged file or a busy database is no reason to close the screens: it is tried again until it is mended.
    """

    name: str
    arguments: Sequence[str]
    final_codes: frozenset[int] = frozenset()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    ran_well: bool = False

    def start(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
        )
        self.started = time.monotonic()
        log.info("%s started as process %d", self.name, self.process.pid)

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def end(self, deadline: float) -> None:
        """Wait for a clean end; after the deadline it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("%s did not end within %.0f s and is killed", self.name, GRACE_S)
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Starts children, starts them again when they die, ends them all together."""

    def __init__(self, home: Home, children: Sequence[Child]) -> None:
        self._home = home
        self._children = list(children)
        self._stopping = threading.Event()
        self._environment = {**os.environ, "EXAM_KIT_HOME": str(home.root), "PYTHONUNBUFFERED": "1"}

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self._stopping.set()

    def run(self, on_ready: Callable[[], None] | None = None) -> int:
        """Keep the children alive until told to stop; the exit code of the one that cannot live, else 0.

        Raises:
            AlreadyRunning: another supervisor holds this home.
        """
        with AgentLock(self._home, "supervisor"):
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self.stop)
            try:
                for child in self._children:
                    child.start(self._environment)
                if on_ready is not None:
                    threading.Thread(target=on_ready, daemon=True).start()
                while not self._stopping.wait(0.2):
                    code = self._look_after()
                    if code is not None:
                        return code
                return 0
            finally:
                for child in self._children:
                    child.ask_to_end()
                deadline = time.monotonic() + GRACE_S
                for child in self._children:
                    child.end(deadline)

    def _look_after(self) -> int | None:
        now = time.monotonic()
        for child in self._children:
            process = child.process
            if process is None or process.poll() is None:
                continue
            if child.not_before == 0.0:
                code = process.returncode
                lived = now - child.started
                child.ran_well = child.ran_well or lived > SETTLED_S
                if code in child.final_codes and not child.ran_well:
                    return code
                child.failures = 0 if lived > SETTLED_S else child.failures + 1
                # The first restart is at once: while the agent is away nothing is recorded.
                child.not_before = now + (0.0 if child.failures <= 1 else min(2.0 ** (child.failures - 2), 15.0))
                log.error("%s ended with code %s after %.0f s and is started again", child.name, code, lived)
                child.ask_to_end()
            if now >= child.not_before:
                child.not_before = 0.0
                child.start(self._environment)
        return None


def until_stdin_closes(stop: Callable[[], None]) -> None:
    """Call `stop` when the parent closes our standard input or dies. Returns at once; works in a thread."""

    def wait() -> None:
        # Read the descriptor itself: the buffered reader's lock would block the interpreter's exit.
        while os.read(0, 4096):
            pass
        stop()

    threading.Thread(target=wait, name="parent", daemon=True).start()
