"""The cabinet log on the screen: what is open, the lines in the columns of the published sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from exam_kit.i18n import N_, _
from exam_kit.journal.access_row import LineKind
from exam_kit.journal.cabinet import ACT_LABELS, CabinetAct, CabinetLine, strange_seals
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, short_day

__all__ = ["cabinet_label", "cabinet_table"]

COLUMNS = (
    N_("№"),
    N_("Date"),
    N_("Cabinet opened / closed"),
    N_("Time"),
    N_("Reason"),
    N_("Unit found"),
    N_("Seal №"),
    N_("Initiator"),
    N_("Operators"),
    N_("Countersigned"),
)
UNIT = {True: N_("switched on"), False: N_("switched off")}


def cabinet_label(seat: Seat, line: CabinetLine) -> str:
    """One line for a list: № 5 · 08:00 · cabinet opened · PAK-1."""
    return f"№ {line.number} · {clock_time(seat, line.at)} · {_act(line)} · {line.cabinet}"


def cabinet_table(seat: Seat, shown: Sequence[CabinetLine], lines: Sequence[CabinetLine]) -> str:
    """Those of `lines` that are `shown`; those that no longer stand are struck and name what took their place."""
    strange = strange_seals(lines)
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in COLUMNS)
    body = "".join(_line(seat, line, strange) for line in shown)
    return f'<table class="ek-table" data-cabinet-log><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _act(line: CabinetLine) -> str:
    if line.withdraws:
        return _("line № {number} is withdrawn").format(number=line.withdraws.number)
    return _(ACT_LABELS[line.act])


def _line(seat: Seat, line: CabinetLine, strange: Mapping[RowRef, str]) -> str:
    gone = line.kind is LineKind.WITHDRAWAL
    people = (line.writer,) if gone else (line.initiator,)
    operators = () if gone else line.operators
    cells = [
        f'<td class="num">{line.number}</td>',
        f'<td class="nb">{escape(short_day(seat, line.date))}</td>',
        f"<td>{escape(_act(line))}<small>{escape(line.cabinet)}</small></td>",
        f'<td class="nb">{clock_time(seat, line.at)}</td>',
        f"<td>{'' if gone else escape(line.reason)}{_remark(line)}</td>",
        f"<td>{'' if gone else escape(_(UNIT[line.unit_on]))}</td>",
        f"<td>{'' if gone else _seal(line, strange)}</td>",
        f"<td>{''.join(_person(one) for one in people)}</td>",
        f"<td>{''.join(_person(one) for one in operators)}</td>",
        f'<td class="keep">{_signed(seat, line)}</td>',
    ]
    return f'<tr class="{"void" if line.void else ""}" data-cabinet-line="{line.number}">{"".join(cells)}</tr>'


def _seal(line: CabinetLine, strange: Mapping[RowRef, str]) -> str:
    if line.act is CabinetAct.CLOSED:
        return f"{escape(line.seal)}<small>{escape(_('put on'))}</small>"
    said = f"{escape(line.seal)}<small>{escape(_('whole, removed') if line.seal_whole else _('removed'))}</small>"
    if not line.seal_whole:
        said += chip("bad", _("damaged"))
    if line.ref in strange:
        said += chip("bad", _("put on was {expected}").format(expected=strange[line.ref]))
    return said


def _remark(line: CabinetLine) -> str:
    said = []
    if line.corrects:
        said.append(_("in place of line № {number}: {why}").format(number=line.corrects.number, why=line.why))
    elif line.why:
        said.append(line.why)
    if line.corrected_by:
        said.append(_("corrected by line № {number}").format(number=line.corrected_by.number))
    if line.withdrawn_by:
        said.append(_("withdrawn by line № {number}").format(number=line.withdrawn_by.number))
    return "".join(f"<small>{escape(one)}</small>" for one in said)


def _person(person: Person) -> str:
    post = f"<small>{escape(person.post)}</small>" if person.post else ""
    return f"<div>{escape(person.name)}{post}</div>"


def _signed(seat: Seat, line: CabinetLine) -> str:
    if line.countersigned:
        who, at = line.countersigned.person, clock_time(seat, line.countersigned.at)
        return f"{chip('good', at)}<small>{escape(who.name)}</small>"
    return chip("none", _("not yet")) if line.waits else ""
