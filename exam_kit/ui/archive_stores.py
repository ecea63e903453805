"""Stores among the places that a copy can go to: what each was proved to do, and whether it is locked there."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.archive.s3 import kept_report
from exam_kit.archive.stores import SCHEME
from exam_kit.clock import from_iso
from exam_kit.i18n import _
from exam_kit.point import ObjectStore
from exam_kit.ui.marks import mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import short_day

__all__ = ["draw_stores"]


def draw_stores(seat: Seat) -> list[str]:
    """A line for each store of point.toml; the addresses of those that are ticked."""
    chosen = []
    for store in seat.point.store:
        address = f"{SCHEME}{store.name}"
        tick_at, facts_at = st.columns([3, 5], vertical_alignment="center")
        if tick_at.checkbox(_("object store (S3)") + f" · {store.name}", key=f"archive-to-{address}"):
            chosen.append(address)
        facts_at.html(_facts(seat, store))
    return chosen


def _facts(seat: Seat, store: ObjectStore) -> str:
    report = kept_report(seat.home, store)
    if report is None:
        tone, said = "warn", _("never probed: exam-kit store probe {store}").format(store=store.name)
    else:
        day = short_day(seat, from_iso(report.at).astimezone(seat.point.tz).date())
        tone = "bad" if report.lacking else "good"
        said = _("probed {day}: NOT fit for copies") if report.lacking else _("probed {day}: fit for copies")
        said = said.format(day=day)
    lock = _("no lock") if store.retention == "none" else _("locked until the keep-until date")
    words = [said, lock, f"{store.endpoint}/{store.bucket}"]
    return f'<span class="ek-drive" data-store="{escape(store.name)}">{mark(tone)}{escape(" · ".join(words))}</span>'
