"""Checks: run them, see what is wrong and what to do, answer what only a person can see."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st

from exam_kit.agent import orders
from exam_kit.checks.results import latest_run
from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.check_cards import GROUPS, card, grouped, in_order, verdict
from exam_kit.ui.check_runs import ask, failed_checks, progress, under_way
from exam_kit.ui.check_sign import sign_form
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, live, require_page, saying_errors

seat = require_page(Act.VIEW)
st.title(_("Checks"))

waiting = bool(orders.open_orders(seat.store, "check")) or under_way(seat) is not None
run = latest_run(seat.store)


@live(1.0)
def follow(seat: Seat) -> None:
    """Redraws the page when a run begins or ends; shows how far it is and what came in so far."""
    now = under_way(seat)
    ordered = bool(orders.open_orders(seat.store, "check"))
    if (now is not None or ordered) != waiting:
        st.rerun()
    if not waiting:
        return
    done, total = progress(seat)
    words = _("The checks are running: {done} of {total}").format(done=done, total=total or "…")
    st.progress(min(1.0, done / total) if total else 0.0, text=words)
    if now is not None:
        st.html(in_order(seat, [told for results in grouped(now).values() for told in results]))


with st.container(horizontal=True, vertical_alignment="center"):
    allowed = seat.may(Act.RUN_CHECKS)
    again = failed_checks(run)
    if st.button(_("Run all checks"), type="primary", disabled=waiting or not allowed):
        with saying_errors(seat):
            ask(seat, None)
            st.rerun()
    if st.button(
        _("Only the failed again ({count})").format(count=len(again)), disabled=waiting or not (allowed and again)
    ):
        with saying_errors(seat):
            ask(seat, again)
            st.rerun()
    if run is not None:
        paper_link(_("Protocol (PDF)"), f"/papers/protocol.pdf?run={quote(run.id)}")
follow()

if waiting:
    st.stop()
if run is None:
    st.info(_("No check has been run yet."))
    st.stop()

st.html(verdict(seat, run))
groups = grouped(run)
for title, _states in GROUPS:
    results = groups[title]
    if not results:
        continue
    calm = title in ("In order", "Does not apply")
    with st.expander(f"{_(title)} · {len(results)}", expanded=not calm):
        if calm:
            st.html(in_order(seat, results))
            continue
        for told in results:
            st.html(card(seat, told))
            if told["manual"] and not told["signed"]:
                sign_form(seat, run.id, told)
