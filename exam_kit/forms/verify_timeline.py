"""A bag's minutes as one drawing: a bar for each camera, in SVG that stands inside a page and needs nothing outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape

from exam_kit.archive.bag_coverage import CameraMinutes
from exam_kit.archive.bag_paths import shown
from exam_kit.cctv.status import CAUSES
from exam_kit.i18n import N_, translate

__all__ = ["drawable", "legend", "patterns", "timeline"]

WIDTH, NAMES, LANE, BAR = 900, 190, 26, 15
LONGEST = timedelta(days=3)
MOST_LANES, MOST_MARKS = 300, 20_000
"""What is drawn at most: the figures come from a bag that may say anything."""

KINDS = {
    "recorded": N_("recorded"),
    "gap": N_("gap, logged with its cause"),
    "lost": N_("planned, neither recorded nor logged"),
    "planned": N_("planned"),
}
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class _Scale:
    start: datetime
    end: datetime

    def at(self, moment: datetime) -> float:
        part = (min(max(moment, self.start), self.end) - self.start) / (self.end - self.start)
        return NAMES + (WIDTH - NAMES) * part


def patterns() -> str:
    """The hatchings; once per page."""
    return (
        '<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>'
        '<pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="7" height="7" fill="#fff"/><rect width="4" height="7" fill="#a11a24"/></pattern>'
        '<pattern id="lost" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<rect width="6" height="6" fill="#fff"/><path d="M0 0L6 6M6 0L0 6" stroke="#17233a"/></pattern>'
        "</defs></svg>"
    )


def legend(language: str) -> str:
    """What each kind of stretch means, by pattern and word."""
    shapes = "".join(
        f'<span><svg width="28" height="12" aria-hidden="true">{_bar(1, 27, 0, 12, kind)}</svg>'
        f"{escape(translate(text, language))}</span>"
        for kind, text in KINDS.items()
    )
    return f'<p class="legend">{shapes}</p>'


def drawable(cameras: Sequence[CameraMinutes]) -> bool:
    """Whether the figures are those of an exam day."""
    edges = list(_edges(cameras))
    marks = sum(len(camera.recorded) + len(camera.gaps) for camera in cameras)
    if not edges or len(cameras) > MOST_LANES or marks > MOST_MARKS:
        return False
    return timedelta() < max(edges) - min(edges) <= LONGEST


def timeline(cameras: Sequence[CameraMinutes], zone: tzinfo, language: str, *, all_of_it: bool) -> str:
    """The bars over one scale of hours, by the clock of `zone`. Call it for what is `drawable`.

    `all_of_it`: what is not recorded here is nowhere; a supplement has only a part, and cannot tell that.
    """
    edges = list(_edges(cameras))
    scale = _Scale(min(edges), max(edges))
    height = LANE * len(cameras) + 22
    lanes = "".join(
        _lane(camera, scale, number * LANE, zone, language, all_of_it) for number, camera in enumerate(cameras)
    )
    return (
        f'<svg class="lanes" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(translate(N_("Recorded time of each camera"), language))}">'
        f"{''.join(_ticks(scale, height, zone))}{lanes}</svg>"
    )


def _edges(cameras: Sequence[CameraMinutes]) -> Iterator[datetime]:
    for camera in cameras:
        for span in [*camera.recorded, *([camera.planned] if camera.planned else [])]:
            yield from span


def _lane(camera: CameraMinutes, scale: _Scale, top: int, zone: tzinfo, language: str, all_of_it: bool) -> str:
    name = f"{camera.camera} · {camera.place}" if camera.place else camera.camera
    parts = [f'<text x="0" y="{top + 13}">{escape(_short(name))}</text>']
    if camera.planned:
        parts.append(_span(scale, camera.planned, top, "planned", KINDS["planned"], zone, language))
        holes = _holes(camera) if all_of_it else []
        parts += [_span(scale, hole, top, "lost", KINDS["lost"], zone, language) for hole in holes]
    parts += [_span(scale, span, top, "recorded", KINDS["recorded"], zone, language) for span in camera.recorded]
    for gap in camera.gaps:
        if gap.cause != "not_recorded":
            cause = CAUSES.get(gap.cause, shown(gap.cause[:80]))
            parts.append(_span(scale, (gap.start, gap.end or scale.end), top, "gap", cause, zone, language))
    return "".join(parts)


def _holes(camera: CameraMinutes) -> list[Span]:
    """Planned time that no piece covers; logged gaps are drawn over it."""
    assert camera.planned is not None
    start, end = camera.planned
    holes = []
    for begins, ends in camera.recorded:
        if begins > start:
            holes.append((start, min(begins, end)))
        start = max(start, ends)
        if start >= end:
            return holes
    return [*holes, (start, end)]


def _span(scale: _Scale, span: Span, top: int, kind: str, text: str, zone: tzinfo, language: str) -> str:
    left, right = scale.at(span[0]), scale.at(span[1])
    title = f"{span[0].astimezone(zone):%H:%M:%S}–{span[1].astimezone(zone):%H:%M:%S} {translate(text, language)}"
    return f"<g><title>{escape(title)}</title>{_bar(left, max(right, left + 1.5), top, BAR, kind)}</g>"


def _bar(left: float, right: float, top: float, height: float, kind: str) -> str:
    fill = {"recorded": "#1f6b3a", "gap": "url(#gap)", "lost": "url(#lost)", "planned": "none"}[kind]
    edge = {"recorded": "#1f6b3a", "gap": "#a11a24", "lost": "#17233a", "planned": "#8b97a8"}[kind]
    return (
        f'<rect x="{left:.1f}" y="{top + 1}" width="{right - left:.1f}" height="{height - 2}" '
        f'fill="{fill}" stroke="{edge}"/>'
    )


def _ticks(scale: _Scale, height: int, zone: tzinfo) -> Iterator[str]:
    whole = scale.end - scale.start
    minutes = next((step for step in (1, 2, 5, 10, 15, 30, 60, 120, 240) if whole <= timedelta(minutes=9 * step)), 720)
    step = timedelta(minutes=minutes)
    local = scale.start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * (-(-(local - midnight) // step))
    while at <= scale.end:
        place = scale.at(at)
        if place <= WIDTH - 14:
            yield (
                f'<path d="M{place:.1f} 0V{height - 16}" stroke="#c3cedd" stroke-dasharray="2 3"/>'
                f'<text class="small" x="{place:.1f}" y="{height - 4}" text-anchor="middle">{at:%H:%M}</text>'
            )
        at += step


def _short(name: str) -> str:
    name = shown(name)
    return name if len(name) <= 27 else f"{name[:26]}…"
