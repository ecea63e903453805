"""The people of the point: appointed, briefed, on duty; whoever is not cannot act on the equipment."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.papers import paper_link
from exam_kit.ui.people_forms import act_on_person, add_person, import_people
from exam_kit.ui.people_receipt import own_receipt
from exam_kit.ui.people_roster import draw_roster
from exam_kit.ui.people_table import PAGE, no_register, people_at, people_table
from exam_kit.ui.seat import require_page

seat = require_page(Act.VIEW)
st.title(_("People"))

people = people_at(seat)
register = people.register()
if not register.in_force:
    st.html(no_register())
own_receipt(seat, people)

with st.container(horizontal=True, vertical_alignment="center"):
    duty = st.segmented_control(
        _("What is shown"), [False, True], format_func=lambda on: _("duty roster") if on else _("register"),
        default=False, required=True, label_visibility="collapsed", key="people-view",
    )  # fmt: skip
    if duty:
        paper_link(_("Duty roster (PDF)"), "/papers/duty-roster.pdf")
    else:
        paper_link(_("Familiarisation sheet (PDF)"), "/papers/familiarisation.pdf")
        paper_link(_("Briefings (PDF)"), "/papers/briefings.pdf")
        paper_link("CSV", "/papers/people.csv")
        paper_link("XLSX", "/papers/people.xlsx")

if duty:
    draw_roster(seat, people)
    st.stop()

cards = register.people
pages = -(-len(cards) // PAGE)
first = 0
if pages > 1:
    page = st.segmented_control(
        _("Pages"), list(range(1, pages + 1)), default=1, required=True, label_visibility="collapsed", key="people-page"
    )
    first = ((page or 1) - 1) * PAGE
if cards:
    st.html(people_table(seat, people, cards[first : first + PAGE]))
    act_on_person(seat, people, cards)
else:
    st.info(_("Nobody is entered yet."))
if seat.may(Act.KEEP_PEOPLE):
    with st.expander(_("New person"), expanded=not cards):
        add_person(seat, people)
    with st.expander(_("Take in from a table…")):
        import_people(seat, people)
