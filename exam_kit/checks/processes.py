"""The programs that run on this machine, read once per run."""

from __future__ import annotations

from exam_kit.checks.at import At

__all__ = ["process_names"]


def process_names(at: At) -> frozenset[str]:
    """Names of the running programs, as the system shortens them (15 characters on Linux)."""
    return at.once("processes", lambda: _read(at))


def _read(at: At) -> frozenset[str]:
    if at.machine.platform == "windows":
        import psutil  # Linux needs no more than /proc, and an exam station may not have it

        return frozenset(process.info["name"] or "" for process in psutil.process_iter(["name"]))
    names = set()
    for process in at.machine.names("/proc"):
        if process.isdigit():
            names.add(at.machine.read_or(f"/proc/{process}/comm"))  # empty: it ended while we looked
    return frozenset(names - {""})
