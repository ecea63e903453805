"""Asking for the copy: what, where to, who witnesses; one button."""

from __future__ import annotations

import streamlit as st

from exam_kit.archive.destinations import carriers
from exam_kit.i18n import _, ngettext
from exam_kit.point import ExamDay, Zone
from exam_kit.store import Act
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.orders_view import give, people_with
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import size

__all__ = ["order_copy"]

BY_HAND = (Zone.CORRIDOR, Zone.ENTRANCE)
"""Chosen from the start: these cameras are the school's own, so nobody else copies their footage."""


def order_copy(seat: Seat, day: ExamDay) -> None:
    """The form; corridors and entrance are chosen from the start."""
    recording = [fact.camera.id for fact in camera_facts(seat) if fact.recording]
    if recording:
        text = ngettext("{count} camera still records", "{count} cameras still record", len(recording))
        st.warning(text.format(count=len(recording)) + ". " + _("Only finished recordings are copied: stop it first."))
    with st.form("archive"):
        used = {seat.point.zone_of(camera) for camera in seat.point.cameras}
        offered = [zone for zone in ZONE_LABELS if zone in used]
        zones = st.pills(
            _("What to copy"), offered, selection_mode="multi", default=[zone for zone in offered if zone in BY_HAND],
            format_func=lambda zone: _(ZONE_LABELS[zone]),
        )  # fmt: skip
        where, other, who = st.columns(3)
        places = {
            one.path: f"{one.label or one.path} · {size(seat, one.free_bytes or 0)}" for one in carriers(seat.home)
        }
        place = where.selectbox(
            _("Where to (free space)"), list(places), format_func=places.__getitem__, filter_mode=None
        )
        typed = other.text_input(_("or another folder"), placeholder=str(seat.home.bags))
        people = {one.login: one for one in people_with(seat, Act.WITNESS)}
        witness = who.selectbox(
            _("Who ordered and witnesses"), list(people), filter_mode=None,
            format_func=lambda login: f"{people[login].name}, {people[login].post}",
        )  # fmt: skip
        if st.form_submit_button(_("Copy and verify"), type="primary"):
            with saying_errors(seat):
                body = {
                    "day": str(day.date),
                    "zones": [str(zone) for zone in zones],
                    "destination": typed or place or "",
                }
                number = give(seat, "archive", body, ordered_by=witness or "", why=_("hand-over of the footage"))
                flash(_("Order № {number} is given.").format(number=number))
                st.rerun()
