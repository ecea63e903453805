"""One span of time from many cameras, taken out on the head's order: the form, and how far each export has come."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.agent import orders
from exam_kit.agent.orders import Order
from exam_kit.archive import carriers
from exam_kit.cctv.span_asked import MISSING
from exam_kit.cctv.status import CAUSES
from exam_kit.clock import from_iso, iso
from exam_kit.i18n import _, ngettext
from exam_kit.point import ExamDay, exam_end, exam_start
from exam_kit.store import Act
from exam_kit.ui.fields import read_time
from exam_kit.ui.marks import mark
from exam_kit.ui.orders_view import ORDER_STATES, give, may_give, people_with
from exam_kit.ui.seat import Seat, flash, live, saying_errors
from exam_kit.ui.when import clock_time, moment, seconds_time, size

__all__ = ["draw_export"]

KIND = "export_span"
SHOWN = 3


def draw_export(seat: Seat, day: ExamDay) -> None:
    """The form for who may copy footage, and the latest exports for everybody."""
    with st.expander(_("Export a span of time"), key="export"):
        if may_give(seat, KIND):
            _form(seat, day)
        else:
            st.caption(_("Footage is exported by the technical specialist on the order of the head of the point."))
    _exports()


def _form(seat: Seat, day: ExamDay) -> None:
    with st.form("export-span", border=False):
        ids = [camera.id for camera in seat.point.cameras]
        cameras = st.pills(_("Cameras (none chosen: all of them)"), ids, selection_mode="multi")
        from_at, to_at, who_at, why_at = st.columns([1, 1, 2.2, 2.2])
        start = from_at.text_input(_("From, hh:mm"), clock_time(seat, exam_start(seat.point, day)))
        end = to_at.text_input(_("To, hh:mm"), clock_time(seat, exam_end(seat.point, day)))
        people = {one.login: one for one in people_with(seat, Act.ORDER_RECORDING)}
        by = who_at.selectbox(
            _("Who ordered it"), list(people), filter_mode=None,
            format_func=lambda login: f"{people[login].name}, {people[login].post}",
        )  # fmt: skip
        why = why_at.text_input(_("Why"), placeholder=_("for example: by request of the appeal commission"))
        where_at, other_at = st.columns(2)
        places = {
            one.path: f"{one.label or one.path} · {size(seat, one.free_bytes or 0)}" for one in carriers(seat.home)
        }
        place = where_at.selectbox(
            _("Where to (free space)"), list(places), format_func=places.__getitem__, filter_mode=None
        )
        typed = other_at.text_input(_("or another folder"), placeholder=str(seat.home.bags))
        if st.form_submit_button(_("Export without encoding again"), type="primary"):
            with saying_errors(seat):
                begins = read_time(seat, start or "", day.date)
                body = {
                    "cameras": list(cameras or ids),
                    "from": iso(begins),
                    "to": iso(read_time(seat, end or "", day.date, begins)),
                    "destination": typed or place or "",
                }
                number = give(seat, KIND, body, ordered_by=by or "", why=why or "")
                flash(_("Order № {number} is given.").format(number=number))
                st.rerun()


@live(2.0)
def _exports(seat: Seat) -> None:
    for order in orders.recent(seat.store, KIND, SHOWN):
        if order.open:
            _under_way(seat, order)
        else:
            st.html(_ended(seat, order))


def _under_way(seat: Seat, order: Order) -> None:
    total, done = int(order.progress.get("bytes", 0)), int(order.progress.get("done_bytes", 0))
    bar_at, cancel_at = st.columns([5, 1], vertical_alignment="center")
    if total:
        text = _("Export № {number}: {done} of {total}, camera {camera}").format(
            number=order.id,
            done=size(seat, done),
            total=size(seat, total),
            camera=order.progress.get("camera", ""),
        )
        bar_at.progress(min(1.0, done / total), text=text)
    else:
        bar_at.progress(0.0, text=_("Order № {number} waits for the agent.").format(number=order.id))
    if may_give(seat, "cancel") and cancel_at.button(_("Cancel"), key=f"cancel-{order.id}", width="stretch"):
        with saying_errors(seat):
            give(seat, "cancel", {"order": order.id}, ordered_by=seat.account.login, why="")


def _ended(seat: Seat, order: Order) -> str:
    tone, state = ORDER_STATES[order.state]
    result, cameras = order.result, order.body.get("cameras", [])
    times = "–".join(seconds_time(seat, from_iso(order.body[name])) for name in ("from", "to"))
    what = ngettext("{count} camera", "{count} cameras", len(cameras)).format(count=len(cameras))
    lines = [escape(str(result["error"]))] if result.get("error") else []
    if result.get("folder"):
        said = _("Files {files}, {size}; their sources and hashes stand in manifest.csv.")
        lines.append(f"<code data-export>{escape(str(result['folder']))}</code>")
        lines.append(said.format(files=result.get("files", 0), size=size(seat, float(result.get("bytes", 0)))))
    for one in result.get("missing", [])[:6]:
        start, end = (seconds_time(seat, from_iso(one[name])) for name in ("start", "end"))
        why = _(MISSING.get(one["why"]) or CAUSES.get(one["why"], one["why"]))
        lines.append(mark("warn") + escape(f"{one['camera']} {start}–{end}: {why}"))
    told = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<div class="ek-verdict {tone}">{mark(tone)}<div style="flex:1">'
        f"<b>{escape(_('Export № {number}').format(number=order.id))} · {escape(_(state))}</b>"
        f"<span>{escape(moment(seat, order.ended_at or order.given_at))} · {times} · {what}</span>{told}</div></div>"
    )
