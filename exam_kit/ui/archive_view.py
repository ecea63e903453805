"""Archive orders on the screen: how far each copy has come, pause and cancel, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from exam_kit.agent.archiving import asked_of, destinations_of
from exam_kit.agent.orders import Order, recent
from exam_kit.archive import STATE_LABELS
from exam_kit.archive.delivered import Delivery
from exam_kit.archive.kept_papers import kept_act, kept_coverage
from exam_kit.archive.receipt import OUTCOME_LABELS
from exam_kit.i18n import N_, _
from exam_kit.ui.archive_facts import Copy
from exam_kit.ui.day_plan import ZONE_LABELS
from exam_kit.ui.marks import chip, mark
from exam_kit.ui.orders_view import ORDER_STATES, give, may_give
from exam_kit.ui.papers import paper_link
from exam_kit.ui.seat import Seat, saying_errors
from exam_kit.ui.when import clock_time, moment, size, span

__all__ = ["delivered_chip", "draw_copy", "draw_failed", "draw_progress", "what_of"]

PHASES = {
    "copying": N_("copying, each file read back and compared"),
    "proving": N_("reading again what was copied before"),
    "sealing": N_("sealing the bag and verifying it"),
    "sending": N_("sending to the store, each file proved there"),
}
SHOWN = 10


def draw_progress(seat: Seat, order: Order) -> None:
    """A bar for each destination with its rate and time left; pause, go on, cancel."""
    told: dict[str, Any] = {str(one.get("destination")): one for one in order.progress.get("to", [])}
    paused = bool(order.progress["paused"]) if "paused" in order.progress else _asked_to_pause(seat, order)
    with st.container(border=True, key="archive-progress"):
        title = _("Archive № {number}").format(number=order.id)
        st.html(f'<h3 class="ek-h" data-shown="{order.id}">{escape(title)} · {what_of(seat, order)}</h3>')
        for number, destination in enumerate(destinations_of(order), 1):
            _bar(seat, order, number, destination, told.get(destination) or ({} if told else order.progress), paused)
        if may_give(seat, "pause"):
            _buttons(seat, order, paused)


def _bar(seat: Seat, order: Order, number: int, destination: str, now: Mapping[str, Any], paused: bool) -> None:
    name = _("Copy {number} to {place}").format(number=number, place=destination)
    total, done = int(now.get("bytes", 0)), int(now.get("done_bytes", 0))
    if now.get("error"):
        why = str(now.get("said", {}).get(seat.language) or now["error"])
        st.html(f'<p class="ek-note">{mark("bad")}{escape(name)} · {escape(why)}</p>')
        return
    if not total:
        waits = _("waits for the agent") if order.state == "new" else _("is being prepared")
        waits = _("paused") if paused else _("waits") if order.progress.get("to") else waits
        st.progress(0.0, text=f"{name} · {waits}")
        return
    said = [
        _("paused") if paused else _(PHASES.get(str(now.get("phase")), "")),
        _("files {done} of {count}").format(done=now.get("done_files", 0), count=now.get("files", 0)),
        _("{done} of {total}").format(done=size(seat, done), total=size(seat, total)),
    ]
    if now.get("rate_bps") and not paused:
        said.append(_("{size} per second").format(size=size(seat, float(now["rate_bps"]))))
        if now.get("left_s") is not None:
            said.append(_("{span} left").format(span=span(seat, float(now["left_s"]))))
    st.progress(min(1.0, done / total), text=" · ".join([name, *said]))


def _asked_to_pause(seat: Seat, order: Order) -> bool:
    """What was asked last, as long as the run itself has not said how it stands."""
    return next((bool(one.body["on"]) for one in recent(seat.store, "pause") if one.body["order"] == order.id), False)


def _buttons(seat: Seat, order: Order, paused: bool) -> None:
    with st.container(horizontal=True):
        label = _("Go on") if paused else _("Pause")
        if st.button(label, key="archive-pause"):
            with saying_errors(seat):
                give(seat, "pause", {"order": order.id, "on": not paused}, ordered_by=seat.account.login, why="")
        if st.button(_("Cancel the copy"), key="cancel"):
            with saying_errors(seat):
                why = _("cancelled on the screen")
                give(seat, "cancel", {"order": order.id}, ordered_by=seat.account.login, why=why)
                st.caption(_("Asked to stop; what is verified stays verified."))


def draw_copy(seat: Seat, copy: Copy) -> None:
    """One finished copy: verified, ready to sign; delivered when the region's receipt is here."""
    result = _result(copy)
    lines = [_bag_line(copy), _proved_line(seat, result)]
    lines += [mark("bad") + escape(one) for one in _said(seat, result, "failed")]
    lines += [mark("warn") + escape(one) for one in _said(seat, result, "deficiencies")]
    with st.container(border=True, key=f"copy-{copy.order.id}-{copy.number}"):
        text_at, act_at = st.columns([5, 2], vertical_alignment="center")
        text_at.html(_headline(seat, copy) + "".join(f"<p>{line}</p>" for line in lines) + "</div></div>")
        with act_at:
            address = f"/papers/act.pdf?order={copy.order.id}&copy={copy.number}"
            if copy.at_hand or kept_act(seat.home, copy.job) is not None:
                paper_link(_("Hand-over act, ready to sign (PDF)"), address)
            if copy.delivery is not None and kept_coverage(seat.home, copy.job) is not None:
                paper_link(_("The act with the region's mark of receipt (PDF)"), f"{address}&received=1")
            if copy.at_hand:
                _verify_button(seat, copy)
            else:
                st.html(f'<p class="ek-note">{mark("none")}{escape(_("The carrier is not plugged in."))}</p>')


