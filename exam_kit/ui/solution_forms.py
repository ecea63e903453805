"""Writing solutions: new ones, of a closed incident or of one's own knowledge; better ones; and taking them back."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import LANGUAGES, _
from exam_kit.journal.incident import Incident
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.solution import Shelf, Solution
from exam_kit.journal.solution_content import Content, Wording
from exam_kit.journal.solution_index import SolutionIndex
from exam_kit.journal.solution_search import LOOKED_AT, search
from exam_kit.journal.solutions import Solutions
from exam_kit.store import Act
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.seat import Seat, flash, require_page, saying_errors
from exam_kit.ui.solution_cards import solution_label
from exam_kit.ui.solution_hints import DRAFT, LIVE, solutions_of

__all__ = ["change_one", "write_new"]

EMPTY = Wording("", "", ())
MOST_CHOSEN = 20


def write_new(seat: Seat, book: Solutions) -> None:
    """The form for a new one; filled in from the sheet it is made of, where somebody came from there."""
    sheet = _sheet(seat, book)
    with st.expander(_("Write a solution"), expanded=sheet is not None, key="solution-new"):
        if sheet is not None:
            st.info(
                _("Filled in from incident № {number}. Add the cause, correct the words, save.").format(
                    number=sheet.number
                )
            )
        st.caption(_("Leave out names of people: solutions go to other points."))
        key = fresh_key("solution-new") + (f"-{sheet.year}-{sheet.number}" if sheet else "")
        draft = book.draft_of(sheet, seat.language) if sheet else Content("", {})
        with st.form(f"form-{key}", border=False):
            content = _fields(seat, book, draft, key)
            if st.form_submit_button(_("Save the solution"), type="primary"):
                with saying_errors(seat):
                    made = book.add(content, seat.account, sheet=sheet)
                    st.session_state.pop(DRAFT, None)
                    fresh("solution-new")
                    flash(_("Solution {id} is written.").format(id=made.id))
                    st.rerun()
        if sheet is not None and st.button(_("Leave the sheet as it is"), key=f"{key}-leave"):
            st.session_state.pop(DRAFT, None)
            st.rerun()


def _sheet(seat: Seat, book: Solutions) -> Incident | None:
    """The closed sheet that is to become a solution; None also where it has become one meanwhile."""
    ref = st.session_state.get(DRAFT)
    if ref is None:
        return None
    sheets = Incidents(seat.ledger, seat.point, categories=book.categories).all()
    sheet = next((one for one in sheets if one.ref == ref), None)
    return sheet if sheet is not None and not sheet.is_open and book.made_of(sheet) is None else None


@st.fragment
def change_one() -> None:
    """Revising a solution of this point, or withdrawing one that is not shipped; it redraws without the page."""
    seat = require_page(Act.KEEP_SOLUTIONS)
    book = solutions_of(seat)
    shelf = book.shelf
    if not any(_changeable(one) for one in shelf.solutions.values()):
        return
    with st.expander(_("Revise or withdraw a solution"), key="solution-change"):
        text_at, which_at = st.columns([2, 3])
        which = fresh_key("solution-which")
        text = text_at.text_input(_("Its number, or words of it"), key=which, live=LIVE) or ""
        found = {one.id: one for one in _meant(seat, shelf, text.strip())}
        if not found:
            st.info(_("Nothing fits. Say it in other words."))
            return
        chosen = which_at.selectbox(
            _("Solution"), list(found), format_func=lambda one: solution_label(seat, found[one]), filter_mode=None,
            key=f"{which}-{text}",
        )  # fmt: skip
        solution = found[chosen] if chosen in found else next(iter(found.values()))
        key = fresh_key(f"solution-{solution.id}-{solution.revision}")
        own = solution.origin == book.key
        with st.form(f"form-{key}", border=False):
            content = _fields(seat, book, solution.content, key) if own else solution.content
            if not own:
                st.caption(_("It was not written at this point: it can be withdrawn here, not revised."))
            why = st.text_input(_("Why it is changed or withdrawn"), key=f"{key}-why")
            with st.container(horizontal=True):
                revised = own and st.form_submit_button(_("Save the revision"), type="primary")
                withdrawn = st.form_submit_button(_("Withdraw it"))
            with saying_errors(seat):
                if revised:
                    book.revise(solution.id, content, why or "", seat.account)
                    flash(_("Solution {id} is revised.").format(id=solution.id))
                    st.rerun()
                if withdrawn:
                    book.withdraw(solution.id, why or "", seat.account)
                    fresh("solution-which")
                    flash(_("Solution {id} is withdrawn.").format(id=solution.id))
                    st.rerun()


def _changeable(one: Solution) -> bool:
    return not (one.shipped or one.withdrawn)


def _meant(seat: Seat, shelf: Shelf, text: str) -> list[Solution]:
    """Those of the number or the words; without words the latest."""
    if text in shelf.solutions:
        found = [shelf.solutions[text]]
    elif text:
        found = [hit.solution for hit in search(shelf, SolutionIndex.of(seat.home), text, limit=LOOKED_AT)]
    else:
        found = sorted(filter(_changeable, shelf.solutions.values()), key=lambda one: -one.history[-1].seq)
    return [one for one in found if _changeable(one)][:MOST_CHOSEN]


def _fields(seat: Seat, book: Solutions, content: Content, key: str) -> Content:
    """Category, and a tab for each language, the reader's first."""
    codes = [category.code for category in book.categories.category]
    chosen = st.selectbox(
        _("Category"), codes, format_func=lambda code: book.categories.label(code, seat.language), filter_mode=None,
        index=codes.index(content.category) if content.category in codes else 0, key=f"{key}-category",
    )  # fmt: skip
    written = [language for language in LANGUAGES if language in content.texts]
    order = list(dict.fromkeys((*written, seat.language, *LANGUAGES)))
    texts = {}
    for language, tab in zip(order, st.tabs([one.upper() for one in order]), strict=True):
        with tab:
            texts[language] = _wording(content.texts.get(language, EMPTY), f"{key}-{language}")
    return Content(chosen or codes[0], texts)


def _wording(given: Wording, key: str) -> Wording:
    symptom_at, steps_at = st.columns(2)
    symptom = symptom_at.text_area(_("How it shows itself"), given.symptom, key=f"{key}-symptom", height=70)
    cause = symptom_at.text_area(_("Cause, if it is known"), given.cause, key=f"{key}-cause", height=70)
    steps = steps_at.text_area(_("Steps, one a line"), "\n".join(given.steps), key=f"{key}-steps", height=188)
    return Wording(symptom or "", cause or "", tuple((steps or "").splitlines()))
