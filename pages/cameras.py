"""Cameras: what they see now, recording on and off by order, and what was recorded."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.ui.camera_onvif import draw_camera_words
from exam_kit.ui.coverage_view import choose_day, draw_coverage
from exam_kit.ui.day_plan import draw_plan
from exam_kit.ui.import_footage import draw_import
from exam_kit.ui.live_wall import draw_wall
from exam_kit.ui.recording_orders import order_form, recent_orders
from exam_kit.ui.seat import Seat, live, require_page
from exam_kit.ui.span_export import draw_export

seat = require_page(Act.VIEW)

VIEWS = (N_("Live"), N_("Recorded"), N_("Start and stop"), N_("Camera details"))


@live(2.0)
def orders_given(seat: Seat) -> None:
    table = recent_orders(seat, 20)
    st.html(table or f'<p class="ek-note">{_("No orders yet.")}</p>')


@live(5.0)
def plan(seat: Seat) -> None:
    if seat.day is not None:
        st.html(draw_plan(seat, seat.day))


title_at, view_at = st.columns([1, 3], vertical_alignment="center")
title_at.title(_("Cameras"))
if not seat.point.cameras:
    st.info(_("The point has no cameras. Add them to point.toml under [[cameras]]."))
    st.stop()
view = view_at.segmented_control(
    _("View"), list(VIEWS), format_func=_, default=VIEWS[0], required=True, label_visibility="collapsed", key="view"
)
if view == "Recorded":
    day = choose_day(seat)
    if day is None:
        st.info(_("No exam days are set up. Add them to point.toml under [[days]]."))
        st.stop()
    draw_coverage(day)
    draw_export(seat, day)
    draw_import(seat)
elif view == "Start and stop":
    order_form(seat)
    plan()
    orders_given()
elif view == "Camera details":
    draw_camera_words(seat)
else:
    draw_wall()
