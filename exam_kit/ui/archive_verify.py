"""Verifying any bag on any plugged drive: an order to the agent, its progress, its verdict."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from exam_kit.agent import orders
from exam_kit.agent.orders import Order
from exam_kit.archive import carriers
from exam_kit.archive.bag import DECLARATION
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_, _
from exam_kit.ui.marks import mark
from exam_kit.ui.orders_view import ORDER_STATES, give, may_give
from exam_kit.ui.seat import Seat, live, saying_errors
from exam_kit.ui.when import moment, size

__all__ = ["draw_verify", "draw_verifying", "verifying"]

KIND = "verify_bag"
SHOWN = 5
OUTCOMES = {
    "whole": ("good", N_("the bag is whole")),
    "changed": ("bad", N_("the bag was changed")),
    "missing": ("bad", N_("files are missing")),
    "unexpected": ("warn", N_("files that do not belong to it")),
    "not_a_bag": ("bad", N_("not a bag, or not readable")),
}


def found_bags(seat: Seat) -> list[Path]:
    """Bags that lie on a plugged carrier, at its top or one folder below."""
    found: set[Path] = set()
    for carrier in carriers(seat.home):
        root = Path(carrier.path)
        for pattern in (f"*/{DECLARATION}", f"*/*/{DECLARATION}"):
            try:
                found.update(path.parent for path in root.glob(pattern))
            except OSError:
                continue  # the drive was pulled while we looked
    return sorted(found, key=str)


def draw_verify(seat: Seat) -> None:
    """The form, what is being verified, and the last verdicts."""
    if may_give(seat, KIND):
        with st.container(border=True, key="verify-form"):
            bags = [str(path) for path in found_bags(seat)]
            bag_at, typed_at = st.columns([3, 2])
            chosen = bag_at.selectbox(
                _("Bag on a plugged drive"), bags, filter_mode=None, placeholder=_("no bag was found"), key="verify-bag"
            )
            typed = typed_at.text_input(_("or another folder"), key="verify-typed")
            how_at, go_at = st.columns([3, 2], vertical_alignment="center")
            quick = how_at.checkbox(_("Quick look: sizes only, proves no content"), key="verify-quick")
            if go_at.button(_("Verify the bag"), type="primary", width="stretch", key="verify-go"):
                with saying_errors(seat):
                    _give(seat, (typed or "").strip() or chosen, quick)
    draw_verifying()


def _give(seat: Seat, path: str | None, quick: bool) -> None:
    if not path:
        raise RefusedEntry(m("Verify: no bag is chosen. Plug in its drive or write its folder."))
    why = _("verified once more")
    give(seat, KIND, {"path": path, "quick": quick}, ordered_by=seat.account.login, why=why)
    st.rerun()


def verifying(seat: Seat) -> bool:
    """True while a bag is being verified, or waits for it."""
    return bool(orders.open_orders(seat.store, KIND))


@live(1.0)
def draw_verifying(seat: Seat) -> None:
    """The last verifications, the one under way with its bar."""
    for order in orders.recent(seat.store, KIND, SHOWN):
        if order.open:
            _under_way(seat, order)
        else:
            st.html(_verdict(seat, order))


def _under_way(seat: Seat, order: Order) -> None:
    total, done = int(order.progress.get("bytes", 0)), int(order.progress.get("done_bytes", 0))
    bar_at, cancel_at = st.columns([5, 1], vertical_alignment="center")
    said = _("Reading the bag {path}").format(path=order.body["path"])
    if total:
        read = _("{done} of {total}").format(done=size(seat, done), total=size(seat, total))
        bar_at.progress(min(1.0, done / total), text=f"{said} · {read}")
    else:
        bar_at.progress(0.0, text=said)
    if may_give(seat, "cancel") and cancel_at.button(_("Cancel"), key=f"cancel-{order.id}", width="stretch"):
        with saying_errors(seat):
            give(seat, "cancel", {"order": order.id}, ordered_by=seat.account.login, why="")


def _verdict(seat: Seat, order: Order) -> str:
    result = order.result
    if order.state == "done":
        tone, label = OUTCOMES[result["outcome"]]
        text = str(result["text"][seat.language])
    else:
        tone, label = ORDER_STATES[order.state]
        text = str(result.get("error", ""))
    lines = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())
    when = moment(seat, order.ended_at or order.given_at)
    title = _("Verified: {outcome}").format(outcome=_(label)) if order.state == "done" else _(label)
    return (
        f'<div class="ek-verdict {tone}" data-verified="{escape(str(result.get("outcome", order.state)))}">{mark(tone)}'
        f'<div style="flex:1"><b>{escape(title)}</b><span>{escape(when)}</span>{lines}</div></div>'
    )
