"""The usual lines of the hour as buttons, and as the keys 1–9: the first tap fills the form, the second writes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from exam_kit.i18n import _
from exam_kit.journal.access_row import ACTION_LABELS, AccessRow
from exam_kit.journal.presets import Preset, usual_lines
from exam_kit.journal.rooms import format_rooms
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time

__all__ = ["preset_buttons", "take_focus"]

TAKEN = "log-preset-taken"


def preset_buttons(seat: Seat, key: str, today: Sequence[AccessRow]) -> None:
    """One button for each usual line; what stands among `today` already says since when."""
    # Not the day in hand: on a day without an exam nothing is switched on by any plan.
    lines = usual_lines(seat.point, seat.point.day(seat.today), seat.now)
    with st.container(horizontal=True, key="log-presets", gap="small"):
        for place, preset in enumerate(lines[:9], 1):
            st.button(
                _label(seat, preset, today),
                key=f"preset-{place}",
                shortcut=str(place),
                on_click=partial(_fill, seat, key, preset),
            )


def take_focus() -> None:
    """Tell the page's script that a preset filled the form: it puts the cursor there, and Enter writes the line."""
    st.html(f'<span hidden data-log-focus="{st.session_state.get(TAKEN, 0)}"></span>')


def _label(seat: Seat, preset: Preset, today: Sequence[AccessRow]) -> str:
    action = _(ACTION_LABELS[preset.action])
    if preset.zones is None:
        return _("{action}: …").format(action=action)
    places = ", ".join(_(ZONE_LABELS[zone]) for zone in preset.zones) if preset.zones else _("everywhere")
    label = _("{action}: {places}").format(action=action, places=places)
    done = [
        row
        for row in today
        if row.date == seat.today
        and row.action is preset.action
        and not row.void
        and row.withdraws is None
        and set(preset.rooms) <= set(row.rooms)
    ]
    return f"✓ {clock_time(seat, done[-1].start)} · {label}" if done else label


def _fill(seat: Seat, key: str, preset: Preset) -> None:
    now = clock_time(seat, seat.now)
    st.session_state[f"{key}-action"] = preset.action
    st.session_state[f"{key}-rooms"] = format_rooms(preset.rooms)
    st.session_state[f"{key}-start"] = now
    st.session_state[f"{key}-end"] = now
    st.session_state[TAKEN] = st.session_state.get(TAKEN, 0) + 1
