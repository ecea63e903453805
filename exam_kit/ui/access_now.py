"""What is open now and what has no line: on top of the access log, because somebody must do something about it."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from exam_kit.i18n import _, ngettext
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.rooms import format_rooms
from exam_kit.review import unlogged
from exam_kit.review.unlogged import Bare
from exam_kit.store import Act
from exam_kit.ui.access_table import action_text
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import clock_time, span

__all__ = ["inside_now", "without_a_line"]

SHOWN = 4
"""So many at a time; the rest is counted."""


def inside_now(seat: Seat, log: AccessLog, cabinets: CabinetLog) -> None:
    """Who is at the equipment: open lines with a button that ends them, and the cabinets that are open."""
    rows, opened = log.open_rows(), cabinets.open_cabinets()
    if not rows and not opened:
        return
    st.html(f'<p class="ek-band-title">{escape(_("Inside now"))}</p>')
    for row in rows[-SHOWN:]:
        with _band(f"open-{row.year}-{row.number}"):
            st.html(f"{chip('ask', _lasts(seat, row.start))} {escape(_said(row))}")
            if seat.may(Act.WRITE_LOG) and st.button(_("End it now"), key=f"end-{row.year}-{row.number}"):
                with saying_errors(seat):
                    log.end(row.number, seat.now, seat.account, year=row.year)
                    flash(_("The end of line № {number} is written.").format(number=row.number))
                    st.rerun()
    if len(rows) > SHOWN:
        st.caption(_("Older open lines: {count}. They stand in the list below.").format(count=len(rows) - SHOWN))
    for line in opened:
        with _band(f"cabinet-{line.year}-{line.number}"):
            st.html(
                f"{chip('ask', _lasts(seat, line.at))} "
                + escape(
                    _("Cabinet {cabinet} is open · {reason} · {name}").format(
                        cabinet=line.cabinet, reason=line.reason, name=line.initiator.name
                    )
                )
            )


def without_a_line(seat: Seat, log: AccessLog) -> None:
    """Today's recording gaps and opened cabinets that no line stands beside, each with a button that writes it."""
    missing = unlogged.without_a_line(seat.ledger, seat.point, seat.today, seat.today)
    if not missing:
        return
    said = ngettext("{count} event has no line in the log", "{count} events have no line in the log", len(missing))
    st.html(f'<p class="ek-band-title">{escape(said.format(count=len(missing)))}</p>')
    for one in missing[:SHOWN]:
        _missing(seat, log, one)
    if len(missing) > SHOWN:
        st.caption(_("More of them: {count}").format(count=len(missing) - SHOWN))


def _missing(seat: Seat, log: AccessLog, one: Bare) -> None:
    until = clock_time(seat, one.end) if one.end else _("goes on")
    with _band(f"bare-{one.key}"):
        st.html(f"{chip('warn', f'{clock_time(seat, one.start)} – {until}')} {escape(one.what.text(seat.language))}")
        if seat.may(Act.WRITE_LOG) and st.button(_("Write it in the log"), key=f"write-bare-{one.key}"):
            with saying_errors(seat):
                # What is written is written in the point's language, whoever reads the screen in another.
                text = one.what.text(seat.point.language)
                row = log.add(AccessDraft(one.rooms, AccessAction.OTHER, one.start, one.end, text), seat.account)
                flash(_("Line № {number} is written.").format(number=row.number))
                st.rerun()


def _said(row: AccessRow) -> str:
    return f"№ {row.number} · {action_text(row)} · {format_rooms(row.rooms)} · {row.person.name}"


def _lasts(seat: Seat, since: datetime) -> str:
    return _("since {time}, {span}").format(
        time=clock_time(seat, since), span=span(seat, (seat.now - since).total_seconds())
    )


def _band(key: str) -> st.delta_generator.DeltaGenerator:
    return st.container(border=True, horizontal=True, vertical_alignment="center", key=key)
