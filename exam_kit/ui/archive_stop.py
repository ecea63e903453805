"""What must happen before the copy: the recording is stopped, on the head's order, without leaving the screen."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _, ngettext
from exam_kit.point import exam_end
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.recording_orders import draw_stop
from exam_kit.ui.seat import Seat, live

__all__ = ["draw_before"]

COUNTED = "archive-recording"


def draw_before(seat: Seat) -> None:
    """Cameras that still record, with the stop order; nothing when none does."""
    recording = _recording(seat)
    st.session_state[COUNTED] = bool(recording)
    # What is typed and clicked here is not redrawn under the hand: the page is, when cameras began or ended.
    _watch()
    if not recording or seat.day is None:
        return
    text = ngettext("{count} camera still records", "{count} cameras still record", recording)
    st.warning(text.format(count=recording) + ". " + _("Only finished recordings are copied: stop it first."))
    over = seat.now >= exam_end(seat.point, seat.day)
    # All of them: one that hangs just now would begin again by the plan.
    draw_stop(seat, [camera.id for camera in seat.point.cameras], _("the exam is over") if over else "")


@live(1.0)
def _watch(seat: Seat) -> None:
    if st.session_state.get(COUNTED) != bool(_recording(seat)):
        st.rerun()


def _recording(seat: Seat) -> int:
    return sum(fact.recording for fact in camera_facts(seat))
