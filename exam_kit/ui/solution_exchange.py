"""Solutions from point to point: a file to take along, and what another point's file would bring, before it does."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.solution_import import CHANGING, FATE_LABELS, Fate, Plan, Row, plan_import, take
from exam_kit.journal.solutions import Solutions
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.marks import chip
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["exchange"]

TONES = {Fate.CONFLICT: "bad", Fate.TAKEN_BACK: "warn", Fate.NEW: "good", Fate.NEWER: "good"}
MOST_ROWS = 100


def exchange(seat: Seat, book: Solutions) -> None:
    """Export, and import with a look before."""
    with st.expander(_("Export and import"), key="solution-exchange"):
        out_at, in_at = st.columns([1, 2], gap="large")
        with out_at:
            st.caption(_("A file for other points: no names of people, no incidents."))
            paper_link(_("Export the solutions"), "/papers/solutions.json")
        with in_at:
            _bring_in(seat, book)


def _bring_in(seat: Seat, book: Solutions) -> None:
    key = fresh_key("solution-import")
    for name, raw in chosen_files(_("A file of another point"), key):
        with saying_errors(seat):
            plan = plan_import(book, raw, name)
            st.html(_plan(seat, plan))
            if not plan.changes:
                st.info(_("Nothing new in it."))
                continue
            if st.button(
                _("Take over: {name}").format(name=name), type="primary", key=f"{key}-{plan.file.point}-{name}"
            ):
                taken = take(book, raw, name, seat.account)
                fresh("solution-import")
                count = len(taken.of(*CHANGING))
                flash(_("Taken over from point {point}: {count}").format(point=taken.file.point, count=count))
                st.rerun()


def _plan(seat: Seat, plan: Plan) -> str:
    """Conflicts first, with both texts; then what changes, then the rest."""
    order = list(TONES)
    rows = sorted(plan.rows, key=lambda row: order.index(row.fate) if row.fate in order else len(order))
    head = "".join(
        f'<th scope="col">{escape(text)}</th>' for text in ("№", _("What becomes of it"), _("In the file"), _("Here"))
    )
    body = "".join(_row(seat, row) for row in rows[:MOST_ROWS])
    more = _("and {count} more").format(count=len(rows) - MOST_ROWS) if len(rows) > MOST_ROWS else ""
    told = _("From point {point}: solutions {count}, counts {counts}").format(
        point=plan.file.point, count=len(plan.rows), counts=len(plan.counts)
    )
    table = (
        '<div style="max-height:18rem;overflow:auto" tabindex="0"><table class="ek-table" data-import>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    table = table if rows else ""
    return f'<p class="ek-note">{escape(told)}</p>{table}{escape(more)}'


def _row(seat: Seat, row: Row) -> str:
    _there, wording = row.incoming.content.shown(seat.language)
    here = ""
    if row.standing is not None and row.fate not in (Fate.SAME, Fate.NEW):
        _language, standing = row.standing.content.shown(seat.language)
        here = f"{standing.symptom} → {'; '.join(standing.steps)}"
    return (
        f'<tr><td class="nb">{escape(row.incoming.id)}</td>'
        f"<td>{chip(TONES.get(row.fate, 'none'), _(FATE_LABELS[row.fate]))}</td>"
        f"<td>{escape(wording.symptom)} → {escape('; '.join(wording.steps))}</td><td>{escape(here)}</td></tr>"
    )
