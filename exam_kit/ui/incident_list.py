"""The sheets as a list: what is open, how long it lasts, in whose hands it is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exam_kit.i18n import N_, _, ngettext
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_clock import ClockStage, IncidentClock, MarkState, incident_clock
from exam_kit.journal.incident_parts import LINE_LABELS, Hand
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.ui.incident_clock import STAGE_TONES, clock_words
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, span

__all__ = ["PAGE_ROWS", "chosen_sheets", "holder_text", "list_label", "place_text", "sheets_table"]

PAGE_ROWS = 50
PRESSING = (ClockStage.OVER, ClockStage.DUE, ClockStage.RUNNING, ClockStage.STOPPED)
COLUMNS = (N_("№"), N_("State"), N_("What happened"), N_("Place"), N_("Detected"), N_("In whose hands"))


def chosen_sheets(seat: Seat, book: Incidents, sheets: Sequence[Incident], which: str) -> list[Incident]:
    """`open`, `today` or `all`: open ones before the others, those whose clock presses first, then the newest."""
    today = seat.today

    def wanted(sheet: Incident) -> bool:
        return {
            "open": sheet.is_open,
            "today": sheet.is_open or sheet.detected_at.astimezone(seat.tz).date() == today,
        }.get(which, True)

    def order(sheet: Incident) -> tuple[bool, int, int, int]:
        stage = _clock(seat, book, sheet).stage if sheet.is_open else ClockStage.STOPPED
        return not sheet.is_open, PRESSING.index(stage), -sheet.year, -sheet.number

    return sorted(filter(wanted, sheets), key=order)


def _clock(seat: Seat, book: Incidents, sheet: Incident) -> IncidentClock:
    return incident_clock(sheet, book.categories.by_code.get(sheet.category), seat.point, seat.now)


def list_label(seat: Seat, book: Incidents, sheet: Incident) -> str:
    """№ 3 · open · CCTV lost · COR1-1 · 28.05 08:12"""
    state = _("open") if sheet.is_open else _("closed")
    parts = [f"№ {sheet.number}", state, book.categories.label(sheet.category, seat.language), place_text(sheet)]
    return " · ".join([part for part in parts if part] + [moment(seat, sheet.detected_at)])


def sheets_table(seat: Seat, book: Incidents, sheets: Sequence[Incident], shown: RowRef) -> str:
    """One page of the list; a number leads to its sheet, the one that is `shown` stands out."""
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in COLUMNS)
    body = "".join(_row(seat, book, sheet, sheet.ref == shown) for sheet in sheets)
    return f'<table class="ek-table" data-sheets><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(seat: Seat, book: Incidents, sheet: Incident, shown: bool) -> str:
    told = _clock(seat, book, sheet)
    state = chip("good", _("closed"))
    if sheet.is_open:
        state = chip("warn" if sheet.restored_at else STAGE_TONES[told.stage], clock_words(seat, told))
        late = sum(one is MarkState.DUE for _mark, one in told.marks) if sheet.restored_at is None else 0
        if late:
            state += " " + chip("bad", ngettext("{count} step due", "{count} steps due", late).format(count=late))
    address = f"/incidents?sheet={sheet.year}-{sheet.number}"
    title = book.categories.label(sheet.category, seat.language)
    current = ' aria-current="true"' if shown else ""
    return (
        f'<tr data-row="{sheet.number}"{current}>'
        f'<td class="nb"><a href="{address}" target="_self">№ {sheet.number}</a></td>'
        f"<td>{state}</td><td>{escape(title)}<small>{escape(sheet.description[:90])}</small></td>"
        f'<td class="nb">{escape(place_text(sheet))}</td><td class="nb">{escape(moment(seat, sheet.detected_at))}</td>'
        f"<td>{_hand(seat, sheet)}</td></tr>"
    )


def _hand(seat: Seat, sheet: Incident) -> str:
    if not sheet.is_open:
        signed = sheet.signed_off
        return f"<small>{escape(_('signed off by {name}').format(name=signed.name))}</small>" if signed else ""
    return f"{escape(holder_text(sheet.holder))}<small>{escape(_held(seat, sheet.holder))}</small>"


def holder_text(hand: Hand) -> str:
    """Line and person; of the first line, where the kit opened the sheet, that nobody has taken it up."""
    line = _(LINE_LABELS[hand.line])
    return f"{line}: {hand.person.name}" if hand.person else f"{line} · {_('nobody named')}"


def _held(seat: Seat, hand: Hand) -> str:
    return _("since {moment}, {span}").format(moment=moment(seat, hand.since), span=span(seat, hand.seconds(seat.now)))


def place_text(sheet: Incident) -> str:
    """Room, camera, station; of several cameras how many."""
    if len(sheet.cameras) > 1:
        count = len(sheet.cameras)
        return ngettext("{count} camera", "{count} cameras", count).format(count=count)
    return ", ".join(code for code in (sheet.room, sheet.camera, sheet.station) if code)
