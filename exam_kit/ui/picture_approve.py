"""Approving pictures: one camera's, or all that are good at once, after a look at exactly what will be kept."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import streamlit as st

from exam_kit.cctv.picture import STATE_LABELS, PictureState
from exam_kit.cctv.references import Candidate, approve, candidate
from exam_kit.errors import UsageError, m
from exam_kit.i18n import _
from exam_kit.ui.marks import chip
from exam_kit.ui.picture_facts import PictureFact, limits_of, may_approve
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["approval"]

KEY = "picture-approval"


def approval(seat: Seat, facts: Sequence[PictureFact]) -> None:
    """The buttons, and after one was pressed the pictures as they were taken, to be confirmed."""
    taken: list[Candidate] = st.session_state.get(KEY, [])
    if not may_approve(seat):
        st.caption(_("Pictures are approved by a technical specialist or a commission member."))
        return
    if taken:
        _confirm(seat, taken)
        return
    if len(facts) == 1:
        if st.button(_("Approve this picture…"), key=f"{KEY}-one"):
            with saying_errors(seat):
                st.session_state[KEY] = [_take(seat, facts[0])]
                st.rerun()
        return
    waiting = [fact for fact in facts if not fact.compared]
    if not waiting:
        st.caption(_("Every camera has an approved picture in force. Choose one camera to approve it anew."))
    elif st.button(_("The rest is fine ({count})…").format(count=len(waiting)), key=f"{KEY}-rest"):
        good, left = _sort(seat, waiting)
        said = _("Not among them: {cameras}").format(cameras="; ".join(left)) if left else ""
        if good:
            st.session_state[KEY] = good
            flash(said)
            st.rerun()
        st.warning(plain(said))


def _sort(seat: Seat, facts: Sequence[PictureFact]) -> tuple[list[Candidate], list[str]]:
    """The pictures that are good by themselves, and for every other camera why its picture is not among them."""
    good, left = [], []
    for fact in facts:
        if not fact.camera.recording:
            left.append(f"{fact.id} ({_(fact.camera.state_label)})")
            continue
        try:
            one = _take(seat, fact)
        except UsageError:
            left.append(f"{fact.id} ({_('no live picture')})")
            continue
        if one.state is PictureState.OK:
            good.append(one)
        else:
            left.append(f"{one.camera} ({_(STATE_LABELS[one.state])})")
    return good, left


def _take(seat: Seat, fact: PictureFact) -> Candidate:
    if fact.camera.status is None:
        text = "Camera {camera}: there is no live picture. Start its recording, then try again."
        raise UsageError(m(text, camera=fact.id))
    return candidate(seat.home, fact.camera.status, limits_of(seat, fact.id), seat.now)


def _confirm(seat: Seat, taken: Sequence[Candidate]) -> None:
    with st.container(border=True, key="confirm-pictures"):
        question = _("These views are right: every seat is seen, nothing is in the way.")
        st.html(
            f'<b class="ek-ask">{escape(question)}</b><div class="ek-pairs small">{"".join(map(_card, taken))}</div>'
        )
        with st.container(horizontal=True):
            if st.button(_("Yes, approve ({count})").format(count=len(taken)), type="primary", key=f"{KEY}-yes"):
                with saying_errors(seat):
                    done = approve(seat.ledger, seat.home, seat.account, taken)
                    st.session_state[KEY] = []
                    flash(_("Approved: {cameras}").format(cameras=", ".join(done)))
                    st.rerun()
            if st.button(_("No, not yet"), key=f"{KEY}-no"):
                st.session_state[KEY] = []
                st.rerun()


def _card(one: Candidate) -> str:
    data = base64.b64encode(one.jpeg).decode("ascii")
    state = chip("good" if one.state is PictureState.OK else "warn", _(STATE_LABELS[one.state]))
    caption = chip("good", _("caption found")) if one.caption else chip("unknown", _("no caption found"))
    return (
        f'<article class="ek-pair"><h3>{escape(one.camera)}</h3><div>{state} {caption}</div>'
        f'<img src="data:image/jpeg;base64,{data}" alt="{escape(one.camera)}"></article>'
    )
