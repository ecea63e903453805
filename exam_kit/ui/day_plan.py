"""The day's plan as a drawing."""

from __future__ import annotations

from datetime import datetime

from exam_kit.i18n import N_, _
from exam_kit.point import ExamDay, Zone, check_due, day_span, exam_end, exam_start, zone_windows
from exam_kit.ui.bars import Lane, Piece, lanes, legend
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time

__all__ = ["ZONE_LABELS", "draw_plan"]

ZONE_LABELS = {
    Zone.HEADQUARTERS: N_("headquarters"),
    Zone.ROOM: N_("exam rooms"),
    Zone.CORRIDOR: N_("corridors"),
    Zone.ENTRANCE: N_("entrance"),
}


def draw_plan(seat: Seat, day: ExamDay) -> str:
    """Check, exam and each zone's recording window over one scale, with the present moment."""
    start, end = day_span(seat.point, day)
    begins, ends = exam_start(seat.point, day), exam_end(seat.point, day)
    due, until = check_due(seat.point, day)
    windows = zone_windows(seat.point, day)
    used = {seat.point.zone_of(camera) for camera in seat.point.cameras}

    def times(first: datetime, last: datetime) -> str:
        return f"{clock_time(seat, first)}–{clock_time(seat, last)}"

    rows = [
        Lane(_("Check"), [Piece(due, until, "check", _("check"))], times(due, until)),
        Lane(_("Exam"), [Piece(begins, ends, "exam", _("exam"))], times(begins, ends)),
    ]
    rows += [
        Lane(
            _(ZONE_LABELS[zone]).capitalize(),
            [Piece(windows[zone].start, windows[zone].end, "plan", _("recording planned"))],
            times(windows[zone].start, windows[zone].end),
        )
        for zone in ZONE_LABELS
        if zone in windows and zone in used
    ]
    names = [("check", _("check")), ("exam", _("exam")), ("plan", _("recording planned")), ("now", _("now"))]
    return f'<div class="ek-day">{lanes(seat, start, end, rows, [begins, ends], seat.now)}{legend(names)}</div>'
