"""Picture: the approved view beside the present one, for every camera, and the walk test."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.ui.picture_approve import approval
from exam_kit.ui.picture_facts import picture_facts
from exam_kit.ui.picture_pairs import MODES, draw_pairs, draw_words
from exam_kit.ui.picture_walk import walk_buttons, walk_progress
from exam_kit.ui.seat import Seat, live, require_page

seat = require_page(Act.VIEW)

VIEWS = (N_("Approved and now"), N_("Walk test"))


@live(2.0)
def words(seat: Seat) -> None:
    draw_words(picture_facts(seat))


@live(1.0)
def walking(seat: Seat) -> None:
    walk_buttons(seat)
    walk_progress(seat)


title_at, view_at = st.columns([1, 3], vertical_alignment="center")
title_at.title(_("Picture"))
if not seat.point.cameras:
    st.info(_("The point has no cameras. Add them to point.toml under [[cameras]]."))
    st.stop()
view = view_at.segmented_control(
    _("View"), list(VIEWS), format_func=_, default=VIEWS[0], required=True, label_visibility="collapsed", key="view"
)
if view == "Walk test":
    walking()
    st.stop()

facts = picture_facts(seat)
camera_at, mode_at = st.columns([1, 2], vertical_alignment="bottom")
chosen = camera_at.selectbox(
    _("Camera"), ["", *(fact.id for fact in facts)], format_func=lambda one: one or _("all cameras"), key="pair"
)
mode = mode_at.segmented_control(
    _("Comparison"), list(MODES), format_func=lambda one: _(MODES[one]), default="beside", required=True, key="mode"
)
shown = [fact for fact in facts if chosen in ("", fact.id)]
approval(seat, shown)
words()
draw_pairs(seat, shown, mode or "beside")
