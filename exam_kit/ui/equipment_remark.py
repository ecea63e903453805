"""What the day's screen says of equipment: kinds without a working reserve, consumables that are not enough."""

from __future__ import annotations

from html import escape

from exam_kit.errors import ExamKitError
from exam_kit.i18n import _
from exam_kit.journal.consumable import Enough
from exam_kit.journal.equipment_reserve import reserves
from exam_kit.ui.equipment_desk import consumables_at, equipment_at
from exam_kit.ui.marks import mark
from exam_kit.ui.seat import Seat

__all__ = ["equipment_remark"]


def equipment_remark(seat: Seat) -> str:
    """A remark, or nothing when all is there. An empty register says so: nothing then tells of any reserve."""
    try:
        book, stock = equipment_at(seat), consumables_at(seat)
    except ExamKitError as problem:
        return _told([problem.text(seat.language)])
    register = book.register()
    if not register.items:
        return _told([_("Equipment: the register is empty, so nothing is known of the reserves.")])
    lacking = [line.kind.label.text() for line in reserves(register, book.norms, seat.point) if line.lacking]
    lines = stock.lines()
    short = [line.norm.label.text() for line in lines if line.enough in (Enough.SHORT, Enough.LOW)]
    unknown = any(line.enough is Enough.UNKNOWN for line in lines)
    said = []
    if lacking:
        said.append(_("No working reserve: {kinds}.").format(kinds=", ".join(lacking)))
    if short:
        said.append(_("Not enough: {names}.").format(names=", ".join(short)))
    if unknown:
        said.append(_("The need of consumables is not known: the number of candidates is not written."))
    return _told(said) if said else ""


def _told(said: list[str]) -> str:
    lines = "".join(f"<p>{mark('warn')}{escape(one)}</p>" for one in said)
    link = f'<a href="/equipment" target="_self">{escape(_("Open the equipment"))}</a>'
    return f'<div class="ek-check warn ek-duty" data-equipment>{lines}<p>{link}</p></div>'
