"""Answering an item of the checks that only a person can see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from exam_kit.checks.model import State
from exam_kit.checks.results import sign
from exam_kit.i18n import N_, _
from exam_kit.ui.check_cards import roles_text
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["sign_form"]

ANSWERS = {State.OK: N_("in order"), State.WARN: N_("remark"), State.FAIL: N_("fault")}


def sign_form(seat: Seat, run: str, told: Mapping[str, Any]) -> None:
    """The answer, a note, and the signature of whoever is signed in; or who else answers this item."""
    roles = told["evidence"].get("roles") or []
    if roles and seat.account.role.value not in roles:
        st.caption(_("Answered by: {roles}").format(roles=roles_text(roles)))
        return
    with st.form(f"sign-{run}-{told['check']}-{told['target']}", border=False):
        answer, note, send = st.columns([3, 4, 2], vertical_alignment="bottom")
        chosen = answer.segmented_control(
            _("Answer"), list(ANSWERS), format_func=lambda one: _(ANSWERS[one]), default=State.OK, required=True
        )
        said = note.text_input(_("Note (for a remark or a fault)"))
        if send.form_submit_button(_("Sign"), width="stretch"):
            with saying_errors(seat):
                sign(
                    seat.ledger,
                    run,
                    told["check"],
                    told["target"],
                    chosen or State.OK,
                    seat.account,
                    said or "",
                    clock=seat.clock,
                )
                flash(_("Signed: {title}").format(title=told["title"][seat.language]))
                st.rerun()
