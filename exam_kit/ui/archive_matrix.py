"""What has been archived where, and what has not: cameras by copies, said in words and shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from exam_kit.cctv.segments import Segment
from exam_kit.i18n import _
from exam_kit.ui.archive_facts import BY_HAND, Copy
from exam_kit.ui.archive_view import delivered_chip, what_of
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import size

__all__ = ["matrix"]


def matrix(seat: Seat, footage: Mapping[str, Sequence[Segment]], copies: Sequence[Copy]) -> str:
    """A table: a row for each camera, a column for each copy."""
    head = "".join(
        f"<th>{escape(_('Copy {number}').format(number=copy.number))}<span>{escape(copy.place)}</span>"
        f"<span>{what_of(seat, copy.order)}</span>"
        f"<span>{delivered_chip(seat, copy.delivery)}</span></th>"
        for copy in copies
    )
    if not copies:
        head = f"<th>{escape(_('Copies'))}</th>"
    # The corridors and the entrance first: nobody else has their footage.
    ordered = sorted(seat.point.cameras, key=lambda camera: seat.point.zone_of(camera) not in BY_HAND)
    rows = "".join(_row(seat, camera.id, footage[camera.id], copies) for camera in ordered)
    return (
        f'<div class="ek-scroll"><table class="ek-table ek-matrix" data-matrix><thead><tr>'
        f"<th>{escape(_('Camera'))}</th><th>{escape(_('Recorded'))}</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(seat: Seat, camera: str, pieces: Sequence[Segment], copies: Sequence[Copy]) -> str:
    known = seat.point.camera(camera)
    zone = _(ZONE_LABELS[seat.point.zone_of(known)])
    recorded = _("{count} files, {size}").format(
        count=len(pieces), size=size(seat, sum(piece.bytes or 0 for piece in pieces))
    )
    cells = "".join(_cell(pieces, copy) for copy in copies)
    if not copies:
        cells = f"<td>{_nothing(pieces)}</td>"
    told = escape(recorded if pieces else _("nothing"))
    return (
        f'<tr data-camera="{escape(camera)}"><td><b>{escape(camera)}</b> · {escape(seat.point.room(known.room).label)}'
        f" · {escape(zone)}</td><td>{told}</td>{cells}</tr>"
    )


def _nothing(pieces: Sequence[Segment]) -> str:
    return chip("none", _("not archived")) if pieces else chip("none", _("nothing to archive"))


def _cell(pieces: Sequence[Segment], copy: Copy) -> str:
    held = sum(piece.sha256 in copy.holds for piece in pieces)
    if not held:
        return f'<td data-held="0">{_nothing(pieces)}</td>'
    text = _("{held} of {count}").format(held=held, count=len(pieces))
    if held == len(pieces):
        return f'<td data-held="{held}">{chip("good", _("all: {count}").format(count=held))}</td>'
    return f'<td class="warn" data-held="{held}">{chip("warn", text)}</td>'
