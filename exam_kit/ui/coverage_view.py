"""What was recorded of the day, camera by camera, and the pieces themselves."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.cctv.coverage import Coverage, coverage
from exam_kit.cctv.segments import Segment, segments
from exam_kit.cctv.status import CAUSES
from exam_kit.i18n import N_, _
from exam_kit.point import ExamDay, exam_end, exam_start
from exam_kit.ui.bars import Lane, Piece, lanes, legend
from exam_kit.ui.day_plan import day_span
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import seconds_time, size, span

__all__ = ["draw_coverage", "recordings"]

KINDS = {
    "recorded": N_("recorded"),
    "gap": N_("gap"),
    "future": N_("still planned"),
    "now": N_("now"),
    "edge": N_("start and end of the exam"),
}


def draw_coverage(seat: Seat, day: ExamDay) -> str:
    """One bar per camera over the day's plan, then every gap with its cause in words."""
    start, end = day_span(seat, day)
    edges = [exam_start(seat.point, day), exam_end(seat.point, day)]
    covers = [coverage(seat.store, seat.point, camera.id, start, end, seat.now) for camera in seat.point.cameras]
    rows = [Lane(cover.camera, _pieces(cover), _said(seat, cover)) for cover in covers]
    entries = [(kind, _(text)) for kind, text in KINDS.items()]
    drawn = lanes(seat, start, end, rows, edges, seat.now)
    return f'<div class="ek-day" data-coverage>{drawn}{legend(entries)}{_gaps(seat, covers)}</div>'


def recordings(seat: Seat, day: ExamDay) -> None:
    """Choose a camera and a piece; watch it, or save it."""
    camera_at, piece_at = st.columns(2)
    ids = [camera.id for camera in seat.point.cameras]
    camera = camera_at.selectbox(_("Camera"), ids, filter_mode=None, key="watch-camera") or ids[0]
    found = {piece.id: piece for piece in reversed(segments(seat.store, camera, day.date))}
    if not found:
        st.caption(_("Nothing is recorded by this camera on this day yet."))
        return
    finished = next((place for place, piece in enumerate(found.values()) if piece.closed), 0)
    chosen = piece_at.selectbox(
        _("Recording"), list(found), format_func=lambda number: _piece_label(seat, found[number]), filter_mode=None,
        index=finished, key=f"watch-{camera}",
    )  # fmt: skip
    piece = found.get(chosen) or next(iter(found.values()))
    address = f"/recordings/{piece.id}.mp4"
    name = piece.path.rpartition("/")[2]
    st.html(
        f'<div class="ek-video"><video controls preload="metadata" src="{address}"></video>'
        f'<p class="ek-note">{escape(name)} · '
        f'<a href="{address}" download="{escape(name)}">{_("Save the file")}</a></p></div>'
    )


def _piece_label(seat: Seat, piece: Segment) -> str:
    end = seconds_time(seat, piece.end) if piece.end else _("being recorded")
    weight = f" · {size(seat, piece.bytes)}" if piece.bytes else ""
    return f"{seconds_time(seat, piece.start)}–{end}{weight}"


def _pieces(cover: Coverage) -> list[Piece]:
    return [
        Piece(one.start, one.end, one.kind, _(CAUSES.get(one.cause or "", "")) or _(KINDS[one.kind]))
        for one in cover.spans
        if one.kind in KINDS
    ]


def _said(seat: Seat, cover: Coverage) -> str:
    if cover.gap_s >= 1:
        return _("gaps {span}").format(span=span(seat, cover.gap_s))
    return span(seat, cover.recorded_s) if cover.recorded_s else "—"


def _gaps(seat: Seat, covers: list[Coverage]) -> str:
    rows = [
        f"<tr><td>{escape(cover.camera)}</td>"
        f'<td class="nb">{seconds_time(seat, one.start)}–{seconds_time(seat, one.end)}</td>'
        f'<td class="nb">{escape(span(seat, (one.end - one.start).total_seconds()))}</td>'
        f"<td>{escape(_(CAUSES.get(one.cause or '', one.cause or '')))}</td></tr>"
        for cover in covers
        for one in cover.spans
        if one.kind == "gap" and (one.end - one.start).total_seconds() >= 1
    ]
    if not rows:
        return ""
    head = "".join(f"<th>{_(name)}</th>" for name in (N_("Camera"), N_("Gap"), N_("Length"), N_("Cause")))
    shown = "".join(rows[:200])
    title = _("Gaps: {count}").format(count=len(rows))
    return (
        f'<details class="ek-gaps"><summary>{title}</summary><table class="ek-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{shown}</tbody></table></details>"
    )
