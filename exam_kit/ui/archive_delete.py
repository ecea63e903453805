"""Deleting a day's footage after its time: two people, two PINs, the number typed; then the agent carries it out."""

from __future__ import annotations

from datetime import date
from html import escape

import streamlit as st

from exam_kit.agent import orders
from exam_kit.agent.orders import Order
from exam_kit.archive.act import KeepRule
from exam_kit.archive.deletion import SignedPin, order_deletion
from exam_kit.archive.keep import KeptDay
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _, ngettext
from exam_kit.store import Accounts, Act
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.marks import mark
from exam_kit.ui.orders_view import ORDER_STATES, give, people_with
from exam_kit.ui.pin_form import pin_field
from exam_kit.ui.seat import Seat, flash, live, saying_errors
from exam_kit.ui.when import moment, short_day, size

__all__ = ["draw_deletion"]

KIND, FORM = "delete_footage", "delete"
SHOWN = 3
ENDED = "deletions-ended"
"""Which of the last deletions had ended when the page was drawn."""


def draw_deletion(seat: Seat, rule: KeepRule | None, days: list[KeptDay]) -> None:
    """The form, folded away, and the last deletions."""
    st.session_state[ENDED] = _ended(seat)
    free = {one.day: one for one in days if one.free}
    with st.expander(_("Delete footage whose time is over…"), key="delete"):
        if free:
            _form(seat, rule, free)
        else:
            st.html(f'<p class="ek-note" data-nothing>{escape(_("There is nothing that may be deleted now."))}</p>')
    _deletions()


def _form(seat: Seat, rule: KeepRule | None, free: dict[date, KeptDay]) -> None:
    day = st.selectbox(
        _("Day"), list(free), filter_mode=None, key="delete-day",
        format_func=lambda one: short_day(seat, free[one].day),
    )  # fmt: skip
    chosen = free[day]
    count = chosen.free
    what = ngettext("{count} recording is deleted", "{count} recordings are deleted", count).format(count=count)
    stays = sum(number for how, number in chosen.files.items() if how not in ("free", "deleted"))
    told = f"{what}, {size(seat, chosen.bytes.get('free', 0))}. " + _("Kept all the same: {count}.").format(count=stays)
    st.html(f'<p class="ek-ask">{mark("warn")}{escape(told)} {escape(_("This cannot be undone."))}</p>')
    others = {one.login: one for one in people_with(seat, Act.DELETE_FOOTAGE) if one.login != seat.account.login}
    with st.form(fresh_key(FORM), border=False):
        why_at, order_at, number_at = st.columns([4, 2, 2])
        why = why_at.text_input(_("Why"), key=f"{fresh_key(FORM)}-why")
        order = order_at.text_input(_("Order №"), key=f"{fresh_key(FORM)}-order")
        asked = _("Type the number of recordings: {count}").format(count=count)
        typed = number_at.text_input(asked, key=f"{fresh_key(FORM)}-typed")
        own_at, other_at, pin_at, send_at = st.columns([2, 3, 2, 2], vertical_alignment="bottom")
        own = pin_field(own_at, _("Your PIN"), f"{fresh_key(FORM)}-own")
        other = other_at.selectbox(
            _("The second person"), list(others), filter_mode=None, placeholder=_("nobody else has this right"),
            format_func=lambda login: f"{others[login].name}, {others[login].post}", key=f"{fresh_key(FORM)}-other",
        )  # fmt: skip
        pin = pin_field(pin_at, _("Their PIN"), f"{fresh_key(FORM)}-pin")
        if send_at.form_submit_button(_("Delete for good"), width="stretch"):
            with saying_errors(seat):
                if (typed or "").strip() != str(count):
                    raise RefusedEntry(m("Nothing was deleted: the number typed is not {number}.", number=count))
                people = SignedPin(seat.account.login, own), SignedPin(other or "", pin)
                _order(seat, rule, chosen, people, why or "", order or "")


def _order(
    seat: Seat, rule: KeepRule | None, chosen: KeptDay, people: tuple[SignedPin, SignedPin], why: str, order: str
) -> None:
    accounts = Accounts(seat.store, seat.ledger, seat.clock)
    entry = order_deletion(seat.ledger, seat.home, accounts, rule, chosen.day, seat.today, people, why, order)
    body = {"deletion": entry.seq, "day": str(chosen.day)}
    number = give(seat, KIND, body, ordered_by=people[1].login, why=why)
    fresh(FORM)
    flash(_("Order № {number} is given.").format(number=number))
    st.rerun()


def _ended(seat: Seat) -> list[int]:
    return [order.id for order in orders.recent(seat.store, KIND, SHOWN) if not order.open]


@live(1.0)
def _deletions(seat: Seat) -> None:
    if _ended(seat) != st.session_state.get(ENDED):
        st.rerun()  # the table above and the number to be typed were those of before
    for order in orders.recent(seat.store, KIND, SHOWN):
        st.html(_told(seat, order))


def _told(seat: Seat, order: Order) -> str:
    tone, state = ORDER_STATES[order.state]
    result = order.result
    lines = []
    if order.open:
        done, total = order.progress.get("done_files", 0), order.progress.get("files", "…")
        lines.append(_("files {done} of {count}").format(done=done, count=total))
    if "files" in result:
        text = _("Deleted: {files} files, {size}. The index and the ledger keep what they were.")
        lines.append(text.format(files=result["files"], size=size(seat, float(result["bytes"]))))
    if result.get("left"):
        why = str(result.get("why_left", {}).get(seat.language, ""))
        lines.append(_("Kept after all: {count}. {why}").format(count=result["left"], why=why))
    if result.get("error"):
        lines.append(str(result["error"]))
    day = short_day(seat, date.fromisoformat(order.body["day"]))
    title = _("Deletion № {number}, footage of {day}").format(number=order.id, day=day)
    when = moment(seat, order.ended_at or order.given_at)
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<div class="ek-verdict {tone}" data-deletion="{order.state}">{mark(tone)}<div style="flex:1">'
        f"<b>{escape(title)} · {escape(_(state))}</b><span>{escape(when)}</span>{told}</div></div>"
    )
