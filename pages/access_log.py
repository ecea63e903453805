"""The access log: who touched the equipment, when, why; nothing is ever rewritten."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.store import Act
from exam_kit.ui.access_find import choose_lines, page_buttons
from exam_kit.ui.access_forms import act_on_line, add_line
from exam_kit.ui.access_now import inside_now, without_a_line
from exam_kit.ui.access_table import access_table
from exam_kit.ui.cabinet_forms import act_on_cabinet_line, write_cabinet
from exam_kit.ui.cabinet_view import cabinet_label, cabinet_table
from exam_kit.ui.countersign import countersign_lines, countersign_rows
from exam_kit.ui.papers import book_links
from exam_kit.ui.seat import require_page

BOOKS = {"access": N_("CCTV access log"), "cabinet": N_("Cabinet log (PAK)")}

seat = require_page(Act.VIEW)
st.title(_("Access log"))
log, cabinets = AccessLog(seat.ledger, seat.point), CabinetLog(seat.ledger, seat.point)
inside_now(seat, log, cabinets)
without_a_line(seat, log)
book = st.segmented_control(
    _("Book"), list(BOOKS), format_func=lambda one: _(BOOKS[one]),
    default="access", required=True, label_visibility="collapsed", key="book",
)  # fmt: skip

if book == "access":
    if seat.may(Act.WRITE_LOG):
        add_line(seat, log, log.rows(seat.today))
    seen = choose_lines(seat, log)
    if seen.rows:
        st.html(access_table(seat, seen.rows))
        page_buttons(seen)
        countersign_rows(seat, log, seen.rows)
        act_on_line(seat, log, seen.rows)
    else:
        st.info(_("No lines yet."))
else:
    if seat.may(Act.WRITE_LOG):
        write_cabinet(seat, cabinets)
    lines = cabinets.lines()
    shown = lines[::-1][:50]
    book_links("cabinet-log", "")
    if shown:
        st.html(cabinet_table(seat, shown, lines))
        countersign_lines(seat, cabinets, shown, lambda line: cabinet_label(seat, line))
        act_on_cabinet_line(seat, cabinets, shown)
    else:
        st.info(_("No lines yet."))
