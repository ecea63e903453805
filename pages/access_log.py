"""The access log: who touched the equipment, when, why; nothing is ever rewritten."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.access_log import AccessLog
from exam_kit.store import Act
from exam_kit.ui.access_forms import act_on_line, add_line, end_open_lines
from exam_kit.ui.access_table import access_table
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import require_page

seat = require_page(Act.VIEW)
st.title(_("Access log"))

log = AccessLog(seat.ledger, seat.point)
end_open_lines(seat, log, log.open_rows())

if seat.may(Act.WRITE_LOG):
    with st.expander(_("New line"), expanded=True):
        add_line(seat, log)

with st.container(horizontal=True, vertical_alignment="center"):
    whole = st.segmented_control(
        _("Lines"), [False, True], format_func=lambda every: _("all days") if every else _("today"),
        default=False, required=True, label_visibility="collapsed", key="whole",
    )  # fmt: skip
    paper_link(_("Print (PDF)"), "/papers/access-log.pdf" if whole else f"/papers/access-log.pdf?day={seat.today}")

rows = log.rows(None if whole else seat.today)
if rows:
    st.html(access_table(seat, rows))
    act_on_line(seat, log, rows)
else:
    st.info(_("No lines yet."))
