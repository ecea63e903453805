"""Running pip, showing how far it is, and understanding why it failed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.install.messages import text
from tools.install.programs import clean_environment

__all__ = ["Pip", "PipFailed", "diagnose", "log_file"]

_PACKAGE = r"([A-Za-z0-9][A-Za-z0-9._-]*)"
_FAULTS = (
    ("disk_full", re.compile(r"Errno 28|No space left on device|WinError 112|Errno 122|Disk quota exceeded")),
    (
        "hash",
        re.compile(rf"DO NOT MATCH THE HASHES|HashMismatch|hashes? .{{0,40}}mismatch for {_PACKAGE}", re.IGNORECASE),
    ),
    ("certificate", re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|SSLError")),
    (
        "network",
        re.compile(
            r"NewConnectionError|Failed to establish a new connection|Name or service not known|getaddrinfo failed"
            r"|Temporary failure in name resolution|Network is unreachable|Connection refused|ConnectTimeout"
            r"|ReadTimeout|Read timed out|Connection reset|ProxyError|NameResolutionError|IncompleteRead"
            r"|Connection aborted|RemoteDisconnected"
        ),
    ),
    ("permission", re.compile(r"Errno 13|Errno 30|Permission denied|Read-only file system|WinError 5\b")),
    ("no_wheel", re.compile(r"No matching distribution found|Could not find a version that satisfies")),
)
_NAMED = (
    re.compile(rf"No matching distribution found for {_PACKAGE}"),
    re.compile(rf"satisfies the requirement {_PACKAGE}"),
    re.compile(rf"^\s+{_PACKAGE}(?:==\S+)? from \S+", re.MULTILINE),
)
_CREDENTIALS = re.compile(r"(://)[^/@\s]+@")


class PipFailed(Exception):
    """pip ended with an error: the key of its text, the package it stumbled over, its last line."""

    def __init__(self, key: str, package: str, reason: str) -> None:
        super().__init__(key, package, reason)
        self.key = key
        self.package = package
        self.reason = reason


def diagnose(output: str) -> tuple[str, str]:
    """What went wrong, as a key of `messages.TEXTS`, and the package it concerns ("" when none is named)."""
    package = next((found[1] for pattern in _NAMED if (found := pattern.search(output))), "")
    for key, pattern in _FAULTS:
        if pattern.search(output):
            return key, package
    return "failed", package


def log_file(root: Path) -> Path:
    """Where the set-up's log goes: the kit's `logs/`, or the one in EXAM_KIT_HOME."""
    named = os.environ.get("EXAM_KIT_HOME")
    return (Path(named).expanduser().resolve() if named else root) / "logs" / "setup.log"


class Pip:
    """pip of one Python, writing everything it says to `log`.

    `held` is the file that locks the set-up: handing it on keeps the lock while pip lives, even when its parent is
    killed.
    """

    def __init__(self, python: Path, log: Path, held: int | None = None) -> None:
        self.python = python
        self.log = log
        self._held = held

    def run(self, *arguments: str, count: int = 0, cwd: Path | None = None) -> str:
        """Run `pip ARGUMENTS`; its output. `count` packages are expected, for the progress line.

        Raises:
            PipFailed: pip ended with an error.
        """
        command = [str(self.python), "-I", "-m", "pip", *arguments]
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(),
            pass_fds=(self._held,) if self._held is not None and os.name == "posix" else (),
        )
        assert process.stdout is not None
        lines: list[str] = [_CREDENTIALS.sub(r"\1****@", f"$ pip {' '.join(arguments)}\n")]
        progress = _Progress(count)
        try:
            for line in process.stdout:
                lines.append(_CREDENTIALS.sub(r"\1****@", line))
                progress.see(line)
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            code = process.wait()
            progress.end()
            self._keep(lines)
        output = "".join(lines)
        if code != 0:
            key, package = diagnose(output)
            errors = [line.strip() for line in lines if line.startswith("ERROR:")]
            raise PipFailed(key, package, errors[-1] if errors else lines[-1].strip())
        return output

    def _keep(self, lines: Sequence[str]) -> None:
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("a", encoding="utf-8") as target:
                target.writelines(lines)
        except OSError as problem:
            # The log is a convenience, and a full disk or a read-only folder is told by pip's own fault.
            print(f"{self.log}: {problem.strerror}", file=sys.stderr)


class _Progress:
    """One line that counts on a terminal; a line for every tenth package in a pipe."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._done = 0
        self._open = False
        self._terminal = sys.stdout.isatty()

    def see(self, line: str) -> None:
        if not self._count:
            return
        if line.startswith(("Collecting ", "Processing ", "Requirement already satisfied: ")):
            self._done += 1
            if self._done > self._count:
                return
            if self._terminal:
                print("\r" + text("got", done=self._done, count=self._count), end="", flush=True)
                self._open = True
            elif self._done % 10 == 0 or self._done == self._count:
                print(text("got", done=self._done, count=self._count), flush=True)
        elif line.startswith("Installing collected packages"):
            self.end()
            print(text("unpacking"), flush=True)

    def end(self) -> None:
        if self._open:
            print(flush=True)
            self._open = False
