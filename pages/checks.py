"""Checks: run them, see what is wrong and what to do, answer what only a person can see."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st

from exam_kit.agent import orders
from exam_kit.checks.report import run_dict
from exam_kit.checks.results import latest_run
from exam_kit.checks.waivers import Waivers
from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.ui.check_cards import grouped, in_order
from exam_kit.ui.check_intake import take_in
from exam_kit.ui.check_results import show_run
from exam_kit.ui.check_runs import ask, cancel, failed_checks, progress, under_way
from exam_kit.ui.check_stations import show_stations
from exam_kit.ui.check_waive import show_waivers
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, live, require_page, saying_errors

VIEWS = {"results": N_("This computer"), "stations": N_("Exam stations"), "waivers": N_("Waivers")}

seat = require_page(Act.VIEW)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title(_("Checks"))
    view = st.segmented_control(
        _("What to show"), list(VIEWS), format_func=lambda one: _(VIEWS[one]), default="results", required=True,
        label_visibility="collapsed", key=f"checks-view-{seat.language}",
    )  # fmt: skip

waivers = Waivers(seat.ledger, seat.home)
with saying_errors(seat):
    if view == "stations":
        take_in(seat, waivers.profile)
        show_stations(seat, waivers)
    elif view == "waivers":
        show_waivers(seat, waivers)
if view != "results":
    st.stop()

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
        worst_first = [told for results in grouped(run_dict(now)).values() for told in results]
        st.html(in_order(seat, worst_first, states=True))


with st.container(horizontal=True, vertical_alignment="center"):
    allowed = seat.may(Act.RUN_CHECKS)
    again = failed_checks(run)
    if st.button(_("Run all checks"), type="primary", disabled=waiting or not allowed):
        with saying_errors(seat):
            ask(seat, None)
            st.rerun()
    label = _("Only the failed again ({count})").format(count=len(again))
    if st.button(label, disabled=waiting or not (allowed and again), shortcut="F2"):
        with saying_errors(seat):
            ask(seat, again)
            st.rerun()
    if waiting and allowed and st.button(_("Cancel the check")):
        with saying_errors(seat):
            cancel(seat)
            st.toast(_("Asked to stop: what has no answer yet stays not known."))
    if run is not None:
        paper_link(_("Protocol (PDF)"), f"/papers/protocol.pdf?run={quote(run.id)}")
follow()

if waiting:
    st.stop()
if run is None:
    st.info(_("No check has been run yet."))
    st.stop()
with saying_errors(seat):
    show_run(seat, run, waivers)
