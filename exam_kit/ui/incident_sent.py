"""Sending what stands in a form on a sheet."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from exam_kit.i18n import _
from exam_kit.ui.fields import fresh
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["sent", "written"]


def sent(seat: Seat, key: str, label: str, write: Callable[[], object]) -> None:
    """The form's button; `write` puts it into the ledger, and the form is emptied. Errors leave what was typed."""
    if st.form_submit_button(label, type="primary"):
        written(seat, key, write)


def written(seat: Seat, key: str, write: Callable[[], object]) -> None:
    """What a button does: write, empty the form, say so."""
    with saying_errors(seat):
        write()
        fresh(key.rpartition("-")[0])
        flash(_("Written."))
        st.rerun()
