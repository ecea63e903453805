"""Archive: after the recording is stopped, copy the footage, verified, into a sealed bag."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.archive_order import order_copy
from exam_kit.ui.archive_view import progress_view, result_view, verify_view
from exam_kit.ui.day_facts import archive_orders
from exam_kit.ui.orders_view import give, may_give
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, live, require_page, saying_errors

seat = require_page(Act.VIEW)
st.title(_("Archive"))

if seat.day is None:
    st.info(_("No exam days are set up. Add them to point.toml under [[days]]."))
    st.stop()
given = archive_orders(seat, seat.day)
current = next((order for order in given if order.open), None)


@live(1.0)
def follow(seat: Seat) -> None:
    if current is None or seat.day is None:
        return
    order = next((one for one in archive_orders(seat, seat.day) if one.id == current.id), None)
    if order is None or not order.open:
        st.rerun()
    progress_view(seat, order)
    if may_give(seat, "cancel") and st.button(_("Cancel the copy"), key="cancel"):
        with saying_errors(seat):
            give(seat, "cancel", {"order": order.id}, ordered_by=seat.account.login, why=_("cancelled on the screen"))
            st.caption(_("Asked to stop; what is verified stays verified."))


follow()
if current is None and may_give(seat, "archive"):
    order_copy(seat, seat.day)
elif current is None and not given:
    st.info(_("The footage of this day is not archived yet. The technical specialist starts it."))

for order in given:
    if order.open:
        continue
    st.html(result_view(seat, order))
    bag = order.result.get("bag")
    if order.state == "done" and bag:
        with st.container(horizontal=True, vertical_alignment="center"):
            verify = st.button(_("Verify the bag"), key=f"verify-{order.id}")
            paper_link(_("Hand-over act (PDF)"), f"/papers/act.pdf?order={order.id}")
        if verify:
            verify_view(seat, Path(bag))
