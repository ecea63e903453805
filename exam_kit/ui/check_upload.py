"""Choosing files from this computer, in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from exam_kit.i18n import _

__all__ = ["chosen_files"]


def chosen_files(label: str, key: str) -> Sequence[tuple[str, bytes]]:
    """A field for files; those that are chosen, as (name, content).

    Neither kinds nor sizes are limited here: Streamlit refuses in English, our own rules in the reader's language.
    """
    word = json.dumps(_("Choose files…"), ensure_ascii=False)
    st.html(f"<style>:root{{--ek-choose:{word}}}</style>")
    files = st.file_uploader(label, accept_multiple_files=True, key=key)
    return [(file.name, file.getvalue()) for file in files]
