"""Deliveries: what the points brought of what is expected of them, and the intake of bags."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from exam_kit.i18n import _
from exam_kit.region.days import lacking, point_days
from exam_kit.ui.papers import paper_link
from exam_kit.ui.region_identity import identity_view
from exam_kit.ui.region_intake import intake_form, intake_view, receipts_form
from exam_kit.ui.region_register import register_form
from exam_kit.ui.region_seat import require_region
from exam_kit.ui.region_table import lacking_table, matrix, quarantine_table, summary, zones_of
from exam_kit.ui.when import short_day

POINTS_SHOWN, LACKS_SHOWN = 60, 200

seat = require_region()
st.title(_("Deliveries"))
with seat.desk() as desk:
    every = point_days(desk.catalogue, seat.clock.now())
    if not every:
        st.info(_("No point is registered yet. Give the register below."))
    days = sorted({row.day for row in every})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.selectbox(
            _("Exam day"),
            [None, *days],
            format_func=lambda one: short_day(seat, one) if one else _("all"),
            filter_mode=None,
            key=f"day-{seat.language}",
            width=200,
        )
        wanted = st.text_input(_("Point"), key="point", width=160, placeholder="77-0001").strip()
        open_only = st.checkbox(_("only what is not in order"), key="open-only")
        query = urlencode({"day": str(day)} if day else {})
        paper_link(_("Report (PDF)"), f"/papers/region.pdf?{query}")
        paper_link(_("Report (XLSX)"), f"/papers/region.xlsx?{query}")
    rows = [
        row
        for row in every
        if (day is None or row.day == day)
        and wanted in row.point
        and not (open_only and row.state in ("delivered", "not_due"))
    ]
    if every and not rows:
        st.info(_("Nothing here fits what is asked above."))
    st.html(summary(rows))
    points = list(dict.fromkeys(row.point for row in rows))
    shown = set(points[:POINTS_SHOWN])
    if rows:
        st.html(matrix(seat, [row for row in rows if row.point in shown]))
    if len(points) > POINTS_SHOWN:
        st.caption(_("Points shown: {shown} of {count}").format(shown=POINTS_SHOWN, count=len(points)))

    with st.expander(_("Take bags in"), expanded=True):
        intake_form(seat)
        intake_view()

    lacks = [row for row in lacking(desk.catalogue, day=day, most=5000) if wanted in row.point]
    if lacks:
        st.header(_("What is missing"))
        st.html(lacking_table(seat, lacks[:LACKS_SHOWN], zones_of(every)))
        if len(lacks) > LACKS_SHOWN:
            st.caption(_("Rows shown: {shown} of {count}").format(shown=LACKS_SHOWN, count=len(lacks)))
    aside = quarantine_table(seat, desk, wanted, LACKS_SHOWN)
    if aside:
        st.header(_("In quarantine"))
        st.html(aside)
    with st.expander(_("Receipts for the points")):
        receipts_form(seat)
    with st.expander(_("What is expected: the register"), expanded=not every):
        register_form(seat)
    with st.expander(_("Key for encrypted bags")):
        identity_view(seat)
