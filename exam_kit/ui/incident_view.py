"""An incident sheet on the screen: what to do first, what is known, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exam_kit.i18n import _, ngettext
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incident_files import STATE_LABELS, states_of
from exam_kit.journal.incident_fold import taken_of
from exam_kit.journal.incident_parts import DECISION_LABELS, LINE_LABELS, WAY_LABELS, Event, Taken
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.person import Person
from exam_kit.journal.questions import Answer
from exam_kit.store.evidence import KeptState
from exam_kit.ui.incident_list import holder_text, place_text
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, seconds_time, short_day, size, span

__all__ = ["first_actions", "sheet_view"]


def first_actions(seat: Seat, book: Incidents, code: str) -> str:
    """What to do first in this case, numbered."""
    category = book.categories.by_code.get(code)
    if category is None:
        return ""
    steps = "".join(f"<li>{escape(text)}</li>" for text in category.first.text(seat.language))
    return f'<div class="ek-first"><b>{_("Do first")}</b><ol>{steps}</ol></div>'


def sheet_view(seat: Seat, book: Incidents, sheet: Incident) -> str:
    """The whole sheet: head, what is known, first actions while it is open, files, timeline."""
    state = chip("warn", _("open")) if sheet.is_open else chip("good", _("closed"))
    title = book.categories.label(sheet.category, seat.language)
    head = (
        f'<h3 class="ek-h">№ {sheet.number} · {escape(title)} {state}</h3><p>{escape(sheet.description)}</p>'
        f'<p class="ek-note">{escape(_detected(seat, sheet))}</p>'
    )
    first = first_actions(seat, book, sheet.category) if sheet.is_open else ""
    lines = "".join(_event(seat, event) for event in sheet.timeline)
    body = head + _hands(seat, sheet) + first + _known(seat, sheet) + _cameras(seat, sheet) + _files(seat, sheet)
    return f'<div class="ek-card" data-incident="{sheet.number}">{body}<ul class="ek-steps">{lines}</ul></div>'


def _hands(seat: Seat, sheet: Incident) -> str:
    """Who has it now and since when; before that, who had it how long."""
    hand = sheet.holder
    until = sheet.closed_at or seat.now
    said = _("since {moment}, {span}").format(moment=moment(seat, hand.since), span=span(seat, hand.seconds(until)))
    earlier = " → ".join(f"{holder_text(one)} ({span(seat, one.seconds(until))})" for one in sheet.hands[:-1])
    label = _("In whose hands") if sheet.is_open else _("Last in whose hands")
    more = f"<small>{escape(_('before: {hands}').format(hands=earlier))}</small>" if earlier else ""
    return f'<p class="ek-hand"><b>{escape(label)}:</b> {escape(holder_text(hand))} · {escape(said)}{more}</p>'


def _known(seat: Seat, sheet: Incident) -> str:
    """The fields that are filled in, label and value."""
    facts: list[tuple[str, str]] = [
        (_("Told"), "; ".join(_told(seat, event) for event in sheet.events("reported"))),
        (_("Replaced with (inventory №)"), sheet.replaced_with),
        (_("Recording gap from – to"), _span(seat, sheet)),
        (_("Candidates affected"), "" if sheet.candidates is None else str(sheet.candidates)),
        (_("Minutes to be added"), "" if sheet.minutes_added is None else str(sheet.minutes_added)),
        (_("Decision"), "; ".join(_taken(seat, taken) for taken in sheet.decisions)),
        (_("Restored at"), moment(seat, sheet.restored_at) if sheet.restored_at else ""),
        (_("Equipment, inventory №"), ", ".join(sheet.equipment)),
        (_("Evidence"), "; ".join(sheet.evidence)),
    ]
    if not sheet.is_open:
        signed = sheet.signed_off
        by = f"{signed.name}, {signed.post}" if signed else _("nobody: it was closed before sign-offs were kept")
        facts += [(_("Conclusion"), sheet.conclusion), (_("Signed off by"), by)]
    rows = [(label, escape(value)) for label, value in facts if value]
    rows += [(answer.question(seat.language), escape(answer.text(seat.language))) for answer in sheet.answers]
    links = _links(seat, sheet)
    if links:
        rows.append((_("Belongs to"), links))
    told = "".join(f"<dt>{escape(label)}</dt><dd>{value}</dd>" for label, value in rows)
    return f'<dl class="ek-facts">{told}</dl>' if told else ""


def _links(seat: Seat, sheet: Incident) -> str:
    """Addresses of what the sheet belongs to: log lines, checks, gaps, calls."""
    days = {sheet.detected_at.astimezone(seat.tz).date()}
    said = [
        f'<a href="/access_log" target="_self">{escape(_("log line № {number}").format(number=ref.number))}</a>'
        for ref in sheet.log_rows
    ]
    said += [
        f'<a href="/papers/protocol.pdf?run={escape(run)}" target="_blank">'
        f"{escape(_('check {run}').format(run=run))}</a>"
        for run in sheet.checks
    ]
    said += [f'<a href="/cameras" target="_self">{escape(_gap(seat, gap))}</a>' for gap in sheet.gaps]
    said += [
        f'<a href="/incidents?calls={min(days)}" target="_self">'
        f"{escape(_('room call № {number}').format(number=ref.number))}</a>"
        for ref in sheet.calls
    ]
    return " · ".join(said)


def _gap(seat: Seat, gap: Outage) -> str:
    ends = seconds_time(seat, gap.back_at) if gap.back_at else "…"
    return _("gap {camera} {span}").format(camera=gap.camera, span=f"{seconds_time(seat, gap.lost_at)}–{ends}")


def _span(seat: Seat, sheet: Incident) -> str:
    if sheet.gap_from is None and sheet.gap_to is None:
        return ""
    ends = [moment(seat, at) if at else "…" for at in (sheet.gap_from, sheet.gap_to)]
    return " – ".join(ends)


def _told(seat: Seat, event: Event) -> str:
    to = Person.from_dict(event.data["to"])
    return f"{seconds_time(seat, event.at)[:5]} {to.name}"


def _taken(seat: Seat, taken: Taken) -> str:
    label = _(DECISION_LABELS[taken.decision])
    said = [f"{label}: {taken.text}" if taken.text else label, taken.by.name]
    agreed = taken.agreed
    if agreed is not None:
        said.append(_("Agreed by {name}.").format(name=agreed.person.name))
        if agreed.at is not None and agreed.way is not None:
            said.append(f"{seconds_time(seat, agreed.at)[:5]}, {_(WAY_LABELS[agreed.way])}")
    return " · ".join(said)


def _files(seat: Seat, sheet: Incident) -> str:
    """Each file with a link that opens it; one that is missing or altered stands out."""
    if not sheet.files:
        return ""
    states = states_of(seat.home, sheet.files)
    rows = []
    for one in sheet.files:
        state = states[one.sha256]
        tone, text = ("good" if state is KeptState.WHOLE else "bad"), _(STATE_LABELS[state])
        name = escape(one.name)
        if state is KeptState.WHOLE:
            name = f'<a href="/papers/evidence/{one.sha256}" target="_blank">{name}</a>'
        code = f"SHA-256 {one.sha256[:12]}…"
        rows.append(f"<li>{name} <small>{escape(size(seat, one.bytes))} · {code}</small> {chip(tone, text)}</li>")
    return f'<div class="ek-files"><b>{escape(_("Photos and files"))}</b><ul>{"".join(rows)}</ul></div>'


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


def _detected(seat: Seat, sheet: Incident) -> str:
    said = _("detected {moment} by {name}").format(moment=moment(seat, sheet.detected_at), name=sheet.detected_by.name)
    return f"{said} · {place_text(sheet)}" if place_text(sheet) else said


def _event(seat: Seat, event: Event) -> str:
    text = _event_text(seat, event)
    day = event.at.astimezone(seat.tz).date()
    time = seconds_time(seat, event.at)[:5]
    if day != seat.today:
        time = f"{short_day(seat, day)[:5]} {time}"
    return (
        f"<li><time>{time}</time><b>{escape(_(event.label))}</b> {escape(text)} "
        f"<small>{escape(event.by.name)}</small></li>"
    )


def _event_text(seat: Seat, event: Event) -> str:
    data = event.data
    if event.kind == "decided":
        return _taken(seat, taken_of(event))
    if event.kind == "reported":
        to = Person.from_dict(data["to"])
        return " · ".join(part for part in (to.name, to.post, event.text) if part)
    if event.kind == "answered":
        given = [Answer.of(one, event.by, event.at) for one in data["answers"]]
        return "; ".join(f"{one.question(seat.language)}: {one.text(seat.language)}" for one in given)
    if event.kind == "handed":
        to_line = _(LINE_LABELS[data["to"]])
        name = Person.from_dict(data["person"]).name if data["person"] else ""
        return " · ".join(part for part in (to_line, name, event.text) if part)
    if event.kind == "attached":
        return " · ".join([", ".join(one["name"] for one in data["files"]), *([event.text] if event.text else [])])
    if event.kind == "noted":
        return _noted(data["fields"])
    return event.text


def _noted(fields: dict[str, object]) -> str:
    """Which fields were filled in; their values stand above."""
    labels = {
        "replaced_with": _("Replaced with (inventory №)"),
        "gap_from": _("Recording gap from – to"),
        "gap_to": _("Recording gap from – to"),
        "candidates": _("Candidates affected"),
        "minutes_added": _("Minutes to be added"),
        "evidence": _("Evidence"),
        "log_rows": _("Lines of the access log"),
        "checks": _("Checks"),
        "gaps": _("Gaps"),
        "equipment": _("Equipment, inventory №"),
    }
    said: Sequence[str] = list(dict.fromkeys(labels[name] for name in fields if name in labels))
    return ", ".join(said)
