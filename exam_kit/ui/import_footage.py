"""Footage that another recorder or a memory card left: look, confirm its clock by the picture, take it in."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from exam_kit.agent import orders
from exam_kit.agent.import_footage import body_of
from exam_kit.agent.orders import Order
from exam_kit.archive import carriers
from exam_kit.cctv.imports import FAULTS, TIME_SOURCES, Found, choose, kept_offset_s, plan_import
from exam_kit.i18n import _
from exam_kit.ui.import_clock import draw_clock, offset_read_s
from exam_kit.ui.marks import mark
from exam_kit.ui.orders_view import ORDER_STATES, give, may_give
from exam_kit.ui.seat import Seat, flash, live, saying_errors
from exam_kit.ui.when import moment, seconds_time, short_day, size, span

__all__ = ["draw_import"]

KIND = "import_footage"
PLAN = "import-plan"
SHOWN = 3
MOST_ROWS = 200


def draw_import(seat: Seat) -> None:
    """The look, the clock and the order for who may copy footage; the latest imports for everybody."""
    with st.expander(_("Bring in footage from another recorder or a memory card"), key="import"):
        if may_give(seat, KIND):
            st.caption(
                _("From a Hikvision or Dahua recorder over the network: `exam-kit footage fetch` brings the files "
                  "into a folder. That was never run on the real device.")
            )  # fmt: skip
            _look(seat)
            _confirm(seat)
        else:
            st.caption(_("Footage is brought in by the technical specialist."))
    _imports()


def _look(seat: Seat) -> None:
    with st.form("import-look", border=False):
        camera_at, place_at, other_at = st.columns([1.2, 2, 2])
        camera = camera_at.selectbox(
            _("Camera it is footage of"), [one.id for one in seat.point.cameras], filter_mode=None
        )
        places = {one.path: one.label or one.path for one in carriers(seat.home)}
        place = place_at.selectbox(_("Card or drive"), list(places), format_func=places.__getitem__, filter_mode=None)
        typed = other_at.text_input(_("or a folder"), key="import-folder")
        if not st.form_submit_button(_("Look into it"), type="primary"):
            return
    with saying_errors(seat):
        folder = Path(typed.strip() or place or "")
        bar = st.progress(0.0)

        def told(done: int, total: int, path: str) -> None:
            bar.progress(done / total, text=path)

        found = plan_import(
            seat.store, seat.point, folder, camera or "",
            offset_s=kept_offset_s(seat.ledger, camera or "", folder) or 0.0,
            progress=told,
        )  # fmt: skip
        bar.empty()
        st.session_state[PLAN] = (camera, folder, found)


def _confirm(seat: Seat) -> None:
    if PLAN not in st.session_state:
        return
    camera, folder, found = st.session_state[PLAN]
    if not found:
        st.info(_("No video files are in this folder."))
        return
    st.html(_table(seat, found))
    files = choose(found)
    if not files:
        st.info(_("There is nothing new to take."))
        return
    chosen = {one.path for one in files}
    assumed, day, read = draw_clock(seat, folder, [one for one in found if one.path in chosen])
    kept = kept_offset_s(seat.ledger, camera, folder)
    if kept is not None:
        st.caption(_("Confirmed last for this source: {seconds} s.").format(seconds=f"{kept:+g}"))
    st.caption(_("The files are copied unchanged; those that the browser cannot show play in a player."))
    text = _("The clock is compared: take the files ({count})").format(count=len(files))
    if st.button(text, type="primary", key="import-take"):
        with saying_errors(seat):
            offset_s = offset_read_s(seat, assumed, day, read)
            # English: it goes into the ledger.
            why = f"clock in the picture {day} {read.strip()}, assumed {assumed.astimezone(seat.point.tz):%F %T}"
            body = body_of(camera, folder, files, offset_s)
            number = give(seat, KIND, body, ordered_by=seat.account.login, why=why)
            del st.session_state[PLAN]
            flash(
                _("Order № {number} is given; {seconds} s are added to the recorder's time.").format(
                    number=number, seconds=f"{offset_s:+g}"
                )
            )
            st.rerun()


def _table(seat: Seat, found: list[Found]) -> str:
    head = (_("File"), _("From"), _("To"), _("Time from"), _("Video"), _("Size"), _("Note"))
    rows = "".join(f"<tr>{_row(seat, one)}</tr>" for one in found[:MOST_ROWS])
    more = _("and {count} more").format(count=len(found) - MOST_ROWS) if len(found) > MOST_ROWS else ""
    cells = "".join(f"<th>{escape(text)}</th>" for text in head)
    return (
        f'<div style="max-height:22rem;overflow:auto" tabindex="0"><table class="ek-table" data-import>'
        f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>{escape(more)}"
    )


def _row(seat: Seat, one: Found) -> str:
    day = short_day(seat, one.start.astimezone(seat.point.tz).date())
    if one.fault:
        told = [escape(one.path), "—", "—", "—", "—", size(seat, one.bytes)]
    else:
        source = mark("warn" if one.weak else "ask") + escape(_(TIME_SOURCES[one.time_from]))
        video = f"{one.codec} {one.width}×{one.height}"
        told = [escape(one.path), f"{day} {seconds_time(seat, one.start)}", seconds_time(seat, one.end), source,
                escape(video), size(seat, one.bytes)]  # fmt: skip
    return "".join(f"<td>{text}</td>" for text in (*told, _note(seat, one)))


def _note(seat: Seat, one: Found) -> str:
    if one.fault:
        return mark("bad") + escape(_(FAULTS.get(one.fault, one.fault)))
    if one.same_as:
        return mark("none") + escape(_("is there already: {path}").format(path=one.same_as))
    notes = []
    if one.overlap_s:
        notes.append(_("recorded already: {span}").format(span=span(seat, one.overlap_s)))
    if one.name_differs:
        notes.append(_("the name tells another length than the video has"))
    if not one.plays:
        notes.append(_("plays in a player"))
    return (mark("warn") if one.overlap_s or one.name_differs else "") + escape("; ".join(notes))


@live(2.0)
def _imports(seat: Seat) -> None:
    for order in orders.recent(seat.store, KIND, SHOWN):
        if order.open:
            _under_way(seat, order)
        else:
            st.html(_ended(seat, order))


def _under_way(seat: Seat, order: Order) -> None:
    total, done = int(order.progress.get("bytes", 0)), int(order.progress.get("done_bytes", 0))
    bar_at, cancel_at = st.columns([5, 1], vertical_alignment="center")
    text = _("Import № {number}: {done} of {total}, {file}").format(
        number=order.id, done=size(seat, done), total=size(seat, total), file=order.progress.get("file", "")
    )
    bar_at.progress(min(1.0, done / total) if total else 0.0, text=text)
    if may_give(seat, "cancel") and cancel_at.button(_("Cancel"), key=f"cancel-{order.id}", width="stretch"):
        with saying_errors(seat):
            give(seat, "cancel", {"order": order.id}, ordered_by=seat.account.login, why="")


def _ended(seat: Seat, order: Order) -> str:
    result = order.result
    faults = result.get("faults", {})
    tone, state = ("warn", ORDER_STATES["done"][1]) if faults else ORDER_STATES[order.state]
    offset = f"{float(order.body['offset_s']):+g}"
    lines = [escape(str(result["error"]))] if result.get("error") else []
    if "taken" in result:
        lines.append(
            escape(
                _("Files taken {taken}, there before {already}, not taken {faults}; {size}.").format(
                    taken=len(result["taken"]),
                    already=len(result["already"]),
                    faults=len(faults),
                    size=size(seat, float(result["bytes"])),
                )
            )
        )
    lines += [mark("bad") + escape(f"{path}: {_(FAULTS.get(why, why))}") for path, why in list(faults.items())[:6]]
    told = "".join(f"<p>{line}</p>" for line in lines)
    what = _("Import № {number}").format(number=order.id)
    clock = _("{seconds} s added to its time, confirmed by {who}").format(seconds=offset, who=order.ordered_by)
    return (
        f'<div class="ek-verdict {tone}">{mark(tone)}<div style="flex:1">'
        f"<b>{escape(what)} · {escape(order.body['camera'])} · {escape(_(state))}</b>"
        f"<span>{escape(moment(seat, order.ended_at or order.given_at))} · {escape(clock)}</span>{told}</div></div>"
    )
