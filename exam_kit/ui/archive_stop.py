"""What must happen before the copy: the recording is stopped, on the head's order, without leaving the screen."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import streamlit as st

from exam_kit.agent import orders
from exam_kit.i18n import _, ngettext
from exam_kit.point import exam_end
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.chrome import next_by_key
from exam_kit.ui.recording_orders import draw_stop
from exam_kit.ui.seat import Seat, live

__all__ = ["draw_before"]

CLOSING = timedelta(seconds=20)
"""After a stop order the cameras close and hash their last files; one that records longer than this is stopped anew."""


def _stopping(seat: Seat, recording: Collection[str]) -> bool:
    """True while a stop order about all of these cameras, given just now, is carried out."""
    last = next(orders.recording_orders(seat.store), None)
    return (
        last is not None
        and last.kind == "stop"
        and seat.now - last.given_at < CLOSING
        and set(recording) <= set(last.body.get("cameras", []))
    )


@live(2.0)
def draw_before(seat: Seat) -> None:
    """Cameras that still record, with the stop order; nothing when none does.

    It redraws itself alone: were the page drawn anew when the last camera ends, a click at that moment would be lost.
    """
    recording = [fact.camera.id for fact in camera_facts(seat) if fact.recording]
    if not recording or seat.day is None:
        return
    if _stopping(seat, recording):
        text = ngettext("{count} camera is being stopped.", "{count} cameras are being stopped.", len(recording))
        st.info(text.format(count=len(recording)) + " " + _("The last recordings are being closed."))
        return
    text = ngettext("{count} camera still records", "{count} cameras still record", len(recording))
    st.warning(text.format(count=len(recording)) + ". " + _("Only finished recordings are copied: stop it first."))
    over = seat.now >= exam_end(seat.point, seat.day)
    # All of them: one that hangs just now would begin again by the plan.
    draw_stop(seat, [camera.id for camera in seat.point.cameras], _("the exam is over") if over else "")
    next_by_key("confirm" if st.session_state.get("confirm-stop") else "stop-ask")
