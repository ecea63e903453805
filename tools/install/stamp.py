"""How a finished environment is told from a half-made, moved or outdated one."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

__all__ = ["LOCK", "TEST_LOCK", "Stamp", "finished", "folder", "made", "python_in", "script_in"]

LOCK, TEST_LOCK = "requirements.lock", "requirements-test.lock"


def folder(root: Path) -> Path:
    """The environment's folder, beside the kit."""
    return root / ".venv"


def python_in(venv: Path) -> Path:
    """The interpreter of the environment `venv`."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def script_in(venv: Path) -> Path:
    """The `exam-kit` command of the environment `venv`."""
    return venv / "Scripts" / "exam-kit.exe" if os.name == "nt" else venv / "bin" / "exam-kit"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Stamp:
    """What an environment was made from; written when all packages are in it, removed before anything is touched.

    `tests` is the hash of the test lock when its tools are in it too; `loads` tells that the libraries of the system
    that its packages need were there.
    """

    root: str
    python: str
    lock: str
    project: str
    tests: str = ""
    loads: bool = False

    @classmethod
    def wanted(cls, root: Path, *, tests: bool = False, loads: bool = True) -> Stamp:
        """What an environment made now would be made from."""
        version = f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:3]))} {sys.base_prefix}"
        project, test_lock = _hash(root / "pyproject.toml"), _hash(root / TEST_LOCK) if tests else ""
        return cls(str(root), version, _hash(root / LOCK), project, test_lock, loads)

    @classmethod
    def path(cls, root: Path) -> Path:
        return folder(root) / "exam-kit.stamp"

    @classmethod
    def read(cls, root: Path) -> Stamp | None:
        """The stamp of the environment that is there; None when there is no finished one."""
        try:
            return cls(**json.loads(cls.path(root).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, root: Path) -> None:
        """Replace the stamp; durable on return."""
        fresh = self.path(root).with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as target:
            json.dump(asdict(self), target)
            target.flush()
            os.fsync(target.fileno())
        fresh.replace(self.path(root))

    @classmethod
    def remove(cls, root: Path) -> None:
        cls.path(root).unlink(missing_ok=True)


def made(root: Path) -> bool:
    """True when the environment has every package, was made here, by this Python, from this lock."""
    there = Stamp.read(root)
    if there is None or not python_in(folder(root)).exists():
        return False
    return replace(there, tests="", loads=True) == Stamp.wanted(root)


def finished(root: Path, *, tests: bool = False) -> bool:
    """True when nothing is left to do; with `tests`, for the test tools either."""
    there = Stamp.read(root)
    return made(root) and there is not None and there.loads and (not tests or there == Stamp.wanted(root, tests=True))
