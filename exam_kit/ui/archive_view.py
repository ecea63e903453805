"""An archive order on the screen: how far the copy has come, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from exam_kit.agent.orders import Order
from exam_kit.archive import verify_bag
from exam_kit.i18n import N_, _
from exam_kit.point import Zone
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.marks import mark
from exam_kit.ui.orders_view import ORDER_STATES
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, size, span

__all__ = ["progress_view", "result_view", "verify_view"]

PHASES = {
    "copying": N_("copying, each file read back and compared"),
    "proving": N_("reading again what was copied before"),
    "sealing": N_("sealing the bag and verifying it"),
}


def progress_view(seat: Seat, order: Order) -> None:
    """Bar, rate and time left of an order under way."""
    now = order.progress
    total, done = int(now.get("bytes", 0)), int(now.get("done_bytes", 0))
    if not total:
        st.progress(0.0, text=_("Order № {number} waits for the agent.").format(number=order.id))
        return
    said = [
        _(PHASES.get(str(now.get("phase")), "")),
        _("files {done} of {count}").format(done=now.get("done_files", 0), count=now.get("files", 0)),
        _("{done} of {total}").format(done=size(seat, done), total=size(seat, total)),
    ]
    if now.get("rate_bps"):
        said.append(_("{size} per second").format(size=size(seat, float(now["rate_bps"]))))
    if now.get("left_s") is not None:
        said.append(_("{span} left").format(span=span(seat, float(now["left_s"]))))
    st.progress(min(1.0, done / total), text=" · ".join(part for part in said if part))


def result_view(seat: Seat, order: Order) -> str:
    """One ended order: where the bag lies, what is in it, what is missing and why."""
    tone, state = ORDER_STATES[order.state]
    zones = ", ".join(_(ZONE_LABELS[Zone(zone)]) for zone in order.body.get("zones", []))
    when = moment(seat, order.ended_at or order.given_at)
    result = order.result
    lines = "".join(f"<p>{line}</p>" for line in _lines(seat, result))
    return (
        f'<div class="ek-verdict {tone}" data-archive="{order.state}">{mark(tone)}<div style="flex:1"><b>'
        f"{escape(_('Archive № {number}').format(number=order.id))} · {escape(_(state))}</b>"
        f"<span>{escape(when)} · {escape(zones)}</span>{lines}</div></div>"
    )


def _lines(seat: Seat, result: Mapping[str, Any]) -> list[str]:
    if result.get("error"):
        return [escape(str(result["error"]))]
    lines = []
    if result.get("bag"):
        lines.append(_("Bag: {path}").format(path=f"<code data-bag>{escape(str(result['bag']))}</code>"))
        text = _("Files {files}, {size}; read back from the carrier and compared: {read}.")
        files, volume = result.get("files", 0), size(seat, float(result.get("bytes", 0)))
        lines.append(text.format(files=files, size=volume, read=size(seat, float(result.get("read_back_bytes", 0)))))
    lines += [mark("bad") + escape(str(one.get("text", ""))) for one in result.get("failed", [])[:10]]
    lines += [mark("warn") + escape(str(one)) for one in result.get("deficiencies", [])[:10]]
    return lines


def verify_view(seat: Seat, bag: Path) -> None:
    """Read the whole bag again and say what was found."""
    bar = st.progress(0.0, text=_("Reading the bag…"))

    def told(done: int, total: int) -> None:
        bar.progress(min(1.0, done / total) if total else 0.0, text=_("Reading the bag…"))

    report = verify_bag(bag, key=seat.ledger.public_key, progress=told)
    bar.empty()
    text = report.text(seat.language)
    if report.whole:
        st.success(plain(text))
    else:
        st.error(plain(text))
