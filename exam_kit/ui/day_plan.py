"""The day's plan as a drawing."""

from __future__ import annotations

from datetime import datetime

from exam_kit.agent import orders
from exam_kit.agent.planner import Wishes, recording_wishes
from exam_kit.cctv.status import Desired
from exam_kit.i18n import N_, _
from exam_kit.point import ExamDay, Zone, ZoneWindow, check_due, day_span, exam_end, exam_start, zone_windows
from exam_kit.ui.bars import Lane, Piece, lanes, legend
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, span

__all__ = ["ZONE_LABELS", "draw_plan"]

ZONE_LABELS = {
    Zone.HEADQUARTERS: N_("headquarters"),
    Zone.ROOM: N_("exam rooms"),
    Zone.CORRIDOR: N_("corridors"),
    Zone.ENTRANCE: N_("entrance"),
}


def draw_plan(seat: Seat, day: ExamDay) -> str:
    """Check, exam and each zone's recording window over one scale, with the present moment.

    What an order added to a window or took from it is drawn over it: an early start, a late or an early stop.
    """
    start, end = day_span(seat.point, day)
    begins, ends = exam_start(seat.point, day), exam_end(seat.point, day)
    due, until = check_due(seat.point, day)
    windows = zone_windows(seat.point, day)
    used = {seat.point.zone_of(camera) for camera in seat.point.cameras}
    wishes = recording_wishes(seat.store, seat.point, seat.now)
    rows = [
        Lane(_("Check"), [Piece(due, until, "check", _("check"))], _times(seat, due, until)),
        Lane(_("Exam"), [Piece(begins, ends, "exam", _("exam"))], _times(seat, begins, ends)),
    ]
    rows += [_zone(seat, windows[zone], wishes) for zone in ZONE_LABELS if zone in windows and zone in used]
    names = [
        ("check", _("check")),
        ("exam", _("exam")),
        ("plan", _("recording planned")),
        ("ordered", _("recording by order")),
        ("held", _("stopped by an order")),
        ("now", _("now")),
    ]
    return f'<div class="ek-day">{lanes(seat, start, end, rows, [begins, ends], seat.now)}{legend(names)}</div>'


def _times(seat: Seat, first: datetime, last: datetime) -> str:
    return f"{clock_time(seat, first)}–{clock_time(seat, last)}"


def _zone(seat: Seat, window: ZoneWindow, wishes: Wishes) -> Lane:
    """A zone's window, what orders made of it, and how long until it opens or closes."""
    cameras = [camera.id for camera in seat.point.cameras if seat.point.zone_of(camera) is window.zone]
    pieces = [Piece(window.start, window.end, "plan", _("recording planned"))]
    on = [_given(seat, wishes.record[camera]) for camera in cameras if camera in wishes.record]
    off = [_given(seat, wishes.stop[camera]) for camera in cameras if camera in wishes.stop]
    ordered = [given for given in on if given is not None and (given < window.start or seat.now >= window.end)]
    held = [given for given in off if given is not None and window.start <= given < window.end]
    said = [_countdown(seat, window)]
    if ordered:
        early = min(ordered)
        if early < window.start:
            pieces.append(Piece(early, min(seat.now, window.start), "ordered", _("recording by order")))
        if seat.now >= window.end:
            pieces.append(Piece(window.end, seat.now, "ordered", _("recording by order")))
        said.append(_("by order: {count}").format(count=len(ordered)))
    if held:
        pieces.append(Piece(min(held), window.end, "held", _("stopped by an order")))
        said.append(_("stopped by an order: {count}").format(count=len(held)))
    note = f"{_times(seat, window.start, window.end)} · {' · '.join(said)}"
    return Lane(_(ZONE_LABELS[window.zone]).capitalize(), pieces, note)


def _given(seat: Seat, by: Desired) -> datetime | None:
    """When the order was given; None where the plan decides."""
    order = orders.get(seat.store, by.order) if by.order is not None else None
    return order.given_at if order else None


def _countdown(seat: Seat, window: ZoneWindow) -> str:
    now = seat.now
    if now < window.start:
        return _("begins in {span}").format(span=span(seat, (window.start - now).total_seconds()))
    if now < window.end:
        return _("ends in {span}").format(span=span(seat, (window.end - now).total_seconds()))
    return _("over")
