"""The results of one run, laptop's or station's, with what can be done about each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from exam_kit.checks.model import Run
from exam_kit.checks.results import previous_run, run_dict, told, under
from exam_kit.checks.waivers import Waivers
from exam_kit.checks.waivers_given import permitted
from exam_kit.i18n import _
from exam_kit.ui.check_cards import GROUPS, card, grouped, in_order, verdict
from exam_kit.ui.check_changes import changes_line, changes_of, without
from exam_kit.ui.check_sign import rest_is_fine, sign_form
from exam_kit.ui.check_waive import waive_form
from exam_kit.ui.seat import Seat

__all__ = ["show_run"]


def show_run(seat: Seat, kept: Run, waivers: Waivers, *, station: bool = False) -> None:
    """The verdict as the waivers in force now leave it, what changed, and every result under its heading.

    `station`: the run was taken in from an exam station, and is compared with what that station brought before.
    """
    in_force = permitted(waivers.active(seat.now), waivers.profile)
    now = under(kept, in_force)
    alone = station and run_dict(now, before=previous_run(seat.store, kept))
    run = alone or told(seat.store, now, waivers=in_force)
    # What changed on stations is told with each station; here only that one is missing.
    comparison = without(run["comparison"], () if station else {one.id for one in seat.point.stations})
    changes = changes_of(comparison)
    st.html(verdict(seat, run) + changes_line(seat, comparison))
    groups = grouped(run)
    for title, _states in GROUPS:
        results = groups[title]
        if not results:
            continue
        calm = title in ("In order", "Does not apply")
        with st.expander(f"{_(title)} · {len(results)}", expanded=not calm):
            if calm:
                st.html(in_order(seat, results, changes))
                continue
            rest_is_fine(seat, kept.id, results)
            for result in results:
                _one(seat, kept.id, result, card(seat, result, changes), waivers)


def _one(seat: Seat, run: str, result: Mapping[str, Any], drawn: str, waivers: Waivers) -> None:
    st.html(drawn)
    if result["manual"] and not result["signed"]:
        sign_form(seat, run, result)
    else:
        waive_form(seat, waivers, result)
