"""Putting the hand-over act together, and the papers that go with it into the bag."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from exam_kit.archive.act import ActFile, ActGap, Carrier, Document, HandoverAct, KeepRule
from exam_kit.archive.bag_paths import document_name, folded
from exam_kit.archive.job_rows import Job
from exam_kit.archive.selection import Asked
from exam_kit.errors import ArchiveError, Message, m
from exam_kit.point import Point, Zone
from exam_kit.store import Head

__all__ = ["make_act", "papers"]


def make_act(
    point: Point,
    day: dt.date,
    asked: Asked,
    *,
    job: Job,
    carrier: Carrier,
    files: tuple[ActFile, ...],
    gaps: tuple[ActGap, ...],
    deficiencies: Sequence[Message],
    made_at: dt.datetime,
    handed_by: str,
    witness: str,
    keep: KeepRule | None,
    head: Head,
    supplement_to: str = "",
) -> HandoverAct:
    """The act of a copy; a keep-until rule that is not set is a deficiency, never a guess."""
    exam = point.day(day)
    lacking = [*deficiencies]
    if keep is None:
        lacking.append(m("The keep-until date is not set. Put the rule into the profile."))
    return HandoverAct(
        number=job.id,
        made_at=made_at,
        region=point.region,
        region_name=point.region_name,
        point_code=point.code,
        point_name=point.name,
        address=point.address,
        timezone=point.timezone,
        exam_date=day,
        subject=exam.subject if exam else "",
        copy=job.copy,
        bag=job.name,
        supplement_to=supplement_to,
        sealed_as=job.bag.name if asked.encrypted else "",
        carrier=carrier,
        zones=tuple(zone.value for zone in Zone if zone in asked.zones),
        single_cameras=asked.cameras,
        span=asked.span,
        files=files,
        gaps=gaps,
        deficiencies=tuple(lacking),
        handed_by=handed_by,
        witness=witness,
        keep_until=keep.until(day) if keep else None,
        ledger_head=head,
    )


def papers(make: Callable[[HandoverAct], Sequence[Document]], act: HandoverAct) -> list[tuple[str, bytes]]:
    """The documents for the bag: path and content.

    Raises:
        ArchiveError: they cannot be made, or a name is one that some carrier cannot hold.
    """
    try:
        made = make(act)
    except OSError as problem:
        raise ArchiveError(
            m("The documents of the archive could not be made ({reason}). Start the archive again.", reason=problem)
        ) from problem
    found: dict[str, tuple[str, bytes]] = {}
    for document in made:
        name = document_name(document.name)
        if name is None or folded(name) in found:
            raise ArchiveError(
                m("{name}: a document cannot have this name in an archive; give it another.", name=document.name)
            )
        found[folded(name)] = (f"data/documents/{name}", document.content)
    return list(found.values())
