"""Taking a list of equipment in: what it would do is shown before it does it."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_import import ImportPlan, plan_import, take_import
from exam_kit.store import Act
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.papers import paper_link
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["draw_intake"]

MOST_MISTAKES = 100


def draw_intake(seat: Seat, book: Equipment) -> None:
    """The template, the file, what it would do, and one button."""
    with st.container(horizontal=True, vertical_alignment="center"):
        paper_link(_("Template (XLSX)"), "/papers/equipment-template.xlsx")
        paper_link(_("Template (CSV)"), "/papers/equipment-template.csv")
        paper_link(_("The register (XLSX)"), "/papers/equipment.xlsx")
        paper_link(_("The register (CSV)"), "/papers/equipment.csv")
    told = _("Fill in the template, or change the exported register; a list is taken in as a whole or not at all.")
    st.html(f'<p class="ek-note">{told}</p>')
    if not seat.may(Act.KEEP_EQUIPMENT):
        return
    files = chosen_files(_("List of equipment, XLSX or CSV"), f"{fresh_key('equipment-list')}-file")
    for name, content in files[:1]:
        with saying_errors(seat):
            plan = plan_import(book, name, content)
            _planned(seat, plan)
            useful = bool(plan.new or plan.changed) and not plan.mistakes
            if useful and st.button(_("Take the list in"), type="primary", key="take-list"):
                done = take_import(book, name, content, seat.account)
                fresh("equipment-list")
                flash(_("Taken in: new {new}, changed {changed}.").format(new=len(done.new), changed=len(done.changed)))
                st.rerun()


def _planned(seat: Seat, plan: ImportPlan) -> None:
    counted = _("New: {new}. Changed: {changed}. As they are: {unchanged}. Mistakes: {mistakes}.").format(
        new=len(plan.new), changed=len(plan.changed), unchanged=plan.unchanged, mistakes=len(plan.mistakes)
    )
    if plan.mistakes:
        lines = [one.text(seat.language) for one in plan.mistakes[:MOST_MISTAKES]]
        if len(plan.mistakes) > MOST_MISTAKES:
            lines.append(_("… and {count} more").format(count=len(plan.mistakes) - MOST_MISTAKES))
        st.error(plain("\n".join([_("Nothing is taken in until these rows are put right."), *lines])))
    elif not plan.new and not plan.changed:
        st.success(plain(_("Everything in this list is in the register as it is; there is nothing to take in.")))
    st.info(plain(counted))
    if plan.skipped:
        st.caption(plain(_("Columns left out: {columns}").format(columns=", ".join(plan.skipped))))
