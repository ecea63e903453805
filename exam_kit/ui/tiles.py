"""The day's head: the countdown, the next step, and a tile for each thing that must be in order."""

from __future__ import annotations

from html import escape

from exam_kit.checks.wording import VERDICT_LABELS
from exam_kit.clock import from_iso
from exam_kit.i18n import N_, _, ngettext
from exam_kit.point import ExamDay, exam_end, exam_start
from exam_kit.ui.day_facts import Picture
from exam_kit.ui.marks import VERDICT_TONES, mark
from exam_kit.ui.next_step import NextStep
from exam_kit.ui.orders_view import ORDER_STATES
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, countdown, day_name, span

__all__ = ["PAGE_ACTIONS", "count", "tile", "tiles", "what_next"]

FAR_S = 24 * 3600
PAGE_ACTIONS = {
    "checks": N_("Open the checks"),
    "cameras": N_("Open the cameras"),
    "archive": N_("Open the archive"),
    "access_log": N_("Open the access log"),
    "incidents": N_("Open the incidents"),
}


def count(seat: Seat, day: ExamDay) -> str:
    """Time to the start of the exam, then to its end, then since its end. Cheap: it is drawn every second."""
    now, begins, ends = seat.now, exam_start(seat.point, day), exam_end(seat.point, day)
    if now < begins:
        left, caption = begins - now, _("To the start of the exam")
    elif now < ends:
        left, caption = ends - now, _("To the end of the exam")
    else:
        left, caption = now - ends, _("Since the end of the exam")
    far = left.total_seconds() >= FAR_S
    shown = span(seat, left.total_seconds()) if far else countdown(left)
    return (
        f'<div class="ek-count"><div class="cap">{escape(caption)}</div>'
        f'<div class="big" data-countdown>{escape(shown)}</div></div>'
    )


def what_next(seat: Seat, day: ExamDay, step: NextStep) -> str:
    """The next step, when it is due, and which exam this is."""
    times = f"{clock_time(seat, exam_start(seat.point, day))}–{clock_time(seat, exam_end(seat.point, day))}"
    what = f"{day.subject} · {day_name(seat, day.date)} · {times}"
    at = ""
    if step.at is not None:
        wait = max(0.0, (step.at - seat.now).total_seconds())
        at = _("at {time}, in {span}").format(time=clock_time(seat, step.at), span=span(seat, wait))
    return (
        f'<div class="ek-next"><div class="cap">{_("Next step")}</div><b>{escape(step.what.text(seat.language))}</b>'
        f"<p>{escape(at)}</p><p>{escape(what)}</p></div>"
    )


def tile(page: str, title: str, tone: str, value: str, note: str) -> str:
    """One tile; the whole of it leads to its page."""
    return (
        f'<a class="ek-tile {tone}" href="/{page}" target="_self"><h3>{escape(title)}</h3>'
        f"<strong>{mark(tone)}{escape(value)}</strong><p>{escape(note)}</p></a>"
    )


def tiles(seat: Seat, picture: Picture) -> str:
    """Checks, cameras, archive, incidents, access log."""
    made = (_checks(seat, picture), _cameras(picture), _archive(seat, picture), _incidents(picture), _log(picture))
    return f'<div class="ek-tiles">{"".join(made)}</div>'


def _checks(seat: Seat, picture: Picture) -> str:
    run, title = picture.run, _("Checks")
    if picture.facts.checking:
        return tile("checks", title, "ask", _("running"), _("results come in one by one"))
    if run is None or run.verdict is None:
        due = _("due at {time}").format(time=clock_time(seat, picture.facts.check_due))
        return tile("checks", title, "none", _("not run yet"), due)
    note = _("faults {faults} · not known {unknown} · to confirm {pending}").format(
        faults=run.counts["fail"], unknown=run.counts["unknown"], pending=run.counts["pending"]
    )
    ended = clock_time(seat, from_iso(run.ended_at)) if run.ended_at else ""
    tone, value = VERDICT_TONES[run.verdict.value], _(VERDICT_LABELS[run.verdict]).capitalize()
    return tile("checks", title, tone, value, f"{ended} · {note}")


def _cameras(picture: Picture) -> str:
    facts, count = picture.facts, len(picture.cameras)
    value = _("{recording} of {count}").format(recording=facts.recording, count=count)
    title = _("Cameras recording")
    if facts.missing:
        return tile("cameras", title, "bad", value, _("should record and do not: {count}").format(count=facts.missing))
    ill = sum(bool(camera.ill) for camera in picture.cameras)
    if ill:
        return tile("cameras", title, "warn", value, _("picture to look at: {count}").format(count=ill))
    unknown = sum(camera.state == "unknown" for camera in picture.cameras)
    if unknown:
        return tile("cameras", title, "none", value, _("state not known: {count}").format(count=unknown))
    held_back = sum(camera.held_back for camera in picture.cameras)
    if held_back:
        return tile("cameras", title, "warn", value, _("stopped by an order: {count}").format(count=held_back))
    tone, note = ("rec", _("all as planned")) if facts.recording else ("none", _("none is to record now"))
    return tile("cameras", title, tone, value, note)


def _archive(seat: Seat, picture: Picture) -> str:
    order, title = picture.archive, _("Archive")
    if order is None:
        return tile("archive", title, "none", _("not made"), _("after the recording is stopped"))
    tone, state = ORDER_STATES[order.state]
    note = clock_time(seat, order.ended_at or order.given_at)
    if order.open and order.progress.get("bytes"):
        note = f"{100 * int(order.progress.get('done_bytes', 0)) // int(order.progress['bytes'])} %"
    return tile("archive", title, tone, _(state).capitalize(), note)


def _incidents(picture: Picture) -> str:
    count = picture.facts.open_incidents
    note = _("today in all: {count}").format(count=len(picture.incidents))
    return tile("incidents", _("Open incidents"), "warn" if count else "good", str(count), note)


def _log(picture: Picture) -> str:
    standing = [row for row in picture.rows if not row.void]
    unsigned = sum(row.countersigned is None and not row.open for row in standing)
    value = ngettext("{count} line", "{count} lines", len(picture.rows)).format(count=len(picture.rows))
    note = _("without an end: {open} · to countersign: {unsigned}").format(
        open=picture.facts.open_rows, unsigned=unsigned
    )
    return tile("access_log", _("Access log"), "ask" if picture.facts.open_rows else "none", value, note)
