"""What is known of the ledger's chain, and whether it is the one that a print or a stick names."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.i18n import _
from exam_kit.review.bundle_home import BundleFacts, bundle_facts, is_bundle
from exam_kit.review.integrity import (
    Chain,
    Integrity,
    Judged,
    anchor_said,
    chain_said,
    judge_anchor,
    prover_of,
    read_anchor,
)
from exam_kit.store import Checkpoint
from exam_kit.ui.marks import mark
from exam_kit.ui.seat import Seat, saying_errors

__all__ = ["compare_print", "draw_chain", "known_chain"]

TONES = {Chain.WHOLE: "good", Chain.BROKEN: "bad", Chain.CHECKING: "unknown", Chain.UNKNOWN: "unknown"}
JUDGED_TONES = {Judged.AGREES: "good", Judged.NOT_PROVED: "unknown"}
KEPT = "review-anchors"
MOST_KEPT = 8
FINDINGS_SHOWN = 20


def known_chain(seat: Seat) -> Integrity:
    """What is known now; a check is begun where it is not known."""
    return prover_of(seat.home, seat.clock).look(seat.ledger)


def draw_chain(seat: Seat) -> None:
    """The line of the chain, what was found wrong, the prints it was compared with, and a check at once."""
    known = known_chain(seat)
    tone = TONES[known.chain]
    said = [f"<b>{escape(chain_said(known, seat.point, seat.now).text(seat.language))}</b>"]
    if known.problem is not None:
        said.append(f"<p>{escape(known.problem.text(seat.language))}</p>")
    if known.chain is Chain.BROKEN and known.proof is not None:
        lines = known.proof.findings[:FINDINGS_SHOWN]
        said += [f"<p>{escape(one.message.text(seat.language))}</p>" for one in lines]
    for anchor in _kept():
        judged = judge_anchor(seat.ledger, anchor, known)
        shape = mark(JUDGED_TONES.get(judged, "bad"))
        text = escape(anchor_said(judged, anchor, seat.point).text(seat.language))
        said.append(f'<p data-anchor="{judged}">{shape}{text}</p>')
    if is_bundle(seat.home):
        said += [f"<p>{escape(line)}</p>" for line in _bundle_said(bundle_facts(seat.home))]
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.html(f'<div class="ek-verdict {tone}" data-chain="{known.chain}">{mark(tone)}<div>{"".join(said)}</div></div>')
    if right.button(_("Check now"), disabled=known.since is not None, key="check-chain", width="stretch"):
        prover_of(seat.home, seat.clock).begin()
        st.rerun(scope="fragment")


def compare_print(seat: Seat) -> None:
    """Take the line under a form's code, from a scanner, a stick or the keyboard."""
    with st.expander(_("Compare with a print or a stick")), st.form("compare", clear_on_submit=True, border=False):
        text, button = st.columns([5, 1], vertical_alignment="bottom")
        line = text.text_input(
            _("The line under the code of a form (EK-HEAD-1 …): scan it or paste it"), key="anchor-line"
        )
        if not button.form_submit_button(_("Compare"), width="stretch"):
            return
        with saying_errors(seat):
            anchor = read_anchor(line)
            st.session_state[KEPT] = [anchor, *(one for one in _kept() if one != anchor)][:MOST_KEPT]
            st.rerun()


def _bundle_said(facts: BundleFacts) -> list[str]:
    """Whose key the bundle was proved with: its own says that nothing was changed since, not who wrote it."""
    said = [_("Review bundle {name}, proved when it was opened.").format(name=facts.name)]
    if facts.outside:
        said.append(_("Its key is the one that was given with --key: {key}.").format(key=facts.fingerprint))
    else:
        said.append(
            _("Its key came with the bundle itself: whose it is is not proved. Compare {key} with the region.").format(
                key=facts.fingerprint
            )
        )
    if facts.anchors:
        said.append(_("Anchors given from outside and matched: {count}.").format(count=facts.anchors))
    return said


def _kept() -> list[Checkpoint]:
    kept: list[Checkpoint] = st.session_state.get(KEPT, [])
    return kept
