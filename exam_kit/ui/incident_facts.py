"""What is known about an incident: answers, fields, links, photos and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from exam_kit.checks.results import runs
from exam_kit.clock import from_iso, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.incident import Incident
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.questions import Answer, Question, Value
from exam_kit.ui.access_table import line_label
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import read_time, whole_number
from exam_kit.ui.incident_sent import sent
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time, moment, seconds_time

__all__ = ["fields_form", "files_form", "links_form", "questions_form"]

OFFERED = 50
"""So many lines, checks and gaps can be linked from the screen, the latest first."""


def questions_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """The category's questions, each with the field its answer wants; what is left empty is not written."""
    category = book.categories.by_code.get(sheet.category)
    if category is None or not category.questions:
        st.caption(_("There are no questions for this case."))
        return
    known = {answer.code: answer for answer in sheet.answers}
    with st.form(f"form-{key}", border=False):
        fields = {one.code: _answer_field(seat, one, known.get(one.code), key) for one in category.questions}

        def write() -> None:
            given = {code: value for code, read in fields.items() if (value := read()) is not None}
            new = {code: value for code, value in given.items() if code not in known or known[code].value != value}
            book.answer(sheet.number, new, seat.account, year=sheet.year)

        sent(seat, key, _("Write the answers"), write)


def _answer_field(seat: Seat, question: Question, known: Answer | None, key: str) -> Callable[[], Value | None]:
    """The field of a question, filled in with what was answered before; the result reads it."""
    label, name = question.label.text(seat.language), f"{key}-{question.code}"
    if question.kind in ("yes_no", "choice"):
        said: dict[Value, str] = {True: _("yes"), False: _("no")}
        if question.kind == "choice":
            said = {option.code: option.label.text(seat.language) for option in question.options}
        default = known.value if known and known.value in said else None
        chosen = st.pills(label, list(said), format_func=said.__getitem__, default=default, wrap=True, key=name)
        return lambda: chosen
    typed = st.text_input(label, str(known.value) if known else "", key=name)
    text = (typed or "").strip()
    if question.kind == "text":
        return lambda: text or None

    def number() -> Value | None:
        if not text:
            return None
        try:
            return float(text.replace(",", ".").replace("−", "-"))
        except ValueError as problem:
            raise RefusedEntry(
                m("'{question}': '{text}' is not a number. Write digits.", question=label, text=text[:40])
            ) from problem

    return number


def fields_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """Replacement, gap, candidates, minutes, and evidence on paper."""
    day = sheet.detected_at.astimezone(seat.tz).date()
    with st.form(f"form-{key}", border=False):
        replaced = st.text_input(_("Replaced with (inventory №)"), sheet.replaced_with, key=f"{key}-replaced")
        from_at, to_at = st.columns(2)
        begins = clock_time(seat, sheet.gap_from) if sheet.gap_from else ""
        ends = clock_time(seat, sheet.gap_to) if sheet.gap_to else ""
        gap_from = from_at.text_input(_("Gap from, hh:mm"), begins, key=f"{key}-from") or ""
        gap_to = to_at.text_input(_("to, hh:mm"), ends, key=f"{key}-to") or ""
        people_at, minutes_at = st.columns(2)
        people = "" if sheet.candidates is None else str(sheet.candidates)
        minutes = "" if sheet.minutes_added is None else str(sheet.minutes_added)
        candidates = people_at.text_input(_("Candidates affected"), people, key=f"{key}-people") or ""
        added = minutes_at.text_input(_("Minutes to be added"), minutes, key=f"{key}-minutes") or ""
        evidence = st.text_input(_("Evidence on paper or elsewhere"), key=f"{key}-evidence") or ""

        def write() -> None:
            # What stands there as it was is not written again: seconds of the kit's own times would be lost.
            since = read_time(seat, gap_from, day) if gap_from.strip() and gap_from != begins else None
            until = read_time(seat, gap_to, day, since) if gap_to.strip() and gap_to != ends else None
            book.note(
                sheet.number,
                seat.account,
                replaced_with=replaced if replaced and replaced != sheet.replaced_with else None,
                gap_from=since,
                gap_to=until,
                candidates=_count(candidates) if candidates != people else None,
                minutes_added=_count(added) if added != minutes else None,
                evidence=[evidence] if evidence.strip() else (),
                year=sheet.year,
            )

        sent(seat, key, _("Write the fields"), write)


