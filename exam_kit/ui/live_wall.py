"""The wall of live pictures.

The pictures are plain images that a small script renews; the page's own traffic carries only their captions. Pushed
through Streamlit's media store instead, every picture of every second would stay in memory until the page is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from exam_kit.checks.wording import value_text
from exam_kit.i18n import _
from exam_kit.ui.camera_facts import CameraFact
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time

__all__ = ["draw_wall", "renew_pictures"]

COLUMNS = 3

# A picture that the server no longer has (it is too old) gives way to the words beneath it. The page's visibility is
# minded: a hidden tab asks for nothing.
RENEW = """<script>
window.ekLive ||= setInterval(() => {
  if (document.hidden) return
  for (const img of document.querySelectorAll("img[data-live]")) {
    if (img.dataset.busy) continue
    img.dataset.busy = "1"
    fetch("/live/" + img.dataset.live + ".jpg")
      .then(reply => reply.status === 200 ? reply.blob() : null)
      .then(blob => {
        if (!blob) { img.removeAttribute("src"); return }
        const old = img.src
        img.src = URL.createObjectURL(blob)
        if (old) img.addEventListener("load", () => URL.revokeObjectURL(old), {once: true})
      })
      .catch(() => img.removeAttribute("src"))
      .finally(() => delete img.dataset.busy)
  }
}, 1000)
</script><span hidden>live</span>"""


def renew_pictures() -> None:
    """Have the browser renew the wall's pictures about once a second."""
    st.html(RENEW, unsafe_allow_javascript=True)


def draw_wall(seat: Seat, facts: Sequence[CameraFact]) -> None:
    """Pictures with state in words, three in a row."""
    for begin in range(0, len(facts), COLUMNS):
        for column, fact in zip(st.columns(COLUMNS), facts[begin : begin + COLUMNS], strict=False):
            with column.container(border=True, gap="xsmall", key=f"camera-{fact.camera.id}"):
                name = escape(fact.camera.id)
                st.html(
                    f'<div class="ek-live"><span>{_("no picture")}</span>'
                    f'<img data-live="{name}" alt="{_("Live picture of {camera}").format(camera=name)}"></div>'
                )
                st.html(_caption(seat, fact))


def _caption(seat: Seat, fact: CameraFact) -> str:
    since = f" {_('since {time}').format(time=clock_time(seat, fact.since))}" if fact.since else ""
    notes = []
    if fact.cause and not fact.recording:
        notes.append(_(fact.cause))
    if fact.wanted and not fact.recording:
        notes.append(_("should record now"))
    if fact.held_back:
        notes.append(_("stopped by an order"))
    status = fact.status
    if status is not None and fact.recording:
        notes += [f"{status.width}×{status.height}", value_text(round(status.fps), "fps", seat.language)]
        notes.append(value_text(round(status.bitrate, -5), "bps", seat.language))
    ill = f" {chip('warn', _(fact.ill))}" if fact.ill else ""
    title = " · ".join(dict.fromkeys((fact.camera.id, fact.room.label)))
    return (
        f'<div class="ek-cam" data-camera="{escape(fact.camera.id)}" data-state="{fact.state}"><b>{escape(title)}</b>'
        f"<div>{mark(fact.tone)}{escape(_(fact.state_label))}{escape(since)}{ill}</div>"
        f"<small>{escape(' · '.join(notes)) or '&nbsp;'}</small></div>"
    )
