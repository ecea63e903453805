"""Points × days on the screen: every state by word and shape, and what is missing to the minute."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from html import escape
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from exam_kit.agent.region_report import causes_text, place_text, spans_text
from exam_kit.clock import from_iso
from exam_kit.i18n import _, ngettext
from exam_kit.region.days import STATE_LABELS, Lacking, PointDay, count_states
from exam_kit.region.desk import RegionDesk
from exam_kit.region.looked import unkept
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.region_seat import RegionSeat
from exam_kit.ui.when import LOCALES, moment, short_day

__all__ = ["STATE_TONES", "lacking_table", "matrix", "quarantine_table", "summary", "zones_of"]

STATE_TONES = {
    "delivered": "good",
    "partly": "ask",
    "late": "warn",
    "nothing": "bad",
    "quarantine": "unknown",
    "not_due": "none",
    "extra": "ask",
}
"""Each state has a shape of its own but for the two squares, whose words differ."""


def summary(rows: Sequence[PointDay]) -> str:
    """How many point days are in each state."""
    chips = [
        chip(STATE_TONES[state], f"{_(STATE_LABELS[state])}: {count}")
        for state, count in count_states(rows).items()
        if count
    ]
    return f'<div class="ek-legend" data-summary>{" ".join(chips)}</div>'


def zones_of(rows: Sequence[PointDay]) -> dict[str, ZoneInfo]:
    """The clock of each registered point."""
    return {row.point: ZoneInfo(row.timezone) for row in rows if row.timezone}


def matrix(seat: RegionSeat, rows: Sequence[PointDay]) -> str:
    """One row a point, one column a day."""
    days = sorted({row.day for row in rows})
    points: dict[str, dict[dt.date, PointDay]] = {}
    for row in rows:
        points.setdefault(row.point, {})[row.day] = row
    heads = "".join(f'<th scope="col">{escape(short_day(seat, day))}</th>' for day in days)
    body = "".join(
        f'<tr data-point="{escape(point)}"><th scope="row">{escape(point)}<small>{escape(_name(held))}</small></th>'
        + "".join(_cell(seat, held.get(day)) for day in days)
        + "</tr>"
        for point, held in points.items()
    )
    return (
        f'<div style="overflow-x:auto"><table class="ek-table ek-region"><thead><tr><th scope="col">{_("Exam point")}'
        f"</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _name(held: dict[dt.date, PointDay]) -> str:
    return next((row.name for row in held.values() if row.name), _("not in the register"))


def _cell(seat: RegionSeat, row: PointDay | None) -> str:
    if row is None:
        return "<td>—</td>"
    minutes = _("{delivered} of {expected} min").format(
        delivered=_number(seat, row.delivered_s / 60), expected=_number(seat, row.expected_s / 60)
    )
    more = []
    if row.short:
        text = ngettext("{count} camera lacks footage", "{count} cameras lack footage", row.short)
        more.append(text.format(count=row.short))
        due = row.due_at.astimezone(ZoneInfo(row.timezone) if row.timezone else seat.tz) - dt.timedelta(minutes=1)
        more.append((_("was due {day}") if row.overdue else _("due {day}")).format(day=short_day(seat, due.date())))
    if row.quarantined and row.state != "quarantine":
        more.append(_("in quarantine besides: {count}").format(count=row.quarantined))
    small = "".join(f"<small>{escape(text)}</small>" for text in [minutes, *more])
    tone = STATE_TONES[row.state]
    return f'<td data-state="{row.state}">{mark(tone)}<b>{escape(_(STATE_LABELS[row.state]))}</b>{small}</td>'


def lacking_table(seat: RegionSeat, rows: Sequence[Lacking], zones: dict[str, ZoneInfo]) -> str:
    """Camera by camera, which minutes are missing by the point's clock, and what the point says of them."""
    heads = (_("Exam point"), _("Exam day"), _("Camera"), _("Place"), _("Missing, min"), _("Missing time"), _("Causes"))
    body = "".join(
        f"<tr><td class=nb>{escape(row.point)}</td><td class=nb>{short_day(seat, row.day)}</td>"
        f"<td>{escape(row.camera)}</td>"
        f"<td>{escape(place_text(row, seat.language))}</td>"
        f'<td class="num">{_number(seat, (row.expected_s - row.delivered_s) / 60)}</td>'
        f"<td>{escape(spans_text(row, zones.get(row.point, seat.tz), seat.language))}</td>"
        f"<td>{escape(causes_text(row, seat.language))}</td></tr>"
        for row in rows
    )
    return _table(heads, body, "lacking")


def quarantine_table(seat: RegionSeat, desk: RegionDesk, wanted: str, most: int) -> str:
    """What was set aside of the points with `wanted` in their number, the latest first, with the reason and
    where the note lies; empty when nothing was.
    """
    rows = desk.catalogue.query(
        "SELECT * FROM quarantine WHERE instr(coalesce(point, ''), ?) ORDER BY seq DESC LIMIT ?", (wanted, most)
    )
    if not rows:
        return ""
    body = "".join(
        f"<tr><td class=nb>{moment(seat, from_iso(row['at']))}</td><td class=nb>{escape(row['point'] or '—')}</td>"
        f"<td>{escape(unkept(json.loads(row['message'])).text(seat.language))}"
        f"<small>{escape(str(desk.home.root / row['folder']))}</small></td></tr>"
        for row in rows
    )
    return _table((_("Since"), _("Exam point"), _("Reason")), body, "quarantine")


def _table(heads: Sequence[str], body: str, name: str) -> str:
    row = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (
        f'<div style="overflow-x:auto"><table class="ek-table" data-table="{name}"><thead><tr>{row}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(seat: RegionSeat, value: float) -> str:
    return escape(str(format_decimal(round(value, 1), "#,##0.#", locale=LOCALES[seat.language])))
