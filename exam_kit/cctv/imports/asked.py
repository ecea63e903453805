"""What is to be taken in, who confirmed its clock, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from exam_kit.cctv.imports.plan import Found
from exam_kit.clock import from_iso, iso
from exam_kit.store import Ledger

__all__ = ["CONFIRMED", "Chosen", "ImportAsked", "Taken", "choose", "kept_offset_s"]

CONFIRMED = "import.confirmed"


@dataclass(frozen=True)
class Chosen:
    """One file to take, as it was when it was looked at; moments UTC by the recorder's clock, without the offset."""

    path: str
    bytes: int
    start: datetime
    end: datetime
    frames: int
    time_from: str

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "start": iso(self.start), "end": iso(self.end)}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Chosen:
        return cls(**{**told, "start": from_iso(told["start"]), "end": from_iso(told["end"])})


@dataclass(frozen=True)
class ImportAsked:
    """What is wanted and by whom. `offset_s` is added to the recorder's time, `offset_by` confirmed it (also that it
    is 0), `why` says by what: the clock read in the picture."""

    folder: Path
    camera: str
    files: tuple[Chosen, ...]
    offset_s: float
    offset_by: str
    why: str
    actor: str
    order: int | None = None


@dataclass
class Taken:
    """What came of it, path by path of the source. `faults` are keys of `plan.FAULTS`."""

    taken: dict[str, str] = field(default_factory=dict)
    already: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def choose(found: Iterable[Found]) -> tuple[Chosen, ...]:
    """Those of a plan that can be taken and are not there yet."""
    return tuple(
        Chosen(one.path, one.bytes, one.start, one.end, one.frames, one.time_from)
        for one in found
        if not one.fault and not one.same_as
    )


def kept_offset_s(ledger: Ledger, camera: str, folder: Path) -> float | None:
    """What was last confirmed for this camera and folder; None when nothing was."""
    told = [one.body for one in ledger.entries((CONFIRMED,))]
    mine = [body for body in told if body["camera"] == camera and body["folder"] == str(folder)]
    return float(mine[-1]["offset_s"]) if mine else None
