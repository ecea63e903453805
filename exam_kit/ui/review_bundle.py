"""Taking the books along: one file, for whoever reads them on another machine."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.review.bundle import MAY_MAKE, make_bundle
from exam_kit.ui.seat import Seat, flash, saying_errors

__all__ = ["take_along"]


def take_along(seat: Seat) -> None:
    """The button that writes a bundle into the home's reports; roles that only read do not see it."""
    if not any(seat.may(act) for act in MAY_MAKE):
        return
    with st.expander(_("Take the books along in one file")):
        st.caption(
            _(
                "The file holds the ledger, its signed head, the point's rooms and cameras without addresses, gaps and "
                "the hashes of photos. On another machine: exam-kit review FILE."
            )
        )
        if st.button(_("Write the review bundle"), key="make-bundle"):
            name = f"review-{seat.point.region}-{seat.point.code}-{seat.now.astimezone(seat.tz):%Y%m%d-%H%M%S}.zip"
            with saying_errors(seat):
                made = make_bundle(seat.home, seat.point, seat.ledger, seat.account, seat.home.reports / name)
                flash(
                    _("{path}: written, entries up to № {entries}, {bytes} bytes").format(
                        path=made.path, entries=made.entries, bytes=made.bytes
                    )
                )
                st.rerun()
