"""Taking in the region's receipts on the screen."""

from __future__ import annotations

import streamlit as st

from exam_kit.archive.delivered import take_receipt
from exam_kit.errors import ExamKitError
from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, flash

__all__ = ["draw_receipts"]

FORM = "archive-receipt"


def draw_receipts(seat: Seat) -> None:
    """A field for the files the region gave back; each is taken in or refused with its reason."""
    if not seat.may(Act.ARCHIVE):
        return
    said, refused = [], []
    for name, content in chosen_files(_("Receipt of the region (file …receipt.json)"), fresh_key(FORM)):
        try:
            delivery, new = take_receipt(seat.ledger, seat.home, seat.point, content, seat.account.login)
        except ExamKitError as problem:
            refused.append(f"{name}: {problem.text(seat.language)}")
            continue
        text = _("{bag}: delivered.") if new else _("{bag}: this receipt was taken in before.")
        said.append(text.format(bag=delivery.bag))
    for line in refused:
        st.error(plain(line))
    if said and not refused:
        fresh(FORM)
        flash("\n".join(said))
        st.rerun()
    if said:
        st.success(plain("\n".join(said)))
