"""An incident sheet on the screen: how long it lasts, what to do first, what was done."""

from __future__ import annotations

from html import escape

from exam_kit.i18n import _, ngettext
from exam_kit.journal.incident import DECISION_LABELS, Event, Incident
from exam_kit.journal.incident_clock import ClockStage, incident_clock
from exam_kit.journal.incidents import Decision, Incidents
from exam_kit.journal.person import Person
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, seconds_time, span

__all__ = ["first_actions", "list_label", "running_clock", "sheet_view"]

STAGE_TONES = {
    ClockStage.RUNNING: "warn",
    ClockStage.DUE: "warn",
    ClockStage.OVER: "bad",
    ClockStage.STOPPED: "good",
}


def list_label(seat: Seat, book: Incidents, sheet: Incident) -> str:
    """№ 3 · open · CCTV lost · COR1-1 · 28.05 08:12"""
    state = _("open") if sheet.is_open else _("closed")
    parts = [f"№ {sheet.number}", state, book.categories.label(sheet.category, seat.language), _place(sheet)]
    return " · ".join([part for part in parts if part] + [moment(seat, sheet.detected_at)])


def running_clock(seat: Seat, book: Incidents, sheet: Incident) -> str:
    """How long it has lasted, how long there still is, and what is due by now."""
    category = book.categories.by_code.get(sheet.category)
    told = incident_clock(sheet, category, seat.point, seat.now)
    tone = STAGE_TONES[told.stage]
    lasts = span(seat, told.elapsed_s)
    title = _("lasted {span}") if told.stage is ClockStage.STOPPED else _("lasts {span}")
    notes = []
    if told.stage is not ClockStage.STOPPED:
        if told.left_s is not None and told.left_s > 0:
            notes.append(_("limit in {span}").format(span=span(seat, told.left_s)))
        elif told.left_s is not None:
            notes.append(_("limit passed {span} ago").format(span=span(seat, -told.left_s)))
        notes += [f"✓ {one.label.text(seat.language)}" for one in told.due]
        if told.next is not None:
            due = _("at {minutes} min: {label}")
            notes.append(due.format(minutes=f"{told.next.after_min:g}", label=told.next.label.text(seat.language)))
    else:
        notes.append(_("restored") if sheet.is_open else _("closed"))
    return (
        f'<div class="ek-verdict {tone}">{mark(tone)}<div><b>{escape(title.format(span=lasts))}</b>'
        f"<span>{escape(' · '.join(notes))}</span></div></div>"
    )


def first_actions(seat: Seat, book: Incidents, code: str) -> str:
    """What to do first in this case, numbered."""
    category = book.categories.by_code.get(code)
    if category is None:
        return ""
    steps = "".join(f"<li>{escape(text)}</li>" for text in category.first.text(seat.language))
    return f'<div class="ek-first"><b>{_("Do first")}</b><ol>{steps}</ol></div>'


def sheet_view(seat: Seat, book: Incidents, sheet: Incident) -> str:
    """The whole sheet: head, decision, first actions while it is open, timeline."""
    state = chip("warn", _("open")) if sheet.is_open else chip("good", _("closed"))
    title = book.categories.label(sheet.category, seat.language)
    head = (
        f'<h3 class="ek-h">№ {sheet.number} · {escape(title)} {state}</h3><p>{escape(sheet.description)}</p>'
        f'<p class="ek-note">{escape(_detected(seat, sheet))}</p>'
    )
    first = first_actions(seat, book, sheet.category) if sheet.is_open else ""
    lines = "".join(_event(seat, event) for event in sheet.timeline)
    body = head + first + _cameras(seat, sheet)
    return f'<div class="ek-card" data-incident="{sheet.number}">{body}<ul class="ek-steps">{lines}</ul></div>'


def _cameras(seat: Seat, sheet: Incident) -> str:
    """The cameras of a sheet about several: which are still missing, then which are back, each with its times."""
    cameras = sheet.cameras
    if len(cameras) < 2:
        return ""
    title = ngettext("{count} affected camera", "{count} affected cameras", len(cameras)).format(count=len(cameras))
    groups = (
        ("bad", _("not recording now"), [one for one in cameras if one in sheet.away]),
        ("good", _("no longer missing"), [one for one in cameras if one not in sheet.away]),
    )
    told = "".join(
        f"<p>{chip(tone, f'{state}: {len(those)}')}</p><ul>{''.join(_outages(seat, sheet, one) for one in those)}</ul>"
        for tone, state, those in groups
        if those
    )
    return f'<div class="ek-affected"><b>{escape(title)}</b>{told}</div>'


def _outages(seat: Seat, sheet: Incident, camera: str) -> str:
    """R1-1 08:12:04–08:15:31, 08:40:10–…"""
    times = ", ".join(
        f"{seconds_time(seat, one.lost_at)}–{seconds_time(seat, one.back_at) if one.back_at else '…'}"
        for one in sheet.outages
        if one.camera == camera
    )
    return f"<li><b>{escape(camera)}</b> <small>{escape(times)}</small></li>"


def _place(sheet: Incident) -> str:
    if len(sheet.cameras) > 1:
        count = len(sheet.cameras)
        return ngettext("{count} camera", "{count} cameras", count).format(count=count)
    return ", ".join(code for code in (sheet.room, sheet.camera, sheet.station) if code)


def _detected(seat: Seat, sheet: Incident) -> str:
    said = _("detected {moment} by {name}").format(moment=moment(seat, sheet.detected_at), name=sheet.detected_by.name)
    return f"{said} · {_place(sheet)}" if _place(sheet) else said


def _event(seat: Seat, event: Event) -> str:
    text = event.text
    if event.kind == "decided":
        label = _(DECISION_LABELS[Decision(event.data["decision"])])
        text = f"{label}. {text}" if text else label
        if event.data.get("agreed_by"):
            agreed = Person.from_dict(event.data["agreed_by"]).name
            text += " " + _("Agreed by {name}.").format(name=agreed)
    elif event.kind == "reported":
        to = Person.from_dict(event.data["to"])
        text = " · ".join(part for part in (to.name, to.post, text) if part)
    return (
        f"<li><time>{seconds_time(seat, event.at)[:5]}</time><b>{escape(_(event.label))}</b> {escape(text)} "
        f"<small>{escape(event.by.name)}</small></li>"
    )
