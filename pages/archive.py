"""Archive: after the stop order, copy the footage, verified, into sealed bags; hand it over; keep it until its date."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.ui.archive_facts import by_hand_left, copies_of, footage_of
from exam_kit.ui.archive_keep import draw_keep
from exam_kit.ui.archive_matrix import matrix
from exam_kit.ui.archive_order import draw_order
from exam_kit.ui.archive_receipt import draw_receipts
from exam_kit.ui.archive_stop import draw_before
from exam_kit.ui.archive_verify import draw_verify, draw_verifying, verifying
from exam_kit.ui.archive_view import draw_copy, draw_failed, draw_progress
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.chrome import next_by_key
from exam_kit.ui.day_facts import archive_orders
from exam_kit.ui.orders_view import may_give
from exam_kit.ui.seat import Seat, live, require_page

seat = require_page(Act.VIEW)

VIEWS = (N_("Copies"), N_("Verify a bag"), N_("Keeping and deletion"))


@live(1.0)
def follow(seat: Seat) -> None:
    """The order under way; when it ends, the page is drawn anew with what came of it."""
    if seat.day is None:
        return
    order = next((one for one in archive_orders(seat, seat.day) if one.open), None)
    if (order.id if order else None) != (current.id if current else None):
        st.rerun()
    if order is not None:
        draw_progress(seat, order)


@live(3.0)
def draw_matrix(seat: Seat) -> None:
    """What lies where; files that are closed meanwhile are counted. When all is copied, the newest act comes next."""
    if seat.day is None:
        return
    footage = footage_of(seat, seat.day)
    st.html(matrix(seat, footage, copies))
    signs = copies and current is None and not by_hand_left(seat, footage, copies)
    next_by_key(f"copy-{copies[-1].order.id}-{copies[-1].number}" if signs else "")


title_at, view_at = st.columns([1, 3], vertical_alignment="center")
title_at.title(_("Archive"))
view = view_at.segmented_control(
    _("View"), list(VIEWS), format_func=_, default=VIEWS[0], required=True, label_visibility="collapsed", key="view"
)
if view == "Verify a bag":
    draw_verify(seat)
    st.stop()
if view == "Keeping and deletion":
    draw_keep(seat)
    st.stop()
if seat.day is None:
    st.info(_("No exam days are set up. Add them to point.toml under [[days]]."))
    st.stop()
given = archive_orders(seat, seat.day)
current = next((order for order in given if order.open), None)
copies = copies_of(seat, given)

# Parts that redraw themselves stand here only while there is something to follow.
if any(fact.recording for fact in camera_facts(seat)):
    draw_before()
if current is not None:
    follow()
last = next((order for order in given if not order.open), None)
if last is not None and current is None:
    draw_failed(seat, last)  # above the copies that were made: what is lacking is to be seen without scrolling
with st.container():  # above the copies, where it is in sight of the one whose button was pressed
    if verifying(seat) or st.session_state.get("verify-asked"):
        draw_verifying()
for copy in reversed(copies):
    draw_copy(seat, copy)
asks = current is None and may_give(seat, "archive")
if asks and not copies:
    draw_order()
elif not copies and current is None:
    st.info(_("The footage of this day is not archived yet. The technical specialist starts it."))
draw_matrix()
draw_receipts(seat)
if asks and copies:
    draw_order()
