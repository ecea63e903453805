"""What an archive run reports while it goes on and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.act import HandoverAct
from exam_kit.errors import Message
from exam_kit.i18n import N_

__all__ = ["PHASE_LABELS", "STATE_LABELS", "ArchiveResult", "FailedFile", "Progress"]

PHASE_LABELS = {
    "copying": N_("copying and reading back"),
    "proving": N_("reading back what was copied before"),
    "sealing": N_("documents, lists, signature"),
}
STATE_LABELS = {
    "running": N_("being copied"),
    "sealing": N_("being sealed"),
    "finished": N_("sealed and verified"),
    "cancelled": N_("cancelled; can be taken up again"),
    "failed": N_("stopped by a fault; can be taken up again"),
    "given_up": N_("given up; a new copy is made"),
}
"""States of a row in `archive_job`, for people."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands. `phase` is ``copying``, ``proving`` or ``sealing``; bytes count what is verified.

    `rate_bps` is bytes per second over the last seconds; `left_s` is None while it cannot be told.
    """

    phase: str
    files: int
    done_files: int
    bytes: int
    done_bytes: int
    file: str = ""
    rate_bps: float = 0.0
    left_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class FailedFile:
    """A file that is not in the bag, and why."""

    path: str
    message: Message


@dataclass(frozen=True)
class ArchiveResult:
    """How a run ended: `state` is ``finished`` (sealed, perhaps with `failed` files) or ``cancelled``.

    `read_back_bytes` is what was read again from the carrier and compared; `device_bytes` is how much of it the
    kernel says came from the device itself, None where the kernel does not tell.
    """

    state: str
    job: str
    bag: Path | None
    bag_hash: str
    copy: int
    files: int
    bytes: int
    failed: tuple[FailedFile, ...]
    deficiencies: tuple[Message, ...]
    read_back_bytes: int
    device_bytes: int | None
    elapsed_s: float
    act: HandoverAct | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "job": self.job,
            "bag": str(self.bag) if self.bag else None,
            "bag_hash": self.bag_hash,
            "copy": self.copy,
            "files": self.files,
            "bytes": self.bytes,
            "failed": [{"path": failed.path, "text": failed.message.text()} for failed in self.failed],
            "deficiencies": [deficiency.text() for deficiency in self.deficiencies],
            "read_back_bytes": self.read_back_bytes,
            "device_bytes": self.device_bytes,
            "elapsed_s": round(self.elapsed_s, 3),
        }
