"""A recording worker as the agent sees it: a process, what it is told, what it says."""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import psutil

from exam_kit.cctv.wire import WorkerConfig
from exam_kit.home import Home, kit_root

__all__ = ["WorkerProcess", "end_orphans"]

log = logging.getLogger("exam_kit.cctv")

_THRIFT = {
    # Each thread's own heap keeps what it once needed; with one for all, what a camera frees serves the next.
    "MALLOC_ARENA_MAX": "1",
    # Without these, freed pictures stay with the process for good.
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}

Events = queue.SimpleQueue[tuple["WorkerProcess | None", dict[str, Any]]]


class WorkerProcess:
    """One worker. Its events, and at last ``{"event": "exit"}``, arrive in `events`."""

    def __init__(self, config: WorkerConfig, events: Events, clean: Callable[[str], str]) -> None:
        self.cameras: set[str] = set()
        """cameras it is to record"""
        self.files: set[str] = set()
        """files it has begun and not reported as finished"""
        self.silent_s = 0.0
        self._events = events
        self._clean = clean
        self._process = subprocess.Popen(
            [sys.executable, "-m", "exam_kit.cctv.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(),
            **_apart(),
        )
        self.pid = self._process.pid
        self._readers = [
            threading.Thread(target=self._read, name=f"worker {self.pid}", daemon=True),
            threading.Thread(target=self._read_errors, name=f"worker {self.pid} errors", daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.send(config.to_json())

    def heard(self, event: dict[str, Any]) -> None:
        """It has said something."""
        self.silent_s = 0.0
        if event["event"] == "opened":
            self.files.add(event["path"])

    def send(self, command: dict[str, Any]) -> None:
        """Tell the worker; when it has died meanwhile, its exit event says so."""
        try:
            pipe = self._pipe()
            pipe.write(json.dumps(command) + "\n")
            pipe.flush()
        except (OSError, ValueError):
            # A broken pipe; Windows calls it an invalid argument.
            log.info("worker %s is gone and cannot be told", self.pid)

    def quit(self, reason: str) -> None:
        """Ask it to close everything and end."""
        self.send({"do": "quit", "reason": reason})

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, when it has ended by then and all its events are in the queue; else None."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        for reader in self._readers:
            reader.join(timeout_s)
        return code

    def _pipe(self) -> IO[str]:
        pipe = self._process.stdin
        if pipe is None:
            raise ValueError("no pipe")
        return pipe

    def _read(self) -> None:
        for line in self._process.stdout or ():
            try:
                self._events.put((self, json.loads(line)))
            except ValueError:
                log.warning("worker %s said something that is no event: %s", self.pid, self._clean(line.strip()))
        code = self._process.wait()
        try:
            self._pipe().close()
        except OSError:
            log.debug("worker %s left its pipe unread", self.pid)
        self._events.put((self, {"event": "exit", "code": code}))

    def _read_errors(self) -> None:
        for line in self._process.stderr or ():
            log.warning("worker %s: %s", self.pid, self._clean(line.rstrip()))


def _environment() -> dict[str, str]:
    path = os.pathsep.join(part for part in (str(kit_root()), os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", **_THRIFT}


def _apart() -> dict[str, Any]:
    """The terminal's Ctrl-C, and the closing of its window, do not reach the worker directly."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def end_orphans(home: Home, wait_s: float = 10.0) -> int:
    """Wait for workers of an agent that died to finish their files, then end those that do not; how many there were.

    Only processes that left their mark in the run folder and began when the mark says are touched.
    """
    found = []
    marks = sorted(home.run.glob("cctv-worker-*.json"))
    for mark in marks:
        try:
            noted = json.loads(mark.read_text(encoding="utf-8"))
            process = psutil.Process(noted["pid"])
            if abs(process.create_time() - noted["created"]) < 1.0:
                found.append(process)
        except (psutil.Error, ValueError, KeyError, OSError):
            log.info("%s: its worker has ended", mark.name)
    _ended, alive = psutil.wait_procs(found, wait_s)
    for process in alive:
        log.warning("worker %s of an earlier agent did not end and is killed", process.pid)
        process.kill()
    psutil.wait_procs(alive, wait_s)
    for mark in marks:
        mark.unlink(missing_ok=True)
    return len(found)
