"""One process at a time works on a job; the lock dies with its process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exam_kit.errors import AlreadyRunning, ArchiveError, m

__all__ = ["job_lock"]


@contextmanager
def job_lock(folder: Path, job: str) -> Iterator[None]:
    """Hold the job while the block runs.

    Raises:
        AlreadyRunning: another process or thread holds it.
        ArchiveError: the lock file cannot be made.
    """
    path = folder / f"archive-{job}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+b")
    except OSError as problem:
        raise ArchiveError(
            m(
                "{path}: cannot be written ({reason}). Free space on the system's own disk and see that it can be "
                "written, then start the archive again.",
                path=path,
                reason=problem.strerror or problem,
            )
        ) from problem
    with opened as held:
        try:
            _lock(held.fileno())
        except OSError as problem:
            raise AlreadyRunning(
                m("Archive {job}: is already being made. Wait until it is ready, or cancel it.", job=job)
            ) from problem
        yield


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
