"""Approved picture and present one side by side, blinking over each other, or by their edges.

The pictures stand still on the page; a small script renews the present ones and puts the state's words under them, that
the page's own traffic carries in one hidden line. Redrawn with every word, the pictures would flash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

import streamlit as st

from exam_kit.cctv.references import REFERENCE_LABELS
from exam_kit.i18n import N_, _
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.picture_facts import PictureFact
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment

__all__ = ["MODES", "draw_pairs", "draw_words"]

MODES = {"beside": N_("Side by side"), "blink": N_("Blinking"), "edges": N_("Edges")}

SCRIPT = """<script>
window.ekPairs ||= setInterval(() => {
  if (document.hidden) return
  const told = document.querySelector("[data-pair-words]")
  if (told) {
    const words = JSON.parse(told.dataset.pairWords)
    for (const place of document.querySelectorAll("[data-pair-of]")) {
      const html = words[place.dataset.pairOf] || ""
      if (place.dataset.said !== html) { place.innerHTML = html; place.dataset.said = html }
    }
  }
  for (const img of document.querySelectorAll("img[data-now]")) {
    if (img.dataset.busy) continue
    img.dataset.busy = "1"
    fetch(img.dataset.now)
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
}, 1500)
</script><span hidden>pairs</span>"""

STYLE = """<style>
.ek-pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(430px,1fr));gap:.8rem}
.ek-pairs.one{grid-template-columns:1fr}.ek-pairs.small{grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}
.ek-pair{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.6rem .7rem}
.ek-pair h3{margin:0!important;padding:0!important;font-size:.95rem!important}
.ek-pair .said{min-height:3.4rem;font-size:.86rem}
.ek-pair .two{display:grid;grid-template-columns:1fr 1fr;gap:.4rem}
.ek-pair figure{margin:0;min-width:0}
.ek-pair figcaption{font-size:.8rem;color:var(--soft)}
.ek-pair img{display:block;width:100%;aspect-ratio:16/9;object-fit:contain;background:#1d2733;
color:#fff;font-size:.8rem}
.ek-pairs.blink .two{grid-template-columns:1fr;position:relative}
.ek-pairs.blink .two figure+figure{position:absolute;inset:0;animation:ek-blink 1.6s steps(1) infinite}
@keyframes ek-blink{0%{opacity:1}50%{opacity:0}}
</style>"""


def draw_pairs(seat: Seat, facts: Sequence[PictureFact], mode: str) -> None:
    """A card for each camera; `draw_words` fills in what is said of it."""
    kind = {"blink": " blink"}.get(mode, "") + (" one" if len(facts) == 1 else "")
    cards = "".join(_pair(seat, fact, mode) for fact in facts)
    st.html(f'{STYLE}<div class="ek-pairs{kind}">{cards}</div>')
    st.html(SCRIPT, unsafe_allow_javascript=True)


def draw_words(facts: Sequence[PictureFact]) -> None:
    """What is said of every camera, for the script to put under its pictures."""
    words = {fact.id: _words(fact) for fact in facts}
    st.html(f'<span hidden data-pair-words="{escape(json.dumps(words, ensure_ascii=False))}"></span>')


def _pair(seat: Seat, fact: PictureFact, mode: str) -> str:
    camera, room = escape(fact.id), fact.camera.room.label
    title = escape(" · ".join(dict.fromkeys((fact.id, room))))
    version = fact.reference.sha256[:12] if fact.reference else "0"
    when = moment(seat, fact.reference.at) if fact.reference else _("none yet")
    before, now = _("Approved: {moment}").format(moment=when), _("Now")
    source = f"/pictures/{camera}/edges.png" if mode == "edges" else f"/live/{camera}.jpg"
    if mode == "edges":
        now = _("Edges: grey kept, red dashed lost, blue new")
    approved = f' src="/pictures/{camera}/approved.jpg?v={version}"' if fact.reference else ""
    return (
        f'<article class="ek-pair" data-camera="{camera}"><h3>{title}</h3>'
        f'<div class="said" data-pair-of="{camera}">{_words(fact)}</div><div class="two">'
        f'<figure><img{approved} alt="{escape(before)}"><figcaption>{escape(before)}</figcaption></figure>'
        f'<figure><img data-now="{source}" alt="{escape(_("no live picture"))}">'
        f"<figcaption>{escape(now)}</figcaption></figure></div></article>"
    )


def _words(fact: PictureFact) -> str:
    recording = "" if fact.camera.recording else f" · {escape(_(fact.camera.state_label))}"
    state = f'<div data-state="{fact.state}">{chip(fact.tone, _(fact.label))}{recording}</div>'
    tone = "good" if fact.compared else "warn"
    by = f" ({escape(fact.approved_by)})" if fact.approved_by else ""
    held = f"<div>{mark(tone)}{escape(_(REFERENCE_LABELS[fact.reference_state]))}{by}</div>"
    return f"{state}{held}<small>{escape(_alarms(fact))}</small>"


def _alarms(fact: PictureFact) -> str:
    rate = fact.rate.per_hour
    if rate is None:
        return _("alarms of the picture today: not watched yet")
    said = _("alarms of the picture today: {count}, {rate} per hour watched ({hours} h)")
    return said.format(count=fact.rate.fresh, rate=f"{rate:.1f}", hours=f"{fact.rate.watched_s / 3600:.1f}")
