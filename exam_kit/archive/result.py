"""What an archive run reports while it goes on and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exam_kit.archive.act import HandoverAct
from exam_kit.errors import ArchiveError, ExamKitError, Message
from exam_kit.i18n import LANGUAGES, N_

__all__ = [
    "PHASE_LABELS",
    "STATE_LABELS",
    "ArchiveResult",
    "FailedFile",
    "NotOneCopy",
    "Progress",
    "Whole",
    "not_begun",
]

PHASE_LABELS = {
    "copying": N_("copying and reading back"),
    "proving": N_("reading back what was copied before"),
    "sealing": N_("documents, lists, signature"),
    "sending": N_("sending to the store and proving"),
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
    """Where a run stands. `phase` is a key of `PHASE_LABELS`; bytes count what is verified.

    `rate_bps` is bytes per second over the last seconds; `left_s` is None while it cannot be told. In what a run tells,
    the fields are those of all its copies together, and `copies` has each of them, with its destination, in the order
    they were asked for; `error` is why one of them ended.
    """

    phase: str
    files: int
    done_files: int
    bytes: int
    done_bytes: int
    file: str = ""
    rate_bps: float = 0.0
    left_s: float | None = None
    destination: str = ""
    error: Message | None = None
    copies: tuple[Progress, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As an order's row keeps it: why it ended in every language, for whoever looks."""
        said = {language: self.error.text(language) for language in LANGUAGES} if self.error else {}
        return {
            **vars(self),
            "error": self.error.text() if self.error else None,
            "said": said,
            "copies": [copy.as_dict() for copy in self.copies],
        }


class Whole:
    """The progress of a run put together from that of its copies, which may tell from several threads."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._shares: dict[int, Progress] = {}
        self._one_at_a_time = threading.Lock()

    def share(self, number: int) -> Callable[[Progress], None]:
        """Where copy `number` tells how far it is."""

        def take(progress: Progress) -> None:
            with self._one_at_a_time:
                self._shares[number] = progress
                self._tell(self._together(progress.file))

        return take

    def _together(self, file: str) -> Progress:
        shares = tuple(self._shares[number] for number in sorted(self._shares))
        going = [share for share in shares if share.error is None] or list(shares)
        left = [share.left_s for share in going if share.done_bytes < share.bytes]
        return Progress(
            phase=min((share.phase for share in going), key=list(PHASE_LABELS).index),
            files=sum(share.files for share in going),
            done_files=sum(share.done_files for share in going),
            bytes=sum(share.bytes for share in going),
            done_bytes=sum(share.done_bytes for share in going),
            file=file,
            rate_bps=sum(share.rate_bps for share in going),
            left_s=max((known for known in left if known is not None), default=None) if None not in left else None,
            copies=shares,
        )


@dataclass(frozen=True)
class FailedFile:
    """A file that is not in the bag, and why."""

    path: str
    message: Message


@dataclass(frozen=True)
class ArchiveResult:
    """How a copy ended: `state` is ``finished`` (sealed, perhaps with `failed` files), ``cancelled`` or ``failed``.

    A run's own result is that of its first finished copy; `copies` has them all, in the order of the destinations.
    `error` is why a copy failed.

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
    destination: Path | None = None
    error: ExamKitError | None = None
    copies: tuple[ArchiveResult, ...] = ()
    address: str = ""
    """Of a bag in a store (``s3://STORE/BAG``), which has no folder."""
    proofs: Mapping[str, int] = field(default_factory=dict)
    """How the objects of such a bag were proved: ``server_sha256`` or ``downloaded``, and how many each."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "job": self.job,
            "bag": self.address or (str(self.bag) if self.bag else None),
            "bag_hash": self.bag_hash,
            "copy": self.copy,
            "files": self.files,
            "bytes": self.bytes,
            "failed": [{"path": failed.path, "text": failed.message.text()} for failed in self.failed],
            "deficiencies": [deficiency.text() for deficiency in self.deficiencies],
            "read_back_bytes": self.read_back_bytes,
            "device_bytes": self.device_bytes,
            "elapsed_s": round(self.elapsed_s, 3),
            "destination": str(self.destination) if self.destination else None,
            "error": self.error.text() if self.error else None,
            "copies": [copy.as_dict() for copy in self.copies],
            **({"proofs": dict(self.proofs)} if self.proofs else {}),
        }


class NotOneCopy(ArchiveError):
    """Several copies were ordered and not one could be made; `copies` say why, in the order of the destinations."""

    def __init__(self, copies: Sequence[ArchiveResult]) -> None:
        said: list[tuple[Message, ...]] = []
        for error in (copy.error for copy in copies):
            if error is not None and (error.message, *error.details) not in said:  # one reason for all is said once
                said.append((error.message, *error.details))
        first, *rest = (part for parts in said for part in parts)
        super().__init__(first, rest)
        self.copies = tuple(copies)


def not_begun(destination: Path | None, error: ExamKitError) -> ArchiveResult:
    """The result for a destination where no bag could be begun."""
    return ArchiveResult("failed", "", None, "", 0, 0, 0, (), (), 0, None, 0.0, destination=destination, error=error)
