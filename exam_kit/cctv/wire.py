"""What the recorder and its workers say to each other: one JSON object a line, both ways.

To a worker, on its stdin: first a `WorkerConfig`, then commands ``{"do": "start", "camera": {…}}``,
``{"do": "stop", "camera": ID}``, ``{"do": "quit", "reason": WHY}``. The end of stdin means that the agent is gone.

From a worker, on its stdout, ``{"event": …}``:

=========== =========================================================================================
ready       the worker listens
alive       every second
connecting  camera
connected   camera, width, height, codec, fps, sound (a codec, "off", or "left out: CODEC")
opened      camera, path, from, damaged: the first picture cannot be decoded whole
progress    camera, fps, bitrate, recorded_to, picture, width, height, moving (since the last one)
closed      camera, opened_path, path, from, to, frames, bytes, sha256, reason
unfinished  camera, opened_path, detail: the file stays under its open name
fault       camera, cause (a gap's cause), detail, retry_s (None: waits for a person), recorded_to
stuck       camera: it sends bytes and no picture; the worker ends
stopped     camera
failed      detail: a fault of the program; the worker ends
=========== =========================================================================================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from exam_kit.cctv.names import Label
from exam_kit.cctv.source import OPEN_TIMEOUT_S, READ_TIMEOUT_S, Source

__all__ = ["CameraOrder", "Timings", "WorkerConfig"]


PICTURES_PER_S = 16


@dataclass(frozen=True)
class Timings:
    """How long things may take, seconds."""

    open_s: float = OPEN_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S
    retry_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 5.0)
    """Waits between tries; the last one repeats. A longer cap doubles the gaps (measured)."""
    retry_jitter: float = 0.2
    away_s: float = 1.0
    """Between looks whether somebody is at a camera's address again."""
    sign_in_wait_s: float = 60.0
    """Between tries after a refused sign-in: cameras lock out who asks too often."""
    sign_in_tries: int = 3
    stuck_s: float = 10.0
    """So long may a camera send bytes and no picture before its worker is started anew."""
    disk_wait_s: float = 2.0
    between_starts_s: float = 0.05
    picture_s: float = 1.0
    """Between judgements of a picture's health; 0: never. Many cameras are judged less often (`for_cameras`)."""
    live_s: float = 1.0
    """Between pictures for the screens while somebody looks; 0: none."""

    @classmethod
    def for_cameras(cls, count: int, *, read_s: float = READ_TIMEOUT_S) -> Timings:
        """Timings of a point with so many cameras: of all together, sixteen pictures are looked at in a second."""
        every_s = max(1.0, count / PICTURES_PER_S)
        return cls(read_s=read_s, picture_s=every_s, live_s=every_s)


@dataclass(frozen=True)
class WorkerConfig:
    """What every camera of a worker shares."""

    footage: str
    live: str
    run: str
    segment_s: float
    reserve_bytes: int
    timings: Timings = field(default_factory=Timings)
    picture: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> WorkerConfig:
        timings = Timings(**{**data["timings"], "retry_s": tuple(data["timings"]["retry_s"])})
        return cls(**{**data, "timings": timings})


@dataclass(frozen=True)
class CameraOrder:
    """Record this camera. `password` is never part of the repr."""

    source: Source
    label: Label
    password: str | None = field(default=None, repr=False)
    not_before: str | None = None
    """Until when this camera is recorded already, ISO; nothing is written as earlier than that."""
    offset_s: float | None = None
    """Wall clock minus seconds since boot, as read when this camera was ordered; None: read it now."""
    delay_s: float = 0.0
    reference: str | None = None
    """where the approved picture lies, when there is one; looked at again and again"""
    picture: dict[str, float] = field(default_factory=dict)
    """thresholds of picture health that are this camera's own"""
    closely: bool = False
    """It was seen to send bytes and no picture: every read is watched."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CameraOrder:
        return cls(**{**data, "source": Source(**data["source"]), "label": Label(**data["label"])})
