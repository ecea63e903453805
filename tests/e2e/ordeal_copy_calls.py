"""A fault injected into the system calls of a copying process, one run for each, by `strace -e inject`.

First the calls of an undisturbed run are counted; strace counts per thread, so the N-th call is that of every thread
that makes so many, and one run may meet several faults. Waiting and time are left alone: those calls cannot fail in
these ways. So is closing: the kernel lets a descriptor go even when it tells an error, while an injected fault keeps
it, with its locks.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.ordeal_copy_day import Attempt, Day, Outcome
from tests.e2e.ordeal_copy_table import Row

__all__ = ["Injection", "call_faults", "counted_calls", "injections", "why_not"]

ERRORS = {
    "EIO": {"openat", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat",
            "renameat2", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "newfstatat", "fstat", "stat", "lstat",
            "statx", "statfs", "fstatfs", "getdents64", "lseek", "ftruncate", "fallocate", "fcntl", "fadvise64",
            "readlink", "access", "chmod", "fchmod", "copy_file_range", "sendfile", "ioctl", "flock"},
    "ENOSPC": {"openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "mkdir", "ftruncate", "fallocate"},
    "EINTR": {"openat", "read", "pread64", "write", "pwrite64", "fsync", "flock"},
    "ENOMEM": {"mmap", "mremap"},
    "EAGAIN": {"clone3", "clone"},
}  # fmt: skip
"""For each error the calls into which it is injected, where the run makes them."""
EXHAUSTED = ("ENOMEM", "EAGAIN")
"""Without memory or threads nothing false may be acknowledged and nothing may hang; no more is promised."""
LIMIT_S = 90.0
END = "getpgid"
"""The copying process makes this call when the run is over."""


@dataclass(frozen=True)
class Injection:
    """`call` number `number` of each thread fails with `error`."""

    call: str
    error: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.error}"


def why_not() -> str:
    """Why this cannot be done here; empty when it can."""
    return "" if shutil.which("strace") else "strace is not installed"


def call_faults(folder: Path, most: int) -> Row:
    """Inject at most `most` of all faults, taken evenly; after each the same archive is made to its end."""
    row = Row("a system call fails", "this computer's disk")
    began = time.monotonic()
    template = Day.made(folder / "calls", count=3, size=1_300_000)
    (folder / "warm up").mkdir()
    template.again(folder / "warm").warm_up(folder / "warm up")
    made = counted_calls(template.again(folder / "counted"), folder / "counted" / "drive")
    every = list(injections(made))
    chosen = [every[place * len(every) // most] for place in range(most)] if most < len(every) else every
    row.counts["of possible faults"] = len(every)
    row.counts["kinds of calls"] = len({injection.call for injection in every})
    for number, injection in enumerate(chosen):
        place = folder / f"call-{number}"
        _one(template.again(place), injection, row)
        shutil.rmtree(place)
    row.took_s = time.monotonic() - began
    return row


def counted_calls(day: Day, target: Path) -> dict[str, int]:
    """How many of each call the busiest thread makes between the beginning of the run and its end."""
    trace = day.folder / "trace"
    outcome = _traced(day, target, trace, ["-e", "trace=all"])
    if outcome.kind != "finished":
        raise RuntimeError(f"the undisturbed run ended: {outcome.kind} {outcome.text}")
    seen: Counter[tuple[str, str]] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+)\s+(\w+)\(", line)
        if found is None:
            continue
        if found[2] == END:
            break
        seen[found[1], found[2]] += 1
    most: dict[str, int] = {}
    for (_thread, call), count in seen.items():
        most[call] = max(count, most.get(call, 0))
    return most


def injections(made: dict[str, int]) -> Iterator[Injection]:
    for error, calls in ERRORS.items():
        for call in sorted(calls & made.keys()):
            for number in range(1, made[call] + 1):
                yield Injection(call, error, number)


def _one(day: Day, injection: Injection, row: Row) -> None:
    target, trace = day.folder / "drive", day.folder / "trace"
    options = ["-e", f"trace={injection.call}",
               "-e", f"inject={injection.call}:error={injection.error}:when={injection.number}"]  # fmt: skip
    outcome = _traced(day, target, trace, options)
    hit = trace.read_text(errors="replace").count("(INJECTED)")
    row.times += 1
    row.counts["faults met"] += hit
    row.counts["runs that met none"] += not hit
    row.counts[f"ended: {outcome.kind}"] += 1
    if outcome.kind == "said":
        row.said[_shape(outcome.text, day)] += 1
    if outcome.failed and outcome.kind == "finished":
        row.counts["a file failed alone"] += 1
    for message in outcome.failed if outcome.kind == "finished" else ():
        row.said[_shape(message, day)] += 1
    if outcome.kind == "hung" or (outcome.kind not in ("finished", "said") and injection.error not in EXHAUSTED):
        row.wrong.append(f"{injection}: {outcome.kind} {outcome.text}")
    truth = day.judge(target)
    row.looked_for += truth.acknowledged
    row.wrong += [f"{said} ({injection})" for said in truth.wrong]
    if outcome.kind == "finished" and not outcome.failed:
        return
    again = day.attempt(target)
    truth = day.judge(target)
    row.wrong += [f"{said} (resumed after {injection})" for said in truth.wrong]
    if again.kind == "finished" and not again.failed:
        row.counts["resumed to a whole bag"] += 1
    else:
        row.wrong.append(f"{injection}: resumed, it ended: {again.kind} {again.text} {again.failed}")


def _traced(day: Day, target: Path, trace: Path, options: list[str]) -> Outcome:
    """One run under strace, which sees it from right before the archive begins."""
    target.mkdir()
    attempt = Attempt(day, [target], held=True)
    _until(lambda: _state(attempt.pid, "State") == "T", "the run stands still")
    strace = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(trace), "-p", str(attempt.pid), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until(lambda: _state(attempt.pid, "TracerPid") == str(strace.pid), "strace is there")
        os.kill(attempt.pid, signal.SIGCONT)
        return attempt.end(LIMIT_S)
    finally:
        attempt.kill()
        strace.wait(30)


def _state(pid: int, name: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    return ""


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.002)


def _shape(text: str, day: Day) -> str:
    """A message without the names of this run, for counting."""
    text = text.replace(str(day.folder), "…")
    for name in day.truth:
        text = text.replace(name, "FILE")
    return re.sub(r"\d+", "N", text)
