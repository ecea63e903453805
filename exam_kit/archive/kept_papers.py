"""The act of every copy and what it was made from, kept on this computer.

A carrier leaves the point, and an encrypted one cannot be read here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from exam_kit.archive.bag import COVERAGE
from exam_kit.errors import ArchiveError, Message, m
from exam_kit.home import Home
from exam_kit.store.durable import sync_folder

__all__ = ["ACT", "keep_papers", "kept_act", "kept_coverage", "kept_deficiencies"]

ACT = "act.pdf"


def keep_papers(home: Home, job: str, act: bytes | None, coverage: bytes) -> None:
    """Keep the sealed act of this job, where there is one, and the coverage it was made from.

    Raises:
        ArchiveError: the disk of this computer cannot be written.
    """
    folder = _folder(home, job)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((ACT, act), (COVERAGE, coverage)):
            if content is None:
                continue
            part = folder / f"{name}.part"
            with part.open("wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            part.replace(folder / name)
        sync_folder(folder)
    except OSError as problem:
        raise ArchiveError(
            m(
                "{path}: cannot be written ({reason}). Free space on the system's own disk and see that it can be "
                "written, then start the archive again.",
                path=folder,
                reason=problem.strerror or problem,
            )
        ) from problem


def kept_act(home: Home, job: str) -> Path | None:
    """The act as it was sealed; None for a copy made before acts were kept."""
    path = _folder(home, job) / ACT
    return path if path.is_file() else None


def kept_coverage(home: Home, job: str) -> dict[str, Any] | None:
    """coverage.json of this job; None where it is not kept, or damaged."""
    try:
        found = json.loads((_folder(home, job) / COVERAGE).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def kept_deficiencies(home: Home, job: str) -> tuple[Message, ...] | None:
    """As they stand in the act; None where nothing is kept."""
    found = kept_coverage(home, job)
    if found is None:
        return None
    return tuple(Message(one["template"], one["values"]) for one in found["deficiency_messages"])


def _folder(home: Home, job: str) -> Path:
    return home.reports / "acts" / job
