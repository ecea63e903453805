"""What must happen before the copy: the recording is stopped, on the head's order, without leaving the screen."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _, ngettext
from exam_kit.point import exam_end
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.recording_orders import draw_stop
from exam_kit.ui.seat import Seat, live

__all__ = ["draw_before"]


@live(2.0)
def draw_before(seat: Seat) -> None:
    """Cameras that still record, with the stop order; nothing when none does.

    It redraws itself alone: were the page drawn anew when the last camera ends, a click at that moment would be lost.
    """
    recording = sum(fact.recording for fact in camera_facts(seat))
    if not recording or seat.day is None:
        return
    text = ngettext("{count} camera still records", "{count} cameras still record", recording)
    st.warning(text.format(count=recording) + ". " + _("Only finished recordings are copied: stop it first."))
    over = seat.now >= exam_end(seat.point, seat.day)
    # All of them: one that hangs just now would begin again by the plan.
    draw_stop(seat, [camera.id for camera in seat.point.cameras], _("the exam is over") if over else "")
