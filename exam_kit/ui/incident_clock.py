"""The running clock of a sheet as a bar: what is due when, what is done, how long there still is."""

from __future__ import annotations

from html import escape

from exam_kit.i18n import N_, _
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_clock import ClockStage, IncidentClock, MarkState, incident_clock
from exam_kit.journal.incidents import Incidents
from exam_kit.ui.marks import mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, moment, span

__all__ = ["STAGE_TONES", "clock_words", "running_clock"]

STAGE_TONES = {
    ClockStage.RUNNING: "warn",
    ClockStage.DUE: "warn",
    ClockStage.OVER: "bad",
    ClockStage.STOPPED: "good",
}
MARK_WORDS = {MarkState.AHEAD: N_("to come"), MarkState.DUE: N_("due, not done"), MarkState.DONE: N_("done")}
MARK_TONES = {MarkState.AHEAD: "none", MarkState.DUE: "bad", MarkState.DONE: "good"}
LONGEST_S = 6 * 3600.0
"""A limit that is days away is no bar to watch."""


def clock_words(seat: Seat, told: IncidentClock) -> str:
    """lasts 7 min · limit in 13 min"""
    lasts = span(seat, told.elapsed_s)
    if told.stage is ClockStage.STOPPED:
        return _("lasted {span}").format(span=lasts)
    said = [_("lasts {span}").format(span=lasts)]
    if told.left_s is not None and told.left_s > 0:
        said.append(_("limit in {span}").format(span=span(seat, told.left_s)))
    elif told.left_s is not None:
        said.append(_("limit passed {span} ago").format(span=span(seat, -told.left_s)))
    return " · ".join(said)


def running_clock(seat: Seat, book: Incidents, sheet: Incident) -> str:
    """How long it has lasted, how long there still is; where there are marks, a bar with each of them."""
    told = incident_clock(sheet, book.categories.by_code.get(sheet.category), seat.point, seat.now)
    tone = STAGE_TONES[told.stage]
    notes = []
    if told.stage is ClockStage.STOPPED:
        notes.append(_("restored") if sheet.is_open else _("closed"))
    if told.limit_at is not None:
        notes.append(_("limit {moment}").format(moment=moment(seat, told.limit_at)))
    return (
        f'<div class="ek-verdict {tone}" data-stage="{told.stage}">{mark(tone)}<div><b>'
        f"{escape(clock_words(seat, told))}</b><span>{escape(' · '.join(notes))}</span>"
        f"{_bar(seat, sheet, told)}</div></div>"
    )


def _bar(seat: Seat, sheet: Incident, told: IncidentClock) -> str:
    since = sheet.running_since or sheet.detected_at
    limit_s = (told.limit_at - since).total_seconds() if told.limit_at else 0.0
    marks_s = [one.after_min * 60 for one, _state in told.marks]
    if not marks_s and not 0 < limit_s <= LONGEST_S:
        return ""
    whole_s = max([told.elapsed_s * 1.02, limit_s if limit_s <= LONGEST_S else 0.0, *marks_s]) or 1.0

    def percent(seconds: float) -> str:
        return f"{min(seconds / whole_s, 1.0) * 100:.1f}%"

    passed = f'<i class="passed {STAGE_TONES[told.stage]}" style="left:0;width:{percent(told.elapsed_s)}"></i>'
    lines = "".join(f'<i class="edge" style="left:{percent(at)}"></i>' for at in marks_s)
    if 0 < limit_s <= LONGEST_S:
        lines += f'<i class="limit" style="left:calc({percent(limit_s)} - 3px)"></i>'
    steps = "".join(
        f'<li class="{MARK_TONES[state]}" data-mark="{state}">{mark(MARK_TONES[state])}<span><b>'
        f"{escape(_minutes(one.after_min))}</b> {escape(one.label.text(seat.language))} "
        f"<small>{escape(_(MARK_WORDS[state]))}</small></span></li>"
        for one, state in told.marks
    )
    if told.limit_at is not None and 0 < limit_s <= LONGEST_S:
        tone = "bad" if told.stage is ClockStage.OVER else "none"
        until = clock_time(seat, told.limit_at)
        steps += (
            f'<li class="{tone}">{mark(tone)}<span><b>{escape(_minutes(limit_s / 60))}</b> '
            f"{escape(_('limit'))} <small>{escape(until)}</small></span></li>"
        )
    return f'<div class="ek-bar ek-clock">{passed}{lines}</div><ul class="ek-marks">{steps}</ul>'


def _minutes(count: float) -> str:
    return _("{minutes} min").format(minutes=f"{count:g}")
