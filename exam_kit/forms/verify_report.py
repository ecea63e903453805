"""What verification found, as one page for people: it needs no network and no other file, and prints on A4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from html import escape
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

from exam_kit import __version__
from exam_kit.archive.bag_coverage import BagCoverage, CameraMinutes
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_report import (
    CHAIN_LABELS,
    RELATION_LABELS,
    SIGNATURE_LABELS,
    BagReport,
    outcome_label,
)
from exam_kit.errors import Message
from exam_kit.forms.verify_timeline import drawable, legend, patterns, timeline
from exam_kit.i18n import N_, decimal, translate

__all__ = ["verify_html"]

MOST_FINDINGS = 5000
LONGEST = 500
STYLE = Path(__file__).with_name("templates") / "verify.css"

KIND_LABELS = {
    "not_a_bag": N_("no bag"),
    "changed": N_("changed"),
    "missing": N_("missing"),
    "unexpected": N_("unexpected"),
}
_TICK = '<path d="M4 13l6 6L21 6" fill="none" stroke="currentColor" stroke-width="3.5"/>'
_CROSS = '<path d="M5 5l15 15M20 5L5 20" fill="none" stroke="currentColor" stroke-width="3.5"/>'
_MARK = '<path d="M12.500 3v13M12.500 20v3" fill="none" stroke="currentColor" stroke-width="3.5"/>'
_SHAPES = {"good": _TICK, "bad": _CROSS, "care": _MARK}


def verify_html(reports: Sequence[BagReport], made_at: datetime, language: str) -> str:
    """The page for bags that were verified together. Whatever a bag says of itself stands in it as plain text."""
    title = translate(N_("Verification of archived footage"), language)
    body = [_Bag(report, language).page() for report in reports]
    table = _table(reports, language) if len(reports) > 1 else ""
    foot = translate(
        N_(
            "Made by Exam Kit {version} on {at}. Each bag was compared with its own signed lists; whose signature that "
            "is can be told only with the point's key, kept elsewhere."
        ),
        language,
    ).format(version=__version__, at=f"{made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body>{patterns()}<h1>{escape(title)}</h1>{table}{''.join(body)}<footer>{escape(foot)}</footer></body></html>\n"
    )


def _text(value: object) -> str:
    """Text of unknown origin: what cannot be seen as its code, what is too long cut, nothing of it markup."""
    text = shown(str(value))
    return escape(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _kind(report: BagReport) -> str:
    if not report.whole:
        return "bad"
    proved = report.signature == "valid" and report.chain in ("whole", "sealed") and not report.quick
    return "good" if proved else "care"


def _said(kind: str, text: str) -> str:
    shape = f'<svg width="25" height="25" viewBox="0 0 25 25" aria-hidden="true">{_SHAPES[kind]}</svg>'
    return f'<div class="said {kind}">{shape}<span>{escape(text)}</span></div>'


def _table(reports: Sequence[BagReport], language: str) -> str:
    rows = "".join(
        f'<tr><td class="code">{_text(PurePath(report.path).name)}</td><td>{_text(report.whose(language))}</td>'
        f'<td class="{_kind(report)}">{escape(translate(outcome_label(report), language))}</td></tr>'
        for report in reports
    )
    head = "".join(
        f"<th>{escape(translate(word, language))}</th>" for word in (N_("Bag"), N_("Of"), N_("What came of it"))
    )
    return f'<table class="list"><tr>{head}</tr>{rows}</table>'


class _Bag:
    """One bag's part of the page."""

    def __init__(self, report: BagReport, language: str) -> None:
        self.report, self.language = report, language

    def say(self, text: str) -> str:
        return translate(text, self.language)

    def page(self) -> str:
        report = self.report
        return "".join(
            (
                f'<section><h2 class="code">{_text(PurePath(report.path).name)}</h2>',
                f"<p>{_text(report.whose(self.language))}</p>",
                _said(_kind(report), self.say(outcome_label(report))),
                self._facts(),
                self._findings(),
                self._minutes(report.coverage) if report.coverage else "",
                "</section>",
            )
        )

    def _facts(self) -> str:
        rows = "".join(f"<tr><th>{escape(label)}</th><td>{value}</td></tr>" for label, value in self._pairs())
        return f'<table class="facts">{rows}</table>'

    def _pairs(self) -> Iterator[tuple[str, str]]:
        report, say = self.report, self.say
        mode = N_("quick: recordings by name and size only") if report.quick else N_("full: every byte read")
        yield say(N_("Where")), f'<span class="code">{_text(report.path)}</span>'
        yield say(N_("How")), escape(say(mode))
        yield say(N_("Files")), f"{report.files} · {self._mb(report.bytes)}"
        read = self._mb(report.read_bytes)
        if report.device_bytes is not None:
            device = say(N_("from the device itself: {mb}")).format(mb=self._mb(report.device_bytes))
            read = f"{read} · {escape(device)}"
        yield say(N_("Read and compared")), read
        yield say(N_("Signature")), escape(_after(say(SIGNATURE_LABELS[report.signature])))
        if report.key:
            yield say(N_("Key")), f'<span class="code">{_text(report.key)}</span>'
        yield say(N_("Chain birth → ledger → bag → here")), escape(_after(say(CHAIN_LABELS[report.chain])))
        if report.bag_hash:
            yield say(N_("Hash of the bag")), f'<span class="code">{_text(report.bag_hash)}</span>'
        if report.supplement_to:
            first = report.supplement_to.partition(" ")[0]
            yield say(N_("Supplement")), _text(say(RELATION_LABELS[report.relation]).format(bag=first))
        if report.info.get("Keep-Until"):
            yield say(N_("Keep until")), _text(report.info["Keep-Until"])

    def _mb(self, size: int) -> str:
        return f"{decimal(size / 1e6, language=self.language)} {escape(self.say(N_('MB')))}"

    def _findings(self) -> str:
        found = self.report.findings
        if not found:
            return ""
        rows = "".join(
            f"<tr><td>✖ {escape(self.say(KIND_LABELS[finding.kind]))}</td>"
            f'<td class="code">{_text(finding.path)}</td><td>{_text(finding.message.text(self.language))}</td></tr>'
            for finding in found[:MOST_FINDINGS]
        )
        more = len(found) - MOST_FINDINGS
        rest = f"<p>{escape(self.say(N_('… and {count} more')).format(count=more))}</p>" if more > 0 else ""
        head = "".join(f"<th>{escape(self.say(word))}</th>" for word in (N_("State"), N_("File"), N_("What is wrong")))
        title = escape(self.say(N_("What was found")))
        return f'<h3>{title}: {len(found)}</h3><table class="list"><tr>{head}</tr>{rows}</table>{rest}'

    def _minutes(self, coverage: BagCoverage) -> str:
        zone, language, part = _zone(coverage.facts.get("timezone", "")), self.language, self.report.supplement_to
        parts = [f"<h3>{escape(self.say(N_('What is recorded')))}</h3>"]
        if drawable(coverage.cameras):
            parts += [legend(language), timeline(coverage.cameras, zone, language, all_of_it=not part)]
        else:
            parts.append(f"<p>{escape(self.say(N_('The times in this bag cannot be drawn as a day.')))}</p>")
        if part:
            text = N_("Drawn is what this supplement brings; the figures and deficiencies are those of the whole day.")
            parts.append(f"<p>{escape(self.say(text))}</p>")
        words = (N_("Camera"), N_("Planned"), N_("Recorded"), N_("Gaps"), N_("Neither"))
        head = "".join(f"<th>{escape(self.say(word))}</th>" for word in words)
        rows = "".join(self._camera(camera, zone) for camera in coverage.cameras[:MOST_FINDINGS])
        parts.append(f'<table class="list"><tr>{head}</tr>{rows}</table>')
        if coverage.deficiencies:
            lacking = "".join(f"<li>{_text(self._lacking(one))}</li>" for one in coverage.deficiencies[:MOST_FINDINGS])
            parts.append(f"<h3>{escape(self.say(N_('Deficiencies named by the point')))}</h3><ul>{lacking}</ul>")
        return "".join(parts)

    def _camera(self, camera: CameraMinutes, zone: tzinfo) -> str:
        planned = "—"
        if camera.planned:
            start, end = (moment.astimezone(zone) for moment in camera.planned)
            planned = f"{start:%H:%M}–{end:%H:%M}"
        lost = camera.unexplained_s
        spans = (camera.recorded_s, max(camera.gap_s - lost, 0.0), lost)
        cells = "".join(f"<td>{self._span(seconds) if round(seconds) else '0'}</td>" for seconds in spans)
        return f"<tr><td>{_text(camera.camera)}</td><td>{planned}</td>{cells}</tr>"

    def _span(self, seconds: float) -> str:
        hours, minutes = divmod(round(seconds / 60), 60)
        if seconds < 60:
            return escape(self.say(N_("{seconds} s")).format(seconds=round(seconds)))
        return escape(self.say(N_("{hours} h {minutes} min")).format(hours=hours, minutes=minutes))

    def _lacking(self, one: str | Message) -> str:
        """A deficiency in the reader's language, where it is a sentence of ours; no other template is filled."""
        if isinstance(one, str):
            return one
        known = translate(one.template, "ru") != one.template
        try:
            return one.text(self.language) if known else one.template
        except (KeyError, IndexError, ValueError, AttributeError):
            return one.template


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC


def _after(text: str) -> str:
    """The part after the label that a line of text begins with: the table has a label of its own."""
    return text.partition(": ")[2] or text
