"""The hand-over act of one archived copy: what is on the carrier, what is not, who gave it. `forms` prints it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from exam_kit.clock import iso
from exam_kit.errors import Message
from exam_kit.i18n import N_
from exam_kit.store.ledger import Head

__all__ = ["CARRIER_LABELS", "ActFile", "ActGap", "Carrier", "Document", "HandoverAct", "KeepRule"]

CARRIER_LABELS = {
    "removable": N_("removable drive"),
    "network": N_("network folder"),
    "folder": N_("folder on this computer"),
    "store": N_("object store (S3)"),
}


@dataclass(frozen=True)
class KeepRule:
    """Until when footage is kept: a date `years` after the exam's year. A value of the dated profile, never of code.

    `source` names the regulation it comes from.
    """

    month: int
    day: int
    years: int
    source: str = ""

    def until(self, exam: dt.date) -> dt.date:
        """The keep-until date for an exam on `exam`; ValueError when the rule names no real date."""
        return dt.date(exam.year + self.years, self.month, self.day)


@dataclass(frozen=True)
class Carrier:
    """What the copy lies on. `kind` is ``removable``, ``folder``, ``network`` or ``store``; unknown texts are empty.

    Of a store `label` is the address, and `locked_until` the day until which it refuses deletion, as it was proved to.
    """

    kind: str
    path: str
    filesystem: str = ""
    device: str = ""
    serial: str = ""
    label: str = ""
    seal: str = ""
    free_bytes: int | None = None
    total_bytes: int | None = None
    locked_until: str = ""


@dataclass(frozen=True)
class ActFile:
    """One recorded piece as it stands in the bag; `path` is relative to the bag, `start` and `end` are UTC."""

    path: str
    zone: str
    place: str
    camera: str
    start: dt.datetime
    end: dt.datetime
    bytes: int
    sha256: str
    frames: int | None = None


@dataclass(frozen=True)
class ActGap:
    """Planned time without a recording. `end` is None while it lasts; `cause` is a code of the recorder."""

    camera: str
    place: str
    zone: str
    start: dt.datetime
    end: dt.datetime | None
    cause: str
    detail: str = ""

    @property
    def seconds(self) -> float | None:
        return None if self.end is None else (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Document:
    """A file for `data/documents/`: a plain name with its extension (``act.pdf``) and the bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class HandoverAct:
    """The act of handing the footage over (field guide, 5). Logins in `handed_by` and `witness`; moments UTC."""

    number: str
    made_at: dt.datetime
    region: str
    region_name: str
    point_code: str
    point_name: str
    address: str
    timezone: str
    exam_date: dt.date
    subject: str
    copy: int
    bag: str
    carrier: Carrier
    zones: tuple[str, ...]
    files: tuple[ActFile, ...]
    gaps: tuple[ActGap, ...]
    deficiencies: tuple[Message, ...]
    handed_by: str
    witness: str
    keep_until: dt.date | None
    ledger_head: Head
    single_cameras: tuple[str, ...] = ()
    """Cameras that were asked for besides the zones."""
    span: tuple[dt.datetime, dt.datetime] | None = None
    """Only pieces that touch this time were asked for; None: the whole day."""
    supplement_to: str = ""
    """The first bag, when this one only brings what that one lacks."""
    sealed_as: str = ""
    """The name under which an encrypted bag stands on the carrier."""

    @property
    def total_bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def total_s(self) -> float:
        """Camera-seconds of footage."""
        return sum((file.end - file.start).total_seconds() for file in self.files)

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(sorted({file.camera for file in self.files}))

    def gaps_of(self, camera: str) -> tuple[ActGap, ...]:
        return tuple(gap for gap in self.gaps if gap.camera == camera)

    def gaps_in(self, file: ActFile) -> tuple[ActGap, ...]:
        """The gaps that touch a file: they end where it begins, begin where it ends, or lie inside."""
        return tuple(
            gap
            for gap in self.gaps_of(file.camera)
            if gap.start <= file.end and (gap.end is None or gap.end >= file.start)
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; moments as the store writes them."""
        return {
            "number": self.number,
            "made_at": iso(self.made_at),
            "region": self.region,
            "region_name": self.region_name,
            "point": self.point_code,
            "point_name": self.point_name,
            "address": self.address,
            "timezone": self.timezone,
            "exam_date": self.exam_date.isoformat(),
            "subject": self.subject,
            "copy": self.copy,
            "bag": self.bag,
            "supplement_to": self.supplement_to,
            **({"sealed_as": self.sealed_as} if self.sealed_as else {}),
            "carrier": {
                "kind": self.carrier.kind,
                "path": self.carrier.path,
                "filesystem": self.carrier.filesystem,
                "device": self.carrier.device,
                "serial": self.carrier.serial,
                "label": self.carrier.label,
                "seal": self.carrier.seal,
                **({"locked_until": self.carrier.locked_until} if self.carrier.locked_until else {}),
            },
            "zones": list(self.zones),
            "single_cameras": list(self.single_cameras),
            "span": [iso(moment) for moment in self.span] if self.span else None,
            "files": [
                {
                    "path": file.path,
                    "zone": file.zone,
                    "place": file.place,
                    "camera": file.camera,
                    "from": iso(file.start),
                    "to": iso(file.end),
                    "bytes": file.bytes,
                    "sha256": file.sha256,
                    "frames": file.frames,
                }
                for file in self.files
            ],
            "gaps": [
                {
                    "camera": gap.camera,
                    "place": gap.place,
                    "zone": gap.zone,
                    "from": iso(gap.start),
                    "to": iso(gap.end) if gap.end else None,
                    "cause": gap.cause,
                    "detail": gap.detail,
                }
                for gap in self.gaps
            ],
            "totals": {"files": len(self.files), "bytes": self.total_bytes, "seconds": self.total_s},
            "deficiencies": [str(deficiency) for deficiency in self.deficiencies],
            "handed_by": self.handed_by,
            "witness": self.witness,
            "keep_until": self.keep_until.isoformat() if self.keep_until else None,
            "ledger": {"seq": self.ledger_head.seq, "hash": self.ledger_head.hash},
        }