def _count(text: str) -> int | None:
    return whole_number(text) if text.strip() else None


def links_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """Log lines, checks and gaps of those days, and the equipment it is about."""
    offered = {**_log_lines(seat, sheet), **_runs(seat), **_gaps(seat, sheet)}
    labels = {"": "—", **{name: label for name, (label, _to) in offered.items()}}
    with st.form(f"form-{key}", border=False):
        chosen = st.selectbox(
            _("Log line, check or gap"), list(labels), format_func=labels.__getitem__, filter_mode=None,
            key=f"{key}-what",
        )  # fmt: skip
        numbers = st.text_input(_("Equipment, inventory № (several: with commas)"), key=f"{key}-equipment") or ""

        def write() -> None:
            to = offered[chosen][1] if chosen else None
            book.note(
                sheet.number,
                seat.account,
                log_rows=[to] if isinstance(to, RowRef) else (),
                checks=[to] if isinstance(to, str) else (),
                gaps=[to] if isinstance(to, Outage) else (),
                equipment=[one.strip() for one in numbers.split(",") if one.strip()],
                year=sheet.year,
            )

        sent(seat, key, _("Write the link"), write)


Offered = dict[str, tuple[str, RowRef | str | Outage]]
"""What can be linked: its label, and the log line, the run or the gap."""


def _log_lines(seat: Seat, sheet: Incident) -> Offered:
    rows = AccessLog(seat.ledger, seat.point).rows(sheet.detected_at.astimezone(seat.tz).date())[-OFFERED:]
    return {
        f"line-{row.year}-{row.number}": (_("log: {line}").format(line=line_label(seat, row)), row.ref)
        for row in reversed(rows)
    }


def _runs(seat: Seat) -> Offered:
    return {
        f"run-{run.id}": (
            _("check of {moment}").format(moment=moment(seat, from_iso(run.started_at))),
            run.id,
        )
        for run in runs(seat.store, limit=10)
    }


def _gaps(seat: Seat, sheet: Incident) -> Offered:
    """Gaps of the recording from the day before the incident on."""
    found = seat.store.query(
        "SELECT camera, from_at, to_at FROM gap WHERE from_at >= ? ORDER BY from_at DESC LIMIT ?",
        (iso(sheet.detected_at - timedelta(days=1)), OFFERED),
    )
    gaps = [
        Outage(row["camera"], from_iso(row["from_at"]), from_iso(row["to_at"]) if row["to_at"] else None)
        for row in found
    ]
    return {
        f"gap-{gap.camera}-{iso(gap.lost_at)}": (
            _("gap {camera} {span}").format(
                camera=gap.camera,
                span=f"{moment(seat, gap.lost_at)}–{seconds_time(seat, gap.back_at) if gap.back_at else '…'}",
            ),
            gap,
        )
        for gap in gaps
    }


def files_form(seat: Seat, book: Incidents, sheet: Incident, key: str) -> None:
    """Photos, PDF, plain text; proved, kept by their SHA-256, named in the ledger."""
    st.caption(_("JPEG, PNG, WebP, GIF, PDF or plain text, up to 25 MB each, at most 10 on a sheet."))
    files = chosen_files(_("Photos and files"), f"{key}-files")
    with st.form(f"form-{key}", border=False):
        text = st.text_input(_("What they show"), key=f"{key}-text")
        sent(
            seat, key, _("Add the files"),
            lambda: book.attach(sheet.number, files, seat.account, text=text or "", year=sheet.year),
        )  # fmt: skip
