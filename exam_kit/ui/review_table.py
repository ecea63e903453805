"""The lines of a book as a reviewer reads them: newest first, with the gaps in recordings beside them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exam_kit.i18n import N_, _
from exam_kit.review.book_lines import STANDING_LABELS, Line, Standing
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, short_day

__all__ = ["review_table"]

COLUMNS = (
    N_("№"),
    N_("Date"),
    N_("Rooms"),
    N_("Start"),
    N_("End"),
    N_("What was done or happened"),
    N_("Who acted and wrote"),
    N_("Signed"),
)
REMARK_SHOWN = 300
"""Characters of a remark on the screen; the whole of it stands in the exports and on the sheet itself."""
GAPS_SHOWN = 4
TONES = {Standing.SIGNED: "good", Standing.WAITS: "none", Standing.OPEN: "ask"}


def review_table(seat: Seat, lines: Sequence[Line]) -> str:
    head = "".join(f'<th scope="col">{escape(_(name))}</th>' for name in COLUMNS)
    body = "".join(_row(seat, line) for line in lines)
    return f'<table class="ek-table" data-review><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(seat: Seat, line: Line) -> str:
    people = "".join(f"<small>{escape(one.name)}</small>" for one in line.people[1:])
    cells = [
        f'<td class="num">{line.number}</td>',
        f'<td class="nb">{escape(short_day(seat, line.date))}</td>',
        f"<td>{escape(line.rooms_text)}</td>",
        f'<td class="nb">{clock_time(seat, line.start)}</td>',
        f'<td class="nb">{clock_time(seat, line.end) if line.end else ""}</td>',
        f"<td>{escape(line.what)}{_small(line.remark)}{_gaps(seat, line)}</td>",
        f"<td>{escape(line.people[0].name) if line.people else ''}{people}</td>",
        f'<td class="keep">{_standing(seat, line)}</td>',
    ]
    void = "void" if line.standing is Standing.VOID else ""
    return f'<tr class="{void}" data-line="{line.number}">{"".join(cells)}</tr>'


def _small(text: str) -> str:
    if not text:
        return ""
    return f"<small>{escape(text if len(text) <= REMARK_SHOWN else text[:REMARK_SHOWN] + '…')}</small>"


def _gaps(seat: Seat, line: Line) -> str:
    said = [
        f'<small class="keep" data-gap="{escape(gap.camera)}">{mark("bad")}'
        + escape(
            _("{camera} did not record {start}–{end}: {cause}").format(
                camera=gap.camera,
                start=clock_time(seat, gap.start),
                end=clock_time(seat, gap.end) if gap.end else "…",
                cause=_(gap.cause),
            )
        )
        + "</small>"
        for gap in line.beside[:GAPS_SHOWN]
    ]
    more = len(line.beside) - GAPS_SHOWN
    if more > 0:
        said.append(f"<small>{escape(_('and {count} more gaps').format(count=more))}</small>")
    return "".join(said)


def _standing(seat: Seat, line: Line) -> str:
    if line.signed_by is not None and line.signed_at is not None:
        return f"{chip('good', clock_time(seat, line.signed_at))}<small>{escape(line.signed_by.name)}</small>"
    label = STANDING_LABELS[line.standing]
    return chip(TONES.get(line.standing, "none"), _(label)) if label and line.standing is not Standing.VOID else ""
