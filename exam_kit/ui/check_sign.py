"""Answering items of the checks that only a person can see: one by one, or all the rest at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from exam_kit.checks.model import State
from exam_kit.checks.results import sign, sign_rest
from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.ui.check_cards import name_of, roles_text
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["answers", "rest_is_fine", "sign_form"]

ANSWERS = {State.OK: N_("in order"), State.WARN: N_("remark"), State.FAIL: N_("fault")}


def answers(seat: Seat, told: Mapping[str, Any]) -> bool:
    """Whether this waits for an answer that the person at the screen may give."""
    roles = told["evidence"].get("roles") or []
    allowed = seat.may(Act.RUN_CHECKS) or seat.may(Act.CONFIRM_CHECKS)
    return told["state"] == State.PENDING and allowed and (not roles or seat.account.role.value in roles)


def sign_form(seat: Seat, run: str, told: Mapping[str, Any]) -> None:
    """The answer, where it is not fine a note and photos, and the signature; or who else answers this item."""
    if not answers(seat, told):
        roles = told["evidence"].get("roles") or []
        if roles:
            st.caption(_("Answered by: {roles}").format(roles=roles_text(roles)))
        return
    key = f"sign-{run}-{told['check']}-{told['target']}"
    answer, note, send = st.columns([3, 4, 2], vertical_alignment="bottom")
    chosen = answer.segmented_control(
        _("Answer"),
        list(ANSWERS),
        format_func=lambda one: _(ANSWERS[one]),
        default=State.OK,
        required=True,
        key=f"{key}-{seat.language}",
    )
    said: str | None = ""
    photos: Sequence[tuple[str, bytes]] = ()
    if chosen is not State.OK:
        said = note.text_input(_("Note (for a remark or a fault)"), key=f"{key}-note")
        photos = chosen_files(_("Photo or paper, if there is one"), f"{key}-photo")
    if send.button(_("Sign"), width="stretch", key=f"{key}-send"):
        with saying_errors(seat):
            sign(
                seat.ledger,
                run,
                told["check"],
                told["target"],
                chosen or State.OK,
                seat.account,
                said or "",
                attachments=photos,
                clock=seat.clock,
            )
            flash(_("Signed: {title}").format(title=name_of(seat, told)))
            st.rerun()


def rest_is_fine(seat: Seat, run: str, waiting: Sequence[Mapping[str, Any]]) -> None:
    """One button for all that still wait and that this person may answer; one confirmation that names them."""
    mine = [told for told in waiting if answers(seat, told)]
    asked = f"rest-{run}"
    if len(mine) < 2:
        return
    if not st.session_state.get(asked):
        if st.button(_("The rest is fine ({count})…").format(count=len(mine)), key=f"{asked}-ask"):
            st.session_state[asked] = True
            st.rerun()
        return
    with st.container(border=True, key="confirm-rest"):
        items = "".join(f"<li>{escape(name_of(seat, told))}</li>" for told in mine)
        question = _("I have seen all of these and they are in order:")
        st.html(f'<b class="ek-ask">{escape(question)}</b><ul>{items}</ul>')
        with st.container(horizontal=True):
            if st.button(_("Yes, all are in order"), type="primary", key=f"{asked}-yes"):
                with saying_errors(seat):
                    signed = sign_rest(seat.ledger, run, seat.account, clock=seat.clock)
                    st.session_state[asked] = False
                    flash(_("Signed items: {count}").format(count=len(signed)))
                    st.rerun()
            if st.button(_("No, one by one"), key=f"{asked}-no"):
                st.session_state[asked] = False
                st.rerun()
