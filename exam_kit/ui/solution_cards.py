"""A solution on the screen: how it shows itself, why, what to do, and what it has been good for."""

from __future__ import annotations

from html import escape

from exam_kit.i18n import _
from exam_kit.journal.solution import SOURCE_LABELS, Change, Solution, Tally
from exam_kit.journal.solutions import Solutions
from exam_kit.ui.marks import chip
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, short_day

__all__ = ["brief_card", "origin_text", "solution_card", "solution_label", "tally_text", "wording_text"]

LABEL_LETTERS = 70


def origin_text(book: Solutions, solution: Solution) -> str:
    """Where it comes from: shipped, written here, or at which other point."""
    if solution.shipped:
        return _("shipped with Exam Kit")
    return _("this point") if solution.origin == book.key else _("point {point}").format(point=solution.origin)


def solution_label(seat: Seat, solution: Solution) -> str:
    """One line for a list: its id and the beginning of the symptom."""
    _language, wording = solution.content.shown(seat.language)
    symptom = wording.symptom
    cut = symptom if len(symptom) <= LABEL_LETTERS else f"{symptom[:LABEL_LETTERS]}…"
    return f"{solution.id} · {cut}"


def tally_text(solution: Solution, category: str | None = None) -> str:
    """How often it helped: here, and apart from it elsewhere. Nothing said is told as that."""
    own, other = solution.own_tally(category), solution.other_tally(category)
    if not sum(own) and not sum(other):
        return _("nobody has said yet whether it helped")
    parts = [_said(own)] if sum(own) else [_("not tried here yet")]
    if sum(other):
        parts.append(_("other points: {said}").format(said=_said(other)))
    return " · ".join(parts)


def _said(tally: Tally) -> str:
    return _("helped {helped}, did not help {not_helped}").format(helped=tally.helped, not_helped=tally.not_helped)


def wording_text(seat: Seat, solution: Solution) -> str:
    """Cause and numbered steps in the reader's language, else in another, marked."""
    language, wording = solution.content.shown(seat.language)
    cause = f"<p><b>{escape(_('Cause'))}</b> {escape(wording.cause)}</p>" if wording.cause else ""
    steps = "".join(f"<li>{escape(step)}</li>" for step in wording.steps)
    return f'<div lang="{language}">{cause}<ol>{steps}</ol></div>'


def brief_card(seat: Seat, book: Solutions, solution: Solution, *, opened: bool = False) -> str:
    """The symptom with how often it helped; the steps unfold."""
    language, wording = solution.content.shown(seat.language)
    mark = _language_mark(seat, language)
    told = f"{origin_text(book, solution)} · {tally_text(solution)}"
    return (
        f'<details class="ek-solution" data-solution="{escape(solution.id)}"{" open" if opened else ""}>'
        f'<summary><b lang="{language}">{escape(wording.symptom)}</b>{mark}<small>{escape(told)}</small></summary>'
        f"{wording_text(seat, solution)}</details>"
    )


def solution_card(seat: Seat, book: Solutions, solution: Solution, *, opened: bool = False) -> str:
    """All of it, with where it comes from and everything that was done to it."""
    language, wording = solution.content.shown(seat.language)
    category = book.categories.label(solution.content.category, seat.language)
    gone = " " + chip("bad", _("withdrawn: do not follow")) if solution.withdrawn else ""
    name = [] if solution.shipped else [solution.id]
    told = " · ".join((*name, origin_text(book, solution), category, tally_text(solution)))
    source = _source(seat, solution)
    others = _other_languages(solution, language)
    history = "".join(_change(seat, change) for change in reversed(solution.history))
    if history:
        title = _("History: {count}").format(count=len(solution.history))
        history = f'<details class="ek-history"><summary>{escape(title)}</summary><ul>{history}</ul></details>'
    return (
        f'<details class="ek-solution{" void" if solution.withdrawn else ""}" data-solution="{escape(solution.id)}"'
        f"{' open' if opened else ''}><summary>"
        f'<b lang="{language}">{escape(wording.symptom)}</b>{_language_mark(seat, language)}{gone}'
        f"<small>{escape(told)}</small></summary>{_why_gone(solution)}{wording_text(seat, solution)}"
        f'<p class="ek-note">{escape(source)}</p>{others}{history}</details>'
    )


def _language_mark(seat: Seat, language: str) -> str:
    if language == seat.language:
        return ""
    return " " + chip("none", _("text: {language}").format(language=language.upper()))


def _why_gone(solution: Solution) -> str:
    return f"<p><b>{escape(solution.why_withdrawn)}</b></p>" if solution.withdrawn and solution.why_withdrawn else ""


def _source(seat: Seat, solution: Solution) -> str:
    day = short_day(seat, solution.written)
    if solution.shipped:
        return f"{_(SOURCE_LABELS[solution.source])} · {day}"
    parts = [_("written {day}, revision {revision}").format(day=day, revision=solution.revision)]
    if solution.incident:
        parts.append(
            _("from incident № {number} of {year}").format(number=solution.incident.number, year=solution.incident.year)
        )
    return " · ".join(parts)


def _other_languages(solution: Solution, shown: str) -> str:
    rest = [language.upper() for language in solution.content.texts if language != shown]
    if not rest:
        return ""
    said = _("also in: {languages}").format(languages=", ".join(rest))
    return f'<p class="ek-note">{escape(said)}</p>'


def _change(seat: Seat, change: Change) -> str:
    why = f" — {escape(change.why)}" if change.why else ""
    text = ""
    if change.content is not None:
        language, wording = change.content.shown(seat.language)
        steps = "; ".join(wording.steps)
        text = f'<small lang="{language}">{escape(wording.symptom)} → {escape(steps)}</small>'
    return (
        f"<li><time>{escape(moment(seat, change.at))}</time> <b>{escape(_(change.label))}</b>{why} "
        f"<small>{escape(change.by.name)}</small>{text}</li>"
    )
