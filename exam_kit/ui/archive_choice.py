"""What is to be copied: the usual, something else, only what came later, and whether only the region can open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import streamlit as st

from exam_kit.agent.archiving import asked_of
from exam_kit.archive.selection import Asked
from exam_kit.archive.supplement_choice import next_supplement
from exam_kit.cctv.segments import Segment
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _, ngettext
from exam_kit.point import ExamDay
from exam_kit.ui.archive_facts import BY_HAND, copies_of, wanted_bytes
from exam_kit.ui.day_facts import archive_orders
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.fields import read_time
from exam_kit.ui.seat import Seat, saying_errors

__all__ = ["later", "sealed_for", "usual", "what"]


def what(seat: Seat, day: ExamDay) -> tuple[Asked, bool]:
    """What to copy, folded away, as corridors and the entrance are what is copied by hand; False where it cannot be.

    What is wrong is said here, and the rest of the form stays: ticks of a form that goes away would be forgotten.
    """
    used = {seat.point.zone_of(camera) for camera in seat.point.cameras}
    offered = [zone for zone in ZONE_LABELS if zone in used]
    by_hand = [zone for zone in offered if zone in BY_HAND]
    with st.expander(_("Something else: rooms, headquarters, single cameras, a span of time"), key="archive-what"):
        zones = st.pills(
            _("What to copy"), offered, selection_mode="multi", default=by_hand, key="archive-zones",
            format_func=lambda zone: _(ZONE_LABELS[zone]),
        )  # fmt: skip
        cameras = st.pills(
            _("Single cameras besides"), [camera.id for camera in seat.point.cameras], selection_mode="multi",
            key="archive-cameras",
        )  # fmt: skip
        from_at, to_at, _rest = st.columns([1, 1, 2])
        begins = from_at.text_input(_("From, hh:mm"), key="archive-from", placeholder=_("the whole day"))
        ends = to_at.text_input(_("To, hh:mm"), key="archive-to", placeholder=_("the whole day"))
        span, good = None, False
        with saying_errors(seat):
            span, good = _span(seat, day, begins or "", ends or ""), True
    return Asked(tuple(zones or ()), tuple(cameras or ()), span), good


def _span(seat: Seat, day: ExamDay, begins: str, ends: str) -> tuple[datetime, datetime] | None:
    if not begins.strip() and not ends.strip():
        return None
    if not begins.strip() or not ends.strip():
        raise RefusedEntry(m("Time span: write both times, or neither for the whole day."))
    start = read_time(seat, begins, day.date)
    return start, read_time(seat, ends, day.date, start)


def later(
    seat: Seat, day: ExamDay, footage: Mapping[str, Sequence[Segment]], asked: Asked
) -> tuple[Mapping[str, Sequence[Segment]], Asked]:
    """Where this choice was archived and recordings came since, a supplement with those alone is offered."""
    number = next_supplement(seat.store, day.date, asked)
    if not number:
        return footage, asked
    held = {
        sha256
        for copy in copies_of(seat, archive_orders(seat, day))
        if replace(asked_of(copy.order), encrypted=False, supplement=0) == asked
        for sha256 in copy.holds
    }
    fresh = {camera: [piece for piece in pieces if piece.sha256 not in held] for camera, pieces in footage.items()}
    count, _bytes = wanted_bytes(seat, fresh, asked)
    if not count:
        return footage, asked
    said = ngettext(
        "Only what came later: {count} recording, as supplement {number} to the first bag",
        "Only what came later: {count} recordings, as supplement {number} to the first bag",
        count,
    )
    if st.checkbox(said.format(count=count, number=number), True, key=f"archive-later-{number}"):
        return fresh, replace(asked, supplement=number)
    return footage, asked


def sealed_for(seat: Seat, asked: Asked) -> Asked:
    """Encryption, where the region's key is known."""
    if seat.point.region_centre.age is None:
        return asked
    said = _("Encrypt: only the region can open the copy; a lost drive tells nothing")
    return replace(asked, encrypted=bool(st.checkbox(said, key="archive-encrypt")))


def usual(seat: Seat, asked: Asked) -> bool:
    """Whether this is what is copied by hand after every exam: the corridors and the entrance, whole."""
    used = {seat.point.zone_of(camera) for camera in seat.point.cameras}
    if asked.supplement:
        return False
    return set(asked.zones) == {zone for zone in BY_HAND if zone in used} and not asked.cameras and asked.span is None