def _headline(seat: Seat, copy: Copy) -> str:
    when = moment(seat, copy.order.ended_at or copy.order.given_at)
    title = _("Copy {number}: archived and verified").format(number=copy.number)
    return (
        f'<div class="ek-verdict good" data-archive="done" data-copy="{copy.number}">{mark("good")}<div style="flex:1">'
        f"<b>{escape(title)}</b><span>{escape(when)} · {what_of(seat, copy.order)}</span>"
        f"<p>{delivered_chip(seat, copy.delivery)}</p>"
    )


def delivered_chip(seat: Seat, delivery: Delivery | None) -> str:
    """Whether the region said that it has the bag."""
    if delivery is None:
        return chip("none", _("not delivered yet: no receipt of the region"))
    label = _(OUTCOME_LABELS.get(delivery.outcome, delivery.outcome))
    when = moment(seat, delivery.received_at)
    return f"<span data-delivered>{chip('good', _('delivered'))}</span> {escape(f'{when} · {label}')}"


def _bag_line(copy: Copy) -> str:
    return _("Bag: {path}").format(path=f"<code data-bag>{escape(copy.bag)}</code>")


def _proved_line(seat: Seat, result: Mapping[str, Any]) -> str:
    files = result.get("files", 0)
    if result.get("proofs"):
        text = _("Files {files}, {size}; objects proved by the store's SHA-256: {kept}, by reading back: {read}.")
        kept, back = (result["proofs"].get(how, 0) for how in ("server_sha256", "downloaded"))
        return text.format(files=files, size=size(seat, float(result.get("bytes", 0))), kept=kept, read=back)
    text = _("Files {files}, {size}; read back from the carrier and compared: {read}.")
    read = size(seat, float(result.get("read_back_bytes", 0)))
    return text.format(files=files, size=size(seat, float(result.get("bytes", 0))), read=read)


def _result(copy: Copy) -> Mapping[str, Any]:
    for one in copy.order.result.get("copies", []):
        if one.get("bag") == copy.bag:
            return dict(one)
    return copy.order.result


def _said(seat: Seat, result: Mapping[str, Any], kind: str) -> list[str]:
    """What was said in the reader's language, where the agent kept it so."""
    said = result.get("said", {}).get(seat.language, {}).get(kind)
    if said is None:
        said = [one.get("text", "") if isinstance(one, dict) else one for one in result.get(kind, [])]
    return [str(one) for one in said[:SHOWN]]


def _verify_button(seat: Seat, copy: Copy) -> None:
    if may_give(seat, "verify_bag") and st.button(_("Verify the bag"), key=f"verify-{copy.order.id}-{copy.number}"):
        with saying_errors(seat):
            why = _("verified once more")
            give(seat, "verify_bag", {"path": copy.bag}, ordered_by=seat.account.login, why=why)
            st.session_state["verify-asked"] = True  # the verdict is shown also when it came before the page did
            st.rerun()


def draw_failed(seat: Seat, order: Order) -> None:
    """An order, or a copy of it, that did not come to a bag: why, and one click to take it up again."""
    bad = [one for one in order.result.get("copies", []) if one.get("state") != "finished"]
    if order.state == "done" and not bad:
        return
    tone, state = ORDER_STATES["failed" if order.state == "done" else order.state]
    where = [str(one.get("destination", "")) for one in bad] or destinations_of(order)
    said = [_why(seat, one) for one in bad] or [str(order.result.get("error", ""))]
    lines = "".join(f"<p>{escape(one)}</p>" for one in said if one)
    st.html(
        f'<div class="ek-verdict {tone}" data-archive="{order.state}">{mark(tone)}<div style="flex:1"><b>'
        f"{escape(_('Archive № {number}').format(number=order.id))} · {escape(_(state))}</b><span>"
        f"{escape(clock_time(seat, order.ended_at or order.given_at))} · {escape(', '.join(where))}</span>{lines}</div>"
        "</div>"
    )
    if may_give(seat, "archive") and st.button(_("Take it up again"), key=f"again-{order.id}"):
        with saying_errors(seat):
            give(seat, "archive", {**order.body, "destinations": where}, ordered_by=order.ordered_by, why=order.why)
            st.rerun()


def _why(seat: Seat, copy: Mapping[str, Any]) -> str:
    """How a copy of an order ended that is not finished."""
    why = str(copy.get("said", {}).get(seat.language, {}).get("error", ""))
    return why or f"{copy.get('destination', '')}: {_(STATE_LABELS[str(copy['state'])])}"


def what_of(seat: Seat, order: Order) -> str:
    """What an order asked for, in words."""
    asked = asked_of(order)
    words = [_(ZONE_LABELS[zone]) for zone in asked.zones] + list(asked.cameras)
    if asked.span:
        words.append("–".join(clock_time(seat, one) for one in asked.span))
    said = [", ".join(words)]
    if asked.supplement:
        said.append(_("supplement {number}").format(number=asked.supplement))
    if asked.encrypted:
        said.append(_("encrypted to the region"))
    return escape(" · ".join(said))
