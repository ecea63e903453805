"""The access log as a table, in the columns of the published sample."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exam_kit.i18n import N_, _
from exam_kit.journal.access_row import ACTION_LABELS, AccessAction, AccessRow, LineKind
from exam_kit.journal.person import Person
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, short_day

__all__ = ["access_table", "action_text", "line_label"]

COLUMNS = (N_("№"), N_("Date"), N_("Rooms"), N_("Start"), N_("End"), N_("Action"), N_("Who acted"), N_("Countersigned"))


def action_text(row: AccessRow) -> str:
    """What the line says was done."""
    if row.withdraws:
        return _("line № {number} is withdrawn").format(number=row.withdraws.number)
    if row.action is AccessAction.OTHER:
        return row.text
    label = _(ACTION_LABELS[row.action])
    return f"{label}: {row.text}" if row.text else label


def line_label(seat: Seat, row: AccessRow) -> str:
    """One line for a list: № 5 · 08:00–08:15 · operability check · 0001–0012."""
    end = clock_time(seat, row.end) if row.end else "…"
    return f"№ {row.number} · {clock_time(seat, row.start)}–{end} · {action_text(row)} · {row.rooms_text}"


def access_table(seat: Seat, rows: Sequence[AccessRow]) -> str:
    """All lines; those that no longer stand are struck and name the line that took their place."""
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in COLUMNS)
    body = "".join(_line(seat, row) for row in rows)
    return f'<table class="ek-table" data-log><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _line(seat: Seat, row: AccessRow) -> str:
    end = "" if row.kind is LineKind.WITHDRAWAL else clock_time(seat, row.end) if row.end else _("goes on")
    cells = [
        f'<td class="num">{row.number}</td>',
        f'<td class="nb">{escape(short_day(seat, row.date))}</td>',
        f"<td>{escape(row.rooms_text)}</td>",
        f'<td class="nb">{clock_time(seat, row.start)}</td>',
        f'<td class="nb">{escape(end)}</td>',
        f"<td>{escape(action_text(row))}{_remark(row)}</td>",
        f"<td>{_person(row.person)}</td>",
        f'<td class="keep">{_signed(seat, row)}</td>',
    ]
    return f'<tr class="{"void" if row.void else ""}" data-line="{row.number}">{"".join(cells)}</tr>'


def _remark(row: AccessRow) -> str:
    said = []
    if row.corrects:
        said.append(_("in place of line № {number}: {why}").format(number=row.corrects.number, why=row.why))
    elif row.why:
        said.append(row.why)
    if row.order is not None:
        said.append(_("order № {number}").format(number=row.order))
    if row.corrected_by:
        said.append(_("corrected by line № {number}").format(number=row.corrected_by.number))
    if row.withdrawn_by:
        said.append(_("withdrawn by line № {number}").format(number=row.withdrawn_by.number))
    return "".join(f"<small>{escape(one)}</small>" for one in said)


def _person(person: Person) -> str:
    return f"{escape(person.name)}<small>{escape(person.post)}</small>" if person.post else escape(person.name)


def _signed(seat: Seat, row: AccessRow) -> str:
    if row.countersigned:
        who, at = row.countersigned.person, clock_time(seat, row.countersigned.at)
        return f"{chip('good', at)}<small>{escape(who.name)}</small>"
    if row.void or row.open:
        return ""
    return chip("none", _("not yet"))
