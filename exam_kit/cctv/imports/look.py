"""A look into a file that a stranger made. It happens in a process of its own (``python -m
exam_kit.cctv.imports.look_child``), for a damaged file may hang or crash what reads it; at the deadline it is killed.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.home import kit_root

__all__ = ["TIMEOUT_S", "Facts", "LookFault", "look_at", "picture_at"]

TIMEOUT_S = 30.0
"""A card in a slow reader gives some megabytes a second; a longer wait is a hang."""


class LookFault(Exception):
    """The file tells nothing. `why` is a key of `exam_kit.cctv.imports.plan.FAULTS`."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(detail or why)
        self.why = why


@dataclass(frozen=True)
class Facts:
    """What a file holds. `frames` is counted or worked out from length and rate; `created` is what its container says,
    UTC, None where it says nothing."""

    container: str
    codec: str
    width: int
    height: int
    duration_s: float
    frames: int
    created: datetime | None


def look_at(path: Path, *, timeout_s: float = TIMEOUT_S) -> Facts:
    """What the file holds.

    Raises:
        LookFault: it has no picture, cannot be read, or was not read within `timeout_s`.
    """
    told = _ask({"path": str(path)}, timeout_s)
    created = told.pop("created")
    return Facts(**told, created=from_iso(created) if created else None)


def picture_at(path: Path, second: float, *, timeout_s: float = TIMEOUT_S) -> tuple[bytes, float]:
    """A JPEG, at most 1280 pixels wide, of the first frame at or after `second`, and the second it is shown at.

    Raises:
        LookFault: no picture came.
    """
    told = _ask({"path": str(path), "second": second}, timeout_s)
    return base64.b64decode(told["jpeg"]), float(told["second"])


def _ask(order: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "exam_kit.cctv.imports.look_child"],
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=timeout_s,
            cwd=kit_root(),
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise LookFault("timeout") from None
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise LookFault("crashed", f"exit code {done.returncode}") from None
    if "fault" in told:
        raise LookFault(told["fault"], told.get("detail", ""))
    return told
