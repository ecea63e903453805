"""The cameras an incident is about: since when each does not record, and when it did again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from exam_kit.clock import from_iso, iso

__all__ = ["CCTV_LOST", "Outage", "ended"]

CCTV_LOST = "cctv_lost"
"""The category whose clock runs while a camera does not record."""


@dataclass(frozen=True)
class Outage:
    """One camera's time without a recording; `back_at` is None while it lasts. Moments UTC."""

    camera: str
    lost_at: datetime
    back_at: datetime | None = None

    @classmethod
    def of(cls, kept: Mapping[str, str | None]) -> Outage:
        """As it stands in the ledger."""
        until = kept["to"]
        return cls(str(kept["camera"]), from_iso(str(kept["from"])), from_iso(until) if until else None)

    def as_dict(self) -> dict[str, str | None]:
        return {
            "camera": self.camera,
            "from": iso(self.lost_at),
            "to": iso(self.back_at) if self.back_at else None,
        }


def ended(outages: Iterable[Outage], at: datetime, camera: str | None = None) -> tuple[Outage, ...]:
    """What lasts of `camera` (None: of all) ends at this moment, never before it began."""
    return tuple(
        replace(one, back_at=max(at, one.lost_at)) if one.back_at is None and camera in (None, one.camera) else one
        for one in outages
    )
