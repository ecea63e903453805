"""A hand-over act read back from the coverage.json it was written to, so that it can be printed anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from exam_kit.archive.act import ActFile, ActGap, Carrier, HandoverAct
from exam_kit.clock import from_iso
from exam_kit.errors import Message
from exam_kit.store import Head

__all__ = ["act_from"]


def act_from(said: Mapping[str, Any]) -> HandoverAct:
    """The act whose `as_dict` this is, with its deficiencies still translatable.

    Raises:
        KeyError: a field is missing.
        ValueError: a moment is none.
    """
    carrier, span, keep = said["carrier"], said["span"], said["keep_until"]
    return HandoverAct(
        number=said["number"],
        made_at=from_iso(said["made_at"]),
        region=said["region"],
        region_name=said["region_name"],
        point_code=said["point"],
        point_name=said["point_name"],
        address=said["address"],
        timezone=said["timezone"],
        exam_date=dt.date.fromisoformat(said["exam_date"]),
        subject=said["subject"],
        copy=said["copy"],
        bag=said["bag"],
        carrier=Carrier(**carrier),
        zones=tuple(said["zones"]),
        files=tuple(_file(one) for one in said["files"]),
        gaps=tuple(_gap(one) for one in said["gaps"]),
        deficiencies=tuple(Message(one["template"], one["values"]) for one in said["deficiency_messages"]),
        handed_by=said["handed_by"],
        witness=said["witness"],
        keep_until=dt.date.fromisoformat(keep) if keep else None,
        ledger_head=Head(said["ledger"]["seq"], said["ledger"]["hash"]),
        single_cameras=tuple(said["single_cameras"]),
        span=(from_iso(span[0]), from_iso(span[1])) if span else None,
        supplement_to=said["supplement_to"],
        sealed_as=said.get("sealed_as", ""),
    )


def _file(said: Mapping[str, Any]) -> ActFile:
    kept = {name: said[name] for name in ("path", "zone", "place", "camera", "bytes", "sha256", "frames")}
    return ActFile(start=from_iso(said["from"]), end=from_iso(said["to"]), **kept)


def _gap(said: Mapping[str, Any]) -> ActGap:
    kept = {name: said[name] for name in ("camera", "place", "zone", "cause", "detail")}
    return ActGap(start=from_iso(said["from"]), end=from_iso(said["to"]) if said["to"] else None, **kept)
