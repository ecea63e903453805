"""Approved pictures: what each camera should see, taken by a person on the day before the exam.

The ledger says who approved which picture when, by its SHA-256 (kind ``reference.approved``). The pictures lie under
`home.references`: ``kept/<sha256>.jpg`` for ever, and ``<camera>.jpg``, the one in force, which the recorder's workers
and the checks read. A file that is not the one the ledger names does not count as approved.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from exam_kit.cctv.picture import PictureState, Thresholds, judge, measure
from exam_kit.cctv.picture_caption import Caption
from exam_kit.cctv.status import CameraStatus
from exam_kit.cctv.still import picture
from exam_kit.clock import from_iso, iso
from exam_kit.errors import AccessDenied, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.store import Account, Act, Ledger, Store, may, require

__all__ = [
    "REFERENCE_LABELS",
    "Candidate",
    "Reference",
    "ReferenceState",
    "approve",
    "approved",
    "candidate",
    "reference_state",
]

KIND = "reference.approved"
FRESH = timedelta(seconds=10)
"""An older live picture may show what is no more."""


class ReferenceState(StrEnum):
    """Whether a camera's approved picture can be relied on."""

    GOOD = "good"
    MISSING = "missing"
    OLD = "old"
    RESIZED = "resized"
    ALTERED = "altered"


REFERENCE_LABELS: dict[ReferenceState, str] = {
    ReferenceState.GOOD: N_("approved picture in force"),
    ReferenceState.MISSING: N_("no approved picture"),
    ReferenceState.OLD: N_("approved picture is too old"),
    ReferenceState.RESIZED: N_("approved picture is of another resolution"),
    ReferenceState.ALTERED: N_("approved picture's file is missing or altered"),
}


@dataclass(frozen=True)
class Reference:
    """An approved picture, as the ledger has it. `width`, `height`: of the camera's stream, pixels."""

    camera: str
    sha256: str
    width: int
    height: int
    caption: bool
    picture: str
    at: datetime
    actor: str


@dataclass(frozen=True)
class Candidate:
    """A picture that is shown to a person to be approved: at most 640 pixels wide, as the live pictures are."""

    camera: str
    jpeg: bytes = field(repr=False)
    width: int
    height: int
    taken_at: datetime
    state: PictureState
    """what is wrong with it, judged by itself"""
    caption: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.jpeg).hexdigest()


def candidate(home: Home, status: CameraStatus, limits: Thresholds, now: datetime) -> Candidate:
    """The live picture of a camera that records, to be looked at and approved.

    Raises:
        UsageError: there is no live picture now.
    """
    path = home.live / f"{status.camera}.jpg"
    try:
        with path.open("rb") as source:
            taken = datetime.fromtimestamp(os.fstat(source.fileno()).st_mtime, now.tzinfo)
            jpeg = source.read()
    except OSError:
        jpeg, taken = b"", now
    seen = picture(jpeg)
    if seen is None or now - taken > FRESH or status.state != "recording":
        raise UsageError(
            m("Camera {camera}: there is no live picture. Start its recording, then try again.", camera=status.camera)
        )
    state = judge(measure([seen]), limits)
    return Candidate(status.camera, jpeg, status.width, status.height, taken, state, bool(Caption(seen)))


def approve(ledger: Ledger, home: Home, account: Account, pictures: Iterable[Candidate]) -> list[str]:
    """Put these pictures in force, in the name of `account`; the cameras' ids. The earlier ones are kept.

    Raises:
        AccessDenied: the role neither runs nor confirms the checks, or the folder cannot be written.
        StoreError: the ledger refused; nothing is in force that it does not name.
    """
    if not may(account.role, Act.CONFIRM_CHECKS):
        require(account.role, Act.RUN_CHECKS)
    done = []
    for one in pictures:
        try:
            kept = home.references / "kept" / f"{one.sha256}.jpg"
            kept.parent.mkdir(parents=True, exist_ok=True)
            _write(kept, one.jpeg)
            _write(home.references / f"{one.camera}.jpg", one.jpeg)
        except OSError as problem:
            raise AccessDenied(
                m(
                    "{folder}: cannot be written ({reason}). Free some space or correct the rights, then try again.",
                    folder=home.references,
                    reason=problem.strerror or str(problem),
                )
            ) from problem
        body = {
            "camera": one.camera,
            "sha256": one.sha256,
            "width": one.width,
            "height": one.height,
            "taken_at": iso(one.taken_at),
            "picture": str(one.state),
            "caption": one.caption,
            "role": account.role.value,
        }
        ledger.append(KIND, body, account.login)
        done.append(one.camera)
    return done


def approved(store: Store) -> dict[str, Reference]:
    """The latest approved picture of every camera, by id, as the ledger has it."""
    rows = store.query("SELECT record FROM ledger WHERE kind = ? ORDER BY seq", (KIND,))
    found = {}
    for row in rows:
        record = json.loads(row["record"])
        body = record["body"]
        found[body["camera"]] = Reference(
            **{key: body[key] for key in ("camera", "sha256", "width", "height", "caption", "picture")},
            at=from_iso(record["at"]),
            actor=record["actor"],
        )
    return found


def reference_state(
    home: Home, reference: Reference | None, now: datetime, days: float, size: tuple[int, int] | None
) -> ReferenceState:
    """Whether the approved picture can be relied on. `days`: how old it may be; `size`: of the stream now, if known."""
    if reference is None:
        return ReferenceState.MISSING
    try:
        content = (home.references / f"{reference.camera}.jpg").read_bytes()
    except OSError:
        return ReferenceState.ALTERED
    if hashlib.sha256(content).hexdigest() != reference.sha256:
        return ReferenceState.ALTERED
    if size is not None and all(size) and size != (reference.width, reference.height):
        return ReferenceState.RESIZED
    return ReferenceState.OLD if now - reference.at > timedelta(days=days) else ReferenceState.GOOD


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk."""
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
