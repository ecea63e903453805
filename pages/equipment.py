"""Equipment: what the point has, who has it, what is in reserve, what is used up, what is faulty."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import N_, _
from exam_kit.journal.equipment_reserve import defects
from exam_kit.store import Act
from exam_kit.ui.equipment_desk import consumables_at, equipment_at, one_page
from exam_kit.ui.equipment_handover import draw_handover
from exam_kit.ui.equipment_intake import draw_intake
from exam_kit.ui.equipment_register import draw_register
from exam_kit.ui.equipment_stock import draw_consumables, draw_reserves
from exam_kit.ui.equipment_table import defects_table
from exam_kit.ui.equipment_take import draw_takes
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import require_page, saying_errors

seat = require_page(Act.VIEW)
st.title(_("Equipment"))

PARTS = {
    "register": N_("Register"),
    "handover": N_("Hand-over"),
    "reserves": N_("Reserves"),
    "consumables": N_("Consumables"),
    "defects": N_("Defects"),
    "stocktake": N_("Stock-take"),
    "lists": N_("Lists"),
}
part = st.segmented_control(
    _("What is shown"), list(PARTS), format_func=lambda name: _(PARTS[name]), default="register", required=True,
    label_visibility="collapsed", key="equipment-part",
)  # fmt: skip

with saying_errors(seat):
    book = equipment_at(seat)
    if part == "register":
        draw_register(seat, book)
    elif part == "handover":
        draw_handover(seat, book)
    elif part == "reserves":
        draw_reserves(seat, book)
    elif part == "consumables":
        draw_consumables(seat, consumables_at(seat))
    elif part == "stocktake":
        draw_takes(seat, book)
    elif part == "lists":
        draw_intake(seat, book)
    else:
        faulty = defects(book.register())
        paper_link(_("Defect list (PDF)"), "/papers/equipment-defects.pdf")
        if faulty:
            st.html(defects_table(book, one_page(faulty, "defects")))
        else:
            st.info(_("No item is faulty or in repair."))
