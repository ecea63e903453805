"""The key for encrypted bags, on the region's page: what the points are given, and that there is one at all."""

from __future__ import annotations

import streamlit as st

from exam_kit.errors import ExamKitError
from exam_kit.i18n import _
from exam_kit.point import Secrets
from exam_kit.region.identity import identities, own_recipient
from exam_kit.ui.plain import plain
from exam_kit.ui.region_seat import RegionSeat
from exam_kit.ui.seat import saying_errors

__all__ = ["identity_view"]


def identity_view(seat: RegionSeat) -> None:
    """The public recipient, and where the secret key is kept; a button where there is no key yet."""
    try:
        kept = identities(seat.home)
    except ExamKitError as problem:
        st.error(plain(problem.text(seat.language)))
        return
    if not kept:
        st.warning(_("There is no key here: encrypted bags cannot be opened."))
        if st.button(_("Make the key"), key="make-identity"):
            with saying_errors(seat), seat.desk() as desk:
                own_recipient(desk, seat.account.login)
                st.rerun()
        return
    st.text(_("Points that encrypt their copies write this line into point.toml, under [region_centre]:"))
    st.code(f'age = "{kept[0].to_public()}"', language=None)
    said = _(
        "The secret key is kept in {place}. Without it nobody opens the bags: keep a copy in a safe, exam-kit region "
        "identity --copy-to FILE"
    )
    st.caption(plain(said.format(place=Secrets(seat.home).place)))
