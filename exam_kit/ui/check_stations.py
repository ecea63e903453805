"""Exam stations: every check on every station as one table, and one station in full."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from exam_kit.checks.model import Check, State
from exam_kit.checks.station import Cell, Matrix, Row, matrix
from exam_kit.checks.waivers import Waivers
from exam_kit.checks.wording import STATE_LABELS, VERDICT_LABELS
from exam_kit.forms.protocol_parts import STATION_ROLES
from exam_kit.i18n import _
from exam_kit.ui.check_results import show_run
from exam_kit.ui.marks import CHECK_TONES, VERDICT_TONES, chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import span

__all__ = ["show_stations"]

CALM = (State.OK, State.SKIP, None)
ALL = ""


def show_stations(seat: Seat, waivers: Waivers) -> None:
    """The matrix, or in its place the one station that is chosen."""
    found = matrix(seat.store, seat.point, waivers.profile, now=seat.now)
    if not found.rows:
        st.info(_("The point has no exam stations."))
        return
    rows = {row.station.id: row for row in found.rows if row.run is not None}
    with st.container(horizontal=True, vertical_alignment="center"):
        name = st.segmented_control(
            _("What to show"),
            [ALL, *rows],
            default=ALL,
            required=True,
            format_func=lambda one: one or _("All stations"),
            label_visibility="collapsed",
            key=f"station-{seat.language}-{len(rows)}",
        )
        only = not name and st.toggle(_("Only checks that are not in order somewhere"), key="stations-open")
    if name:
        _in_full(seat, rows[name], waivers)
    else:
        st.html(_table(seat, found, lambda check: not only or _open(found, check)))


def _in_full(seat: Seat, row: Row, waivers: Waivers) -> None:
    assert row.run is not None
    for remark in row.remarks:
        st.html(f'<p class="ek-note">{mark("warn")}{escape(remark.text(seat.language))}</p>')
    show_run(seat, row.run, waivers, station=True)


def _open(found: Matrix, check: Check) -> bool:
    return any(cell.state not in CALM for row in found.rows for cell in row.cells if cell.check == check.id)


def _table(seat: Seat, found: Matrix, wanted: Callable[[Check], bool]) -> str:
    """Checks down, stations across: their names are long, and there are more of them."""
    heads = "".join(f"<th data-station='{escape(row.station.id)}'>{_head(seat, row)}</th>" for row in found.rows)
    lines = "".join(
        f"<tr><td>{escape(check.title[seat.language])}</td>"
        f"{''.join(_cell(row, row.cells[n]) for row in found.rows)}</tr>"
        for n, check in enumerate(found.checks)
        if wanted(check)
    )
    return (
        f'<div class="ek-scroll"><table class="ek-table ek-matrix" data-matrix><thead><tr><th>{escape(_("Check"))}</th>'
        f"{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _head(seat: Seat, row: Row) -> str:
    station = row.station
    role = _(STATION_ROLES[station.role])
    parts = [f"<b>{escape(station.id)}</b>", f"<span>{escape(role)}</span>"]
    if not station.main:
        parts.append(f"<span>{escape(_('reserve'))}</span>")
    if row.missing or row.age_s is None:
        return "".join([*parts, chip("none", _("no result"))])
    verdict = row.verdict
    if verdict is not None:
        parts.append(chip(VERDICT_TONES[verdict], _(VERDICT_LABELS[verdict])))
    parts.append(f"<span>{escape(_('{age} ago').format(age=span(seat, row.age_s)))}</span>")
    if row.stale:
        parts.append(chip("warn", _("too old")))
    if row.other_profile:
        parts.append(f"<span>{escape(_('by an earlier profile'))}</span>")
    return "".join(parts)


def _cell(row: Row, cell: Cell) -> str:
    if cell.state is None:
        return f'<td class="off">{escape(_("not asked"))}</td>'
    if row.missing:
        return '<td class="off">—</td>'
    tone = CHECK_TONES[cell.state]
    return f'<td class="{tone}">{mark(tone)}{escape(_(STATE_LABELS[cell.state]))}</td>'
