"""What a command took: time, processor, memory, and the bytes its processes made the kernel fetch from devices."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Took", "drop_caches", "hashing_s_per_gb", "io_read_bytes", "peak_bytes", "run"]

SAMPLE_S = 0.25


@dataclass(frozen=True)
class Took:
    """`peak_bytes` is the largest sum seen over the command's processes of their resident memory's high marks."""

    seconds: float
    cpu_s: float
    peak_bytes: int
    read_bytes: int
    output: str


def run(
    argv: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdout: Path | None = None,
) -> Took:
    """Run a command to its end. Its output goes to `log`, or what it prints to `stdout`.

    Raises:
        SystemExit: it ended with an error.
    """
    with log.open("wb") as told, (stdout or log).open("ab") as printed:
        before, began = io_read_bytes(), time.monotonic()
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=told,
            start_new_session=True,
        )
        try:
            with _Peak(child.pid) as peak:
                _pid, status, used = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if child.returncode is None:
                end(child)
        took = time.monotonic() - began
    output = log.read_text(errors="replace")
    if child.returncode:
        raise SystemExit(f"{' '.join(argv[:3])} …: ended with {child.returncode}\n{output[-2000:]}")
    # The kernel adds what a child read to its parent's count when it is waited for, and so on down the tree.
    return Took(took, used.ru_utime + used.ru_stime, peak.largest, io_read_bytes() - before, output)


def end(child: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Kill a process that was started in a session of its own, with all it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


class _Peak:
    """Watches the memory of a process and its children while the block runs."""

    def __init__(self, pid: int) -> None:
        self.largest = 0
        self._pid, self._over = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.largest = max(self.largest, self._sum())
            if self._over.wait(SAMPLE_S):
                return

    def _sum(self) -> int:
        try:
            root = psutil.Process(self._pid)
            pids = [root.pid, *(child.pid for child in root.children(recursive=True))]
        except psutil.NoSuchProcess:
            return 0
        return sum(peak_bytes(pid) for pid in pids)


def peak_bytes(pid: int | None = None) -> int:
    """The high mark of a process's resident memory; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


def io_read_bytes() -> int:
    """Bytes that this process, and the children it waited for, made the kernel fetch from devices."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes:"))


def drop_caches(folders: Iterable[Path], *, everything: bool) -> None:
    """Sync these folders' files and take them out of memory; `everything` drops the whole cache, as root only."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                fd = os.open(path, os.O_RDONLY)
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)
    if everything:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")


def hashing_s_per_gb() -> float:
    """Seconds of processor that SHA-256 alone takes for 10⁹ bytes here, of a block that stays in the nearest cache."""
    block, rounds, digest = bytes(32 << 10), 16_384, hashlib.sha256()
    began = time.thread_time()
    for _round in range(rounds):
        digest.update(block)
    return (time.thread_time() - began) / (len(block) * rounds / 1e9)
