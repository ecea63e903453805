"""Solutions where they are needed: under an incident that is being described, and beside its sheet."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.solution import Solution
from exam_kit.journal.solution_index import SolutionIndex
from exam_kit.journal.solution_search import search
from exam_kit.journal.solutions import Solutions
from exam_kit.store import Act
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat, flash, saying_errors, script
from exam_kit.ui.solution_cards import brief_card

__all__ = ["DRAFT", "LIVE", "hints", "on_sheet", "solutions_of"]

SHOWN = 3
LIVE = "300ms"
"""After so long a pause in typing the field is searched for."""
DRAFT = "solution-of-sheet"
"""The sheet a solution is to be made of, on the way to the page of solutions."""


def solutions_of(seat: Seat) -> Solutions:
    return Solutions(seat.ledger, seat.point, categories=load_categories(seat.home))


def hints(seat: Seat, text: str, category: str) -> None:
    """What helped in such a case: by the words typed so far, before that by the category."""
    book = solutions_of(seat)
    hits = search(book.shelf, SolutionIndex.of(seat.home), text, category, limit=SHOWN)
    if not hits:
        return
    cards = "".join(brief_card(seat, book, hit.solution) for hit in hits)
    st.html(f'<div class="ek-hints"><b>{escape(_("What may help"))}</b>{cards}</div>')


def on_sheet(seat: Seat, sheet: Incident) -> None:
    """Solutions that fit a sheet, each with whether it helped; and a closed sheet made into one."""
    book = solutions_of(seat)
    shelf = book.shelf
    judged = [one for one in shelf.solutions.values() if sheet.ref in one.verdicts]
    hits = search(shelf, SolutionIndex.of(seat.home), sheet.description, sheet.category, limit=SHOWN)
    fitting = [*judged, *(hit.solution for hit in hits if hit.solution not in judged)]
    with st.expander(_("Solutions that may help: {count}").format(count=len(fitting)), expanded=sheet.is_open):
        for solution in fitting:
            st.html(brief_card(seat, book, solution))
            _verdict(seat, book, solution, sheet)
        _become(seat, book, sheet)


def _verdict(seat: Seat, book: Solutions, solution: Solution, sheet: Incident) -> None:
    said = solution.verdicts.get(sheet.ref)
    with st.container(horizontal=True, vertical_alignment="center"):
        if said is not None:
            st.html(
                chip("good", _("helped here")) if said.helped else chip("bad", _("did not help here")), width="content"
            )
        if not seat.may(Act.OPEN_INCIDENT) or solution.withdrawn:
            return
        for helped, label in ((True, _("This helped")), (False, _("Did not help"))):
            if said is not None and said.helped == helped:
                continue
            key = f"judge-{sheet.year}-{sheet.number}-{solution.id}-{helped}"
            if st.button(label, key=key):
                with saying_errors(seat):
                    book.judge(solution.id, helped, sheet, seat.account)
                    flash(_("Written."))
                    st.rerun()


def _become(seat: Seat, book: Solutions, sheet: Incident) -> None:
    made = book.made_of(sheet)
    if made is not None:
        st.caption(_("This sheet has become solution {id}.").format(id=made))
        return
    if sheet.is_open or not seat.may(Act.KEEP_SOLUTIONS):
        return
    if st.button(_("Make a solution of this sheet"), key=f"become-{sheet.year}-{sheet.number}", type="primary"):
        st.session_state[DRAFT] = sheet.ref
        st.switch_page(script("solutions"))
